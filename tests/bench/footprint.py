"""What a server costs when nothing happens: memory per key and per connection, idle CPU."""

from __future__ import annotations

import resource
import socket
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from subprocess import TimeoutExpired
from typing import TYPE_CHECKING, Final

from tests._servers import running
from tests.bench.load import Control, LoadError
from tests.bench.process import cpu_ns, rss_bytes
from tests.bench.workloads import Setup

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests._servers import Server

KEY_VALUE_BYTES: Final = 32  # with keys of 16 bytes
FD_RESERVE: Final = 200
REPLY_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True)
class FootprintPlan:
    """How many keys and connections, and how long to watch the idle server."""

    keys: int
    connections: tuple[int, ...]
    idle_seconds: float


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured quantity of both servers; None where a server does not tell it."""

    name: str
    unit: str
    ours: float | None
    stock: float | None

    def to_json(self) -> dict[str, object]:
        """Return the figure as JSON data."""
        return asdict(self)


def _memory_per_key(server: Server, keys: int) -> dict[str, float | None]:
    """Fill a fresh server; bytes per key by resident memory and by the server's own count."""
    with Control(server) as control:
        rss, used = rss_bytes(server.pid), control.info("used_memory")
        control.repeat(Setup(("SET", "key:__i__", "__value__"), keys), KEY_VALUE_BYTES)
        used_now = control.info("used_memory")
        counted = None if used is None or used_now is None else (used_now - used) / keys
        return {
            f"{keys} keys, resident": (rss_bytes(server.pid) - rss) / keys,
            f"{keys} keys, used_memory": counted,
        }


def _open_clients(server: Server, count: int, stack: ExitStack) -> None:
    """Open ``count`` connections that each have sent one PING; ``stack`` owns them."""
    for _ in range(count):
        sock = stack.enter_context(socket.create_connection(server.address, timeout=REPLY_SECONDS))
        sock.sendall(b"*1\r\n$4\r\nPING\r\n")
        reply = sock.recv(64)
        if not reply.startswith(b"+"):
            raise LoadError(f"PING on an idle connection: {reply!r}")


def _watch(server: Server, seconds: float) -> float:
    """Return the CPU time of ``seconds`` without requests, in percent of one core."""
    before = cpu_ns(server.pid)
    try:
        server.process.wait(seconds)
    except TimeoutExpired:
        return (cpu_ns(server.pid) - before) / (seconds * 1e9) * 100
    raise LoadError(f"{server.name} ended: {server.log_tail()}")


def _idle_clients(server: Server, plan: FootprintPlan) -> dict[str, float | None]:
    """Open connections in steps on a fresh server; memory per connection and idle CPU."""
    out: dict[str, float | None] = {"idle CPU, no clients": _watch(server, plan.idle_seconds)}
    base, opened = rss_bytes(server.pid), 0
    with ExitStack() as stack:
        for count in plan.connections:
            _open_clients(server, count - opened, stack)
            opened = count
            out[f"{count} idle clients, resident"] = (rss_bytes(server.pid) - base) / count
        out[f"idle CPU, {opened} clients"] = _watch(server, plan.idle_seconds)
    return out


def _one_server(
    name: str, command: Sequence[str], directory: Path, plan: FootprintPlan, core: int
) -> dict[str, float | None]:
    out: dict[str, float | None] = {}
    with running(name, command, directory, core=core) as server:
        out |= _memory_per_key(server, plan.keys)
    with running(name, command, directory, core=core) as server:
        out |= _idle_clients(server, plan)
    return out


def measure(
    commands: tuple[Sequence[str], Sequence[str]], directory: Path, plan: FootprintPlan, core: int
) -> list[Figure]:
    """Measure both servers, each as fresh processes on ``core``. Raises LoadError, ServerError."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = max(plan.connections, default=0) + FD_RESERVE
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, hard), hard))
    ours = _one_server("ours", commands[0], directory, plan, core)
    stock = _one_server("stock", commands[1], directory, plan, core)
    return [Figure(name, "%" if "CPU" in name else "B each", value, stock[name]) for name, value in ours.items()]
