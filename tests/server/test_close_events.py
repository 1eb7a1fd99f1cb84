"""Aim: the log says why connections ended, were refused or cost much, and names their addresses.

Method: each case is provoked in a real server, whose log is read as JSON; nothing waits for a time to pass.
"""

from __future__ import annotations

import json
import os
import resource
import socket
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, cast

import pytest
import trio

import trioredis
from tests._resp import RespClient
from tests.server.kit import HOST, Process, ask, connect, rest, until
from trioredis.config import Config
from trioredis.engine import EngineWatch, WatchNotes
from trioredis.observability import EVENTS
from trioredis.observability.capture import LogCapture
from trioredis.watch import PERIOD_S, EngineReporter

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    import trio.testing

MB: Final = 1 << 20
Line = dict[str, Any]


@dataclass
class Logged:
    """A server and its log."""

    server: trioredis.Server
    path: Path

    def of(self, event: str) -> list[Line]:
        """Return the lines of one event, oldest first."""
        lines = [json.loads(line) for line in self.path.read_text().splitlines()]
        return [line for line in lines if line["event"] == event]

    async def wait(self, event: str) -> Line:
        """Wait until there is a line of this event; return the newest."""
        await until(lambda: bool(self.of(event)))
        return self.of(event)[-1]


@asynccontextmanager
async def logged(directory: Path, **directives: Any) -> AsyncIterator[Logged]:
    """Run a server that logs everything."""
    path = directory / "server.log"
    options: dict[str, Any] = {"bind": HOST, "port": 0, "hz": 100, "loglevel": "debug", "log_format": "json"}
    async with trioredis.open_server(**options | {"logfile": path} | directives) as server:
        yield Logged(server, path)


def name(stream: trio.SocketStream) -> str:
    """Return the client's address as the server sees it."""
    host, port = stream.socket.getsockname()
    return f"{host}:{port}"


async def send_until_cut(stream: trio.SocketStream) -> None:
    """Send bytes until the server has closed the connection."""
    with suppress(trio.BrokenResourceError):
        while True:
            await stream.send_all(bytes(64 * 1024))


@pytest.mark.parametrize(
    ("request_bytes", "event", "field", "text"),
    [
        (b"PING\r\n*1\r\nfoo\r\n", "client.protocol_error", "error", "expected '$', got 'f'"),
        (b"*-x\r\n", "client.protocol_error", "error", "invalid multibulk length"),
        (b"POST / HTTP/1.1\r\n", "security.cross_protocol", "sign", "POST"),
        (b"GET /\r\nHost: example.org\r\n", "security.cross_protocol", "sign", "Host:"),
    ],
)
async def test_what_a_client_sent_wrong(
    tmp_path: Path, request_bytes: bytes, event: str, field: str, text: str
) -> None:
    async with logged(tmp_path) as log, await connect(log.server.port) as client:
        await client.send_all(request_bytes)
        await rest(client)
        line = await log.wait(event)
        assert text in line[field]
        assert line["addr"] == name(client)
        closed = await log.wait("client.closed")
        assert (closed["addr"], closed["client_id"]) == (name(client), line["client_id"])
        assert closed["reason"] == "protocol error"


async def test_addresses_are_known_without_verbose_lines(tmp_path: Path) -> None:
    async with logged(tmp_path, loglevel="notice") as log, await connect(log.server.port) as client:
        await client.send_all(b"POST / HTTP/1.1\r\n")
        await rest(client)
        assert (await log.wait("security.cross_protocol"))["addr"] == name(client)
        assert log.of("client.opened") == []


async def test_the_query_limit(tmp_path: Path) -> None:
    async with logged(tmp_path, client_query_buffer_limit="1mb") as log, await connect(log.server.port) as client:
        await client.send_all(b"*1\r\n$%d\r\n" % (4 * MB))
        await send_until_cut(client)
        line = await log.wait("client.query_limit")
        assert line["addr"] == name(client)
        assert line["limit_bytes"] == MB
        assert line["pending_bytes"] > MB


