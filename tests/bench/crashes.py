"""How long a module is away when it crashes: from the crashing command to the next one that it answers.

    python -m tests.bench.crashes MODULE.so [--count 200] [--way read-null]

MODULE.so is sandbox/examples/crash.c, compiled. The server is a process of its own; restarts are unlimited and
immediate. The report of a crash is made while the module comes back; the next crash waits for it.
"""

from __future__ import annotations

import argparse
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from typing import Final

from tests._servers import PROBE_SECONDS, free_port

PROBES: Final = 1000


class Connection:
    """A plain connection that reads one line per command."""

    def __init__(self, port: int, server: subprocess.Popen[bytes]) -> None:
        for _ in range(PROBES):
            with suppress(ConnectionRefusedError):
                self._socket = socket.create_connection(("127.0.0.1", port))
                break
            with suppress(subprocess.TimeoutExpired):
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


def main() -> None:
    """Measure, and print a line."""
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
            found = sorted(measure(connection, given.way) for _ in range(given.count))
        finally:
            server.terminate()
            server.wait()
    p50, p99 = statistics.median(found), found[min(len(found) - 1, int(len(found) * 0.99))]
    print(f"{given.count} crashes ({given.way}): p50 {p50:.1f} ms, p99 {p99:.1f} ms, longest {found[-1]:.1f} ms")


if __name__ == "__main__":
    main()
