"""The load: redis-benchmark for what is timed, one plain socket for what prepares it."""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Final

from tests._resp import Reply, RespClient
from tests.bench.transactions import ReplyError, commands_in, exchange

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests._servers import Server
    from tests.bench.workloads import Setup, Workload

RUN_SECONDS_MAX: Final = 120.0
SOCKET_SECONDS: Final = 60.0
BATCH_COMMANDS: Final = 1000


class LoadError(Exception):
    """The load could not run: the tool is missing, or the server refused or dropped it."""


@dataclass(frozen=True, slots=True)
class LoadResult:
    """What the load generator saw. Times in milliseconds, as the client measures them."""

    requests: int
    per_second: float
    p50_ms: float
    p99_ms: float


def parse_csv(output: str, requests: int) -> LoadResult:
    """Read the last line of ``redis-benchmark --csv``: test, rps, avg, min, p50, p95, p99, max."""
    rows = [row for row in csv.reader(output.splitlines()) if len(row) == 8 and row[1] != "rps"]
    if not rows:
        raise LoadError(f"no result in the output of redis-benchmark: {output[-400:]!r}")
    last = rows[-1]
    return LoadResult(requests, float(last[1]), float(last[4]), float(last[6]))


def expand(command: tuple[str, ...], value_bytes: int) -> list[str]:
    """Put a value of the wanted size in the place of ``__value__``."""
    return [word.replace("__value__", "x" * value_bytes) for word in command]


def run_load(server: Server, workload: Workload, requests: int, core: int) -> LoadResult:
    """Send ``requests`` commands with redis-benchmark on ``core``; kills it when interrupted."""
    if workload.repeats:
        return run_transactions(server, workload, requests)
    tool = shutil.which("redis-benchmark")
    if tool is None:
        raise LoadError("redis-benchmark is not installed")
    options = [
        "-h",
        server.host,
        "-p",
        server.port,
        "-c",
        workload.clients,
        "-P",
        workload.pipeline,
    ]
    options += ["-n", requests, "-r", workload.keyspace, "--csv"]
    process = subprocess.Popen(
        [tool, *map(str, options), *expand(workload.command, workload.value_bytes)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=lambda: os.sched_setaffinity(0, {core}),
    )
    try:
        output, _ = process.communicate(timeout=RUN_SECONDS_MAX)
    except subprocess.TimeoutExpired as late:
        raise LoadError(f"{workload.name}: no end after {RUN_SECONDS_MAX} s") from late
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    if process.returncode:
        raise LoadError(f"{workload.name}: redis-benchmark failed: {output[-400:]}")
    return parse_csv(output, requests)


def run_transactions(server: Server, workload: Workload, requests: int) -> LoadResult:
    """Send about ``requests`` commands in transactions, from this process."""
    took: list[float] = []
    rounds = max(1, requests // commands_in(workload))
    try:
        seconds = exchange(server, workload, rounds, took.append)
    except ReplyError as wrong:
        raise LoadError(str(wrong)) from wrong
    took.sort()
    commands = rounds * commands_in(workload)
    return LoadResult(commands, commands / seconds, took[len(took) // 2], took[len(took) * 99 // 100])


class Control:
    """A connection for preparation and INFO: one command, one reply."""

    def __init__(self, server: Server) -> None:
        self._client = RespClient(server.address, SOCKET_SECONDS)

    def __enter__(self) -> Control:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def call(self, *words: str) -> Reply:
        """Send one command and return its reply; raise LoadError for an error reply."""
        return _checked(words[0], self._client.call(*words))

    def repeat(self, setup: Setup, value_bytes: int) -> None:
        """Send a setup command ``count`` times, a batch at a time."""
        words = expand(setup.command, value_bytes)
        commands = ([w.replace("__i__", f"{i:012d}") for w in words] for i in range(setup.count))
        for batch in _batches(commands):
            for reply in self._client.pipeline(batch):
                _checked(words[0], reply)

    def info(self, field: str) -> int | None:
        """Return a number from INFO, or None when the server does not tell it."""
        with suppress(LoadError):
            text: bytes = self.call("INFO")[1]
            for line in text.decode().splitlines():
                name, _, value = line.partition(":")
                if name == field:
                    return int(value)
        return None


def _checked(name: str, reply: Reply) -> Reply:
    if reply[0] == "err":
        raise LoadError(f"{name}: {reply[1].decode('utf-8', 'replace')}")
    return reply


def _batches(commands: Iterator[list[str]]) -> Iterator[list[list[str]]]:
    while batch := list(islice(commands, BATCH_COMMANDS)):
        yield batch


def directives(server: Server, workload: Workload) -> tuple[tuple[str, str, str], ...]:
    """Return what this server is to be set to."""
    return workload.directives + (workload.own_directives if server.name == "ours" else ())


def prepare(server: Server, workload: Workload) -> None:
    """Empty the server, run the setup, and check that the workload's command is accepted."""
    with Control(server) as control:
        control.call("FLUSHALL")
        for name, value, _ in directives(server, workload):
            control.call("CONFIG", "SET", name, value)
        for setup in workload.setup:
            control.repeat(setup, workload.value_bytes)
        words = expand(workload.command, workload.value_bytes)
        control.call(*(word.replace("__rand_int__", f"{0:012d}") for word in words))


def restore(server: Server, workload: Workload) -> None:
    """Set the workload's directives back."""
    with Control(server) as control:
        for name, _, value in directives(server, workload):
            control.call("CONFIG", "SET", name, value)
