"""Latency histograms: fixed buckets that grow with the value, and what can be read from them.

The engine counts (``csrc/exec/latency.h``), this file reads. A histogram is an array of counts; a value ``v``
(nanoseconds, at least 0) belongs to the bucket that ``bucket_index(v)`` names. With ``S = 2**sub_bits`` buckets per
power of two:

    v <  S             index = v                                        exact
    v >= S             e = floor(log2(v)); index = (e - sub_bits) * S + (v >> (e - sub_bits))

so an index costs a count-leading-zeros, a shift and an add, and the relative width of a bucket is at most
``1 / S``. There are ``40 * S`` buckets; what is too long for them (minutes) is counted in the last one. ``SUB_BITS``
is the engine's: 2, so 160 buckets. With ``sub_bits=7`` the buckets up to a second are those of Redis, and percentiles
print the same to the last digit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

SUB_BITS: Final = 2
OCTAVES: Final = 40
STEP_FIRST_NS: Final = 1024  # upper limit of LATENCY HISTOGRAM's first step
STEP_SHOWN_PART: Final = 128  # a step is shown by the end of a 128th above it: 1, 2, 4, 8, 16, 33, 66


def bucket_index(value_ns: int, sub_bits: int = SUB_BITS) -> int:
    """The bucket that ``value_ns`` is counted in. Values beyond the range share the bucket at its end."""
    value = max(value_ns, 0)
    if value < 1 << sub_bits:
        return value
    shift = value.bit_length() - 1 - sub_bits
    return min((shift << sub_bits) + (value >> shift), bucket_count(sub_bits) - 1)


def bucket_bounds(index: int, sub_bits: int = SUB_BITS) -> tuple[int, int]:
    """The smallest and the largest value (ns, both inclusive) that bucket ``index`` stands for."""
    if index < 1 << sub_bits:
        return index, index
    shift = (index >> sub_bits) - 1
    low = (index - (shift << sub_bits)) << shift
    return low, low + (1 << shift) - 1


def bucket_count(sub_bits: int = SUB_BITS) -> int:
    """How many buckets a histogram of this layout has."""
    return OCTAVES << sub_bits


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

        Limits are 1,024 ns times a power of two, shown in whole microseconds as Redis does (1, 2, 4, 8, 16, 33,
        66, ...); a step that adds nothing to the one before is left out.
        """
        steps: list[tuple[int, int]] = []
        limit_ns, seen, shown = STEP_FIRST_NS, 0, 0
        for index, count in enumerate(self.counts):
            if count == 0:
                continue
            low, _ = bucket_bounds(index, self.sub_bits)
            while low >= limit_ns:
                if seen > shown:
                    steps.append((_shown_us(limit_ns), seen))
                    shown = seen
                limit_ns *= 2
            seen += count
        if seen > shown:
            steps.append((_shown_us(limit_ns), seen))
        return steps


def _shown_us(limit_ns: int) -> int:
    return (limit_ns + limit_ns // STEP_SHOWN_PART - 1) // 1000


EMPTY_HISTOGRAM: Final = Histogram(())
