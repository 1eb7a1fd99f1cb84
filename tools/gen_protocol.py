"""Write everything that follows from sandbox/protocol.toml.

    gen_protocol.py [--check]       --check writes nothing; exit status 1 when a file is out of date

The C tables and structs (sandbox/wire/protocol.h, protocol.c), the Python ones (trioredis/modules/protocol.py) and
the page docs/reference/module-protocol.md. tools/golden_protocol.py writes the skeletons of golden messages.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

import protocol_file
from protocol_file import Field, Kind, Message, Protocol

ROOT: Final = Path(__file__).resolve().parents[1]
NOTE: Final = "Generated from sandbox/protocol.toml by tools/gen_protocol.py; change those."
COLUMNS: Final = 100
C_TYPES: Final = {
    Kind.U8: "uint8_t",
    Kind.U16: "uint16_t",
    Kind.U32: "uint32_t",
    Kind.U64: "uint64_t",
    Kind.I64: "int64_t",
    Kind.F64: "double",
    Kind.BYTES: "tr_wire_bytes",
}
PY_TYPES: Final = {
    Kind.F64: "float",
    Kind.BYTES: "bytes",
    Kind.TEXTS: "tuple[bytes, ...]",
    Kind.U64S: "tuple[int, ...]",
    Kind.I64S: "tuple[int, ...]",
    Kind.F64S: "tuple[float, ...]",
}


def wrapped(text: str, head: str, indent: str, columns: int) -> list[str]:
    """Return ``text`` in lines of at most ``columns``, the first after ``head``, the others after ``indent``."""
    lines, line = [], head
    for word in text.split():
        if len(line) + len(word) + 1 > columns and line.strip():
            lines.append(line.rstrip())
            line = indent
        line += word + " "
    return [*lines, line.rstrip()]


def comment(text: str, indent: str = "") -> list[str]:
    """Return a C comment."""
    return wrapped(text + " */", indent + "/* ", indent + " * ", COLUMNS)


# ---------------------------------------------------------------------------------------------------- C


def c_struct(message: Message) -> list[str]:
    """Return the struct of a message's body."""
    lines = comment(f"{message.doc} {message.sender.capitalize()}, {message.channel} channel.")
    lines.append(f"typedef struct tr_msg_{message.name} {{")
    for field in message.fields:
        declaration = f"    {C_TYPES.get(field.kind, 'tr_wire_list')} {field.name};"
        lines += wrapped(f"{field.doc} */", f"{declaration} /* ", " " * (len(declaration) + 2) + "* ", COLUMNS)
    if not message.fields:
        lines.append("    uint8_t nothing; /* not on the wire */")
    return [*lines, f"}} tr_msg_{message.name};", ""]


def c_wrappers(message: Message) -> list[str]:
    """Return the two functions of a message."""
    name, number = message.name, f"TR_MSG_{message.name.upper()}"
    return [
        f"static inline const char *tr_msg_{name}_decode(const uint8_t *bytes, size_t len,",
        f"                                               tr_msg_{name} *m) {{",
        f"    return tr_wire_decode({number}, bytes, len, m);",
        "}",
        f"static inline int tr_msg_{name}_encode(tr_mem *mem, tr_buf *out, uint64_t request_id,",
        f"                                       const tr_msg_{name} *m) {{",
        f"    return tr_wire_encode(mem, out, {number}, 0, request_id, m);",
        "}",
        "",
    ]


def c_header(protocol: Protocol) -> str:
    """Return protocol.h."""
    lines = [
        *comment(f"protocol.h - all messages between engine and host. {NOTE}"),
        "#ifndef TR_WIRE_PROTOCOL_H",
        "#define TR_WIRE_PROTOCOL_H",
        "",
        '#include "sandbox/wire/codec.h"',
        "",
        f"#define TR_WIRE_MAGIC {protocol.magic:#010x}u",
        f"#define TR_WIRE_VERSION_MIN {protocol.version_min}",
        f"#define TR_WIRE_VERSION_MAX {protocol.version_max}",
        f"#define TR_WIRE_BODY_MAX {max(m.max_bytes for m in protocol.messages)}u",
        f"#define TR_WIRE_MESSAGES {len(protocol.messages)}",
        f"#define TR_WIRE_TYPE_MAX {max(m.number for m in protocol.messages)}",
        "",
    ]
    for name, value in protocol.limits.items():
        lines += [*comment(protocol.limits_why[name]), f"#define TR_WIRE_{name.upper()} {value}"]
    lines += ["", "/* Bits: in which state a message may be sent. */", "typedef enum tr_state {"]
    for bit, (name, doc) in enumerate(protocol.states.items()):
        comma = "," if bit + 1 < len(protocol.states) else ""
        lines.append(f"    TR_STATE_{name.upper()} = {1 << bit}{comma} /* {doc} */")
    lines += ["} tr_state;", "", "typedef enum tr_msg_type {"]
    for index, message in enumerate(protocol.messages):
        comma = "," if index + 1 < len(protocol.messages) else ""
        lines.append(f"    TR_MSG_{message.name.upper()} = {message.number}{comma}")
    lines += ["} tr_msg_type;", ""]
    for message in protocol.messages:
        lines += c_struct(message)
    for message in protocol.messages:
        lines += c_wrappers(message)
    return "\n".join([*lines, "#endif", ""])


