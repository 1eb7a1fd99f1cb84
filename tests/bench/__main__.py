"""Command line of the benchmarks: ``python -m tests.bench --help``."""

from __future__ import annotations

import argparse
import json
import os
import platform
import shlex
import signal
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests._resp import ClosedError
from tests._servers import ServerError, redis_command, running, trioredis_command
from tests.bench.footprint import Figure, FootprintPlan, measure
from tests.bench.load import LoadError
from tests.bench.modules import build, load_options
from tests.bench.report import HEAD, compare, figure_line, summary, table_line, to_json
from tests.bench.rounds import Effort, Row, run_workload
from tests.bench.workloads import WORKLOADS, Workload

if TYPE_CHECKING:
    from types import FrameType

FULL = FootprintPlan(keys=1_000_000, connections=(1_000, 10_000), idle_seconds=5.0)
QUICK = FootprintPlan(keys=200_000, connections=(1_000,), idle_seconds=1.0)


def parse_args(argv: list[str] | None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench",
        description="Measure our server beside a stock redis-server: CPU per command, throughput, "
        "latency, memory. Both servers share one core, the load has another.",
    )
    add = parser.add_argument
    add("--quick", action="store_true", help="the main workloads only, in about a minute")
    add("--filter", default="", metavar="TEXT", help="only workloads with TEXT in their name")
    add("--list", action="store_true", help="name the workloads and stop")
    add("--rounds", type=int, help="measurements per server and workload (5; quick: 3)")
    add("--seconds", type=float, help="length of one measurement (0.8; quick: 0.4)")
    add("--requests", type=int, help="requests of one measurement, instead of --seconds")
    add("--server-a", metavar="CMD", help="our server's command; --port N is added")
    add("--server-b", metavar="CMD", help="the stock server's command; --port N is added")
    add("--no-footprint", action="store_true", help="leave out memory and idle CPU")
    add("--no-workloads", action="store_true", help="only memory and idle CPU")
    add("--json", type=Path, metavar="FILE", help="write all measurements to FILE")
    add("--compare", type=Path, metavar="FILE", help="show what is worse than in FILE (from --json)")
    add("--strict", action="store_true", help="exit status 1 on a missed limit or a regression")
    return parser.parse_args(argv)


def chosen(args: argparse.Namespace) -> list[Workload]:
    """Return the workloads that the options ask for."""
    return [
        w
        for w in WORKLOADS
        if not args.no_workloads and args.filter.lower() in w.name.lower() and (w.quick or not args.quick)
    ]


def commands(args: argparse.Namespace) -> tuple[list[str], list[str]]:
    """Return the command lines of both servers."""
    ours = shlex.split(args.server_a) if args.server_a else trioredis_command()
    stock = shlex.split(args.server_b) if args.server_b else redis_command()
    if stock is None:
        raise ServerError("redis-server is not installed; name another with --server-b")
    return ours, stock


def run(args: argparse.Namespace, directory: Path) -> tuple[list[Row], list[Figure]]:
    """Run everything that the options ask for, printing each result as it comes."""
    cores = sorted(os.sched_getaffinity(0))
    server_core, load_core = cores[0], cores[-1]
    if server_core == load_core:
        print("only one core: server and load share it, so throughput says little", file=sys.stderr)
    os.sched_setaffinity(0, {load_core})
    pair = commands(args)
    effort = Effort(
        rounds=args.rounds or (3 if args.quick else 5),
        seconds=args.seconds or (0.4 if args.quick else 0.8),
        requests=args.requests,
        load_core=load_core,
    )
    rows = []
    workloads = chosen(args)
    for group in ([w for w in workloads if not w.module], [w for w in workloads if w.module]):
        modules = load_options(build((w.module for w in group if w.module), directory))
        with ExitStack() as stack:
            if group:
                ours, stock = (
                    stack.enter_context(running(name, [*command, *modules], directory, core=server_core))
                    for name, command in zip(("ours", "stock"), pair, strict=True)
                )
                print(f"ours / stock, medians of {effort.rounds} interleaved rounds\n{HEAD}", flush=True)
            for workload in group:
                row = run_workload(ours, stock, workload, effort)
                print(table_line(row), flush=True)
                rows.append(row)
    if rows:
        print(summary(rows), flush=True)
    figures = []
    if not args.no_footprint:
        figures = measure(pair, directory, QUICK if args.quick else FULL, server_core)
        print("\n" + "\n".join(map(figure_line, figures)))
    return rows, figures


def finish(args: argparse.Namespace, rows: list[Row], figures: list[Figure]) -> int:
    """Write and compare what was measured; return the exit status."""
    about: dict[str, Any] = {"machine": platform.platform(), "cores": os.cpu_count()}
    data = to_json(rows, figures, about | {"commands": commands(args)})
    if args.json:
        args.json.write_text(json.dumps(data, indent=1) + "\n")
    worse = compare(json.loads(args.compare.read_text()), data) if args.compare else []
    if args.compare:
        print("\nworse than before:" if worse else "\nnothing is worse than before")
        print("\n".join(f"  {line}" for line in worse))
    return int(args.strict and (bool(worse) or any(row.misses() for row in rows)))


def _on_terminate(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def main(argv: list[str] | None = None) -> int:
    """Run the benchmarks; return the exit status. All child processes end before it returns."""
    args = parse_args(argv)
    if args.list:
        print("\n".join(w.name for w in chosen(args)))
        return 0
    signal.signal(signal.SIGTERM, _on_terminate)
    try:
        with tempfile.TemporaryDirectory(prefix="trioredis-bench-") as directory:
            return finish(args, *run(args, Path(directory)))
    except (ClosedError, LoadError, ServerError) as problem:
        print(f"bench: {problem}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
