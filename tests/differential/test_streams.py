"""Aim: any bytes get the same bytes back as from Redis. Method: fixed and random streams, until the end.

The stream's end is sent too, so each server answers what it can and closes; all its bytes are
compared. That covers inline commands, pipelines, protocol errors and half commands.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests._resp import RespClient, encode

if TYPE_CHECKING:
    from tests._servers import Server

EXAMPLES: Final = int(os.environ.get("DIFFERENTIAL_EXAMPLES", "400"))
STREAMS: Final = (
    b"",
    b"PING\r\n",
    b"PING\n",
    b"ping hello\r\n",
    b'PING "a b"\r\n',
    b"PING 'it\\'s'\r\n",
    b'SET a "\\x41\\n\\t\\"" \r\nGET a\r\n',
    b'SET a "unbalanced\r\nPING\r\n',
    b'GET "a"b\r\n',
    b"\r\n\r\nPING\r\n",
    b"   PING   \r\n",
    b"*1\r\n$4\r\nPING\r\n",
    b"*1\r\n$4\r\nPING\r\n*2\r\n$4\r\nECHO\r\n$3\r\nabc\r\n",
    b"*0\r\n*-1\r\nPING\r\n",
    b"*2\r\n$4\r\nECHO\r\n$0\r\n\r\n",
    b"*2\r\n$4\r\nECHO\r\n$2\r\n\r\n\r\n",
    b"*abc\r\n",
    b"*1048577\r\n",
    b"*2147483648\r\n",
    b"*-2\r\nPING\r\n",
    b"*1\r\nPING\r\n",
    b"*1\r\n$-1\r\n",
    b"*1\r\n$abc\r\n",
    b"*1\r\n$536870913\r\n",
    b"*1\r\n$4\r\nPI",
    b"*2\r\n$4\r\nPING\r\n",
    b"*1\r\n$4\r\nPINGxxPING\r\n",
    b"GET\r\nNOSUCH a b\r\nQUIT\r\nPING\r\n",
    b"NOSUCH " + b"a" * 200 + b" b c\r\n",
    b"A" * 200 + b"\r\n",
    b"SET k " + b"v" * 40_000 + b"\r\nSTRLEN k\r\n",
    b"x" * 65_537,  # one too many: all is read before the error, so that closing loses nothing
    b"*1\r\n$" + b"1" * 65_536,
    encode(["HELLO", "3"]) + encode(["GET", "nothing"]),
    encode(["SET", "big", "v" * 100_000]) + encode(["STRLEN", "big"]) * 3,
    encode(["NOSUCH", "new\nline", "x" * 300]),
    encode(["GET"]) + encode(["GET", "a", "b"]) + encode(["CLIENT"]) + encode(["CLIENT", "NOSUCH"]),
)
PIECES: Final = (
    *(b"*", b"$", b"1", b"2", b"3", b"-1", b"\r\n", b"\n", b"\r", b" ", b'"', b"'", b"\\x4", b"\x00", b"\xff"),
    *(b"PING", b"ECHO", b"GET a", b"SET a b", b"*1\r\n$4\r\nPING\r\n", b"*2\r\n$4\r\nECHO\r\n$1\r\nx\r\n"),
    *(b"*2\r\n", b"$4\r\n", b"$0\r\n\r\n", b"QUIT\r\n", b"RESET\r\n", b"99999999999999999999"),
)


def answers(server: Server, data: bytes) -> bytes:
    """Return all bytes that a server sends back; a connection that it resets counts as closed."""
    with RespClient(server.address) as client:
        client.call("FLUSHALL")
        try:
            return client.exchange(data)
        except (BrokenPipeError, ConnectionResetError):
            return b"(reset)"


def comparable(reply: bytes) -> bytes:
    """Leave out of HELLO's reply what belongs to the server."""
    head, found, rest = reply.partition(b"$7\r\nversion\r\n")
    _, modules, tail = rest.partition(b"$4\r\nmode\r\n")
    return head + found + modules + tail if found and modules else reply


@pytest.mark.parametrize("data", STREAMS, ids=lambda d: repr(d[:30]))
def test_stream(data: bytes, redis_server: Server, trioredis_server: Server) -> None:
    ours, stock = (comparable(answers(server, data)) for server in (trioredis_server, redis_server))
    assert ours == stock


@pytest.mark.slow
@settings(max_examples=EXAMPLES, deadline=None, derandomize=bool(os.environ.get("CI")))
@given(data=st.lists(st.sampled_from(PIECES), max_size=25).map(b"".join))
def test_random_stream(data: bytes, redis_server: Server, trioredis_server: Server) -> None:
    assert answers(trioredis_server, data) == answers(redis_server, data)
