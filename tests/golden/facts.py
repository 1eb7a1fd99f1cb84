"""Facts about commands: which exist, which keys an argument vector names, and what happens to them.

Two tables meet here: the facts of the reference server say how a command behaves, and our own table
says which commands our server knows. Both have the same shape: lower-case names, key
specifications, subcommands nested under their parent.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

Entry = dict[str, Any]
Table = dict[str, Entry]


class Role(Enum):
    """What a command does to one of its keys."""

    READ = "read"
    WRITE = "write"  # the new value may depend on the old one
    OVERWRITE = "overwrite"  # on success the old value does not matter, nor for the reply
    DELETE = "delete"  # the key is gone afterwards; the reply tells whether it was there


@dataclass(frozen=True, slots=True)
class KeyUse:
    """One key of a command; ``db`` is None for the connection's own database."""

    key: str
    role: Role
    db: str | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """All that a command touches. ``wide_read``: keys that it does not name, too; likewise written."""

    keys: tuple[KeyUse, ...] = ()
    wide_read: bool = False
    wide_write: bool = False


# What the flags of the key specifications cannot tell, by command.
CONDITIONAL_SET: Final = {
    "NX",
    "XX",
    "GET",
    "KEEPTTL",
}  # options that make SET depend on the old value
REPLACE_ONLY: Final = {"copy", "restore", "restore-asking"}  # they overwrite only with REPLACE
DELETES: Final = {"del", "unlink"}
SORTS: Final = {"sort", "sort_ro"}
SCRIPTS: Final = {"eval", "eval_ro", "evalsha", "evalsha_ro", "fcall", "fcall_ro"}
NAMES_NO_KEYS: Final = {"lolwut"}  # read-only and keyless, but without a look at the keyspace


def load_table(path: Path) -> Table:
    """Read a table of commands."""
    table: Table = json.loads(path.read_text(encoding="utf-8"))
    return table


def find(table: Table, argv: Sequence[str]) -> tuple[str, Entry | None]:
    """Return the full lower-case name (``client|id``) and entry of the command that ``argv`` calls.

    A container called with an unknown subcommand, or without one, gives the container itself.
    """
    name = argv[0].lower() if argv else ""
    entry = table.get(name)
    subcommands: Mapping[str, Entry] = (entry or {}).get("subcommands", {})
    if len(argv) > 1 and (sub := argv[1].lower()) in subcommands:
        return f"{name}|{sub}", subcommands[sub]
    return name, entry


def missing(facts: Table, ours: Table, argv: Sequence[str]) -> str | None:
    """Return the name of the command when the reference knows it and our server does not."""
    name, entry = find(facts, argv)
    if entry is None or (find(ours, argv)[0] == name and find(ours, argv)[1] is not None):
        return None
    return name


def usage(facts: Table, argv: Sequence[str]) -> Usage:
    """Return the keys that ``argv`` reads and writes, by the key specifications of its command."""
    name, entry = find(facts, argv)
    if entry is None:
        return Usage()
    flags = set(entry["flags"])
    if name in SORTS:
        return _sort_usage(argv)
    if name == "debug":  # its subcommands name keys where no specification says so
        return Usage(wide_read=True)
    if name in SCRIPTS:
        return Usage(wide_read=True, wide_write="write" in flags or "readonly" not in flags)
    specs = entry.get("key_specs", [])
    if not specs:
        wide = "readonly" in flags and name not in NAMES_NO_KEYS
        return Usage(wide_read=wide, wide_write="write" in flags)
    only_read = all("RO" in spec["flags"] for spec in specs)
    role_of_read = Role.WRITE if only_read and "write" in flags else Role.READ
    elsewhere = _other_database(name, argv)
    keys: list[KeyUse] = []
    for spec in specs:
        positions = _positions(spec, argv)
        if positions is None:  # cannot tell: every argument may be a key
            return Usage(tuple(KeyUse(a, Role.WRITE) for a in argv[1:]))
        role = role_of_read if "RO" in spec["flags"] else _role(name, spec["flags"], argv)
        keys += [KeyUse(argv[i], role, elsewhere.get(i)) for i in positions]
    if name == "move" and len(argv) > 2:
        keys.append(KeyUse(argv[1], Role.WRITE, argv[2]))
    return Usage(tuple(keys))


def _role(name: str, flags: Sequence[str], argv: Sequence[str]) -> Role:
    options = {a.upper() for a in argv[1:]}
    if name in DELETES:
        return Role.DELETE
    if name == "set":
        return Role.WRITE if options.intersection(CONDITIONAL_SET) else Role.OVERWRITE
    if name in REPLACE_ONLY and "OW" in flags and "REPLACE" not in options:
        return Role.WRITE
    return Role.OVERWRITE if "OW" in flags and "update" in flags else Role.WRITE


def _other_database(name: str, argv: Sequence[str]) -> dict[int, str]:
    """Return the argument position and database of the key that COPY with DB writes elsewhere."""
    words = [a.upper() for a in argv]
    if name == "copy" and "DB" in words[3:-1]:
        return {2: argv[words.index("DB", 3) + 1]}
    return {}


def _sort_usage(argv: Sequence[str]) -> Usage:
    words = [a.upper() for a in argv]
    keys = [KeyUse(a, Role.READ) for a in argv[1:2]]
    wide = False
    for option, value in zip(words[2:], argv[3:], strict=False):
        wide = wide or (option in ("BY", "GET") and "*" in value)
        if option == "STORE":
            keys.append(KeyUse(value, Role.OVERWRITE))
    return Usage(tuple(keys), wide_read=wide)


def _positions(spec: Entry, argv: Sequence[str]) -> list[int] | None:
    """Return the argument positions that one key specification means, None when it cannot tell."""
    first = _begin(spec["begin_search"], argv)
    if first is None or "incomplete" in spec["flags"]:
        return None
    if first < 0:
        return []
    find_keys = spec["find_keys"]
    rule = find_keys.get("spec", {})
    if find_keys["type"] == "range":
        return _range(rule, first, argv)
    if find_keys["type"] == "keynum":
        at = first + rule["keynumidx"]
        if at >= len(argv) or not argv[at].isascii() or not argv[at].isdigit():
            return None
        start, step = first + rule["firstkey"], rule["keystep"]
        found = range(start, start + int(argv[at]) * step, step)
        return list(found) if all(i < len(argv) for i in found) else None
    return None


def _begin(search: Entry, argv: Sequence[str]) -> int | None:
    """Return where keys begin, -1 when a keyword is absent, None when the rule is unknown."""
    rule = search.get("spec", {})
    if search["type"] == "index":
        index: int = rule["index"]
        return index
    if search["type"] == "keyword":
        words = [a.upper() for a in argv]
        start = rule["startfrom"]
        places = range(start, len(argv)) if start > 0 else range(len(argv) + start, 0, -1)
        return next((i + 1 for i in places if words[i] == rule["keyword"]), -1)
    return None


def _range(rule: Entry, first: int, argv: Sequence[str]) -> list[int]:
    last, step, limit = rule["lastkey"], rule["keystep"], rule["limit"]
    if last >= 0:
        end = first + last
    elif limit > 1:
        end = first + (len(argv) - first) // limit - 1
    else:
        end = len(argv) + last
    return list(range(first, min(end, len(argv) - 1) + 1, step))
