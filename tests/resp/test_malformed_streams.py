"""Aim: any stream of bytes gets the same answers, and the same end, from us as from a stock redis-server.

Method: streams drawn from a seed, well-formed and broken requests mixed, each on a connection of its own; the
replies are compared byte by byte until the server hangs up. The commands are unknown ones, whose error shows
how the server read name and arguments.
"""

from __future__ import annotations

import contextlib
import random
import socket
from typing import TYPE_CHECKING, Final

import pytest

from tests._servers import redis_command, running

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests._servers import Server

STREAMS: Final = 300
SECONDS: Final = 10.0
LENGTHS: Final = (
    *(b"0", b"1", b"2", b"3", b"10", b"11", b"-1", b"+1", b"01", b"1 ", b"", b"-0", b"1a", b"\0", b"1\0"),
    *(b"16384", b"16385", b"536870912", b"536870913", b"2147483647", b"2147483648"),
    *(b"9223372036854775807", b"9223372036854775808", b"-9223372036854775808"),
)
PIECES: Final = (
    *(b"q", b"zz", b"1", b'"', b"'", b"\\", b"\\x41", b"\\x", b"\\n", b'\\"', b"\\'", b'"a b"', b"'a b'"),
    *(b" ", b"\t", b"\r", b"\v", b"\f", b"\0", b"\xff", b"\x01", b"*", b"$"),
)
LINE_ENDS: Final = (b"\r\n",) * 20 + (b"\n", b"\r", b"\r\r", b"XY", b"\r\n\r\n")
LONG_LINES: Final = (b"a", b"\0", b"*", b"*1", b"*1\r\n$", b"*1\r\nx")


def _word(rng: random.Random) -> bytes:
    count = rng.choice((0, 1, 1, 2, 5, 20))
    return b"".join(rng.choices((b"q", b"z", b"\r", b"\n", b'"', b"\0", b"\xfe"), k=count))


def _length(rng: random.Random, right: int, wrong: float) -> bytes:
    return rng.choice(LENGTHS) if rng.random() < wrong else b"%d" % right


def _array(rng: random.Random) -> bytes:
    args = [b"zq" + _word(rng), *(_word(rng) for _ in range(rng.choice((0, 1, 2, 3, 9, 12))))]
    out = b"*" + _length(rng, len(args), 0.15) + rng.choice(LINE_ENDS)
    for arg in args:
        kind = b"$" if rng.random() < 0.97 else rng.choice(PIECES)
        out += kind + _length(rng, len(arg), 0.07) + rng.choice(LINE_ENDS) + arg + rng.choice(LINE_ENDS)
    return out


def _inline(rng: random.Random) -> bytes:
    name = b"zq" if rng.random() < 0.7 else b""
    return name + b"".join(rng.choices(PIECES, k=rng.choice((0, 1, 3, 6, 10)))) + rng.choice((b"\n", b"\r\n"))


def _stream(rng: random.Random) -> bytes:
    out = b"".join(rng.choice((_array, _inline))(rng) for _ in range(rng.choice((1, 1, 2, 4))))
    if rng.random() < 0.2:
        out = out[: rng.randrange(len(out) + 1)]
    if rng.random() < 0.04:
        # no line end, so that the sizes of the server's reads don't matter
        out += rng.choice(LONG_LINES) + rng.choice((b"a", b"1", b"\0")) * rng.choice((65530, 65540, 70000))
    return out


def _answers(server: Server, stream: bytes) -> bytes:
    """Send it all, say that there is no more, and return what comes until the server closes."""
    out = b""
    with socket.create_connection(server.address, timeout=SECONDS) as sock:
        # it may have answered and hung up before all was sent; what it said is still there to read
        with contextlib.suppress(OSError):
            sock.sendall(stream)
            sock.shutdown(socket.SHUT_WR)
        with contextlib.suppress(ConnectionResetError):
            while data := sock.recv(65536):
                out += data
    return out


def _compare(redis: Server, trioredis: Server, seed: int) -> None:
    rng = random.Random(seed)
    errors = 0
    for number in range(STREAMS):
        stream = _stream(rng)
        want = _answers(redis, stream)
        assert _answers(trioredis, stream) == want, f"stream {number}: {stream[:400]!r}"
        errors += b"Protocol error" in want
    assert errors > STREAMS // 10


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_same_answers(redis_server: Server, trioredis_server: Server, seed: int) -> None:
    _compare(redis_server, trioredis_server, seed)


@pytest.mark.slow
def test_same_answers_before_authentication(tmp_path: Path, start_trioredis: Callable[..., Server]) -> None:
    command = redis_command()
    if command is None:
        pytest.skip("redis-server is not installed")
    ours = start_trioredis("--requirepass", "secret")
    with running("redis", [*command, "--requirepass", "secret"], tmp_path) as redis:
        for stream in (b"*11\r\n", b"*1\r\n$16385\r\n"):
            assert b"unauthenticated" in _answers(redis, stream)
        _compare(redis, ours, 99)
