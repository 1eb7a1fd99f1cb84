"""MODULE: loading and unloading modules, and the reports of those that crashed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from trioredis.commands.arguments import SYNTAX_ERROR, integer
from trioredis.commands.context import CommandView
from trioredis.commands.registry import CommandError, command
from trioredis.commands.reply import OK, ReplyValue, Verbatim
from trioredis.config import to_text
from trioredis.modules.helper import LoadError, UnloadError
from trioredis.modules.policy import OVERRIDE_PREFIX
from trioredis.observability import EVENTS

NOT_LOADED: Final = "ERR Error loading the extension. Please check the server logs."
REPORTS_DEFAULT: Final = 10
REPORTS_MAX: Final = 100_000


@command("module|load")
async def module_load(ctx: CommandView, argv: Sequence[bytes]) -> ReplyValue:
    """MODULE LOAD path [arg ...]. Cancelled: the load goes on."""
    return await _load(ctx, argv[2], argv[3:], [])


@command("module|loadex")
async def module_loadex(ctx: CommandView, argv: Sequence[bytes]) -> ReplyValue:
    """MODULE LOADEX path [CONFIG name value ...] [ARGS arg ...]. Cancelled: the load goes on."""
    entries, args, problem = _parse(argv[3:])
    overrides = [(name, value) for name, value in entries if name.startswith(OVERRIDE_PREFIX)]
    if not problem and len(overrides) != len(entries):
        name = next(name for name, _ in entries if not name.startswith(OVERRIDE_PREFIX))
        problem = f"nobody takes the configuration entry {name}"
    if problem:
        ctx.server.log.emit(EVENTS.MODULE_LOAD_FAILED, path=to_text(argv[2]), reason=problem)
        raise CommandError(NOT_LOADED)
    return await _load(ctx, argv[2], args, overrides)


def _parse(words: Sequence[bytes]) -> tuple[list[tuple[str, str]], Sequence[bytes], str]:
    """Return the entries of CONFIG, the arguments, and what is wrong; empty: nothing."""
    entries: list[tuple[str, str]] = []
    at = 0
    while at < len(words):
        word = words[at].upper()
        if word == b"ARGS":
            return entries, words[at + 1 :], ""
        if word != b"CONFIG" or at + 2 >= len(words):
            return entries, (), f"neither CONFIG name value nor ARGS: {to_text(words[at])}"
        entries.append((to_text(words[at + 1]), to_text(words[at + 2])))
        at += 3
    return entries, (), ""


async def _load(
    ctx: CommandView, path: bytes, args: Sequence[bytes], overrides: Sequence[tuple[str, str]]
) -> ReplyValue:
    try:
        await ctx.server.modules.load(to_text(path), args, overrides)
    except LoadError as refused:
        raise CommandError(NOT_LOADED) from refused
    return OK


@command("module|unload")
async def module_unload(ctx: CommandView, argv: Sequence[bytes]) -> ReplyValue:
    """MODULE UNLOAD name. Cancelled: the module is ended as after a crash."""
    try:
        await ctx.server.modules.unload(to_text(argv[2]))
    except UnloadError as refused:
        raise CommandError(f"ERR Error unloading module: {refused}") from refused
    return OK


@command("module|list")
def module_list(ctx: CommandView, argv: Sequence[bytes]) -> ReplyValue:
    """MODULE LIST: name, version, file and arguments of each."""
    return [
        {
            "name": one.name,
            "ver": one.info.version if one.info is not None else 0,
            "path": one.path,
            "args": list(one.args),
        }
        for one in ctx.server.modules.loaded
    ]


@command("module|crashes")
async def module_crashes(ctx: CommandView, argv: Sequence[bytes]) -> ReplyValue:
    """MODULE CRASHES [COUNT n]: the newest reports, the newest one first."""
    if len(argv) not in (2, 4) or (len(argv) == 4 and argv[2].upper() != b"COUNT"):
        raise CommandError(SYNTAX_ERROR)
    count = integer(argv[3], low=1, high=REPORTS_MAX) if len(argv) == 4 else REPORTS_DEFAULT
    found = await ctx.server.modules.reports.latest(count)
    return [{"id": one.ident, "time": one.time, "module": one.module, "headline": one.headline} for one in found]


@command("module|crash")
async def module_crash(ctx: CommandView, argv: Sequence[bytes]) -> ReplyValue:
    """MODULE CRASH id: the report for people; waits for one that is being made."""
    text = await ctx.server.modules.reports.text(to_text(argv[2]))
    if text is None:
        raise CommandError("ERR no such report")
    return Verbatim("txt", text)
