"""Aim: every command tells of the same keyspace events as in Redis, in order. Method: Hypothesis, both servers.

A listener hears all channels of both kinds while a random sequence runs; nothing expires by itself, only what commands
find expired. Eviction and active expiry, whose order is the server's own, have sequences made by hand.
"""

from __future__ import annotations

import json
import os
import re
import time
from typing import TYPE_CHECKING, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests._resp import RespClient
from tests.differential.commands import TABLE, Line, load_lines
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


# What every command that changes keys tells of, in all the ways in which it can succeed. Commands that our server has
# not are left out.
STORY: Final = """
SET s 1 | SET s 2 EX 1000 | SET s 3 KEEPTTL | SET s 4 XX GET | SET s 5 NX | SET n 1 NX PX 100000 | SETNX n 2
SETNX m 2
SETEX x 1000 v | PSETEX x 100000 v | GETSET x w | GETDEL x | GETDEL x | MSET a 1 b 2 a 3 | MSETNX c 1 d 2
MSETNX c 1 e 2
GETEX a EX 1000 | GETEX a PERSIST | GETEX a PERSIST | GETEX b EXAT 1 | GETEX nothing | APPEND a x | APPEND new x
INCR n | INCRBY n 5 | DECR n | DECRBY n 2 | INCRBYFLOAT n 0.5 | INCR fresh | INCRBYFLOAT f 1.5
SETRANGE a 3 xyz | SETRANGE wide 3 xyz | SETRANGE a 0 "" | GETRANGE a 0 1 | STRLEN nothing | LCS a nothing
SUBSTR a 0 1
EXPIRE a 1000 | PEXPIRE a 100000 NX | PEXPIRE a 200000 | EXPIREAT a 4102444800 | PEXPIREAT a 4102444800000 | PERSIST a
EXPIRE c -1 | EXPIREAT d 1 | PERSIST a | EXPIRE nothing 10 | TTL nothing | EXISTS a nothing | TOUCH a nothing
TYPE nothing
RENAME a aa | RENAME s aa | RENAMENX aa f | RENAMENX aa other | COPY other third | COPY other third REPLACE
COPY other third
COPY other there DB 3 | MOVE other 3 | MOVE nothing 3 | DEL f nothing m | UNLINK n nothing | GET nothing
MGET x y third
OBJECT ENCODING nothing | DUMP nothing | SWAPDB 0 3 | SWAPDB 0 3 | SORT nothing STORE sorted
BITOP AND bits third nothing
LPUSH l a b c | RPUSH l d e | LPUSHX l x | RPUSHX nothing x | LINSERT l BEFORE a z | LSET l 0 y | LREM l 1 a
LTRIM l 0 3
LPOP l | RPOP l 1 | LMOVE l l2 LEFT RIGHT | RPOPLPUSH l l2 | LMPOP 2 none l LEFT | RPUSH l2 3 1 2 | LTRIM l2 9 10
LPOP l2
RPUSH l 3 1 2 | LREM l 0 c | LREM l 0 3 | SORT l STORE sorted ALPHA | SORT l ALPHA | LMPOP 1 l RIGHT COUNT 9
BLPOP sorted 0.01
BLMOVE sorted l LEFT RIGHT 0.01 | BRPOP sorted 0.01 | BLMPOP 0.01 1 l LEFT | RPUSH k1 a | BRPOPLPUSH k1 k2 0.01
DEL k2
SADD set a b c | SADD set a | SADD t b d | SREM set a | SMOVE set t c | SINTERSTORE i set t
SUNIONSTORE u set t nothing
SDIFFSTORE i set set | SPOP u 9 | SPOP set 1 | SADD one x | SPOP one | SREM t b c d | SADD v x | SREM v x
SMOVE v v x
HSET h a 1 b 2 | HMSET h c 3 | HSETNX h d 4 | HSETNX h d 5 | HINCRBY h a 1 | HINCRBYFLOAT h a 0.5 | HDEL h a b nothing
HDEL h c d | HGET nothing f | HSET h f v | HGETALL h | DEL h
ZADD z 1 a 2 b 3 c | ZADD z XX 5 a | ZADD z NX 1 a | ZADD z INCR 1 a | ZINCRBY z 2 b | ZREM z c nothing | ZPOPMIN z
ZADD z 1 q
ZADD w 1 a 2 b | ZUNIONSTORE zu 2 z w | ZINTERSTORE zi 2 z w | ZDIFFSTORE zd 2 w w | ZDIFFSTORE zu 2 w w
ZRANGESTORE zr w 0 -1
ZRANGESTORE zr w 5 6 | ZREMRANGEBYRANK w 0 0 | ZREMRANGEBYSCORE w 0 9 | ZADD w 0 a 0 b | ZREMRANGEBYLEX w - +
ZPOPMAX z
ZMPOP 1 z MIN | ZADD z 1 a 2 b | BZPOPMIN z 0.01 | BZPOPMAX z 0.01 | ZADD z 1 a | BZMPOP 0.01 1 z MAX | ZADD z 1 a
ZREM z a
GEOADD g 13 38 p1 15 37 p2 | GEOSEARCHSTORE g2 g FROMLONLAT 15 37 BYRADIUS 200 km | GEORADIUS g 15 37 1 m STORE g2
GEOSEARCHSTORE g2 g FROMLONLAT 15 37 BYRADIUS 500 km STOREDIST
SETBIT bit 7 1 | SETBIT bit 7 1 | BITFIELD bit SET u8 0 5 | BITFIELD bit GET u8 0 | BITFIELD bit INCRBY u8 0 1
BITCOUNT nothing
BITOP NOT bits bit | BITOP AND bits nothing none | PFADD p a b | PFADD p a | PFADD q c | PFMERGE r p q
PFCOUNT nothing | PFCOUNT r
XADD st 1-1 f v | XADD st MAXLEN 1 2-1 f v | XADD st NOMKSTREAM 3-1 f v | XDEL st 3-1 | XDEL st 9-9
XTRIM st MAXLEN 0
XGROUP CREATE st grp $ | XGROUP CREATE st2 grp $ MKSTREAM | XGROUP CREATECONSUMER st grp me
XGROUP CREATECONSUMER st grp me
XADD st 4-1 f v | XREADGROUP GROUP grp you STREAMS st > | XCLAIM st grp she 0 4-1 | XAUTOCLAIM st grp he 0 0
XACK st grp 4-1
XGROUP DELCONSUMER st grp me | XGROUP SETID st grp 0 | XSETID st 9-9 | XGROUP DESTROY st grp | XGROUP DESTROY st grp
SELECT 5 | SET five 1 | DEL five | SELECT 0 | FLUSHDB | SET k v | FLUSHALL
"""


