"""Aim: every command tells of the same keyspace events as in Redis, in order. Method: Hypothesis, both servers.

A listener hears all channels of both kinds while a random sequence runs; nothing expires by itself, only what commands
find expired. Eviction and active expiry, whose order is the server's own, have sequences made by hand.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests._resp import RespClient
from tests.differential.commands import Line, load_lines
from tests.differential.test_sequences import looks, seeds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests._servers import Server

pytestmark = pytest.mark.slow

EXAMPLES: Final = int(os.environ.get("DIFFERENTIAL_EXAMPLES", "400"))
LENGTH_MAX: Final = 40
WAIT_SECONDS: Final = 20.0
DUE_US: Final = 3000
EVERYTHING: Final = "KEAnm"
# They find expired keys in an order of their own.
UNORDERED: Final = {b"RANDOMKEY", b"KEYS", b"SCAN"}
END: Final = b"__key-end"

Event = tuple[bytes, bytes]


def hear(listener: RespClient, asker: RespClient) -> list[Event]:
    """Return channel and message of all events that the listener has not read yet."""
    asker.call("PUBLISH", END, "end")
    events: list[Event] = []
    while True:
        _, (_, _, channel, message) = listener.read()
        if channel[1] == END:
            return events
        events.append((channel[1], message[1]))


def events_of(server: Server, lines: list[Line], classes: str) -> list[list[Event]]:
    """Return what each line of a sequence is told to cause, from an empty keyspace."""
    with RespClient(server.address) as client, RespClient(server.address) as listener:
        client.call("FLUSHALL")
        client.call("CONFIG", "SET", "notify-keyspace-events", classes)
        client.call("DEBUG", "SET-ACTIVE-EXPIRE", "0")
        listener.call("PSUBSCRIBE", "__key*")
        try:
            told = []
            for line in lines:
                client.call(*line)
                told.append(hear(listener, client))
            return told
        finally:
            client.call("RESET")
            client.call("CONFIG", "SET", "notify-keyspace-events", "", "maxmemory", "0")
            client.call("DEBUG", "SET-ACTIVE-EXPIRE", "1")


def in_order(line: Line) -> bool:
    """Whether the events of a line have an order that is the same everywhere."""
    return line[0].upper() not in UNORDERED


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=bool(os.environ.get("CI")),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    lines=st.lists(load_lines().filter(in_order), min_size=1, max_size=LENGTH_MAX),
    classes=st.sampled_from([EVERYTHING, EVERYTHING, "KA", "Eg$", "Kn", "Em", "KEx", "KE", "A", "E$nm"]),
)
def test_events_are_those_of_redis(
    lines: list[Line], classes: str, redis_server: Server, trioredis_server: Server
) -> None:
    story = [*seeds(), *lines, *looks(lines)]
    ours, stock = (events_of(server, story, classes) for server in (trioredis_server, redis_server))
    for line, our_events, stock_events in zip(story, ours, stock, strict=True):
        assert our_events == stock_events, f"{line}: {our_events} instead of {stock_events}"


SHORT: Final[tuple[Line, ...]] = (
    (b"SET", b"k", b"v", b"PX", b"1"),
    (b"SET", b"lasting", b"v"),
)


def server_us(client: RespClient) -> int:
    """Return the server's clock, microseconds."""
    _, ((_, seconds), (_, rest)) = client.call("TIME")
    return int(seconds) * 1_000_000 + int(rest)


def wait_until_due(client: RespClient) -> None:
    """Return when DUE_US have passed on the server."""
    began, until = server_us(client), time.monotonic() + WAIT_SECONDS
    while server_us(client) < began + DUE_US:
        assert time.monotonic() < until


@pytest.mark.parametrize(
    "finder", ["GET k", "SET k w", "DEL k", "EXISTS k", "TTL k", "RENAME k x", "TYPE k", "GETDEL k"]
)
def test_who_finds_an_expired_key(finder: str, redis_server: Server, trioredis_server: Server) -> None:
    told = []
    for server in (trioredis_server, redis_server):
        with RespClient(server.address) as client, RespClient(server.address) as listener:
            client.call("FLUSHALL")
            client.call("DEBUG", "SET-ACTIVE-EXPIRE", "0")
            client.call("CONFIG", "SET", "notify-keyspace-events", EVERYTHING)
            listener.call("PSUBSCRIBE", "__key*")
            for line in SHORT:
                client.call(*line)
            wait_until_due(client)
            client.call(*finder.split())
            told.append(hear(listener, client))
            client.call("DEBUG", "SET-ACTIVE-EXPIRE", "1")
            client.call("CONFIG", "SET", "notify-keyspace-events", "")
    assert told[0] == told[1]
    assert (b"__keyevent@0__:expired", b"k") in told[0]


def next_event(listener: RespClient) -> Iterator[Event]:
    """Yield events as they come."""
    while True:
        _, (_, _, channel, message) = listener.read()
        yield (channel[1], message[1])


@pytest.mark.parametrize("name", ["trioredis_server", "redis_server"])
def test_a_key_expires_by_itself(name: str, request: pytest.FixtureRequest) -> None:
    server: Server = request.getfixturevalue(name)
    with RespClient(server.address) as client, RespClient(server.address) as listener:
        client.call("FLUSHALL")
        client.call("CONFIG", "SET", "notify-keyspace-events", "KEx")
        listener.call("PSUBSCRIBE", "__key*")
        client.call("SELECT", "3")
        client.call(*SHORT[0])
        events = next_event(listener)
        assert [next(events), next(events)] == [(b"__keyspace@3__:k", b"expired"), (b"__keyevent@3__:expired", b"k")]
        client.call("CONFIG", "SET", "notify-keyspace-events", "")


@pytest.mark.parametrize("name", ["trioredis_server", "redis_server"])
def test_an_evicted_key(name: str, request: pytest.FixtureRequest) -> None:
    server: Server = request.getfixturevalue(name)
    with RespClient(server.address) as client, RespClient(server.address) as listener:
        client.call("FLUSHALL")
        client.call("CONFIG", "SET", "notify-keyspace-events", "KEe")
        listener.call("PSUBSCRIBE", "__key*")
        client.call("SET", "k", "v")
        client.call("CONFIG", "SET", "maxmemory-policy", "allkeys-random", "maxmemory", "1")
        client.call("GET", "other")
        events = next_event(listener)
        assert [next(events), next(events)] == [(b"__keyspace@0__:k", b"evicted"), (b"__keyevent@0__:evicted", b"k")]
        client.call("CONFIG", "SET", "maxmemory", "0", "maxmemory-policy", "noeviction", "notify-keyspace-events", "")
