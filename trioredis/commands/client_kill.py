"""CLIENT KILL: ending connections, by address or by filters that all must match."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import final

from trioredis.commands.arguments import SYNTAX_ERROR, integer, shown
from trioredis.commands.client_list import DEFAULT_USER, US_PER_S, client_type, open_clients, type_of
from trioredis.commands.context import CommandView
from trioredis.commands.registry import CommandError, command
from trioredis.commands.reply import OK, ReplyValue
from trioredis.engine import ClientInfo
from trioredis.observability import EVENTS


@final
@dataclass(frozen=True, slots=True)
class Filter:
    """Whom to end. None: that does not matter."""

    ident: int | None = None
    addr: str | None = None
    laddr: str | None = None
    kind: str | None = None
    age_s_min: int | None = None
    skip_me: bool = True

    def matches(self, info: ClientInfo) -> bool:
        """Whether everything asked for is true of this client; ``skip_me`` is not looked at."""
        return (
            self.ident in (None, info.id)
            and self.addr in (None, info.addr)
            and self.laddr in (None, info.laddr)
            and self.kind in (None, type_of(info))
            and (self.age_s_min is None or info.age_us // US_PER_S >= self.age_s_min)
        )


@command("client|kill")
def client_kill(ctx: CommandView, argv: Sequence[bytes]) -> ReplyValue:
    """CLIENT KILL addr | [ID | ADDR | LADDR | TYPE | USER | MAXAGE value] ... [SKIPME YES|NO].

    The old form, one address, answers OK; filters answer how many clients they have ended. Who ends itself still gets
    its reply.
    """
    if len(argv) == 3:
        addr = argv[2].decode("utf-8", "surrogateescape")
        if _kill(ctx, Filter(addr=addr, skip_me=False)) == 0:
            raise CommandError("ERR No such client")
        return OK
    return _kill(ctx, _parse(argv[2:]))


def _kill(ctx: CommandView, chosen: Filter) -> int:
    engine, me = ctx.server.engine, ctx.client.id
    doomed = [info for info in open_clients(engine) if chosen.matches(info) and not (chosen.skip_me and info.id == me)]
    for info in doomed:
        engine.kill(info.id, gently=info.id == me)
        ctx.server.log.emit(EVENTS.CLIENT_KILLED, client_id=info.id, addr=info.addr, by=f"CLIENT KILL of client {me}")
    return len(doomed)


def _parse(words: Sequence[bytes]) -> Filter:
    """Return what pairs of words ask for. CommandError: they make no sense."""
    chosen = Filter()
    for at in range(0, len(words), 2):
        if at + 1 == len(words):
            raise CommandError(SYNTAX_ERROR)
        chosen = _with(chosen, words[at].lower(), words[at + 1])
    return chosen


def _with(chosen: Filter, name: bytes, value: bytes) -> Filter:
    match name:
        case b"id":
            return replace(chosen, ident=integer(value, "ERR client-id should be greater than 0", low=1))
        case b"addr":
            return replace(chosen, addr=value.decode("utf-8", "surrogateescape"))
        case b"laddr":
            return replace(chosen, laddr=value.decode("utf-8", "surrogateescape"))
        case b"type":
            return replace(chosen, kind=client_type(value))
        case b"user":
            if value != DEFAULT_USER.encode():  # every client is the default user
                raise CommandError(f"ERR No such user '{shown(value)}'")
            return chosen
        case b"maxage":
            age = integer(value, "ERR maxage is not an integer or out of range")
            if age <= 0:
                raise CommandError("ERR maxage should be greater than 0")
            return replace(chosen, age_s_min=age)
        case b"skipme" if value.lower() in (b"yes", b"no"):
            return replace(chosen, skip_me=value.lower() == b"yes")
    raise CommandError(SYNTAX_ERROR)
