"""Aim: a program around the server hears what is published, and never slows it. Method: an embedded server."""

from __future__ import annotations

from typing import Final

import pytest
import trio

import trioredis
from tests.server.kit import connect, receive
from trioredis import Message, SlowReaderError, Subscription, WhenFull
from trioredis.engine import EngineError
from trioredis.inprocess import ClosedError, InProcessClient
from trioredis.resp import ReplyError

PATIENCE_S: Final = 30.0


async def publish(client: InProcessClient, channel: str, *messages: str | bytes) -> None:
    """Publish messages, in one pipeline."""
    await client.execute_many([("PUBLISH", channel, message) for message in messages])


async def test_channels_patterns_and_shards() -> None:
    async with trioredis.open_server(port=0) as server, server.open_client() as client:
        async with server.subscribe("news", b"b\xff", pattern="n*s", shard=["s1", "s2"]) as messages:
            assert await client.execute("PUBLISH", "news", "one") == 2
            assert await client.execute("PUBLISH", b"b\xff", b"\x00\r\n") == 1
            assert await client.execute("SPUBLISH", "s2", "three") == 1
            assert await client.execute("PUBLISH", "s2", "nobody") == 0
            with trio.fail_after(PATIENCE_S):
                heard = [await messages.receive() for _ in range(4)]
            assert heard == [
                Message(b"news", b"one"),
                Message(b"news", b"one", b"n*s"),
                Message(b"b\xff", b"\x00\r\n"),
                Message(b"s2", b"three"),
            ]
            assert await client.execute("PUBSUB", "NUMPAT") == 1
        assert await client.execute("PUBLISH", "news", "late") == 0
        with pytest.raises(trio.ClosedResourceError):
            await messages.receive()


async def test_messages_from_a_socket_in_order() -> None:
    async with trioredis.open_server(port=0) as server, server.subscribe("c", capacity=5000) as messages:
        stream = await connect(server.port)
        await stream.send_all(b"".join(b"PUBLISH c %d\r\n" % i for i in range(3000)))
        assert await receive(stream, 4 * 3000) == b":1\r\n" * 3000
        with trio.fail_after(PATIENCE_S):
            for i in range(3000):
                assert (await messages.receive()).data == b"%d" % i
        await stream.aclose()


async def test_events_of_keys() -> None:
    async with (
        trioredis.open_server(port=0, notify_keyspace_events="KEA") as server,
        server.open_client() as client,
        server.subscribe(pattern="__keyevent@0__:*") as messages,
    ):
        await client.execute("SET", "k", "v")
        assert await messages.receive() == Message(b"__keyevent@0__:set", b"k", b"__keyevent@0__:*")


async def fill(client: InProcessClient, subscription: Subscription, count: int) -> None:
    """Publish ``count`` numbers and return when all have arrived at the subscription."""
    await publish(client, "c", *(str(i) for i in range(count)))
    while subscription.statistics().received < count:
        await trio.lowlevel.checkpoint()


async def read_all(messages: Subscription) -> None:
    """Read until there is nothing to come."""
    async for _ in messages:
        pass


@pytest.mark.parametrize(
    ("when_full", "heard", "dropped"),
    [(WhenFull.DROP_OLDEST, [7, 8, 9], 7), (WhenFull.DROP_NEWEST, [0, 1, 2], 7)],
)
async def test_a_slow_reader_loses_messages(when_full: WhenFull, heard: list[int], dropped: int) -> None:
    async with (
        trioredis.open_server(port=0) as server,
        server.open_client() as client,
        server.subscribe("c", capacity=3, when_full=when_full) as messages,
    ):
        await fill(client, messages, 10)
        figures = messages.statistics()
        assert (figures.waiting, figures.received, figures.dropped) == (3, 10, dropped)
        assert [int((await messages.receive()).data) for _ in range(3)] == heard
        await publish(client, "c", "next")
        assert (await messages.receive()).data == b"next"


async def test_a_slow_reader_is_cut_off() -> None:
    async with trioredis.open_server(port=0) as server, server.open_client() as client:
        async with server.subscribe("c", capacity=3) as messages:
            await fill(client, messages, 4)
            assert [int((await messages.receive()).data) for _ in range(3)] == [0, 1, 2]
            with pytest.raises(SlowReaderError):
                await messages.receive()
            assert await client.execute("PUBLISH", "c", "x") == 0
        async with server.subscribe("c") as again:
            await publish(client, "c", "back")
            assert (await again.receive()).data == b"back"


async def test_more_than_the_limit_of_the_server_in_one_turn() -> None:
    limit = "normal 0 0 0 slave 0 0 0 pubsub 100kb 0 0"
    async with (
        trioredis.open_server(port=0, client_output_buffer_limit=limit) as server,
        server.open_client() as client,
        server.subscribe("c") as messages,
    ):
        await publish(client, "c", *["x" * 1000] * 200)
        with pytest.raises(SlowReaderError), trio.fail_after(PATIENCE_S):
            await read_all(messages)


async def test_the_end_of_the_server_ends_the_channel() -> None:
    async with (
        trioredis.open_server(port=0) as server,
        server.open_client() as client,
        server.subscribe("c") as messages,
    ):
        await publish(client, "c", "last")
        server.stop()
        heard = [message.data async for message in messages]
        assert heard == [b"last"]


async def test_a_killed_subscription_ends() -> None:
    async with (
        trioredis.open_server(port=0) as server,
        server.open_client() as client,
        server.subscribe("c") as messages,
    ):
        assert await client.execute("CLIENT", "KILL", "TYPE", "pubsub") == 1
        with pytest.raises(trio.EndOfChannel), trio.fail_after(PATIENCE_S):
            await messages.receive()
        await messages.aclose()
        await messages.aclose()


async def test_no_password_is_needed() -> None:
    async with trioredis.open_server(port=0, requirepass="secret") as server, server.subscribe("c") as messages:
        stream = await connect(server.port)
        await stream.send_all(b"AUTH secret\r\nPUBLISH c hello\r\n")
        assert await receive(stream, 9) == b"+OK\r\n:1\r\n"
        assert (await messages.receive()).data == b"hello"
        await stream.aclose()


async def test_what_is_refused() -> None:
    async with trioredis.open_server(port=0) as server:
        with pytest.raises(ValueError, match="a channel or a pattern"):
            async with server.subscribe():
                pass
        with pytest.raises(ValueError, match="room"):
            async with server.subscribe("c", capacity=0):
                pass
        async with server.open_client() as client:
            assert b"sub=" in await client.execute("CLIENT", "LIST")
            assert await client.execute("CLIENT", "LIST", "TYPE", "pubsub") == b""


async def test_no_memory_is_an_error() -> None:
    async with trioredis.open_server(port=0) as server:
        failed = 0
        for nth in range(1, 40):
            server.engine.fail_allocation(nth)
            try:
                async with server.subscribe("c"):
                    pass
            except (ReplyError, ClosedError, EngineError):
                failed += 1
            finally:
                server.engine.fail_allocation(0)
        assert failed > 2
        async with server.open_client() as client:
            assert await client.execute("PUBSUB", "CHANNELS") == []


async def test_cancelled_while_it_waits_for_the_confirmation() -> None:
    async with trioredis.open_server(port=0) as server, server.open_client() as client:
        await client.execute("CLIENT", "PAUSE", "1000000")
        with trio.move_on_after(0.01) as scope:
            async with server.subscribe("c"):
                raise AssertionError("a paused server does not confirm")
        assert scope.cancelled_caught
        server.engine.unpause()
        assert await client.execute("PUBSUB", "CHANNELS") == []
