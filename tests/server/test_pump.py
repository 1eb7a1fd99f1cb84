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
    """Always busy."""

    fd = 0

    def __init__(self) -> None:
        self.budgets: list[int] = []
        self.lingers: list[int] = []

    def poll(self, *, eager: bool, linger_us: int, budget_us: int) -> Polled:
        self.budgets.append(budget_us)
        self.lingers.append(linger_us)
        return Polled(events=False, more=False, busy=True)

    async def looks(self, times: int) -> None:
        """Return when the pump has looked so many times more."""
        seen = len(self.budgets) + times
        while len(self.budgets) < seen:
            await trio.lowlevel.checkpoint()


async def test_others_go_first_for_a_while() -> None:
    engine = NotingEngine()
    pump = Pump(cast("Engine", engine), PACE)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(pump.run, cast("Any", None))
        await engine.looks(2)
        assert set(engine.budgets) == {PACE.budget_us}
        with pump.giving_way():
            with pump.giving_way():
                await engine.looks(2)
            engine.budgets.clear()
            engine.lingers.clear()
            await engine.looks(2)
            assert set(engine.budgets) == {PACE_GIVING_WAY.budget_us}
            assert set(engine.lingers) == {0}
        engine.budgets.clear()
        await engine.looks(2)
        assert set(engine.budgets) == {PACE.budget_us}
        nursery.cancel_scope.cancel()
