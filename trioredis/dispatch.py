"""Running the commands that Python answers: from the engine's call to the encoded reply."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast, final

from trioredis.commands import handlers as _handlers  # noqa: F401 - importing it fills the registry
from trioredis.commands.registry import CommandError, registry
from trioredis.commands.reply import ErrorReply, Proto, ReplyValue, encode
from trioredis.observability import EVENTS, error_text, traceback_text

if TYPE_CHECKING:
    from trioredis.commands.context import CommandView
    from trioredis.engine import RunningCommand
    from trioredis.server import Server

FAULT_REPLY = ErrorReply("ERR an internal error stopped this command; the log has more")


@final
@dataclass(frozen=True, slots=True)
class ClientRef:
    """The client that sent the command."""

    id: int


@final
@dataclass(frozen=True, slots=True)
class Context:
    """Where a command runs; what handlers get as ``ctx``."""

    server: Server
    client: ClientRef
    proto: Proto


def call_sync(server: Server, running: RunningCommand) -> None:
    """Run a synchronous command and write its reply. Never raises."""
    name = running.name
    try:
        ctx: CommandView = Context(server, ClientRef(running.client_id), cast("Proto", running.proto))
        value = registry.sync_handler(name)(ctx, running.argv())
    except CommandError as refused:
        value = refused.reply
    except Exception as error:
        value = _fault(server, name, error)
    _write(running, value)


async def call_async(server: Server, ident: int) -> None:
    """Run the asynchronous command that this client waits for, reply, and let the client go on.

    Cancelled: no reply is written, and the client keeps waiting; its connection is about to close.
    """
    running = server.engine.running(ident)
    if running is None:
        return
    name, argv, proto = running.name, running.argv(), cast("Proto", running.proto)
    value: ReplyValue
    try:
        value = await registry.async_handler(name)(Context(server, ClientRef(ident), proto), argv)
    except CommandError as refused:
        value = refused.reply
    except Exception as error:
        value = _fault(server, name, error)
    running = server.engine.running(ident)
    if running is not None:
        _write(running, value)
        server.engine.finish(ident)


def _write(running: RunningCommand, value: ReplyValue) -> None:
    if isinstance(value, ErrorReply):
        running.reply_error(value.text.encode("utf-8", "surrogateescape"))
    else:
        running.reply(encode(value, cast("Proto", running.proto)))


def _fault(server: Server, name: str, error: Exception) -> ErrorReply:
    server.log.emit(EVENTS.COMMAND_PYTHON_ERROR, command=name, error=error_text(error), traceback=traceback_text(error))
    return FAULT_REPLY
