"""Aim: what connections keep (transactions, watched keys, subscriptions) works as in Redis, also all of it at once.

Method: a live run in lock step with a stock server; DIFFERENTIAL_STEPS=50000 makes it a long one.
"""

from __future__ import annotations

import os
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final

import pytest

from tests.differential.live import LiveRun

if TYPE_CHECKING:
    from tests._servers import Server

STEPS: Final = int(os.environ.get("DIFFERENTIAL_STEPS", "1500"))
SEEDS: Final = tuple(int(word) for word in os.environ.get("DIFFERENTIAL_SEEDS", "1,2").split(","))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_live_run(seed: int, trioredis_server: Server, redis_server: Server) -> None:
    with ExitStack() as stack:
        run = LiveRun((trioredis_server, redis_server), stack, seed)
        try:
            run.run(STEPS)
        finally:
            run.end()
