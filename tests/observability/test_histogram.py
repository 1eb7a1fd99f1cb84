"""Aim: percentiles and doubling steps equal those of the counted values, up to the width of a bucket.

Method: the layout against its own definition, percentiles against a sorted list, and the very figures that a stock
server printed for known durations.
"""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trioredis.observability.histogram import (
    EMPTY_HISTOGRAM,
    OCTAVES,
    SUB_BITS,
    Histogram,
    bucket_bounds,
    bucket_count,
    bucket_index,
)

LAYOUTS = (2, 4, 7)
SECOND_NS = 10**9
VALUES = st.lists(st.integers(0, 2 * SECOND_NS), min_size=1, max_size=60)


def count(values: list[int], sub_bits: int) -> Histogram:
    counts = [0] * bucket_count(sub_bits)
    for value in values:
        counts[bucket_index(value, sub_bits)] += 1
    return Histogram(counts, sub_bits)


@pytest.mark.parametrize("sub_bits", LAYOUTS)
def test_buckets_follow_each_other_without_gap_or_overlap(sub_bits: int) -> None:
    following = 0
    for index in range(bucket_count(sub_bits)):
        low, high = bucket_bounds(index, sub_bits)
        assert low == following
        assert bucket_index(low, sub_bits) == bucket_index(high, sub_bits) == index
        assert high - low + 1 <= max(1, low >> sub_bits)
        following = high + 1
    assert following > 60 * SECOND_NS


def test_default_layout_is_the_engines() -> None:
    """The header is the source of truth: its two numbers are read from it."""
    header = (Path(__file__).parents[2] / "csrc/exec/latency.h").read_text()
    assert re.findall(r"#define TR_LATENCY_SUB_BITS (\d+)", header) == [str(SUB_BITS)]
    assert re.findall(r"#define TR_LATENCY_BUCKETS \((\d+) <<", header) == [str(OCTAVES)]
    assert bucket_count() == 160


@pytest.mark.parametrize("sub_bits", LAYOUTS)
def test_values_beyond_the_range_are_counted_at_its_ends(sub_bits: int) -> None:
    assert bucket_index(-5, sub_bits) == 0
    assert bucket_index(1 << 62, sub_bits) == bucket_count(sub_bits) - 1


@given(VALUES, st.floats(0, 100), st.sampled_from(LAYOUTS))
def test_percentile_is_the_bucket_of_the_ranked_value(values: list[int], percentile: float, sub_bits: int) -> None:
    rank = max(1, math.floor(percentile / 100 * len(values) + 0.5))
    low, high = bucket_bounds(bucket_index(sorted(values)[rank - 1], sub_bits), sub_bits)
    expected = low if percentile == 0 else high
    assert count(values, sub_bits).percentile_ns(percentile) == expected


@pytest.mark.parametrize(
    ("duration_ns", "shown"), [(12_000, 12_031), (9_000, 9_023), (39_000, 39_167), (211_000, 211_967)]
)
def test_seven_bits_give_the_figures_of_a_stock_server(duration_ns: int, shown: int) -> None:
    assert count([duration_ns], 7).percentile_ns(50) == shown


def test_lowest_percentile_is_the_lower_end() -> None:
    assert count([12_000], 7).percentile_ns(0) == 11_968


def test_percentiles_above_100_are_the_maximum() -> None:
    assert count([100, 200], 7).percentile_ns(150) == count([100, 200], 7).percentile_ns(100)


def test_empty_histogram() -> None:
    assert EMPTY_HISTOGRAM.total() == 0
    assert EMPTY_HISTOGRAM.percentile_ns(99) == 0
    assert EMPTY_HISTOGRAM.doubling_steps() == []


def test_doubling_steps_leave_out_those_that_add_nothing() -> None:
    values = [2_992, *[7_000] * 15, *[12_000] * 4, 39_000]
    assert count(values, 7).doubling_steps() == [(4, 1), (8, 16), (16, 20), (66, 21)]


@given(VALUES, st.sampled_from(LAYOUTS))
def test_doubling_steps_count_what_lies_below(values: list[int], sub_bits: int) -> None:
    steps = count(values, sub_bits).doubling_steps()
    limits = {((1024 << k) + (8 << k) - 1) // 1000: 1024 << k for k in range(40)}
    assert steps[-1][1] == len(values)
    assert steps == sorted(steps)
    for shown, seen in steps:
        assert seen == sum(value < limits[shown] for value in values)
    assert len({seen for _, seen in steps}) == len(steps)


def test_steps_are_shown_as_stock_servers_do() -> None:
    values = [500 << k for k in range(12)]
    shown = [limit for limit, _ in count(values, 7).doubling_steps()]
    assert shown == [1, 2, 4, 8, 16, 33, 66, 132, 264, 528, 1056]


def test_values_below_the_first_step_are_shown_at_one_microsecond() -> None:
    assert count([0, 1, 1023], 4).doubling_steps() == [(1, 3)]
