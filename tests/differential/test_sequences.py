"""Aim: any sequence of commands gets the same replies as from Redis. Method: Hypothesis, both servers.

A sequence runs in one pipeline on a fresh connection of each server, from an empty keyspace and a
few seed keys of every type that our server has.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests._resp import RespClient
from tests.differential.commands import TABLE, Line, load_lines
from tests.differential.compare import in_gap, same

if TYPE_CHECKING:
    from tests._resp import Reply
    from tests._servers import Server

pytestmark = pytest.mark.slow

EXAMPLES: Final = int(os.environ.get("DIFFERENTIAL_EXAMPLES", "400"))
LENGTH_MAX: Final = 40
SEEDS: Final[tuple[Line, ...]] = (
    (b"SET", b"a", b"hello"),
    (b"SET", b"n:1", b"10"),
    (b"SET", b"f:1", b"3.5"),
    (b"RPUSH", b"list", b"x", b"y"),
    (b"HSET", b"hash", b"f", b"v"),
    (b"SADD", b"set", b"m"),
    (b"ZADD", b"zset", b"1", b"m"),
    (b"XADD", b"stream", b"1-1", b"f", b"v"),
)
AFTERWARDS: Final[tuple[Line, ...]] = ((b"KEYS", b"*"), (b"DBSIZE",), (b"CLIENT", b"GETNAME"))


def seeds() -> list[Line]:
    """Return the seed commands that our server has."""
    table = json.loads(TABLE.read_text(encoding="utf-8"))
    return [line for line in SEEDS if line[0].decode().lower() in table]


def looks(lines: list[Line]) -> list[Line]:
    """Return commands that look at every key which the sequence may have touched."""
    keys = sorted({word for line in (*SEEDS, *lines) for word in line[1:3]})
    return [command for key in keys for command in ((b"TYPE", key), (b"GET", key), (b"TTL", key))]


def run(server: Server, protocol: int, lines: list[Line]) -> list[Reply]:
    """Return one server's replies, from an empty keyspace."""
    with RespClient(server.address) as client:
        client.call("HELLO", str(protocol))
        client.call("FLUSHALL")
        return client.pipeline(lines)


@pytest.mark.parametrize("protocol", [2, 3])
@pytest.mark.parametrize("size", [16 * 1024, 100_000, 3_000_000])
def test_large_values(protocol: int, size: int, redis_server: Server, trioredis_server: Server) -> None:
    value = bytes(range(256)) * (size // 256)
    lines: list[Line] = [(b"SET", b"k", value), *[(b"GET", b"k")] * 4, (b"APPEND", b"k", value)]
    lines += [(b"GETRANGE", b"k", b"-%d" % size, b"-1"), (b"MGET", b"k", b"k", b"no"), (b"ECHO", value)]
    ours, stock = (run(server, protocol, lines) for server in (trioredis_server, redis_server))
    assert ours == stock


@pytest.mark.parametrize("protocol", [2, 3])
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=bool(os.environ.get("CI")),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(lines=st.lists(load_lines(), min_size=1, max_size=LENGTH_MAX))
def test_replies_are_those_of_redis(
    protocol: int, lines: list[Line], redis_server: Server, trioredis_server: Server
) -> None:
    story = [*seeds(), *lines, *looks(lines), *AFTERWARDS]
    ours, stock = (run(server, protocol, story) for server in (trioredis_server, redis_server))
    for line, our_reply, stock_reply in zip(story, ours, stock, strict=True):
        if not in_gap(line):
            assert same(line, our_reply, stock_reply), f"{line}: {our_reply} instead of {stock_reply}"
