"""A client inside the server's own process: bytes go straight to the engine, no socket is involved."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Final, final

import trio

from trioredis.engine import CloseReason, Engine, EngineError, Event, EventKind
from trioredis.resp import PushMessage, ReplyError, ReplyReader, encode_command

PUSHES_KEPT: Final = 1000
"""Out-of-band messages that wait to be taken; the oldest goes when there are more."""


class ClosedError(Exception):
    """The connection is closed: by QUIT, CLIENT KILL, a limit, a cancelled command, or with the server."""


@final
class InProcessClient:
    """A connection without a socket. Made by :meth:`Server.open_client`; close it with ``async with`` or :meth:`close`.

    Commands of several tasks take turns. A command whose caller is cancelled closes the connection, because its
    reply could no longer be told from the next one's.
    """

    def __init__(self, engine: Engine, forget: Callable[[int], None]) -> None:
        self._engine = engine
        self._forget = forget
        self._reader = ReplyReader()
        self._turn = trio.Lock()
        self._output = trio.Event()
        self._closed = False
        self._pushes: list[PushMessage] = []
        self.ident: Final = engine.open_fed()

    async def __aenter__(self) -> InProcessClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection. Idempotent, never waits; a command under way raises :exc:`ClosedError`."""
        if not self._closed:
            self._end()
            self._engine.kill(self.ident, CloseReason.QUIT)

    def tell(self, event: Event) -> None:
        """Take an event of the engine (for the server)."""
        if event.kind is EventKind.CLOSED:
            self._end()
        self._output.set()

    def _end(self) -> None:
        self._closed = True
        self._output.set()
        self._forget(self.ident)

    async def execute(self, *args: str | bytes | int | float) -> Any:
        """Run one command and return its reply; see :mod:`trioredis.resp` for the types.

        Raises:
            ReplyError: the reply is an error.
            ClosedError: the connection is closed, or closes before the reply.

        Cancelled: the command may have run; the connection is closed.
        """
        reply = (await self.execute_many([args]))[0]
        if isinstance(reply, ReplyError):
            raise reply
        return reply

    async def execute_many(self, commands: Sequence[Sequence[str | bytes | int | float]]) -> list[Any]:
        """Run commands as one pipeline and return their replies, errors among them as values.

        Raises and cancelled: as :meth:`execute`.
        """
        request = b"".join(encode_command(one) for one in commands)
        async with self._turn:
            if self._closed:
                raise ClosedError("the connection is closed")
            try:
                self._feed(request)
                return [await self._reply() for _ in commands]
            except trio.Cancelled:
                self.close()
                raise

    def take_pushes(self) -> list[PushMessage]:
        """Return the out-of-band messages that came with replies since the last call."""
        taken, self._pushes = self._pushes, []
        return taken

    def _feed(self, request: bytes) -> None:
        try:
            self._engine.feed(self.ident, request)
        except EngineError as error:
            self._end()
            raise ClosedError(str(error)) from error

    async def _reply(self) -> Any:
        while True:
            found, reply = self._reader.next()
            if not found:
                await self._more()
            elif isinstance(reply, PushMessage):
                self._pushes = [*self._pushes[-PUSHES_KEPT + 1 :], reply]
            else:
                return reply

    async def _more(self) -> None:
        """Get more output, waiting for it where there is none yet."""
        data = b"" if self._closed else self._engine.fed_output(self.ident)
        if data:
            self._reader.feed(data)
            return
        if self._closed:
            raise ClosedError("the connection was closed before the reply")
        self._output = trio.Event()
        await self._output.wait()
