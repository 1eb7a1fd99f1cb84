"""Aim: whatever bytes come over sockets, and however they stop coming, the server goes on serving and keeps nothing.

Method: one server process; each test hurts it in one way and then looks from outside: it answers, the
attackers are gone, their descriptors closed, their memory given back. Every stream of bytes is the same in each run.
"""

from __future__ import annotations

import os
import random
import resource
import socket
import struct
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pytest
import trio

from tests._resp import RespClient, encode
from tests._servers import Server, running, trioredis_command
from tests.server.kit import PATIENCE_SECONDS, connect, receive, rest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

MIB: Final = 1024 * 1024
QUERY_LIMIT: Final = 1 * MIB
OUTPUT_LIMIT: Final = 4 * MIB
OPTIONS: Final = (
    "--client-query-buffer-limit",
    str(QUERY_LIMIT),
    "--client-output-buffer-limit",
    *("normal", str(OUTPUT_LIMIT), "0", "0"),
)
SLACK_BYTES: Final = 2 * MIB
"""What the server may keep for its next clients: spare chunks, statistics of commands."""

PROMISE_BYTES: Final = 96 * 1024
"""What one promise may cost: the first room of a large argument."""

CROWD: Final = 1000
PIPELINE: Final = b"".join(
    (
        encode((b"SET", b"key", b"value" * 20)),
        b"PING\r\n",
        encode((b"GETRANGE", b"key", b"0", b"-1")),
        encode((b"ECHO", b"\r\n\0$5\r\n")),
    )
)

pytestmark = pytest.mark.slow


@dataclass(frozen=True, slots=True)
class Figures:
    """What a stranger can see of the server's state."""

    clients: int
    descriptors: int
    memory: int


class Watcher:
    """The one client that behaves, beside those of the tests."""

    def __init__(self, server: Server) -> None:
        self.port: Final = server.port
        self._pid: Final = server.pid
        self._client: Final = RespClient(server.address)
        self.call("FLUSHALL")
        self.before: Final = self.figures()

    def call(self, *words: str | bytes) -> object:
        """Send one command, return what its reply holds."""
        kind, value = self._client.call(*words)
        assert kind != "err", value
        return value

    def info(self, name: str) -> int:
        """Return one number of INFO."""
        text = self.call("INFO", "everything")
        assert isinstance(text, bytes)
        fields = dict(line.split(":", 1) for line in text.decode().split("\r\n") if ":" in line)
        return int(fields[name])

    def figures(self) -> Figures:
        """Look at the server as it is now."""
        return Figures(
            clients=self.info("connected_clients"),
            descriptors=len(os.listdir(f"/proc/{self._pid}/fd")),
            memory=self.info("used_memory"),
        )

    async def settle(self) -> None:
        """Return when nothing is left of all other clients; each look is a round trip, not a pause."""
        self.call("FLUSHALL")
        with trio.fail_after(PATIENCE_SECONDS):
            while True:
                now = self.figures()
                if now.clients == 1 and now.descriptors <= self.before.descriptors:
                    break
                await trio.lowlevel.checkpoint()
        assert now.memory < self.before.memory + SLACK_BYTES
        assert self.call("PING") == b"PONG"

    def close(self) -> None:
        """Leave."""
        self._client.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Yield a server of our own, with small limits."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * CROWD
    if hard != resource.RLIM_INFINITY and hard < wanted:
        pytest.skip(f"no more than {hard} descriptors are allowed here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    with running("trioredis", [*trioredis_command(), *OPTIONS], tmp_path_factory.mktemp("hostile")) as found:
        yield found
        assert found.process.poll() is None, "the server has died"
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture
def watcher(server: Server) -> Iterator[Watcher]:
    """Yield a client that looks on, and look whether the server survived."""
    found = Watcher(server)
    yield found
    found.close()


def reset(stream: trio.SocketStream) -> None:
    """Close so that the server gets a reset."""
    stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    stream.socket.close()


async def say(stream: trio.SocketStream, data: bytes) -> None:
    """Send; who has been thrown out may not notice before the next time."""
    with suppress(trio.BrokenResourceError):
        await stream.send_all(data)


@asynccontextmanager
async def crowd(port: int, size: int = 1) -> AsyncIterator[list[trio.SocketStream]]:
    """Open so many connections; all are closed in the end."""
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(await connect(port)) for _ in range(size)]


def noise(rng: random.Random) -> bytes:
    """Return bytes that mean nothing, or that nearly mean something."""
    if rng.random() < 0.4:
        return rng.randbytes(rng.randint(1, 2000))
    data = bytearray(PIPELINE)
    for _ in range(rng.randint(1, 6)):
        at = rng.randrange(len(data))
        data[at : at + rng.randint(0, 3)] = rng.choice((b"", b"\r", b"\n", b"-1", b"9" * 19, rng.randbytes(2)))
    return bytes(data)


