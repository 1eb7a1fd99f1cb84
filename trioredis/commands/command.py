"""COMMAND and its subcommands: the schema as replies.

The shapes are those of Redis 7.4. Commands and subcommands appear in the order of their names.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from trioredis import glob
from trioredis.commands.registry import CommandContext, CommandError, command
from trioredis.commands.reply import ReplyValue, SetReply, SimpleString
from trioredis.commands.schema import Argument, Command, KeySpec, SearchStep, key_flag_names

_SYNTAX_ERROR: Final = "ERR syntax error"
_AGGREGATES: Final = frozenset({"oneof", "block"})


@command("command")
def command_all(ctx: CommandContext, argv: Sequence[bytes]) -> ReplyValue:
    """COMMAND: every command as COMMAND INFO shows it."""
    return [info_of(entry) for entry in ctx.server.schema.commands.values()]


@command("command|count")
def command_count(ctx: CommandContext, argv: Sequence[bytes]) -> ReplyValue:
    """COMMAND COUNT: how many commands there are, subcommands not counted."""
    return len(ctx.server.schema.commands)


@command("command|info")
def command_info(ctx: CommandContext, argv: Sequence[bytes]) -> ReplyValue:
    """COMMAND INFO [name ...]: null in the place of a name that no command has."""
    if len(argv) == 2:
        return command_all(ctx, argv)
    found = (ctx.server.schema.find(name.decode("latin-1")) for name in argv[2:])
    return [None if entry is None else info_of(entry) for entry in found]


@command("command|docs")
def command_docs(ctx: CommandContext, argv: Sequence[bytes]) -> ReplyValue:
    """COMMAND DOCS [name ...]: names that no command has are left out."""
    if len(argv) == 2:
        return {entry.fullname: docs_of(entry) for entry in ctx.server.schema.commands.values()}
    found = (ctx.server.schema.find(name.decode("latin-1")) for name in argv[2:])
    return {entry.fullname: docs_of(entry) for entry in found if entry is not None}


@command("command|list")
def command_list(ctx: CommandContext, argv: Sequence[bytes]) -> ReplyValue:
    """COMMAND LIST [FILTERBY MODULE|ACLCAT|PATTERN value]: names, subcommands included."""
    passes = _list_filter(ctx, argv[2:])
    return [entry.fullname for entry in ctx.server.schema.walk() if passes(entry)]


@command("command|getkeys")
def command_getkeys(ctx: CommandContext, argv: Sequence[bytes]) -> ReplyValue:
    """COMMAND GETKEYS command [arg ...]: the arguments that are keys."""
    return [argv[2 + position] for position, _ in _keys_of(ctx, argv[2:])]


@command("command|getkeysandflags")
def command_getkeysandflags(ctx: CommandContext, argv: Sequence[bytes]) -> ReplyValue:
    """COMMAND GETKEYSANDFLAGS command [arg ...]: each key with what becomes of it."""
    return [[argv[2 + position], _statuses(key_flag_names(flags))] for position, flags in _keys_of(ctx, argv[2:])]


def info_of(entry: Command) -> ReplyValue:
    """Return the ten elements that COMMAND INFO gives for a command."""
    subcommands: ReplyValue = SetReply([])
    if entry.subcommands:
        subcommands = [info_of(subcommand) for subcommand in entry.subcommands.values()]
    return [
        entry.fullname,
        entry.arity,
        _statuses(entry.flags),
        entry.first_key,
        entry.last_key,
        entry.key_step,
        _statuses(entry.acl_categories),
        SetReply(list(entry.tips)),
        SetReply([_key_spec(spec) for spec in entry.key_specs]),
        subcommands,
    ]


def docs_of(entry: Command) -> ReplyValue:
    """Return the map that COMMAND DOCS gives for a command; what does not apply is left out."""
    texts = (
        ("summary", entry.summary),
        ("since", entry.since),
        ("group", entry.group),
        ("complexity", entry.complexity),
        ("module", entry.module),
    )
    docs: dict[str, ReplyValue] = {name: text for name, text in texts if text}
    if entry.doc_flags:
        docs["doc_flags"] = _statuses(entry.doc_flags)
    if entry.deprecated_since is not None:
        docs["deprecated_since"] = entry.deprecated_since
    if entry.replaced_by is not None:
        docs["replaced_by"] = entry.replaced_by
    if entry.history:
        docs["history"] = SetReply([list(change) for change in entry.history])
    if entry.arguments:
        docs["arguments"] = [_argument(argument) for argument in entry.arguments]
    if entry.subcommands:
        docs["subcommands"] = {sub.fullname: docs_of(sub) for sub in entry.subcommands.values()}
    return docs


def _argument(argument: Argument) -> ReplyValue:
    docs: dict[str, ReplyValue] = {"name": argument.name, "type": argument.kind}
    if argument.kind not in _AGGREGATES:
        docs["display_text"] = argument.display_text
    if argument.key_spec_index is not None:
        docs["key_spec_index"] = argument.key_spec_index
    if argument.token is not None:
        docs["token"] = argument.token
    if argument.summary is not None:
        docs["summary"] = argument.summary
    if argument.since is not None:
        docs["since"] = argument.since
    if argument.deprecated_since is not None:
        docs["deprecated_since"] = argument.deprecated_since
    if argument.flags:
        docs["flags"] = _statuses(argument.flags)
    if argument.arguments:
        docs["arguments"] = [_argument(inner) for inner in argument.arguments]
    return docs


def _key_spec(spec: KeySpec) -> ReplyValue:
    notes: dict[str, ReplyValue] = {"notes": spec.notes} if spec.notes else {}
    return {
        **notes,
        "flags": _statuses(spec.flags),
        "begin_search": _search_step(spec.begin_search),
        "find_keys": _search_step(spec.find_keys),
    }


def _search_step(step: SearchStep) -> ReplyValue:
    spec: ReplyValue = step.fields
    return {"type": step.kind, "spec": spec}


def _statuses(words: Sequence[str]) -> SetReply:
    return SetReply([SimpleString(word) for word in words])


def _list_filter(ctx: CommandContext, words: Sequence[bytes]) -> Callable[[Command], bool]:
    """Return what COMMAND LIST's arguments ask for. CommandError: they make no sense."""
    if not words:
        return lambda entry: True
    if len(words) != 3 or words[0].lower() != b"filterby":
        raise CommandError(_SYNTAX_ERROR)
    kind, value = words[1].lower(), words[2]
    if kind == b"aclcat":
        category = "@" + value.decode("latin-1").lower()
        return lambda entry: category in entry.acl_categories
    if kind == b"pattern":
        return lambda entry: glob.matches(value, entry.fullname.encode(), ignore_case=True)
    if kind == b"module":
        names = ctx.server.modules.command_names(value.decode("utf-8", "replace"))
        return lambda entry: entry.fullname in names
    raise CommandError(_SYNTAX_ERROR)


def _keys_of(ctx: CommandContext, words: Sequence[bytes]) -> list[tuple[int, int]]:
    """Return position and flags of each key in a command line.

    CommandError: the line is no such command.
    """
    entry = ctx.server.schema.resolve(words)
    if entry is None:
        raise CommandError("ERR Invalid command specified")
    if not entry.has_keys:
        raise CommandError("ERR The command has no key arguments")
    if not entry.accepts(len(words)):
        raise CommandError("ERR Invalid number of arguments specified for command")
    try:
        keys = ctx.server.engine.get_keys(words)
    except ValueError:
        keys = []
    if not keys and "no_mandatory_keys" not in entry.flags:
        raise CommandError("ERR Invalid arguments specified for command")
    return keys
