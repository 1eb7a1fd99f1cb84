"""Write the skeleton of a golden entry for each message of sandbox/protocol.toml that has none yet.

    golden_protocol.py

An entry is the values of a message and its bytes, in tests/sandbox/golden/<section>.md. What is written there stays: it
is what older builds have sent.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import TYPE_CHECKING, Final

import protocol_file
from protocol_file import LISTS, Field, Kind, Role

if TYPE_CHECKING:
    from protocol_file import Message, Protocol

ROOT: Final = Path(__file__).resolve().parents[1]
FOLDER: Final = ROOT / "tests" / "sandbox" / "golden"
CODES: Final = {
    Kind.U8: "B",
    Kind.U16: "H",
    Kind.U32: "I",
    Kind.U64: "Q",
    Kind.I64: "q",
    Kind.F64: "d",
    Kind.U64S: "Q",
    Kind.I64S: "q",
    Kind.F64S: "d",
}
FIRST_ITEMS: Final = 2


def number(kind: Kind, index: int, bound: int) -> int | float:
    """Return a number that differs from its neighbours."""
    if kind in (Kind.F64, Kind.F64S):
        return index + 0.5
    if kind in (Kind.I64, Kind.I64S):
        return -(index * 1000 + 7)
    return min(index * 257 + 1, bound)


def value(field: Field, index: int, counts: list[int]) -> int | float | bytes | list[int | float] | list[bytes]:
    """Return an example for a field; ``counts`` are those of the fields before."""
    if field.kind is Kind.BYTES:
        return (field.name.encode() + b"\x00\xff")[: min(field.bound, 24)]
    if field.kind not in LISTS:
        return number(field.kind, index, field.bound)
    count = field.per * counts[field.of] if field.per else FIRST_ITEMS
    if field.kind is Kind.TEXTS:
        return [f"{field.name[:12]}{i}".encode() if i else b"" for i in range(count)]
    return [number(field.kind, index + i, (1 << 64) - 1) for i in range(count)]


def shown(example: object) -> str:
    """Return a value as the entries write it."""
    if isinstance(example, bytes):
        return '"' + "".join(chr(b) if 32 <= b < 127 and b not in b'"\\' else f"\\x{b:02x}" for b in example) + '"'
    if isinstance(example, list):
        return "[" + ", ".join(shown(item) for item in example) + "]"
    return str(example)


def rows_of(name: str, kind: Kind, example: object) -> list[tuple[bytes, str]]:
    """Return bytes and meanings of a field."""
    if isinstance(example, bytes):
        return [(struct.pack("<I", len(example)), f"length of {name}"), (example, name)]
    if not isinstance(example, list):
        return [(struct.pack("<" + CODES[kind], example), name)]
    rows = [(struct.pack("<I", len(example)), f"count of {name}")]
    for index, item in enumerate(example):
        if isinstance(item, bytes):
            rows += [(struct.pack("<I", len(item)), f"length of {name} {index}"), (item, f"{name} {index}")]
        else:
            rows.append((struct.pack("<" + CODES[kind], item), f"{name} {index}"))
    return rows


def entry(protocol: Protocol, message: Message) -> str:
    """Return the skeleton of an entry."""
    request_id = 0 if message.role is Role.ONE_WAY else message.number + 1000
    counts: list[int] = []
    body: list[tuple[bytes, str]] = []
    lines = [f"## {message.name}", "", "```text", f"request_id = {request_id}"]
    for index, field in enumerate(message.fields):
        example = value(field, index, counts)
        counts.append(len(example) if isinstance(example, list) else 0)
        lines.append(f"{field.name} = {shown(example)}")
        body += rows_of(field.name, field.kind, example)
    length = sum(len(data) for data, _ in body)
    head = [
        (struct.pack("<I", protocol.magic), "magic"),
        (struct.pack("<H", protocol.version_max), "version"),
        (struct.pack("<H", message.number), f"type: {message.name}"),
        (struct.pack("<Q", request_id), "request id"),
        (struct.pack("<I", 0), "flags"),
        (struct.pack("<I", length), "length of the body"),
        (bytes(8), "reserved"),
    ]
    lines += ["```", "", "| bytes | meaning |", "| --- | --- |"]
    lines += [f"| `{data.hex(' ')}` | {meaning} |" for data, meaning in [*head, *body] if data]
    return "\n".join([*lines, ""])


def main() -> None:
    """Append what is missing."""
    protocol = protocol_file.load(ROOT / "sandbox" / "protocol.toml")
    for section, title in protocol.sections.items():
        path = FOLDER / f"{section}.md"
        text = path.read_text(encoding="utf-8") if path.is_file() else f"# {title}: messages, byte by byte\n"
        for message in protocol.messages:
            if message.section == section and f"\n## {message.name}\n" not in text:
                text += "\n" + entry(protocol, message)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
