"""Fixtures of the observability tests."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def set_timezone() -> Iterator[Callable[[str], None]]:
    """Call it with a value of TZ, in POSIX' notation; the zone of before comes back when the test ends."""
    before = os.environ.get("TZ")

    def change(zone: str | None) -> None:
        if zone is None:
            os.environ.pop("TZ", None)
        else:
            os.environ["TZ"] = zone
        time.tzset()

    yield change
    change(before)


@pytest.fixture
def utc(set_timezone: Callable[[str], None]) -> None:
    """Local time is UTC for the test."""
    set_timezone("UTC0")
