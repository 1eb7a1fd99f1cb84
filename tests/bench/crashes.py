"""How long a module is away when it crashes: from the crashing command to the next one that it answers.

    python -m tests.bench.crashes MODULE.so [--count 200] [--way read-null]

MODULE.so is sandbox/examples/crash.c, compiled. The server is a process of its own; restarts are unlimited and
immediate. The report of a crash is made while the module comes back; the next crash waits for it. All the time another
client, in a process of its own, asks for a PING every millisecond: how long it waits is the second line, and the third
is the same for as many pings while nothing crashes.
"""

from __future__ import annotations

import argparse
import multiprocessing
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing.synchronize import Event as EventType
from typing import Final

from tests._servers import PROBE_SECONDS, free_port

PROBES: Final = 1000
PING_S: Final = 0.001
QUIET_S: Final = 5.0


class Connection:
    """A plain connection that reads one line per command."""

    def __init__(self, port: int, server: subprocess.Popen[bytes] | None) -> None:
        for _ in range(PROBES):
            with suppress(ConnectionRefusedError):
                self._socket = socket.create_connection(("127.0.0.1", port))
                break
            with suppress(subprocess.TimeoutExpired):
                if server is not None:
                    server.wait(PROBE_SECONDS)
        self._lines = self._socket.makefile("rb")

    def ask(self, *words: str) -> bytes:
        """Run a command whose reply is a line."""
        request = f"*{len(words)}\r\n" + "".join(f"${len(word)}\r\n{word}\r\n" for word in words)
        self._socket.sendall(request.encode())
        return self._lines.readline()

    def ask_bulk(self, *words: str) -> bytes:
        """Run a command whose reply is a bulk string."""
        head = self.ask(*words)
        assert head.startswith(b"$"), head
        return self._lines.read(int(head[1:]) + 2)


def measure(connection: Connection, way: str) -> float:
    """Crash the module once; return the milliseconds until it answers again."""
    began = time.perf_counter()
    reply = connection.ask("CRASH.NOW", way)
    assert reply.startswith(b"-MODULECRASH"), reply
    while connection.ask("CRASH.NOW", "none") != b"+OK\r\n":
        pass
    took_ms = (time.perf_counter() - began) * 1000
    connection.ask_bulk("MODULE", "CRASH", reply.split()[-1].decode())  # returns when the report is made
    return took_ms


def ping_until(stop: EventType, port: int, tell: multiprocessing.SimpleQueue[list[float]]) -> None:
    """Ping until told to stop; then tell the milliseconds that each took."""
    connection = Connection(port, None)
    found: list[float] = []
    while not stop.wait(PING_S):
        began = time.perf_counter()
        assert connection.ask("PING") == b"+PONG\r\n"
        found.append((time.perf_counter() - began) * 1000)
    tell.put(found)


@contextmanager
def pinging(port: int, into: list[float]) -> Iterator[None]:
    """Have another client ping while the block runs."""
    stop = multiprocessing.Event()
    tell: multiprocessing.SimpleQueue[list[float]] = multiprocessing.SimpleQueue()
    process = multiprocessing.Process(target=ping_until, args=(stop, port, tell))
    process.start()
    try:
        yield
    finally:
        stop.set()
        into += tell.get()
        process.join()


def line(what: str, found: list[float]) -> str:
    """Return the figures of a row."""
    ordered = sorted(found)
    p99 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
    return f"{what}: p50 {statistics.median(ordered):.1f} ms, p99 {p99:.1f} ms, longest {ordered[-1]:.1f} ms"


def main() -> None:
    """Measure, and print three lines."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("module")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--way", default="read-null")
    given = parser.parse_args()
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        command = [
            sys.executable,
            "-P",
            "-m",
            "trioredis",
            "--port",
            str(port),
            "--dir",
            folder,
            "--loglevel",
            "nothing",
        ]
        command += [
            "--enable-module-command",
            "local",
            "--loadmodule",
            given.module,
            "--module-restarts-per-minute",
            "0",
            "--module-restart-backoff-ms",
            "0",
        ]
        server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        try:
            connection = Connection(port, server)
            others: list[float] = []
            quiet: list[float] = []
            with pinging(port, others):
                found = [measure(connection, given.way) for _ in range(given.count)]
            with pinging(port, quiet):
                while_nothing_crashes = time.perf_counter() + QUIET_S
                while time.perf_counter() < while_nothing_crashes:
                    connection.ask("CRASH.NOW", "none")
        finally:
            server.terminate()
            server.wait()
    print(line(f"{given.count} crashes ({given.way})", found))
    print(line("other clients meanwhile", others))
    print(line("other clients without crashes", quiet))


if __name__ == "__main__":
    main()
