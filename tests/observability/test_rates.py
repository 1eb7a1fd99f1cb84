"""Aim: the rate is the mean of the last samples. Method: counters on a made-up clock."""

from __future__ import annotations

import pytest

from trioredis.observability.rates import SAMPLES, RateMeter

TENTH_US = 100_000


def feed(meter: RateMeter, counters: list[int], start_us: int = 0) -> None:
    for step, counter in enumerate(counters):
        meter.sample(start_us + step * TENTH_US, counter)


def test_nothing_sampled_is_zero() -> None:
    meter = RateMeter()
    meter.sample(0, 1_000_000)
    assert meter.per_second() == 0


def test_steady_growth() -> None:
    meter = RateMeter()
    feed(meter, [50 * step for step in range(SAMPLES + 1)])
    assert meter.per_second() == pytest.approx(500)


def test_one_burst_leaves_after_its_samples() -> None:
    meter = RateMeter()
    feed(meter, [0, 160])
    assert meter.per_second() == pytest.approx(1600 / SAMPLES)
    feed(meter, [160] * SAMPLES, start_us=2 * TENTH_US)
    assert meter.per_second() == 0


def test_a_reset_counter_starts_anew() -> None:
    meter = RateMeter()
    feed(meter, [1000, 0, 16])
    assert meter.per_second() == pytest.approx(160 / SAMPLES)


def test_a_clock_that_stands_still_keeps_the_growth_for_the_next_sample() -> None:
    meter = RateMeter()
    meter.sample(0, 0)
    meter.sample(0, 80)
    assert meter.per_second() == 0
    meter.sample(TENTH_US, 160)
    assert meter.per_second() == pytest.approx(1600 / SAMPLES)


def test_kib_per_second() -> None:
    meter = RateMeter()
    feed(meter, [1024 * step for step in range(SAMPLES + 1)])
    assert meter.kib_per_second() == pytest.approx(10)
