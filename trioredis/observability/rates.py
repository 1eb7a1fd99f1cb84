"""Rates from counters: what INFO calls instantaneous."""

from __future__ import annotations

from collections import deque
from typing import Final, final

SAMPLES: Final = 16  # the average covers this many samples: 1.6 s at ten samples per second
US_PER_S: Final = 1_000_000


@final
class RateMeter:
    """Average growth of a counter over its last `SAMPLES` samples. Time is passed in."""

    __slots__ = ("_last", "_rates")

    def __init__(self) -> None:
        self._last: tuple[int, int] | None = None
        self._rates: deque[float] = deque([0.0] * SAMPLES, maxlen=SAMPLES)

    def sample(self, now_us: int, counter: int) -> None:
        """Take note of ``counter`` at ``now_us``; call it about ten times a second.

        A counter that went back (statistics were reset) starts anew; a clock that stands still adds nothing.
        """
        if self._last is not None:
            elapsed_us, grown = now_us - self._last[0], counter - self._last[1]
            if elapsed_us <= 0:
                return
            self._rates.append(max(0, grown) * US_PER_S / elapsed_us)
        self._last = (now_us, counter)

    def per_second(self) -> float:
        """Counts per second; samples not yet taken count as standing still."""
        return sum(self._rates) / SAMPLES

    def kib_per_second(self) -> float:
        """Kibibytes per second of a counter of bytes."""
        return self.per_second() / 1024
