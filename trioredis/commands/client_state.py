"""CLIENT subcommands about the connection itself: its id, its names, its switches; and pausing all clients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from trioredis.commands.arguments import INT64_MAX, NO_MEMORY, integer, on_or_off, shown, wrong_subcommand
from trioredis.commands.context import CommandView
from trioredis.commands.registry import CommandError, command
from trioredis.commands.reply import OK, ReplyValue, SetReply
from trioredis.engine import EngineError

PAUSE_MODES: Final = {b"all": True, b"write": False}
SETINFO_OPTIONS: Final = {b"lib-name": "lib-name", b"lib-ver": "lib-ver"}
NO_REDIRECTION: Final = -1


@command("client|id")
def client_id(ctx: CommandView, argv: Sequence[bytes]) -> ReplyValue:
    """CLIENT ID: the number of this connection; later ones have greater numbers."""
    return ctx.client.id


@command("client|getname")
def client_getname(ctx: CommandView, argv: Sequence[bytes]) -> ReplyValue:
    """CLIENT GETNAME: what CLIENT SETNAME set, or null."""
    info = ctx.server.engine.client(ctx.client.id, names=False)
    assert info is not None
    return info.name or None


@command("client|setname")
def client_setname(ctx: CommandView, argv: Sequence[bytes]) -> ReplyValue:
    """CLIENT SETNAME name: an empty one takes the name away."""
    if not _set_text(ctx, "name", argv[2]):
        raise CommandError("ERR Client names cannot contain spaces, newlines or special characters.")
    return OK


@command("client|setinfo")
def client_setinfo(ctx: CommandView, argv: Sequence[bytes]) -> ReplyValue:
    """CLIENT SETINFO LIB-NAME | LIB-VER text: which client library speaks."""
    which = SETINFO_OPTIONS.get(argv[2].lower())
    if which is None:
        raise CommandError(f"ERR Unrecognized option '{shown(argv[2])}'")
    if not _set_text(ctx, which, argv[3]):
        raise CommandError(f"ERR {shown(argv[2])} cannot contain spaces, newlines or special characters.")
    return OK


def _set_text(ctx: CommandView, which: str, text: bytes) -> bool:
    """Set one of the client's names; False: there are characters in it that may not be."""
    try:
        return ctx.server.engine.set_client_text(ctx.client.id, which, text)
    except EngineError as failed:
        raise CommandError(NO_MEMORY) from failed


@command("client|no-evict")
def client_no_evict(ctx: CommandView, argv: Sequence[bytes]) -> ReplyValue:
    """CLIENT NO-EVICT ON|OFF: whether this connection is safe from maxmemory-clients."""
    ctx.server.engine.set_client_flag(ctx.client.id, "no-evict", on_or_off(argv[2]))
    return OK


@command("client|no-touch")
def client_no_touch(ctx: CommandView, argv: Sequence[bytes]) -> ReplyValue:
    """CLIENT NO-TOUCH ON|OFF: whether its reads leave LRU and LFU alone."""
    ctx.server.engine.set_client_flag(ctx.client.id, "no-touch", on_or_off(argv[2]))
    return OK


@command("client|pause")
def client_pause(ctx: CommandView, argv: Sequence[bytes]) -> ReplyValue:
    """CLIENT PAUSE milliseconds [WRITE|ALL]: clients wait; the longest of several pauses counts."""
    if len(argv) > 4:
        raise wrong_subcommand("CLIENT", argv[1])
    everything = PAUSE_MODES.get(argv[3].lower()) if len(argv) == 4 else True
    if everything is None:
        raise CommandError("ERR CLIENT PAUSE mode must be WRITE or ALL")
    timeout_ms = integer(argv[2], "ERR timeout is not an integer or out of range")
    if timeout_ms < 0:
        raise CommandError("ERR timeout is negative")
    engine = ctx.server.engine
    now_ms = engine.now_us // 1000
    if timeout_ms > INT64_MAX - now_ms:
        raise CommandError("ERR timeout is out of range")
    if timeout_ms:
        engine.pause(everything=everything, until_ms=now_ms + timeout_ms)
    return OK


@command("client|unpause")
def client_unpause(ctx: CommandView, argv: Sequence[bytes]) -> ReplyValue:
    """CLIENT UNPAUSE: everybody goes on."""
    ctx.server.engine.unpause()
    return OK


@command("client|unblock")
def client_unblock(ctx: CommandView, argv: Sequence[bytes]) -> ReplyValue:
    """CLIENT UNBLOCK id [TIMEOUT|ERROR]: 1 when that client was blocked and may be woken."""
    if len(argv) > 4:
        raise wrong_subcommand("CLIENT", argv[1])
    if len(argv) == 4 and argv[3].lower() not in (b"timeout", b"error"):
        raise CommandError("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR")
    ident = integer(argv[2])
    if ident <= 0:
        return 0
    error = len(argv) == 4 and argv[3].lower() == b"error"
    return int(ctx.server.engine.unblock(ident, error=error))


@command("client|trackinginfo")
def client_trackinginfo(ctx: CommandView, argv: Sequence[bytes]) -> ReplyValue:
    """CLIENT TRACKINGINFO: that invalidation messages are off."""
    facts: dict[str, ReplyValue] = {"flags": SetReply(["off"]), "redirect": NO_REDIRECTION, "prefixes": []}
    return facts


@command("client|getredir")
def client_getredir(ctx: CommandView, argv: Sequence[bytes]) -> ReplyValue:
    """CLIENT GETREDIR: -1, as invalidation messages are off."""
    return NO_REDIRECTION


@command("client|caching")
def client_caching(ctx: CommandView, argv: Sequence[bytes]) -> ReplyValue:
    """CLIENT CACHING YES|NO: an error, as it means something only while invalidation messages are on."""
    raise CommandError(
        "ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode enabled"
    )
