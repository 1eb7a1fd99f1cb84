"""Add commands to commands.json from a file of facts, keeping what was written by hand.

    import_facts.py FACTS [--group NAME ...] [--command NAME ...] [--data commands.json]

FACTS has the same form as the data file, without prose, handlers and internal flags. A name may be
a command with all its subcommands (``object``) or one subcommand (``object|freq``, its container
comes along). Entries that are there already get the facts anew and keep everything else; new ones
start with empty prose, which check_commands.py refuses, and a C handler by the naming rule.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

import command_file
from command_file import Entry

DATA: Final = Path(__file__).parent.parent / "trioredis" / "commands" / "commands.json"
BY_HAND: Final = ("summary", "complexity", "handler", "get_keys", "internal_flags")


def handler_name(fullname: str) -> str:
    """Return the C function that answers a command: ``object|encoding`` gives
    ``tr_cmd_object_encoding``.
    """
    return "tr_cmd_" + fullname.replace("|", "_").replace("-", "_")


def is_pure_container(entry: Entry) -> bool:
    """Tell whether a command can't run without a subcommand: it demands one argument more than its
    name.
    """
    return "subcommands" in entry and entry["arity"] == -2


def merge(old: Entry | None, facts: Entry) -> Entry:
    """Return one entry, without subcommands, from fresh facts and what ``old`` has by hand."""
    entry: Entry = {key: value for key, value in facts.items() if key != "subcommands"}
    entry["summary"] = entry["complexity"] = ""
    if not is_pure_container(facts):
        entry["handler"] = {"c": handler_name(facts["name"])}
    entry |= {key: old[key] for key in BY_HAND if old and key in old}
    return entry


def add(commands: dict[str, Entry], facts: dict[str, Entry], name: str) -> None:
    """Merge one command or subcommand into ``commands``. KeyError: the facts don't have it."""
    parent, _, subcommand = name.partition("|")
    source, old = facts[parent], commands.get(parent)
    entry = merge(old, source)
    subcommands = dict(old["subcommands"]) if old and "subcommands" in old else {}
    for sub in [subcommand] if subcommand else source.get("subcommands", {}):
        subcommands[sub] = merge(subcommands.get(sub), source["subcommands"][sub])
    if subcommands:
        entry["subcommands"] = subcommands
    commands[parent] = entry


def main() -> None:
    """Parse the arguments and rewrite the data file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("facts", type=Path)
    parser.add_argument("--group", action="append", default=[], help="every command of this group")
    parser.add_argument("--command", action="append", default=[], help="a command, or command|subcommand")
    parser.add_argument("--data", type=Path, default=DATA)
    arguments = parser.parse_args()
    facts = command_file.read(arguments.facts)
    commands = command_file.read(arguments.data) if arguments.data.exists() else {}
    in_groups = [name for name, entry in facts.items() if entry["group"] in arguments.group]
    for name in in_groups + arguments.command:
        add(commands, facts, name)
    command_file.write(arguments.data, commands)


if __name__ == "__main__":
    main()
