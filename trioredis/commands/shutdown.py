"""SHUTDOWN: ending the server from a client, or taking that back."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Flag, auto
from typing import Final

from trioredis.commands.arguments import SYNTAX_ERROR
from trioredis.commands.context import CommandView
from trioredis.commands.registry import CommandError, command
from trioredis.commands.reply import OK, ReplyValue
from trioredis.observability import EVENTS

FAILED: Final = "ERR Errors trying to SHUTDOWN. Check logs."
REASON: Final = "SHUTDOWN"


class Option(Flag):
    """The words of SHUTDOWN."""

    SAVE = auto()
    NOSAVE = auto()
    NOW = auto()
    FORCE = auto()
    ABORT = auto()


@command("shutdown")
async def shutdown(ctx: CommandView, argv: Sequence[bytes]) -> ReplyValue:
    """SHUTDOWN [NOSAVE|SAVE] [NOW] [FORCE], or SHUTDOWN ABORT.

    A server that stops does not answer: its end of the connection closes. Cancelled: the server stops all the same.
    """
    options = _parse(argv[1:])
    server = ctx.server
    if Option.ABORT in options:
        if not server.abort_stop():
            raise CommandError("ERR No shutdown in progress.")
        return OK
    if Option.SAVE in options and Option.FORCE not in options:
        server.log.emit(EVENTS.SERVER_SHUTDOWN_REFUSED, reason="this version cannot save the data")
        raise CommandError(FAILED)
    grace_s = 0 if Option.NOW in options else server.config.integer("shutdown-timeout")
    server.stop(REASON, grace_s=grace_s)
    await server.wait_aborted()
    raise CommandError(FAILED)


def _parse(words: Sequence[bytes]) -> Option:
    """Return the options. CommandError: a word is none of them, or two contradict each other."""
    options = Option(0)
    for word in words:
        name = word.decode("latin-1").upper()
        if name not in Option.__members__:
            raise CommandError(SYNTAX_ERROR)
        options |= Option[name]
    contradiction = Option.SAVE | Option.NOSAVE
    if contradiction in options or (Option.ABORT in options and options != Option.ABORT):
        raise CommandError(SYNTAX_ERROR)
    return options
