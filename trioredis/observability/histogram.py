"""Latency histograms: fixed buckets that grow with the value, and what can be read from them.

The engine counts, this file reads. A histogram is an array of counts; a value ``v`` (nanoseconds, at least 0)
belongs to the bucket that ``bucket_index(v)`` names. With ``S = 2**sub_bits`` buckets per power of two:

    v <  S             index = v                                        exact
    v >= S             e = floor(log2(v)); index = (e - sub_bits) * S + (v >> (e - sub_bits))

so an index costs a count-leading-zeros, a shift and an add, and the relative width of a bucket is at most
``1 / S``. Values above ``MAX_VALUE_NS`` (one second) are counted in the last bucket. ``SUB_BITS`` is 4: 430 counts, 6 % error
at most. A layout with ``sub_bits=7`` has the very buckets of Redis and prints the same percentiles to the last digit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

SUB_BITS: Final = 4
MAX_VALUE_NS: Final = 1_000_000_000
LOG_STEP_FIRST_NS: Final = (
    1024  # LATENCY HISTOGRAM's first step; it shows 1 us for it, then doubles
)


def bucket_index(value_ns: int, sub_bits: int = SUB_BITS) -> int:
    """The bucket that ``value_ns`` is counted in. Values above `MAX_VALUE_NS` share the last one."""
    value = min(max(value_ns, 0), MAX_VALUE_NS)
    if value < 1 << sub_bits:
        return value
    shift = value.bit_length() - 1 - sub_bits
    return (shift << sub_bits) + (value >> shift)


def bucket_bounds(index: int, sub_bits: int = SUB_BITS) -> tuple[int, int]:
    """The smallest and the largest value (ns, both inclusive) that bucket ``index`` stands for."""
    if index < 1 << sub_bits:
        return index, index
    shift = (index >> sub_bits) - 1
    low = (index - (shift << sub_bits)) << shift
    return low, low + (1 << shift) - 1


def bucket_count(sub_bits: int = SUB_BITS) -> int:
    """How many buckets a histogram of this layout has."""
    return bucket_index(MAX_VALUE_NS, sub_bits) + 1


@dataclass(frozen=True, slots=True)
class Histogram:
    """Counts by bucket. ``counts`` may be shorter than the layout: what is missing is zero."""

    counts: Sequence[int]
    sub_bits: int = SUB_BITS

    def total(self) -> int:
        """How many values were counted."""
        return sum(self.counts)

    def percentile_ns(self, percentile: float) -> int:
        """The value (ns) that ``percentile`` (0 to 100) of all counted values do not exceed.

        The upper end of the bucket found; the lower end for percentile 0; 0 for an empty histogram.
        """
        total = self.total()
        if total == 0:
            return 0
        wanted = max(1, math.floor(min(percentile, 100.0) / 100.0 * total + 0.5))
        seen = 0
        for index, count in enumerate(self.counts):
            seen += count
            if seen >= wanted:
                low, high = bucket_bounds(index, self.sub_bits)
                return low if percentile <= 0 else high
        raise AssertionError("unreachable: the counts add up to the total")

    def doubling_steps(self) -> list[tuple[int, int]]:
        """Pairs (upper limit in us, values counted below it), for LATENCY HISTOGRAM.

        Limits double from 1 us on (each is 1,024 ns times a power of two, shown in whole microseconds); a step that
        adds nothing to the one before is left out.
        """
        steps: list[tuple[int, int]] = []
        limit_ns, seen, shown = LOG_STEP_FIRST_NS, 0, 0
        for index, count in enumerate(self.counts):
            if count == 0:
                continue
            low, _ = bucket_bounds(index, self.sub_bits)
            while low >= limit_ns:
                if seen > shown:
                    steps.append((limit_ns // 1000, seen))
                    shown = seen
                limit_ns *= 2
            seen += count
        if seen > shown:
            steps.append((limit_ns // 1000, seen))
        return steps


EMPTY_HISTOGRAM: Final = Histogram(())