async def swear(stream: trio.SocketStream, number: int) -> None:
    """Send noise and the end of the stream; what comes back begins and ends as replies do."""
    await say(stream, noise(random.Random(number)))
    with suppress(trio.BrokenResourceError):
        await stream.send_eof()
    got = await rest(stream)
    assert not got or (got[:1] in b"+-:$*" and got.endswith(b"\r\n")), got


async def test_noise_on_one_connection_after_the_other(watcher: Watcher) -> None:
    for number in range(300):
        async with crowd(watcher.port) as (stream,):
            await swear(stream, CROWD + number)
    await watcher.settle()


async def test_a_crowd_that_swears(watcher: Watcher) -> None:
    async with crowd(watcher.port, CROWD) as streams, trio.open_nursery() as attack_nursery:
        for number, stream in enumerate(streams):
            attack_nursery.start_soon(swear, stream, number)
    await watcher.settle()


async def test_commands_that_stop_half_way(watcher: Watcher) -> None:
    for end in range(1, len(PIPELINE)):
        async with crowd(watcher.port) as (stream,):
            await stream.send_all(PIPELINE[:end])
    await watcher.settle()


async def test_resets(watcher: Watcher) -> None:
    watcher.call("SET", "large", b"x" * 100_000)
    for number in range(200):
        stream = await connect(watcher.port)
        await stream.send_all((PIPELINE[: number + 1], b"PING\r\n" * 2000, b"GET large\r\n" * 20, b"")[number % 4])
        reset(stream)
    await watcher.settle()


async def test_writers_of_one_byte_at_a_time(watcher: Watcher) -> None:
    request = encode((b"ECHO", b"slow"))
    async with crowd(watcher.port, 200) as streams:
        for at in range(len(request)):
            for stream in streams:
                await stream.send_all(request[at : at + 1])
            assert watcher.call("PING") == b"PONG"
        for stream in streams:
            assert await receive(stream, 10) == b"$4\r\nslow\r\n"
    await watcher.settle()


@pytest.mark.parametrize(
    "promise",
    [
        b"*1000000\r\n",
        b"*1000000\r\n$536870912\r\n",
        b"*2\r\n$4\r\nECHO\r\n$536870912\r\nand then little",
        b"*3\r\n$3\r\nSET\r\n$536870912\r\n",
    ],
)
async def test_promises_cost_nothing(watcher: Watcher, promise: bytes) -> None:
    count = 50
    async with crowd(watcher.port, count) as streams:
        for stream in streams:
            await stream.send_all(b"PING\r\n" + promise)
            assert await receive(stream, 7) == b"+PONG\r\n"  # so the promise has been read, too
        grown = watcher.info("used_memory") - watcher.before.memory
        assert grown < count * PROMISE_BYTES
    await watcher.settle()


async def test_who_never_reads_is_thrown_out(watcher: Watcher) -> None:
    watcher.call("SET", "large", b"x" * 100_000)
    cut = watcher.info("client_output_buffer_limit_disconnections")
    most = 0
    async with crowd(watcher.port) as (stream,):
        with trio.fail_after(PATIENCE_SECONDS), suppress(trio.BrokenResourceError):
            while True:
                await stream.send_all(b"GET large\r\n" * 10)
                most = max(most, watcher.info("used_memory"))
    assert watcher.info("client_output_buffer_limit_disconnections") == cut + 1
    assert most < watcher.before.memory + 2 * OUTPUT_LIMIT
    await watcher.settle()


async def test_who_never_ends_a_command_is_thrown_out(watcher: Watcher) -> None:
    cut = watcher.info("client_query_buffer_limit_disconnections")
    for head in (b"*2\r\n$4\r\nECHO\r\n$400000000\r\n", b"*1000000\r\n" + b"$20000\r\n%b\r\n" % (b"y" * 20_000) * 50):
        async with crowd(watcher.port) as (stream,):
            await say(stream, head)
            with trio.fail_after(PATIENCE_SECONDS), suppress(trio.BrokenResourceError):
                while True:
                    await stream.send_all(b"$10\r\n0123456789\r\n" * 1000)
    assert watcher.info("client_query_buffer_limit_disconnections") == cut + 2
    await watcher.settle()


async def test_a_line_without_an_end(watcher: Watcher) -> None:
    async with crowd(watcher.port) as (stream,):
        await say(stream, b"x" * 70_000)
        assert await rest(stream) == b"-ERR Protocol error: too big inline request\r\n"
    await watcher.settle()