async def test_the_output_limit(tmp_path: Path) -> None:
    limit = "normal 1mb 0 0"
    async with (
        logged(tmp_path, client_output_buffer_limit=limit) as log,
        await connect(log.server.port) as client,
    ):
        await ask(client, b"SETRANGE k %d x\r\n" % (MB - 1), b":%d\r\n" % MB)
        await client.send_all(b"GET k\r\n" * 64)
        line = await log.wait("client.output_limit")
        assert (line["addr"], line["client_class"], line["soft"]) == (name(client), "normal", False)
        assert line["limit_bytes"] == MB
        assert line["pending_bytes"] >= MB


@pytest.mark.slow
async def test_the_timeout(tmp_path: Path) -> None:
    async with logged(tmp_path, timeout=1) as log, await connect(log.server.port) as client:
        await ask(client, b"PING\r\n", b"+PONG\r\n")
        assert await rest(client) == b""
        line = await log.wait("client.timeout")
        assert line["addr"] == name(client)
        assert line["idle_s"] >= 1
        assert (await log.wait("client.closed"))["commands"] == 1


async def test_who_killed_a_client(tmp_path: Path) -> None:
    async with (
        logged(tmp_path) as log,
        await connect(log.server.port) as killer,
        await connect(log.server.port) as other,
    ):
        await ask(killer, b"CLIENT ID\r\n", b":1\r\n")
        await ask(other, b"CLIENT ID\r\n", b":2\r\n")
        await ask(killer, b"CLIENT KILL ID 2\r\n", b":1\r\n")
        assert await rest(other) == b""
        line = await log.wait("client.killed")
        assert (line["client_id"], line["addr"], line["by"]) == (2, name(other), "CLIENT KILL of client 1")


