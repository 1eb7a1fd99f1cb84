"""A client's task: it owns what waits, what is logged, and what is cleaned up for one connection.

The engine serves the client's commands; the task sleeps until the pump brings an event of its own.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, final

import outcome
import trio

from trioredis.engine import CloseReason, Engine, Event, EventKind, Obituary
from trioredis.obituary import log_obituary
from trioredis.observability import EVENTS, Log, error_text, traceback_text

CLOSE_TEXTS: Final = {
    CloseReason.PEER: "eof",
    CloseReason.QUIT: "quit",
    CloseReason.KILLED: "killed",
    CloseReason.PROTOCOL: "protocol error",
    CloseReason.CROSS_PROTOCOL: "protocol error",
    CloseReason.OUTPUT_LIMIT: "limit",
    CloseReason.QUERY_LIMIT: "limit",
    CloseReason.IDLE: "timeout",
    CloseReason.IO: "system error",
    CloseReason.NO_MEMORY: "no memory",
    CloseReason.SHUTDOWN: "shutdown",
    CloseReason.EVICTED: "killed",
    CloseReason.NONE: "closed",
}

US_PER_MS: Final = 1000

ServeCall = Callable[[int], Awaitable[None]]


@final
class Client:
    """One connected client. Started by the server, ended by the engine's CLOSED event or by cancellation.

    Args:
        ident: the client's id.
        engine: who serves it.
        serve_call: runs the asynchronous Python command that the client waits for.
        log: where its events go.

    ``obituary`` is set by the server before the CLOSED event of a connection that ended badly.
    """

    __slots__ = ("_addr", "_engine", "_events", "_log", "_serve_call", "_task", "ident", "obituary")

    def __init__(self, ident: int, engine: Engine, serve_call: ServeCall, log: Log) -> None:
        self.ident = ident
        self.obituary: Obituary | None = None
        self._engine = engine
        self._serve_call = serve_call
        self._log = log
        self._events: list[Event] = []
        self._task: trio.lowlevel.Task | None = None
        self._addr = ""

    def tell(self, event: Event) -> None:
        """Hand an event to the task; it wakes if it sleeps. Never waits."""
        self._events.append(event)
        if self._task is not None:
            task, self._task = self._task, None
            trio.lowlevel.reschedule(task, outcome.Value(None))

    async def run(self) -> None:
        """Serve the client from accept to close. Cancelled: its connection is closed, replies may be cut short."""
        self._opened()
        try:
            while (event := await self._next_event()).kind is not EventKind.CLOSED:
                await self._serve(event)
        except trio.Cancelled:
            self._engine.kill(self.ident, CloseReason.SHUTDOWN)
            raise
        except Exception as error:
            self._log.emit(
                EVENTS.CLIENT_TASK_FAILED,
                client_id=self.ident,
                addr=self._addr,
                error=error_text(error),
                traceback=traceback_text(error),
            )
            self._engine.kill(self.ident)
            return
        self._closed(CloseReason(event.code))

    async def _next_event(self) -> Event:
        while not self._events:
            self._task = trio.lowlevel.current_task()
            await trio.lowlevel.wait_task_rescheduled(self._abort)
        return self._events.pop(0)

    def _abort(self, raise_cancel: object) -> trio.lowlevel.Abort:
        self._task = None
        return trio.lowlevel.Abort.SUCCEEDED

    async def _serve(self, event: Event) -> None:
        """Run the asynchronous command; the client's leaving cancels it."""
        if event.kind is not EventKind.CALL:
            return
        async with trio.open_nursery() as call_nursery:
            call_nursery.start_soon(self._cancel_when_closed, call_nursery.cancel_scope)
            await self._serve_call(self.ident)
            call_nursery.cancel_scope.cancel()

    async def _cancel_when_closed(self, scope: trio.CancelScope) -> None:
        event = await self._next_event()
        self._events.insert(0, event)
        scope.cancel()

    def _opened(self) -> None:
        if not self._log.is_enabled(EVENTS.CLIENT_OPENED):
            return
        info = self._engine.client(self.ident)
        if info is not None:
            self._addr = info.addr
            self._log.emit(EVENTS.CLIENT_OPENED, client_id=self.ident, addr=info.addr, laddr=info.laddr)

    def _closed(self, reason: CloseReason) -> None:
        last = self.obituary
        if last is None:
            self._log.emit(EVENTS.CLIENT_CLOSED, client_id=self.ident, addr=self._addr, reason=CLOSE_TEXTS[reason])
            return
        log = self._log.bind(client_id=self.ident, addr=last.addr or self._addr)
        log_obituary(log, reason, last)
        log.emit(
            EVENTS.CLIENT_CLOSED,
            reason=CLOSE_TEXTS[reason],
            age_ms=last.age_us // US_PER_MS,
            commands=last.commands,
        )
