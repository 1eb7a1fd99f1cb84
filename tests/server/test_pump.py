"""Aim: the pump's turns are as long as its pace says, and short while somebody waits for other tasks.

Method: an engine that only notes how it was called.
"""

from __future__ import annotations

from typing import Any, cast

import trio

from trioredis.engine import Engine
from trioredis.engine.types import Polled
from trioredis.pump import PACE_GIVING_WAY, Pace, Pump

PACE = Pace(linger_us=7000, budget_us=9000)


class NotingEngine:
    """Always busy. Whoever wants to see turns sleeps meanwhile, since the pump looks at who is ready to run."""

    fd = 0

    def __init__(self) -> None:
        self._turns: list[tuple[int, int]] = []
        self._wanted = 0
        self._seen = trio.Event()

    def poll(self, *, eager: bool, linger_us: int, budget_us: int) -> Polled:
        self._turns.append((linger_us, budget_us))
        if len(self._turns) == self._wanted:
            self._seen.set()
        return Polled(events=False, more=False, busy=True)

    async def turns(self, count: int) -> list[tuple[int, int]]:
        """Return linger and budget of the next turns, but for the first, in which the caller was ready to run."""
        self._turns.clear()
        self._wanted = count
        self._seen = trio.Event()
        await self._seen.wait()
        return self._turns[1:count]


async def test_others_go_first_for_a_while() -> None:
    engine = NotingEngine()
    pump = Pump(cast("Engine", engine), PACE)
    usual, short = (PACE.linger_us, PACE.budget_us), (PACE_GIVING_WAY.linger_us, PACE_GIVING_WAY.budget_us)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(pump.run, cast("Any", None))
        assert await engine.turns(3) == [usual] * 2
        with pump.giving_way():
            with pump.giving_way():
                assert await engine.turns(3) == [short] * 2
            assert await engine.turns(3) == [short] * 2
        assert await engine.turns(3) == [usual] * 2
        nursery.cancel_scope.cancel()
