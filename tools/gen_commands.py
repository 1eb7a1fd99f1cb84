"""Write the C command table from commands.json.

    gen_commands.py commands.json out.c out.h

out.h declares the handlers and lists them, the functions that find keys, and the ids. out.c holds
the table and the perfect hash that csrc/exec/command.c looks names up with: a name's two words (the
same as name_head and name_tail) times a multiplier give a bucket and a slot; the bucket's
displacement moves its names to slots that nobody else has. The multiplier and the displacements are
found here, by trying.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import check_commands
import command_file
from command_file import Entry

WORD: Final = (1 << 64) - 1
BUCKET_BITS: Final = 6
FIRST_MULTIPLIER: Final = 0x9E3779B97F4A7C15
MULTIPLIERS_MAX: Final = 10_000
KINDS: Final = {"": "CONTAINER", "c": "C", "sync": "PY_SYNC", "async": "PY_ASYNC"}
BANNER: Final = "/* Generated from commands.json by tools/gen_commands.py; change those. */\n"


def words_of(name: str) -> tuple[int, int]:
    """Return name_head and name_tail: what pack_name() in command.c makes of the same bytes."""
    data = name.encode()
    return int.from_bytes(data[:8], "little"), int.from_bytes(data[-8:], "little") if len(data) > 8 else 0


@dataclass(frozen=True, slots=True)
class PerfectHash:
    """A hash without collisions over a fixed set of names; ``slots`` holds indices into it plus
    one, or 0.
    """

    multiplier: int
    slot_bits: int
    displacements: list[int]
    slots: list[int]


def hash_of(words: tuple[int, int], multiplier: int) -> int:
    """Return the bits that bucket and slot are cut from, as hash_name() in command.c does."""
    head, tail = words
    return ((head ^ (tail << 1 & WORD | tail >> 63)) * multiplier) & WORD


def build_hash(names: list[str]) -> PerfectHash:
    """Find a perfect hash for ``names``.

    RuntimeError: two names have equal words, or there is none in reach.
    """
    slot_bits = max(4, (2 * len(names) - 1).bit_length())
    multiplier = FIRST_MULTIPLIER
    for _ in range(MULTIPLIERS_MAX):
        found = _place(names, multiplier, slot_bits)
        if found is not None:
            return found
        multiplier = (multiplier * 6364136223846793005 + 1442695040888963407) & WORD | 1
    raise RuntimeError("no perfect hash found")


def _place(names: list[str], multiplier: int, slot_bits: int) -> PerfectHash | None:
    """Give every bucket, largest first, the smallest displacement that collides with nothing."""
    mask = (1 << slot_bits) - 1
    buckets: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for index, name in enumerate(names):
        h = hash_of(words_of(name), multiplier)
        buckets[h >> (64 - BUCKET_BITS)].append((index, h >> 32 & mask))
    displacements, slots = [0] * (1 << BUCKET_BITS), [0] * (mask + 1)
    for bucket, members in sorted(buckets.items(), key=lambda item: (-len(item[1]), item[0])):
        for displacement in range(mask + 1):
            places = [base + displacement & mask for _, base in members]
            if len(set(places)) == len(places) and not any(slots[place] for place in places):
                break
        else:
            return None
        displacements[bucket] = displacement
        for (index, _), place in zip(members, places, strict=True):
            slots[place] = index + 1
    return PerfectHash(multiplier, slot_bits, displacements, slots)


def identifier(name: str) -> str:
    """Return a name as part of a C identifier: ``client|no-evict`` gives ``client_no_evict``."""
    return name.replace("|", "_").replace("-", "_")


def or_of(prefix: str, words: Iterable[str]) -> str:
    """Return ``A | B``, or ``0`` for no words."""
    return " | ".join(prefix + identifier(word).upper() for word in words) or "0"


class Table:
    """The commands in the order of their ids, and the C text of each part of the table."""

    def __init__(self, commands: dict[str, Entry]) -> None:
        self.top = [commands[name] for name in sorted(commands)]
        self.everything = sorted(
            (entry for top in self.top for entry in (top, *top.get("subcommands", {}).values())),
            key=lambda entry: str(entry["name"]),
        )
        self.ids = {entry["name"]: index for index, entry in enumerate(self.everything)}
        self.place = {entry["name"]: f"top[{index}]" for index, entry in enumerate(self.top)}
        for entry in self.top:
            for index, name in enumerate(sorted(entry.get("subcommands", {}))):
                self.place[f"{entry['name']}|{name}"] = f"subs_{identifier(entry['name'])}[{index}]"

    def header(self) -> str:
        """Return out.h."""
        handlers = sorted(e["handler"]["c"] for e in self.everything if "c" in e.get("handler", {}))
        keys_fns = sorted({entry["get_keys"] for entry in self.everything if "get_keys" in entry})
        rows = "".join(f" \\\n    X({name})" for name in handlers)
        ids = "".join(f"    TR_ID_{identifier(n).upper()} = {i},\n" for n, i in self.ids.items())
        return (
            BANNER
            + "#ifndef TR_EXEC_COMMAND_TABLE_H\n#define TR_EXEC_COMMAND_TABLE_H\n\n"
            + '#include "exec/command.h"\n\n'
            + f"#define TR_COMMAND_COUNT {len(self.everything)}\n\n"
            + "/* Every function that the table names as a handler. */\n"
            + f"#define TR_C_HANDLERS(X){rows}\n\n"
            + "".join(f"tr_command_fn {name};\n" for name in handlers)
            + "\n"
            + "".join(f"tr_command_keys_fn {name};\n" for name in keys_fns)
            + f"\nenum {{\n{ids}}};\n\n#endif\n"
        )

    def source(self) -> str:
        """Return out.c."""
        parts = [BANNER, '#include "command_table.h"\n#include "exec/command_table_parts.h"\n\n']
        parts += [self._specs(entry) for entry in self.everything if entry.get("key_specs")]
        containers = [entry for entry in self.top if "subcommands" in entry]
        parts.append(f"static const tr_command top[{len(self.top)}];\n\n")
        for entry in containers:
            rows = [entry["subcommands"][name] for name in sorted(entry["subcommands"])]
            parts.append(self._array(f"subs_{identifier(entry['name'])}", rows, entry))
        parts.append(self._array("top", self.top, None))
        places = "".join(f"    &{self.place[entry['name']]},\n" for entry in self.everything)
        parts.append(f"static const tr_command *const by_id[TR_COMMAND_COUNT] = {{\n{places}}};\n\n")
        parts.append(self._lookup())
        return "".join(parts)

    def _specs(self, entry: Entry) -> str:
        rows = "".join(f"    {spec_initializer(spec)},\n" for spec in entry["key_specs"])
        return f"static const tr_key_spec specs_{identifier(entry['name'])}[] = {{\n{rows}}};\n\n"

    def _array(self, name: str, entries: list[Entry], parent: Entry | None) -> str:
        rows = "".join(self._initializer(entry, parent) for entry in entries)
        return f"static const tr_command {name}[{len(entries)}] = {{\n{rows}}};\n\n"

    def _initializer(self, entry: Entry, parent: Entry | None) -> str:
        full = entry["name"]
        name = full.split("|")[-1]
        head, tail = words_of(name)
        flags = entry["flags"] + entry.get("internal_flags", [])
        handler = entry.get("handler", {})
        kind = KINDS[handler.get("python", "c" if handler else "")]
        fields = {
            "name_head": f"UINT64_C({head:#x})",
            "name_tail": f"UINT64_C({tail:#x})",
            "name": f'"{name}"',
            "fullname": f'"{full}"',
            "name_len": len(name),
            "id": self.ids[full],
            "group": f"TR_GROUP_{identifier(entry['group']).upper()}",
            "arity": entry["arity"],
            "flags": or_of("TR_CMD_", flags),
            "acl_categories": or_of("TR_CAT_", (c.removeprefix("@") for c in entry["acl_categories"])),
            "first_key": entry["first_key"],
            "last_key": entry["last_key"],
            "key_step": entry["key_step"],
            "handler_kind": f"TR_HANDLER_{kind}",
        }
        fields |= {"fn": handler["c"]} if "c" in handler else {}
        fields |= {"keys_fn": entry["get_keys"]} if "get_keys" in entry else {}
        fields |= {"parent": f"&{self.place[parent['name']]}"} if parent else {}
        if entry.get("key_specs"):
            fields |= {
                "key_specs": f"specs_{identifier(full)}",
                "key_spec_count": len(entry["key_specs"]),
            }
        if "subcommands" in entry:
            fields |= {
                "subcommands": f"subs_{identifier(full)}",
                "subcommand_count": len(entry["subcommands"]),
            }
        body = "".join(f"        .{key} = {value},\n" for key, value in fields.items())
        return f"    {{\n{body}    }},\n"

    def _lookup(self) -> str:
        found = build_hash([entry["name"] for entry in self.top])
        displacements = _numbers("displacements", found.displacements)
        slots = _numbers("slots", found.slots)
        return (
            displacements
            + slots
            + "const tr_command_table tr__command_table = {\n"
            + f"    .multiplier = UINT64_C({found.multiplier:#x}),\n"
            + f"    .bucket_shift = {64 - BUCKET_BITS},\n"
            + f"    .slot_mask = {(1 << found.slot_bits) - 1},\n    .count = TR_COMMAND_COUNT,\n"
            + "    .displacements = displacements,\n    .slots = slots,\n"
            + "    .top = top,\n    .by_id = by_id,\n};\n"
        )


def spec_initializer(spec: Entry) -> str:
    """Return a key spec as a C initializer."""
    begin, find = spec["begin_search"], spec["find_keys"]
    fields: dict[str, str | int] = {
        "flags": or_of("TR_KEY_", spec["flags"]),
        "begin": f"TR_BEGIN_{begin['type'].upper()}",
        "find": f"TR_FIND_{find['type'].upper()}",
    }
    at, how = begin.get("spec", {}), find.get("spec", {})
    if "keyword" in at:
        fields |= {"keyword": f'"{at["keyword"]}"', "begin_index": at["startfrom"]}
    elif at:
        fields |= {"begin_index": at["index"]}
    names = {
        "lastkey": "last_key", "limit": "limit", "keynumidx": "keynum_index", "firstkey":
        "first_key", "keystep": "key_step",
    }  # fmt: skip
    fields |= {names[key]: value for key, value in how.items()}
    return "{" + ", ".join(f".{key} = {value}" for key, value in fields.items()) + "}"


def _numbers(name: str, values: list[int]) -> str:
    rows = (", ".join(map(str, values[i : i + 16])) for i in range(0, len(values), 16))
    body = "".join(f"    {row},\n" for row in rows)
    return f"static const uint16_t {name}[{len(values)}] = {{\n{body}}};\n\n"


def main() -> int:
    """Write both files, unless the data has faults."""
    data, source, header = map(Path, sys.argv[1:4])
    commands = command_file.read(data)
    wrong = check_commands.check(commands)
    if wrong:
        print(*wrong, sep="\n", file=sys.stderr)
        return 1
    table = Table(commands)
    source.write_text(table.source(), encoding="utf-8")
    header.write_text(table.header(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
