"""The pump: the one task that watches the engine and hands its events on.

    wait until the engine's descriptor is readable
    -> one call into C serves many clients (the GIL is released)
    -> events go to those whom they concern

While there is traffic, C waits for more of it for a moment by itself, because a turn through Trio costs about as much
as serving ten commands. It does so only when no other task could run meanwhile. How long is a matter of who else lives
in the process: see :class:`Pace`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Final, final

import trio

from trioredis.engine import Engine, Event

BLOCK_US: Final = 1_000_000
"""How long a thread waits for a poller that has no descriptor, microseconds."""

Dispatch = Callable[[Iterable[Event]], None]


@final
@dataclass(frozen=True, slots=True)
class Pace:
    """How long the program's other tasks may have to wait while there is traffic, microseconds.

    ``linger_us``: C waits that long for more traffic before it gives the thread back to Trio. Short waits are dear:
    each makes the kernel set its timer anew, about a third more CPU for a lone client without pipelines.
    ``budget_us``: C goes on that long while there always is more traffic.
    """

    linger_us: int
    budget_us: int


PACE_SHARED: Final = Pace(linger_us=500, budget_us=2000)
"""For a server inside somebody's program, whose own sockets must not wait."""
PACE_ALONE: Final = Pace(linger_us=20_000, budget_us=10_000)
"""For a server in a process of its own: only signals wait."""
PACE_GIVING_WAY: Final = Pace(linger_us=0, budget_us=500)
"""For when other tasks are ready to run, or clients wait for what they do: each step of them waits for a turn."""


@final
class Pump:
    """Drives one engine. :meth:`nudge` makes it look again although no socket is ready."""

    def __init__(self, engine: Engine, pace: Pace) -> None:
        self._engine = engine
        self._pace = pace
        self._giving_way = 0
        self._nudged = False
        self._waiting: trio.CancelScope | None = None

    def nudge(self) -> None:
        """Make the pump take a turn soon. Cheap, never waits; call it from the engine's thread."""
        self._nudged = True
        if self._waiting is not None:
            self._waiting.cancel()

    @contextmanager
    def giving_way(self) -> Iterator[None]:
        """Let the program's other tasks go first while the block runs, whatever the pace. May be nested."""
        self._giving_way += 1
        try:
            yield
        finally:
            self._giving_way -= 1

    async def run(self, dispatch: Dispatch) -> None:
        """Serve until cancelled. ``dispatch`` gets the events and must neither wait nor raise.

        Cancelled: nothing is lost, the engine stays as it is.
        """
        engine = self._engine
        fd = engine.fd
        wait = partial(trio.lowlevel.wait_readable, fd) if fd is not None else self._block
        busy = False
        while True:
            self._nudged = False
            linger_us, budget_us = self._patience()
            polled = engine.poll(eager=busy, linger_us=linger_us, budget_us=budget_us)
            busy = polled.busy
            if polled.events:
                dispatch(engine.take_events())
            if polled.events or polled.more or busy or self._nudged:
                await trio.lowlevel.checkpoint()
                continue
            with trio.CancelScope() as self._waiting:
                await wait()
            self._waiting = None

    async def _block(self) -> None:
        """Wait in a thread; for pollers without a descriptor. Cancelled: the thread ends first."""
        async with trio.open_nursery() as block_nursery:
            block_nursery.start_soon(self._wake_when_cancelled)
            self._engine.begin_block()
            with trio.CancelScope(shield=True):  # ends at once when woken, and by itself after BLOCK_US
                await trio.to_thread.run_sync(self._engine.block, BLOCK_US)
            block_nursery.cancel_scope.cancel()

    async def _wake_when_cancelled(self) -> None:
        try:
            await trio.sleep_forever()
        finally:
            self._engine.end_block()

    def _patience(self) -> tuple[int, int]:
        """How long C may wait by itself now, and go on: shortly when another task is ready to run, or waited for."""
        seen = trio.lowlevel.current_statistics()
        if seen.tasks_runnable or self._giving_way:
            return PACE_GIVING_WAY.linger_us, PACE_GIVING_WAY.budget_us
        linger_us = min(self._pace.linger_us, seen.seconds_to_next_deadline * 1e6)
        return int(max(0, linger_us)), self._pace.budget_us
