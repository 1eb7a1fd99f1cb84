"""Aim: publish and subscribe of redis-py and of coredis work. Method: as their users do, on both servers."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

import coredis
import pytest
import redis
import trio
from redis._parsers import _HiredisParser, _RESP2Parser, _RESP3Parser

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests._servers import Server

PARSERS: Final = {
    "resp2-python": (2, _RESP2Parser),
    "resp3-python": (3, _RESP3Parser),
    "resp2-hiredis": (2, _HiredisParser),
    "resp3-hiredis": (3, _HiredisParser),
}
PATIENCE_SECONDS: Final = 20.0
MANY: Final = 5_000
EVENTS: Final = "notify-keyspace-events"


@pytest.fixture(params=PARSERS)
def client(request: pytest.FixtureRequest, server: Server) -> Iterator[Any]:
    """Return a client of redis-py."""
    protocol, parser = PARSERS[request.param]
    options: dict[str, Any] = {"host": server.host, "port": server.port, "protocol": protocol, "parser_class": parser}
    with redis.Redis.from_pool(redis.ConnectionPool(**options, decode_responses=True)) as found:
        yield found


def next_message(pubsub: Any, kind: str | None = None) -> Any:
    """Return the next message, in the loop that redis-py's users write; with ``kind``, and of that kind."""
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        message = pubsub.get_message(timeout=0.2)
        if message is not None and kind in (None, message["type"]):
            return message
    raise AssertionError("no message came")


def test_messages_in_a_loop(client: Any) -> None:
    with client.pubsub() as pubsub:
        pubsub.subscribe("a", "b")
        pubsub.psubscribe("p*")
        assert [next_message(pubsub)["data"] for _ in range(3)] == [1, 2, 3]
        assert client.publish("a", "one") == 1
        assert client.publish("poem", "two") == 1
        assert client.publish("nobody", "three") == 0
        first, second = next_message(pubsub), next_message(pubsub)
        assert (first["type"], first["channel"], first["data"]) == ("message", "a", "one")
        assert (second["type"], second["pattern"], second["channel"]) == ("pmessage", "p*", "poem")
        assert client.pubsub_channels() == ["a", "b"] or client.pubsub_channels() == ["b", "a"]
        assert dict(client.pubsub_numsub("a", "c")) == {"a": 1, "c": 0}
        assert client.pubsub_numpat() == 1
        pubsub.unsubscribe()
        pubsub.punsubscribe()
        for _ in range(3):
            assert next_message(pubsub)["type"] in ("unsubscribe", "punsubscribe")
        assert not pubsub.subscribed
        assert client.publish("a", "late") == 0


def test_handlers_and_order(client: Any) -> None:
    heard: list[str] = []
    with client.pubsub(ignore_subscribe_messages=True) as pubsub:
        pubsub.subscribe(numbers=lambda message: heard.append(message["data"]))
        assert pubsub.get_message(timeout=PATIENCE_SECONDS) is None  # the confirmation
        with client.pipeline(transaction=False) as pipe:
            for i in range(MANY):
                pipe.publish("numbers", i)
            assert pipe.execute() == [1] * MANY
        until = time.monotonic() + PATIENCE_SECONDS
        while len(heard) < MANY and time.monotonic() < until:
            pubsub.get_message(timeout=0.2)
    assert heard == [str(i) for i in range(MANY)]


def test_large_and_binary_messages(client: Any) -> None:
    with client.pubsub() as pubsub:
        pubsub.subscribe("c")
        assert next_message(pubsub)["type"] == "subscribe"
        for size in (0, 1, 1000, 1024, 20_000, 3_000_000):
            assert client.publish("c", "x" * size) == 1
            assert len(next_message(pubsub)["data"]) == size


def test_shard_channels(client: Any) -> None:
    with client.pubsub() as pubsub:
        pubsub.ssubscribe("s")
        assert next_message(pubsub)["type"] == "ssubscribe"
        assert client.execute_command("SPUBLISH", "s", "m") == 1
        message = (
            pubsub.get_sharded_message(timeout=PATIENCE_SECONDS) if hasattr(pubsub, "node_pubsub_mapping") else None
        )
        message = message or next_message(pubsub)
        assert (message["type"], message["channel"], message["data"]) == ("smessage", "s", "m")
        assert client.execute_command("PUBSUB", "SHARDCHANNELS") == ["s"]
        pubsub.sunsubscribe("s")
        assert next_message(pubsub)["type"] == "sunsubscribe"


@pytest.mark.parametrize("client", ["resp2-python", "resp2-hiredis"], indirect=True)
def test_ping_while_listening(client: Any) -> None:
    """With RESP2 only: redis-py does not know the plain PONG of RESP3 as an answer to a listener."""
    with client.pubsub() as pubsub:
        pubsub.subscribe("c")
        next_message(pubsub)
        pubsub.ping("are you there")
        assert next_message(pubsub, "pong")["data"] == "are you there"


def test_events_of_keys(client: Any) -> None:
    client.config_set(EVENTS, "KEA")
    try:
        with client.pubsub() as pubsub:
            pubsub.psubscribe("__keyspace@0__:user:*")
            next_message(pubsub)
            client.set("user:1", "x")
            client.delete("user:1")
            assert [next_message(pubsub)["data"] for _ in range(2)] == ["set", "del"]
    finally:
        client.config_set(EVENTS, "")


async def test_coredis(server: Server) -> None:
    async with coredis.Redis(host=server.host, port=server.port, decode_responses=True) as client:
        async with client.pubsub(channels=["a"], patterns=["p*"]) as pubsub:
            with trio.fail_after(PATIENCE_SECONDS):
                assert await client.publish("a", "one") == 1
                assert await client.publish("poem", "two") == 1
                heard = []
                async for message in pubsub:
                    if message["type"] in ("message", "pmessage"):
                        heard.append((message["channel"], message["data"], message["pattern"]))
                    if len(heard) == 2:
                        break
        assert heard == [("a", "one", None), ("poem", "two", "p*")]
        assert await client.publish("a", "late") == 0