def c_field(message: Message, field: Field) -> str:
    """Return the entry of a field in its table."""
    place = f"offsetof(tr_msg_{message.name}, {field.name})"
    entry = f'    {{"{field.name}", {place}, TR_WIRE_{field.kind.name}, {field.per}, {field.of}, {field.bound}u}},'
    if len(entry) <= COLUMNS:
        return entry
    return entry.replace(", TR_WIRE_", ",\n     TR_WIRE_", 1)


def c_spec(message: Message, index: int) -> list[str]:
    """Return the entry of a message in the table."""
    states = " | ".join(f"TR_STATE_{name.upper()}" for name in message.states)
    fields = f"fields_{message.name}" if message.fields else "NULL"
    return [
        f'    {{.name = "{message.name}",',
        f"     .type = {message.number},",
        f"     .from = TR_FROM_{message.sender.upper()},",
        f"     .channel = TR_{message.channel.upper()},",
        f"     .role = TR_{message.role.name},",
        f"     .once = {int(message.once)},",
        f"     .detached = {int(message.detached)},",
        f"     .field_count = {len(message.fields)},",
        *wrapped(states + ",", "     .states = ", "               ", COLUMNS),
        f"     .index = {index},",
        f"     .max = {message.max_bytes},",
        f"     .struct_bytes = sizeof(tr_msg_{message.name}),",
        f"     .fields = {fields}}},",
    ]


def c_source(protocol: Protocol) -> str:
    """Return protocol.c."""
    lines = [f"/* {NOTE} */", '#include "sandbox/wire/protocol.h"', ""]
    for message in protocol.messages:
        if message.fields:
            lines += [
                f"static const tr_wire_field fields_{message.name}[] = {{",
                *(c_field(message, field) for field in message.fields),
                "};",
            ]
    lines += ["", "static const tr_wire_spec specs[TR_WIRE_MESSAGES] = {"]
    for index, message in enumerate(protocol.messages):
        lines += c_spec(message, index)
    lines += ["};", "", "/* Index in specs, plus one. */", "static const uint16_t by_type[TR_WIRE_TYPE_MAX + 1] = {"]
    lines += [f"    [{message.number}] = {index + 1}," for index, message in enumerate(protocol.messages)]
    lines += [
        "};",
        "",
        "const tr_wire_spec *tr_wire_spec_of(uint16_t type) {",
        "    if (type > TR_WIRE_TYPE_MAX || by_type[type] == 0) return NULL;",
        "    return &specs[by_type[type] - 1];",
        "}",
        "",
        "const tr_wire_spec *tr_wire_specs(size_t *count) {",
        "    *count = TR_WIRE_MESSAGES;",
        "    return specs;",
        "}",
        "",
    ]
    return "\n".join(lines)


# ---------------------------------------------------------------------------------------------------- Python


def py_class(message: Message) -> list[str]:
    """Return the dataclass of a message of the control channel."""
    lines = ["", "", "@final", "@dataclass(frozen=True, slots=True)", f"class {message.class_name}(Body):"]
    lines += [f'    """{message.doc}"""', "", f'    TYPE: ClassVar[str] = "{message.name}"']
    for field in message.fields:
        lines += (
            ["", f"    {field.name}: {PY_TYPES.get(field.kind, 'int')}"]
            if field is message.fields[0]
            else [f"    {field.name}: {PY_TYPES.get(field.kind, 'int')}"]
        )
        lines.append(f'    """{field.doc[0].upper()}{field.doc[1:]}."""')
    return lines


def py_row(message: Message) -> list[str]:
    """Return the row of a message in the table that the Python codec reads."""
    marks = ["once"] * message.once + ["detached"] * message.detached
    head = [str(message.number), message.name, message.channel, message.sender, message.role.value]
    head += [str(message.max_bytes), ",".join(message.states), ",".join(marks) or "-"]
    fields = " ".join(f"{field.name}:{field.written}" for field in message.fields)
    return wrapped(" ".join([*head, fields]), "", "  ", 118)


