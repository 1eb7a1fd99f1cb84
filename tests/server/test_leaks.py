"""Aim: clients that come and go leave nothing behind, and commands make no Python objects.

Method: count descriptors, tasks, bytes of the engine and Python's memory blocks before and after.
"""

from __future__ import annotations

import gc
import os
import sys
from typing import TYPE_CHECKING, Final

import pytest
import trio

import trioredis
from tests.server.kit import ask, connect, receive, until

if TYPE_CHECKING:
    from trioredis import Server

BATCH: Final = 100
WARM_UP_BATCHES: Final = 5
BATCHES: Final = 95
BLOCKS_OF_SLACK: Final = 300
"""Python memory blocks that a warm program may gain by itself: caches, resized dictionaries."""

SCOPE_BLOCKS_OF_SLACK: Final = 5000
"""The same with Trio's heap of deadlines, which keeps up to about a thousand ended scopes."""

GETS: Final = 10_000
ALLOCATIONS_OF_SLACK: Final = 8
BYTES_OF_SLACK: Final = 1 << 16
"""Engine memory that may stay: tables that keep their size."""

pytestmark = pytest.mark.slow


async def come_and_go(server: Server, batches: int) -> None:
    """Let clients come in batches; each says something and leaves in one of three ways."""
    for _ in range(batches):
        streams = [await connect(server.port) for _ in range(BATCH)]
        for number, stream in enumerate(streams):
            await ask(stream, b"SET k v\r\nGET k\r\n", b"+OK\r\n$1\r\nv\r\n")
            if number % 3 == 0:
                await ask(stream, b"QUIT\r\n", b"+OK\r\n")
            elif number % 3 == 1:
                await stream.send_all(b"*2\r\n$3\r\nGET\r\n$100\r\nhalf")
            await stream.aclose()
        await until(lambda: server.statistics().clients == 0)
        await trio.testing.wait_all_tasks_blocked()


def figures(server: Server) -> dict[str, int]:
    """Count what may leak."""
    gc.collect()
    stats = server.statistics()
    return {
        "descriptors": len(os.listdir("/proc/self/fd")),
        "tasks": trio.lowlevel.current_statistics().tasks_living,
        "allocations": stats.alloc_count - stats.free_count,
        "bytes": stats.used_memory,
        "blocks": sys.getallocatedblocks(),
    }


async def test_ten_thousand_clients_leave_nothing() -> None:
    async with trioredis.open_server(port=0) as server:
        await come_and_go(server, WARM_UP_BATCHES)
        before = figures(server)
        await come_and_go(server, BATCHES)
        after = figures(server)
        assert server.statistics().connections_received == (WARM_UP_BATCHES + BATCHES) * BATCH
    assert (after["descriptors"], after["tasks"]) == (before["descriptors"], before["tasks"])
    assert after["allocations"] <= before["allocations"] + ALLOCATIONS_OF_SLACK
    assert after["bytes"] <= before["bytes"] + BYTES_OF_SLACK
    assert after["blocks"] <= before["blocks"] + SCOPE_BLOCKS_OF_SLACK


async def test_pipelined_commands_make_no_python_objects() -> None:
    request, reply = b"GET k\r\n" * GETS, b"$1\r\nv\r\n" * GETS
    async with trioredis.open_server(port=0) as server, await connect(server.port) as stream:
        await ask(stream, b"SET k v\r\n", b"+OK\r\n")
        grown = []
        for _ in range(3):  # the first turns warm up
            before = sys.getallocatedblocks()
            await stream.send_all(request)
            assert await receive(stream, len(reply)) == reply
            grown.append(sys.getallocatedblocks() - before)
        assert min(grown) <= BLOCKS_OF_SLACK
        assert server.statistics().commands == 3 * GETS + 1


async def test_fed_commands_make_no_python_objects() -> None:
    request, reply = b"GET k\r\n" * GETS, b"$1\r\nv\r\n" * GETS
    async with trioredis.open_server(port=0) as server:
        engine = server.engine
        ident = engine.open_fed()
        engine.feed(ident, b"SET k v\r\n")
        assert engine.fed_output(ident) == b"+OK\r\n"
        before = sys.getallocatedblocks()
        output = b""
        engine.feed(ident, request)
        while len(output) < len(reply):
            output += engine.fed_output(ident)
            await trio.lowlevel.checkpoint()
        assert output == reply
        assert sys.getallocatedblocks() - before <= BLOCKS_OF_SLACK


async def test_servers_that_come_and_go_leave_no_descriptors() -> None:
    for poller in ("epoll", "poll", "select"):
        counts = []
        for _ in range(3):
            async with trioredis.open_server(port=0, poller=poller) as server, await connect(server.port) as stream:
                await ask(stream, b"PING\r\n", b"+PONG\r\n")
            counts.append(len(os.listdir("/proc/self/fd")))
        assert counts[-1] == counts[0], poller