async def test_the_largest_client_is_evicted(tmp_path: Path) -> None:
    async with (
        logged(tmp_path, maxmemory_clients="16mb") as log,
        await connect(log.server.port) as small,
        await connect(log.server.port) as spared,
        await connect(log.server.port) as large,
    ):
        await ask(spared, b"CLIENT NO-EVICT ON\r\n", b"+OK\r\n")
        await spared.send_all(b"*1\r\n$%d\r\n" % (8 * MB) + bytes(MB // 2))
        await large.send_all(b"*1\r\n$%d\r\n" % (64 * MB))
        await send_until_cut(large)
        line = await log.wait("client.killed")
        assert (line["addr"], line["by"]) == (name(large), "maxmemory-clients")
        await ask(small, b"PING\r\n", b"+PONG\r\n")
        assert log.server.statistics().evicted_clients == 1
        assert len(log.of("client.killed")) == 1


async def test_too_many_clients(tmp_path: Path) -> None:
    async with logged(tmp_path, maxclients=1) as log, await connect(log.server.port) as first:
        await ask(first, b"PING\r\n", b"+PONG\r\n")
        async with await connect(log.server.port) as second:
            assert (await rest(second)).startswith(b"-ERR max number of clients")
            line = await log.wait("client.rejected")
            assert (line["addr"], line["times"], line["maxclients"]) == (name(second), 1, 1)


async def test_a_slow_turn(tmp_path: Path) -> None:
    async with (
        logged(tmp_path, enable_debug_command="yes") as log,
        await connect(log.server.port) as client,
    ):
        await ask(client, b"PING\r\nDEBUG SLEEP 0.3\r\nPING\r\n", b"+PONG\r\n+OK\r\n+PONG\r\n")
        line = await log.wait("pump.slow_turn")
        assert line["turn_ms"] >= line["slowest_ms"] >= 300
        assert line["slowest"] == "debug"
        assert line["commands"] >= 3


async def test_flushed_and_swapped(tmp_path: Path) -> None:
    async with logged(tmp_path) as log, await connect(log.server.port) as client:
        await ask(client, b"MSET a 1 b 2\r\nFLUSHALL ASYNC\r\nSWAPDB 1 3\r\n", b"+OK\r\n" * 3)
        flushed, swapped = await log.wait("db.flushed"), await log.wait("db.swapped")
        assert (flushed["scope"], flushed["keys"], flushed["lazy"], flushed["times"]) == ("all", 2, True, 1)
        assert flushed["addr"] == swapped["addr"] == name(client)
        assert (swapped["first"], swapped["second"], swapped["times"]) == (1, 3, 1)


async def test_memory_at_its_limit(tmp_path: Path) -> None:
    async with logged(tmp_path, maxmemory="1mb") as log, await connect(log.server.port) as client:
        await client.send_all(b"SETRANGE k %d x\r\n" % (2 * MB))
        line = await log.wait("memory.limit")
        assert (line["maxmemory_bytes"], line["policy"]) == (MB, "noeviction")
        assert line["used_bytes"] > MB


async def test_evicted_keys_are_summed_up(tmp_path: Path) -> None:
    async with (
        logged(tmp_path, maxmemory="2mb", maxmemory_policy="allkeys-random") as log,
        await connect(log.server.port) as client,
    ):
        value = b"x" * 16384
        await ask(client, b"".join(b"SET k%d %s\r\n" % (i, value) for i in range(300)), b"+OK\r\n" * 300)
        await until(lambda: sum(line["keys"] for line in log.of("memory.evicted")) > 100)
        line = log.of("memory.evicted")[-1]
        assert line["policy"] == "allkeys-random"
        assert line["freed_bytes"] >= line["keys"] * len(value)


class FakeWatch:
    """Says what it is told to, once."""

    def __init__(self) -> None:
        self.notes = WatchNotes(0, "", 0, "", 0, 0, "", "", 0, 0, "", 0, 0, 0, 0, 0, 0, 0, False, 0, 0, (0, 0))

    def take(self) -> WatchNotes:
        return self.notes

    def is_over_limit(self) -> bool:
        return False


async def test_a_flood_is_one_line_a_second(mock_clock: trio.testing.MockClock) -> None:
    watch, capture = FakeWatch(), LogCapture()
    reporter = EngineReporter(cast("Any", None), cast("EngineWatch", watch), Config(), capture.log, tuple)
    watch.notes = replace(watch.notes, denied=1, denied_addr="192.0.2.1:1")
    for step in range(9):
        watch.notes = replace(watch.notes, denied_addr=f"192.0.2.1:{step}")
        reporter.look()
        mock_clock.jump(PERIOD_S / 8)
    lines = [line.fields for line in capture.of(EVENTS.SERVER_PROTECTED_MODE_DENIED)]
    assert [(line["addr"], line["times"]) for line in lines] == [("192.0.2.1:0", 1), ("192.0.2.1:8", 8)]
    watch.notes = replace(watch.notes, denied=3)
    reporter.look(last=True)
    assert [line.fields["times"] for line in capture.of(EVENTS.SERVER_PROTECTED_MODE_DENIED)] == [1, 8, 3]
    assert len(capture.events) == 3


def test_a_listener_without_descriptors(tmp_path: Path) -> None:
    with Process(tmp_path, "--bind", HOST, "--hz", "100") as process:
        process.wait_for("Ready to accept connections")
        pid = process.process.pid
        usual = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        with RespClient((HOST, process.port)) as client:
            assert client.call("PING") == ("simple", b"PONG")
            highest = max(map(int, os.listdir(f"/proc/{pid}/fd")))
            resource.prlimit(pid, resource.RLIMIT_NOFILE, (highest + 1, usual[1]))
            waiting = [socket.create_connection((HOST, process.port)) for _ in range(highest)]
            line = process.wait_for("Accepting on")
            assert f"{HOST}:{process.port} pauses" in line
            assert os.strerror(24) in line
            resource.prlimit(pid, resource.RLIMIT_NOFILE, usual)
            assert f"{HOST}:{process.port} again" in process.wait_for("Accepting on")
            for one in waiting:
                one.close()
            assert client.call("PING") == ("simple", b"PONG")
