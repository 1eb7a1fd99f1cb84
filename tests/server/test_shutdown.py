"""Aim: a shutdown goes in order: nobody new, replies leave within the deadline, clients are closed,
the engine is freed.

Method: a client with a large reply that it reads late, or never.
"""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

import pytest
import trio

import trioredis
from tests.server.kit import ask, connect, rest, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from trioredis import Server

LARGE: Final = 16 << 20
REPLY_BYTES: Final = len(b"$%d\r\n\r\n" % LARGE) + LARGE
GENEROUS_SECONDS: Final = 60.0


@asynccontextmanager
async def slow_reader(server: Server) -> AsyncIterator[trio.SocketStream]:
    """Connect a client and ask for more than the sockets hold, without reading it."""
    async with await connect(server.port) as stream:
        await ask(stream, b"SETRANGE k %d x\r\n" % (LARGE - 1), b":%d\r\n" % LARGE)
        await stream.send_all(b"GET k\r\n")
        await until(lambda: server.statistics().commands == 2)
        yield stream


async def test_a_slow_reader_gets_its_reply() -> None:
    async with trioredis.open_server(port=0) as server, slow_reader(server) as stream:
        port = server.port
        server.stop("the test", grace_s=GENEROUS_SECONDS)
        await until(lambda: not server.listeners)
        with pytest.raises(OSError, match="connect"):
            await connect(port)
        assert not server.stopped.is_set()
        assert len(await rest(stream)) == REPLY_BYTES
        await server.stopped.wait()


async def test_who_never_reads_is_cut_at_the_deadline() -> None:
    async with trioredis.open_server(port=0) as server, slow_reader(server) as stream:
        server.stop("the test", grace_s=0.05)
        await server.stopped.wait()
        assert len(await rest(stream)) < REPLY_BYTES


async def test_idle_clients_do_not_delay_it() -> None:
    async with trioredis.open_server(port=0) as server, await connect(server.port) as stream:
        await ask(stream, b"PING\r\n", b"+PONG\r\n")
        server.stop("the test", grace_s=GENEROUS_SECONDS)
        await server.stopped.wait()
        assert await rest(stream) == b""


async def test_the_log_tells_the_order(tmp_path: Path) -> None:
    log = tmp_path / "log"
    async with (
        trioredis.open_server(port=0, bind="127.0.0.1", logfile=log, log_format="json") as server,
        await connect(server.port) as stream,
    ):
        await ask(stream, b"PING\r\n", b"+PONG\r\n")
        server.stop("the test")
        await server.stopped.wait()
    events = [json.loads(line)["event"] for line in log.read_text().splitlines()]
    assert events[events.index("server.ready") + 1 :] == ["server.shutdown", "listener.closed", "server.stopped"]


async def test_stopping_twice_is_stopping() -> None:
    async with trioredis.open_server(port=0) as server:
        server.stop("first")
        server.stop("second")
        assert server.is_stopping
        await server.stopped.wait()


async def test_a_shutdown_can_be_taken_back() -> None:
    async with trioredis.open_server(port=0) as server, slow_reader(server) as stream:
        assert not server.abort_stop()
        server.stop("the test", grace_s=GENEROUS_SECONDS)
        await until(lambda: not server.listeners)
        assert server.abort_stop()
        assert not server.is_stopping
        async with await connect(server.port) as other:
            await ask(other, b"PING\r\n", b"+PONG\r\n")
        await stream.send_all(b"QUIT\r\n")
        assert len(await rest(stream)) == REPLY_BYTES + len(b"+OK\r\n")
