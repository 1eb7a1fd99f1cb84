"""Runs the workloads: warm-up, then rounds that alternate between the two servers."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING, Final

from tests._resp import ClosedError
from tests.bench.listeners import listening
from tests.bench.load import LoadError, prepare, restore, run_load
from tests.bench.process import cpu_ns
from tests.bench.workloads import CHANNEL

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests._servers import Server
    from tests.bench.workloads import Limits, Workload

REQUESTS_MIN: Final = 1_000
REQUESTS_MAX: Final = 2_000_000
WARM_UP_SHARE: Final = 0.25  # of one measurement's length


@dataclass(slots=True)
class Samples:
    """Measurements of one server on one workload, one value per round."""

    cpu_us: list[float] = field(default_factory=list)  # CPU microseconds per command
    per_second: list[float] = field(default_factory=list)
    p50_ms: list[float] = field(default_factory=list)
    p99_ms: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Row:
    """One workload measured on both servers, or the reason why it could not be."""

    name: str
    limits: Limits
    requests: int
    ours: Samples
    stock: Samples
    problem: str = ""

    def ratio(self, what: str) -> float:
        """Return the ratio of the medians, ours to stock; ``what`` names a field of Samples."""
        stock = median(getattr(self.stock, what))
        return float(median(getattr(self.ours, what)) / stock) if stock else float("nan")

    def spread(self, what: str) -> float:
        """Return half the range of the rounds' own ratios: how far the ratio is to be trusted."""
        pairs = zip(getattr(self.ours, what), getattr(self.stock, what), strict=True)
        ratios = [a / b for a, b in pairs if b]
        return (max(ratios) - min(ratios)) / 2 if ratios else 0.0

    def misses(self, *, within_spread: bool = False) -> list[str]:
        """Name the limits that are not kept: by more than the spread, or (asked so) by less."""
        if self.problem:
            return [] if within_spread else ["not run"]
        wanted = self.limits
        checks = (
            ("cpu", "cpu_us", wanted.cpu_max, 1),
            ("throughput", "per_second", wanted.throughput_min, -1),
            ("p99", "p99_ms", wanted.p99_max, 1),
        )
        out = []
        for name, what, limit, sign in checks:
            over = 0.0 if limit is None else sign * (self.ratio(what) - limit)
            if over > 0 and (over <= self.spread(what)) == within_spread:
                out.append(name)
        return out


@dataclass(frozen=True, slots=True)
class Effort:
    """How much to measure: a fixed number of requests, or as many as fit in ``seconds``."""

    rounds: int
    seconds: float
    requests: int | None
    load_core: int


def choose_requests(rates: Iterable[float], pipeline: int, seconds: float) -> int:
    """Return how many requests the slower server answers in ``seconds``, in whole pipelines."""
    wanted = min(REQUESTS_MAX, max(REQUESTS_MIN, int(min(rates) * seconds)))
    return wanted - wanted % pipeline or pipeline


def _measure(server: Server, workload: Workload, requests: int, core: int, into: Samples) -> None:
    before = cpu_ns(server.pid)
    result = run_load(server, workload, requests, core)
    into.cpu_us.append((cpu_ns(server.pid) - before) / 1000 / result.requests)
    into.per_second.append(result.per_second)
    into.p50_ms.append(result.p50_ms)
    into.p99_ms.append(result.p99_ms)


def _warm_up(server: Server, workload: Workload, effort: Effort) -> float:
    """Prepare one server and return its requests per second, from two growing trials."""
    prepare(server, workload)
    first = run_load(server, workload, REQUESTS_MIN * workload.pipeline, effort.load_core)
    seconds = effort.seconds * WARM_UP_SHARE
    trial = effort.requests or choose_requests([first.per_second], workload.pipeline, seconds)
    return run_load(server, workload, trial, effort.load_core).per_second


def run_workload(ours: Server, stock: Server, workload: Workload, effort: Effort) -> Row:
    """Measure one workload on both servers; a row without samples says why it could not be."""
    samples = (Samples(), Samples())
    try:
        with ExitStack() as stack:
            for server in (ours, stock):
                stack.enter_context(listening(server, ("SUBSCRIBE", CHANNEL), workload.listeners, effort.load_core))
                stack.enter_context(listening(server, ("MONITOR",), workload.monitors, effort.load_core))
                stack.callback(restore, server, workload)
            rates = [_warm_up(server, workload, effort) for server in (ours, stock)]
            requests = effort.requests or choose_requests(rates, workload.pipeline, effort.seconds)
            turns = list(zip((ours, stock), samples, strict=True))
            for _ in range(effort.rounds):
                for server, into in turns:
                    _measure(server, workload, requests, effort.load_core, into)
                turns.reverse()  # so that neither is always the one that runs first
    except (LoadError, ClosedError, OSError) as problem:
        dead = "".join(s.log_tail() for s in (ours, stock) if s.process.poll() is not None)
        return Row(workload.name, workload.limits, 0, Samples(), Samples(), f"{problem}\n{dead}".strip())
    return Row(workload.name, workload.limits, requests, *samples)
