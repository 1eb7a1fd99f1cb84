"""Which Python function answers which command.

A handler says so itself::

    @command("config|get")
    def config_get(ctx: CommandContext, argv: Sequence[bytes]) -> ReplyValue: ...

``argv`` holds every argument, names included, so ``argv[2]`` is the first one of a subcommand.
Arity is checked before. A handler that waits is ``async def``; the schema says ``{"python":
"async"}`` for it, and :meth:`Registry.check` compares the two. A handler that refuses its arguments
returns an ``ErrorReply`` or raises :class:`CommandError`.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any, Final, Protocol, TypeAlias, TypeVar, cast, final

from trioredis.commands.reply import ErrorReply, Proto, ReplyValue
from trioredis.commands.schema import HandlerKind, Schema


class Engine(Protocol):
    """What handlers of this room ask of the engine."""

    def get_keys(self, argv: Sequence[bytes]) -> list[tuple[int, int]]:
        """Return position and ``TR_KEY_...`` flags of each key of the command that ``argv`` holds.

        Raises:
            ValueError: the arguments contradict what the command expects.
        """
        ...


class ModuleNames(Protocol):
    """What handlers of this room ask about modules."""

    def command_names(self, module: str) -> frozenset[str]:
        """Return the full names of a module's commands; none for a module that is not there."""
        ...


class Server(Protocol):
    """What handlers of this room ask of the server."""

    @property
    def engine(self) -> Engine: ...

    @property
    def schema(self) -> Schema: ...

    @property
    def modules(self) -> ModuleNames: ...


class ClientHandle(Protocol):
    """The client that sent the command."""

    @property
    def id(self) -> int: ...


class CommandContext(Protocol):
    """Where a command runs: the server, the client, and the protocol of its replies."""

    @property
    def server(self) -> Server: ...

    @property
    def client(self) -> ClientHandle: ...

    @property
    def proto(self) -> Proto: ...


# The context's type is left open: rooms whose commands need more declare a richer Protocol.
SyncHandler: TypeAlias = Callable[[Any, Sequence[bytes]], ReplyValue]
AsyncHandler: TypeAlias = Callable[[Any, Sequence[bytes]], Awaitable[ReplyValue]]
Handler: TypeAlias = SyncHandler | AsyncHandler

_H = TypeVar("_H", bound=Callable[[Any, Sequence[bytes]], Any])


class CommandError(Exception):
    """Ends a handler with an error reply.

    Args:
        text: the reply, its code first: ``ERR syntax error``.
    """

    @property
    def reply(self) -> ErrorReply:
        """The reply for the client."""
        return ErrorReply(str(self))


@final
class Registry:
    """Handlers by full command name (``config|get``)."""

    def __init__(self) -> None:
        self._handlers: dict[str, Handler] = {}

    def __iter__(self) -> Iterator[str]:
        return iter(self._handlers)

    def command(self, fullname: str) -> Callable[[_H], _H]:
        """Return a decorator that registers a handler and leaves it as it is.

        Raises:
            ValueError: the command has a handler already.
        """

        def register(handler: _H) -> _H:
            if fullname in self._handlers:
                raise ValueError(f"{fullname} has two handlers")
            self._handlers[fullname] = cast(Handler, handler)
            return handler

        return register

    def sync_handler(self, fullname: str) -> SyncHandler:
        """Return the plain function for a command. KeyError: there is none."""
        handler = self._handlers[fullname]
        assert not inspect.iscoroutinefunction(handler)
        return cast(SyncHandler, handler)

    def async_handler(self, fullname: str) -> AsyncHandler:
        """Return the coroutine function for a command. KeyError: there is none."""
        handler = self._handlers[fullname]
        assert inspect.iscoroutinefunction(handler)
        return cast(AsyncHandler, handler)

    def check(self, schema: Schema) -> list[str]:
        """Return what is wrong between handlers and schema, a sentence each; an empty list when all
        is well.
        """
        wrong = []
        wanted = {c.fullname: c.handler_kind for c in schema.walk() if c.handler_kind in _PYTHON_KINDS}
        for name, kind in wanted.items():
            handler = self._handlers.get(name)
            if handler is None:
                wrong.append(f"{name} has no Python handler")
            elif inspect.iscoroutinefunction(handler) != (kind is HandlerKind.PYTHON_ASYNC):
                wrong.append(f"{name} is {kind.value} in the schema, its handler is not")
        wrong += [f"{name} has a handler that the schema does not ask for" for name in self if name not in wanted]
        return wrong


_PYTHON_KINDS: Final = frozenset({HandlerKind.PYTHON_SYNC, HandlerKind.PYTHON_ASYNC})

registry: Final = Registry()
"""The one that the server uses; handlers enter it when their modules are imported."""

command: Final = registry.command
