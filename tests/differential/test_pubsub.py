"""Aim: whatever clients subscribe to and publish, each of them hears what Redis would tell it. Method: Hypothesis.

Three connections act in turns on both servers; after each step everything that every connection has got is compared,
but for the order where Redis has none: of subscriptions of a client, of channels, and of patterns that match a message.
A stock 7.0 server tells a client of its own message before the reply, 7.4 and ours after it, so that order is left out,
too; the unit tests have it.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests._resp import Reply, RespClient, encode

if TYPE_CHECKING:
    from tests._servers import Server

pytestmark = pytest.mark.slow

EXAMPLES: Final = int(os.environ.get("DIFFERENTIAL_EXAMPLES", "400"))
LENGTH_MIN: Final = 10
LENGTH_MAX: Final = 30
PROTOCOLS: Final = (2, 3, 2)  # of the connections
TOKEN: Final = b"token of this step"
USUAL: Final = (b"a", b"b")  # names that come often, so that somebody listens to what is published
NAMES: Final = (*USUAL * 6, b"ab", b"", b"\x00\xff\r\n", b"*", b"news.1", b"x" * 1500)
PATTERNS: Final = (b"a*", b"*", b"?", b"[ab]", b"", b"a", b"\\*", b"news.?", b"n*.[^2]", b"[", b"x*")
MESSAGES: Final = (b"", b"m", b"\r\n", b"m" * 900, b"m" * 1100, b"m" * 20_000)

Step = tuple[int, tuple[bytes, ...]]


def lines() -> st.SearchStrategy[tuple[bytes, ...]]:
    """Return a strategy for commands about channels, and a few others that a listener may or may not send."""
    name, pattern, message = (st.sampled_from(pool) for pool in (NAMES, PATTERNS, MESSAGES))
    some = {b"": st.lists(name, max_size=3), b"P": st.lists(pattern, max_size=3), b"S": st.lists(name, max_size=3)}
    verbs = [
        st.tuples(st.just(kind + verb), words).map(lambda p: (p[0], *p[1]))
        for kind, words in some.items()
        for verb in (b"SUBSCRIBE", b"SUBSCRIBE", b"UNSUBSCRIBE")
    ]
    publish = st.tuples(st.sampled_from([b"PUBLISH", b"PUBLISH", b"PUBLISH", b"SPUBLISH"]), name, message)
    asked = st.sampled_from([b"NUMSUB", b"SHARDNUMSUB", b"CHANNELS", b"SHARDCHANNELS", b"NUMPAT", b"NOSUCH"])
    pubsub = st.tuples(asked, st.lists(pattern, max_size=2)).map(lambda p: (b"PUBSUB", p[0], *p[1]))
    others = st.sampled_from([(b"GET", b"k"), (b"PING",), (b"PING", b"x"), (b"RESET",), (b"HELLO", b"3"), (b"get",)])
    return st.one_of(*verbs, publish, publish, publish, publish, pubsub, others)


def is_pong(reply: Reply) -> bool:
    """Whether this is the answer to the PING at the end of a step."""
    kind, value = reply
    return reply == ("bulk", TOKEN) or (kind == "array" and value == (("bulk", b"pong"), ("bulk", TOKEN)))


def told(client: RespClient) -> list[Reply]:
    """Return what a connection has got since the last time."""
    client.send(encode(["PING", TOKEN]))
    found: list[Reply] = []
    while not is_pong(reply := client.read()):
        found.append(reply)
    return found


def without_order(replies: list[Reply], line: tuple[bytes, ...]) -> list[Any]:
    """Return replies in a form that is the same for all orders that are right."""
    out: list[Any] = []
    for kind, value in replies:
        is_list = line[:1] == (b"PUBSUB",) and line[1:2] in ((b"CHANNELS",), (b"SHARDCHANNELS",))
        if kind == "array" and is_list:
            out.append(("list", sorted(value)))
        elif kind in ("array", "push") and value and value[0][1].endswith(b"unsubscribe"):
            out += [(kind, value[0], value[1]), (kind, value[0], value[2])]
        else:
            out.append((kind, value))
    return sorted(out, key=repr)


def run(server: Server, steps: list[Step]) -> list[list[list[Any]]]:
    """Return what each connection hears after each step."""
    clients = [RespClient(server.address) for _ in PROTOCOLS]
    try:
        for client, protocol in zip(clients, PROTOCOLS, strict=True):
            client.call("HELLO", str(protocol))
        heard = []
        for at, line in steps:
            if line[0] == b"HELLO":
                line = (b"PING",) if PROTOCOLS[at] == 2 else (b"RESET",)  # its reply tells of the version
            clients[at].send(encode(line))
            first = without_order(told(clients[at]), line)
            heard.append([first, *(without_order(told(c), line) for c in clients if c is not clients[at])])
        return heard
    finally:
        for client in clients:
            client.close()


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=bool(os.environ.get("CI")),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=st.lists(st.tuples(st.integers(0, len(PROTOCOLS) - 1), lines()), min_size=LENGTH_MIN, max_size=LENGTH_MAX))
def test_everybody_hears_what_redis_tells(steps: list[Step], redis_server: Server, trioredis_server: Server) -> None:
    ours, stock = (run(server, steps) for server in (trioredis_server, redis_server))
    for step, our_part, stock_part in zip(steps, ours, stock, strict=True):
        assert our_part == stock_part, f"{step}: {our_part} instead of {stock_part}"
