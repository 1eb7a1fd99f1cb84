"""Read and write commands.json: sorted, one short entry per line, so that a change shows as a small
diff.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

Entry = dict[str, Any]

LINE_MAX: Final = 118
ENTRY_ORDER: Final = (
    "name", "summary", "complexity", "group", "since", "arity", "handler", "get_keys", "flags",
    "internal_flags", "acl_categories", "first_key", "last_key", "key_step", "key_specs", "tips",
    "doc_flags", "deprecated_since", "replaced_by", "complexity_class", "arguments", "subcommands",
)  # fmt: skip


def read(path: Path) -> dict[str, Entry]:
    """Return the commands in ``path`` by name."""
    commands: dict[str, Entry] = json.loads(path.read_text(encoding="utf-8"))
    return commands


def write(path: Path, commands: dict[str, Entry]) -> None:
    """Replace ``path``; commands and subcommands sorted by name, keys of an entry in the order of
    ENTRY_ORDER.
    """
    path.write_text(format_commands(commands), encoding="utf-8")


def format_commands(commands: dict[str, Entry]) -> str:
    """Return the text of the file."""
    return _format({name: _ordered(commands[name]) for name in sorted(commands)}, 0) + "\n"


def _ordered(entry: Entry) -> Entry:
    unknown = entry.keys() - set(ENTRY_ORDER)
    if unknown:
        raise ValueError(f"{entry.get('name')}: unknown keys {sorted(unknown)}")
    ordered: Entry = {key: entry[key] for key in ENTRY_ORDER if key in entry}
    if "subcommands" in ordered:
        subcommands = ordered["subcommands"]
        ordered["subcommands"] = {name: _ordered(subcommands[name]) for name in sorted(subcommands)}
    return ordered


def _format(value: Any, depth: int, used: int = 0) -> str:
    """Return JSON that stays on one line where it fits; ``used`` columns of that line are taken.

    Commands never do.
    """
    line = json.dumps(value, ensure_ascii=False)
    is_command = isinstance(value, dict) and ("arity" in value or depth == 0)
    fits = depth + used + len(line) < LINE_MAX and not is_command
    if fits or not isinstance(value, (dict, list)) or not value:
        return line
    pad = " " * (depth + 1)
    if isinstance(value, list):
        body = ",\n".join(pad + _format(item, depth + 1) for item in value)
        return f"[\n{body}\n{' ' * depth}]"
    body = ",\n".join(f"{pad}{json.dumps(k)}: {_format(v, depth + 1, len(k) + 5)}" for k, v in value.items())
    return f"{{\n{body}\n{' ' * depth}}}"
