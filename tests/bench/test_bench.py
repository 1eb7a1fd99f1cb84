"""Aim: the benchmark's arithmetic and its clean-up. Method: known numbers; one tiny real run."""

from __future__ import annotations

import json
import math
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests._resp import encode
from tests.bench.load import LoadError, expand, parse_csv
from tests.bench.report import compare, table_line, to_json
from tests.bench.rounds import Row, Samples, choose_requests
from tests.bench.workloads import WORKLOADS, Limits

ROOT = Path(__file__).resolve().parents[2]
CSV = (
    '"test","rps","avg_latency_ms","min_latency_ms","p50_latency_ms","p95_latency_ms",'
    '"p99_latency_ms","max_latency_ms"\n'
    '"GET key:__rand_int__","50000.00","0.5","0.1","0.431","0.7","0.911","1.2"\n'
)


def a_row(cpu: list[float], rate: list[float], limits: Limits) -> Row:
    stock = Samples([2.0, 2.0, 2.0], [100.0, 100.0, 100.0], [1.0] * 3, [2.0] * 3)
    return Row("SET", limits, 1000, Samples(cpu, rate, [1.0] * 3, [2.0] * 3), stock)


def test_csv_is_read_by_column() -> None:
    result = parse_csv(CSV, 1000)
    assert (result.requests, result.per_second, result.p50_ms, result.p99_ms) == (
        1000,
        50000.0,
        0.431,
        0.911,
    )


def test_output_without_a_result_is_an_error() -> None:
    with pytest.raises(LoadError, match="refused"):
        parse_csv("Could not connect: Connection refused\n", 10)


def test_ratio_is_of_medians_and_spread_of_rounds() -> None:
    row = a_row([1.0, 9.0, 3.0], [100.0, 100.0, 100.0], Limits())
    assert row.ratio("cpu_us") == 1.5
    assert row.spread("cpu_us") == 2.0


@pytest.mark.parametrize(
    ("cpu", "rate", "clear", "near"),
    [
        ([2.0] * 3, [95.0] * 3, [], []),
        ([2.2] * 3, [95.0] * 3, ["cpu"], []),
        ([1.8, 2.1, 2.4], [95.0] * 3, [], ["cpu"]),
        ([1.0] * 3, [90.0] * 3, ["throughput"], []),
        ([1.0] * 3, [70.0, 90.0, 110.0], [], ["throughput"]),
    ],
)
def test_limits(cpu: list[float], rate: list[float], clear: list[str], near: list[str]) -> None:
    row = a_row(cpu, rate, Limits(cpu_max=1.0))
    assert row.misses() == clear
    assert row.misses(within_spread=True) == near
    for words in (clear, near):
        assert all(word in table_line(row) for word in words)


def test_a_workload_that_did_not_run_misses() -> None:
    row = Row("X", Limits(), 0, Samples(), Samples(), "ERR unknown command 'X'")
    assert row.misses() == ["not run"]
    assert "unknown command" in table_line(row)


def test_requests_follow_the_slower_server_in_whole_pipelines() -> None:
    assert choose_requests([50_000.0, 100_000.0], 16, 0.5) == 24_992
    assert choose_requests([10.0], 1, 0.5) == 1000
    assert choose_requests([1e9], 1, 1.0) == 2_000_000


def test_compare_reports_only_what_is_worse_than_the_slack() -> None:
    limits = Limits()
    old = to_json([a_row([2.0] * 3, [100.0] * 3, limits)], [], {})
    same = to_json([a_row([2.08] * 3, [96.0] * 3, limits)], [], {})
    slow = to_json([a_row([2.2] * 3, [90.0] * 3, limits)], [], {})
    assert compare(old, same) == []
    assert [line.split(" ratio")[0] for line in compare(old, slow)] == [
        "SET: cpu_us",
        "SET: per_second",
    ]
    assert compare(slow, old) == []
    old["footprint"] = [{"name": "keys", "unit": "B each", "ours": 100.0, "stock": 1.0}]
    slow["footprint"] = [{"name": "keys", "unit": "B each", "ours": 106.0, "stock": 1.0}]
    assert compare(old, slow)[-1] == "keys: 100.0 -> 106.0 B each"


def test_the_table_is_sound() -> None:
    assert len({w.name for w in WORKLOADS}) == len(WORKLOADS)
    for workload in WORKLOADS:
        words = expand(workload.command, workload.value_bytes)
        assert "__value__" not in " ".join(words)
        assert encode(words).startswith(b"*%d\r\n" % len(words))
    assert {w.pipeline for w in WORKLOADS if w.quick} == {1, 16}


def bench_command(*args: str) -> list[str]:
    stock = 'redis-server --bind 127.0.0.1 --save ""'
    return [sys.executable, "-m", "tests.bench", "--server-a", stock, "--server-b", stock, *args]


needs_tool = pytest.mark.skipif(
    not (shutil.which("redis-benchmark") and shutil.which("redis-server")),
    reason="redis-benchmark or redis-server is not installed",
)


@needs_tool
def test_a_tiny_run_writes_json(tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    args = ["--filter", "incr 1c p16", "--requests", "320", "--rounds", "2", "--no-footprint"]
    command = bench_command(*args, "--json", str(out))
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=60)
    data: dict[str, Any] = json.loads(out.read_text())
    (row,) = data["workloads"]
    assert row["name"] == "INCR 1c P16"
    assert row["requests"] == 320
    assert all(len(row[side][what]) == 2 for side in ("ours", "stock") for what in row[side])
    assert all(value > 0 and math.isfinite(value) for value in row["ours"]["cpu_us"])


@needs_tool
def test_an_interrupt_leaves_no_process() -> None:
    command = bench_command("--filter", "ping 50c p1", "--seconds", "30", "--no-footprint")
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()  # the heading: both servers run
        children = child_pids(process.pid)
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130
    assert len(children) >= 2
    assert not [pid for pid in children if Path(f"/proc/{pid}").exists()]


def child_pids(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(word) for word in text.split()]
