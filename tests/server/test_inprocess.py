"""The client without a socket, and the reply reader under it."""

from __future__ import annotations

from typing import Any

import pytest
import trio

import trioredis
from trioredis.inprocess import ClosedError, InProcessClient
from trioredis.resp import PushMessage, ReplyError, ReplyReader, encode_command

REPLIES: list[tuple[bytes, Any]] = [
    (b"+OK\r\n", "OK"),
    (b":-12\r\n", -12),
    (b"$3\r\na\r\n\r\n", b"a\r\n"),
    (b"$-1\r\n", None),
    (b"*-1\r\n", None),
    (b"_\r\n", None),
    (b"#t\r\n", True),
    (b",1.5\r\n", 1.5),
    (b"(123456789012345678901234567890\r\n", 123456789012345678901234567890),
    (b"=6\r\ntxt:hi\r\n", b"hi"),
    (b"*2\r\n:1\r\n*1\r\n$1\r\nx\r\n", [1, [b"x"]]),
    (b"~1\r\n+a\r\n", ["a"]),
    (b"%1\r\n$1\r\nk\r\n:1\r\n", {b"k": 1}),
    (b"%1\r\n*0\r\n:1\r\n", [([], 1)]),
    (b"|1\r\n+ttl\r\n:1\r\n$1\r\nv\r\n", b"v"),
    (b">2\r\n+a\r\n+b\r\n", PushMessage(["a", "b"])),
]


@pytest.mark.parametrize(("data", "value"), REPLIES)
def test_every_reply_whole_and_byte_by_byte(data: bytes, value: Any) -> None:
    reader = ReplyReader()
    reader.feed(data + b"+next\r\n")
    assert reader.next() == (True, value)
    assert reader.next() == (True, "next")
    for byte in data[:-1]:
        reader.feed(bytes([byte]))
        assert reader.next() == (False, None)
    reader.feed(data[-1:])
    assert reader.next() == (True, value)


def test_errors_are_values() -> None:
    reader = ReplyReader()
    reader.feed(b"-ERR no\r\n!7\r\nBAD why\r\n")
    assert [str(reader.next()[1]), str(reader.next()[1])] == ["ERR no", "BAD why"]


def test_a_command_needs_a_name() -> None:
    assert encode_command(("SET", b"\x00", 1.5)) == b"*3\r\n$3\r\nSET\r\n$1\r\n\x00\r\n$3\r\n1.5\r\n"
    with pytest.raises(ValueError, match="name"):
        encode_command(())


async def test_commands_of_all_kinds() -> None:
    async with trioredis.open_server(port=0) as server, server.open_client() as client:
        assert await client.execute("SET", "k", "v") == "OK"
        assert await client.execute("GET", "k") == b"v"
        assert await client.execute("CLIENT", "ID") == client.ident
        hello = await client.execute("HELLO", 3)
        assert hello[b"proto"] == 3
        with pytest.raises(ReplyError, match="ERR unknown command"):
            await client.execute("NOSUCH")
        replies = await client.execute_many([("INCR", "n")] * 3 + [("INCR", "k")])
        assert replies[:3] == [1, 2, 3]
        assert isinstance(replies[3], ReplyError)


async def test_large_values_pass_through() -> None:
    async with trioredis.open_server(port=0) as server, server.open_client() as client:
        value = bytes(range(256)) * 20_000
        await client.execute("SET", "large", value)
        assert await client.execute("GET", "large") == value


async def test_several_tasks_take_turns() -> None:
    async with trioredis.open_server(port=0) as server, server.open_client() as client:

        async def count() -> None:
            for _ in range(50):
                await client.execute("INCR", "n")

        async with trio.open_nursery() as nursery:
            for _ in range(4):
                nursery.start_soon(count)
        assert await client.execute("GET", "n") == b"200"


async def test_closing_in_every_way() -> None:
    async with trioredis.open_server(port=0) as server:
        before = server.statistics().clients
        quitter = server.open_client()
        assert await quitter.execute("QUIT") == "OK"
        killer, victim = server.open_client(), server.open_client()
        assert await killer.execute("CLIENT", "KILL", "ID", victim.ident) == 1
        await trio.testing.wait_all_tasks_blocked()
        for client in (quitter, victim):
            with pytest.raises(ClosedError):
                await client.execute("PING")
        killer.close()
        killer.close()
        await trio.testing.wait_all_tasks_blocked()
        assert server.statistics().clients == before


async def test_a_cancelled_command_closes_the_connection() -> None:
    async with trioredis.open_server(port=0) as server, server.open_client() as admin:
        waiting = server.open_client()
        await admin.execute("CLIENT", "PAUSE", 100_000, "WRITE")
        with trio.CancelScope() as scope:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(_set, waiting)
                await trio.testing.wait_all_tasks_blocked()
                scope.cancel()
        with pytest.raises(ClosedError):
            await waiting.execute("PING")
        await admin.execute("CLIENT", "UNPAUSE")
        assert await admin.execute("EXISTS", "k") == 0


async def _set(client: InProcessClient) -> None:
    await client.execute("SET", "k", "v")


async def test_shutdown_ends_a_waiting_command() -> None:
    async with trioredis.open_server(port=0) as server:
        client = server.open_client()
        await client.execute("CLIENT", "PAUSE", 100_000)
        server.stop()
        with pytest.raises(ClosedError):
            await client.execute("PING")