def test_a_story_of_every_command(redis_server: Server, trioredis_server: Server) -> None:
    table = json.loads(TABLE.read_text(encoding="utf-8"))
    story = [
        tuple(b"" if w == '""' else w.encode() for w in line.split()) for line in re.split(r"[|\n]", STORY.strip())
    ]
    story = [line for line in story if line[0].decode().lower() in table]
    ours, stock = (events_of(server, story, EVERYTHING) for server in (trioredis_server, redis_server))
    wrong = [
        f"{line}: {our_events} instead of {stock_events}"
        for line, our_events, stock_events in zip(story, ours, stock, strict=True)
        if our_events != stock_events
    ]
    assert not wrong, "\n".join(wrong)
    assert sum(map(len, ours)) > len(story)


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


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(classes=st.text("KEg$lshzxetdmnA", max_size=18) | st.text("KEgA?q ", max_size=6))
def test_classes_are_shown_as_in_redis(classes: str, redis_server: Server, trioredis_server: Server) -> None:
    shown = []
    for server in (trioredis_server, redis_server):
        with RespClient(server.address) as client:
            answer = client.call("CONFIG", "SET", "notify-keyspace-events", classes)
            shown.append((answer, client.call("CONFIG", "GET", "notify-keyspace-events")))
            client.call("CONFIG", "SET", "notify-keyspace-events", "")
    assert shown[0] == shown[1]