def py_module(protocol: Protocol) -> str:
    """Return protocol.py."""
    control = [message for message in protocol.messages if message.channel == "control"]
    lines = [
        '"""All messages between engine and host; those of the control channel as classes.',
        "",
        NOTE,
        '"""',
        "",
        "from __future__ import annotations",
        "",
        "from dataclasses import dataclass",
        "from typing import ClassVar, Final, final",
        "",
        "from trioredis.modules.wire import Body, Table",
        "",
        f"VERSION_MIN: Final = {protocol.version_min}",
        f"VERSION_MAX: Final = {protocol.version_max}",
        *(f"{name.upper()}: Final = {value}" for name, value in protocol.limits.items()),
    ]
    for message in control:
        lines += py_class(message)
    lines += [
        "",
        "",
        "# A row per message: number, name, channel, sender, role, longest body, states, marks; then its fields.",
    ]
    lines += ["MESSAGES: Final = Table.parse(", f"    magic=0x{protocol.magic:08X},"]
    lines += ["    versions=(VERSION_MIN, VERSION_MAX),", '    rows="""']
    for message in protocol.messages:
        lines += py_row(message)
    lines += ['""",', "    bodies=(", *(f"        {message.class_name}," for message in control)]
    return "\n".join([*lines, "    ),", ")", ""])


# ---------------------------------------------------------------------------------------------------- docs


def escaped(text: str) -> str:
    """Return ``text`` for a cell of a table."""
    return text.replace("|", "\\|").replace("<", "&lt;")


def page_message(message: Message, answer: Message | None) -> list[str]:
    """Return the part of the page on a message and its answer."""
    kind = {"request": "asks", "one_way": "tells"}[message.role.value]
    lines = [f"### {message.name}", "", message.doc, ""]
    lines.append(f"{message.number}: the {message.sender} {kind}, on the {message.channel} channel.")
    lines.append(f"Allowed while {', '.join(message.states)}{', once' if message.once else ''}.")
    lines.append(f"At most {message.max_bytes} bytes.")
    if message.serves:
        lines.append(f"Serves {', '.join(f'`{name}`' for name in message.serves)}.")
    for part in (message, answer):
        if part is None:
            continue
        if part is answer:
            lines += ["", f"Answer {part.number}, at most {part.max_bytes} bytes:"]
        if part.fields:
            lines += ["", "| field | type | meaning |", "| --- | --- | --- |"]
        else:
            lines += ["", "No fields."]
        lines += [f"| `{f.name}` | {escaped(f.written)} | {escaped(f.doc)} |" for f in part.fields]
    return [*lines, ""]


def page(protocol: Protocol) -> str:
    """Return the page of documentation."""
    lines = [
        "# Messages between engine and module host",
        "",
        f"<!-- {NOTE} -->",
        "",
        "A module runs in a process of its own, the host.",
        "It has two channels: the control channel is a socket to the supervisor.",
        "The data channel is two rings of slots, in memory that it shares with the engine.",
        "Both carry these messages.",
        "",
        "A message is a header of 32 bytes and a body; all numbers are little-endian and nothing is padded.",
        "",
        "| offset | bytes | field |",
        "| --- | --- | --- |",
        f"| 0 | 4 | magic, {protocol.magic:#010x} |",
        f"| 4 | 2 | version, {protocol.version_min} to {protocol.version_max} |",
        "| 6 | 2 | type: even for requests and one-way messages, odd for answers |",
        "| 8 | 8 | request id: chosen by who asks, repeated by the answer, 0 in one-way messages |",
        "| 16 | 4 | flags: 1 in a request of the engine that is to wait its turn |",
        "| 20 | 4 | length of the body |",
        "| 24 | 8 | reserved, 0 |",
        "",
        "A body is its fields: numbers as they are, bytes after their length, lists after their count, both u32.",
        "What breaks a bound, is of an unknown type, comes in the wrong state or leaves bytes over ends it all.",
        "The engine takes it for a crash of the module.",
        "",
        "## States",
        "",
        "| state | meaning |",
        "| --- | --- |",
        *(f"| {name} | {doc} |" for name, doc in protocol.states.items()),
        "",
        "## Limits",
        "",
        "| limit | value | why |",
        "| --- | --- | --- |",
        *(f"| {name} | {value} | {protocol.limits_why[name]} |" for name, value in protocol.limits.items()),
        "",
    ]
    answers = {message.number: message for message in protocol.messages}
    for section, title in protocol.sections.items():
        lines += [f"## {title}", ""]
        for message in protocol.messages:
            if message.section == section and message.number % 2 == 0:
                lines += page_message(message, answers.get(message.number + 1))
    return "\n".join(lines).rstrip() + "\n"


PAGES: Final = {
    "sandbox/wire/protocol.h": c_header,
    "sandbox/wire/protocol.c": c_source,
    "trioredis/modules/protocol.py": py_module,
    "docs/reference/module-protocol.md": page,
}


def main(arguments: list[str]) -> int:
    """Write or check all files; return the exit status."""
    protocol = protocol_file.load(ROOT / "sandbox" / "protocol.toml")
    stale = []
    for name, make in PAGES.items():
        path, written = ROOT / name, make(protocol)
        if not path.is_file() or path.read_text(encoding="utf-8") != written:
            stale.append(name)
            if arguments != ["--check"]:
                path.write_text(written, encoding="utf-8")
    if arguments == ["--check"] and stale:
        print("out of date, run tools/gen_protocol.py:", *stale, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
