"""Aim: ten thousand subscribers of one channel, some of whom never read, do not hurt one another. Method: sockets.

The readers compare every byte with what was published, so that a lost, doubled, torn or late message shows. Whoever
does not read must be cut at the limit, having got a part that begins at the beginning; then memory has to come back.
"""

from __future__ import annotations

import resource
import select
import socket
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import pytest

from tests._resp import RespClient, encode

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests._servers import Server

pytestmark = pytest.mark.slow

SUBSCRIBERS: Final = 10_000
SLOW_SHARE: Final = 10  # one in so many never reads
FDS_RESERVED: Final = 200
MESSAGES_MAX: Final = 2000
MESSAGE_BYTES: Final = 1000
MORE_MESSAGES: Final = 50  # after the last slow one was cut
LIMIT_BYTES: Final = 32 * 1024
READ_BYTES: Final = 1 << 18
MEMORY_SLACK_BYTES: Final = 4 << 20
PATIENCE_SECONDS: Final = 240.0


def info(control: RespClient, section: str, name: str) -> int:
    """Return a number from INFO."""
    text: bytes = control.call("INFO", section)[1]
    lines = dict(line.split(b":", 1) for line in text.splitlines() if b":" in line)
    return int(lines[name.encode()])


def frame(number: int) -> bytes:
    """Return a message as a subscriber gets it."""
    return encode(["message", "news", payload(number)])


def payload(number: int) -> str:
    """Return the text of a message: its number, filled up."""
    return f"{number:010d}".ljust(MESSAGE_BYTES, ".")


@dataclass(slots=True)
class Crowd:
    """The subscribers: how far each reader is in the stream of all messages."""

    poller: select.epoll = field(default_factory=select.epoll)
    readers: dict[int, socket.socket] = field(default_factory=dict)
    read: dict[int, int] = field(default_factory=dict)
    slow: list[socket.socket] = field(default_factory=list)
    stream: bytearray = field(default_factory=bytearray)

    def join(self, sock: socket.socket, *, is_slow: bool) -> None:
        """Add one that has subscribed."""
        if is_slow:
            self.slow.append(sock)
            return
        self.readers[sock.fileno()] = sock
        self.read[sock.fileno()] = 0
        self.poller.register(sock.fileno(), select.EPOLLIN)

    def take(self, timeout: float) -> None:
        """Read what has come and compare it."""
        for fd, _ in self.poller.poll(timeout):
            data = self.readers[fd].recv(READ_BYTES)
            at = self.read[fd]
            assert data, "the server closed a reader"
            assert self.stream.startswith(data, at), f"wrong bytes at {at}"
            self.read[fd] = at + len(data)

    def catch_up(self) -> None:
        """Read until every reader has everything."""
        until = time.monotonic() + PATIENCE_SECONDS
        while any(at != len(self.stream) for at in self.read.values()):
            self.take(0.1)
            assert time.monotonic() < until


def subscribe(path: str) -> socket.socket:
    """Return a socket that has subscribed, confirmed."""
    sock = socket.socket(socket.AF_UNIX)
    sock.connect(path)
    sock.sendall(encode(["SUBSCRIBE", "news"]))
    wanted = b"*3\r\n$9\r\nsubscribe\r\n$4\r\nnews\r\n:1\r\n"
    assert sock.recv(len(wanted), socket.MSG_WAITALL) == wanted
    return sock


def subscriber_count() -> int:
    """Return how many there may be, after raising the limit of open files as far as the system allows."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    count = min(SUBSCRIBERS, hard - FDS_RESERVED)
    if count < SUBSCRIBERS:
        print(f"{count} subscribers instead of {SUBSCRIBERS}: no more open files are allowed here")
    return count


def publish(control: RespClient, crowd: Crowd, number: int) -> None:
    """Publish one message; readers read meanwhile."""
    crowd.stream += frame(number)
    control.send(encode(["PUBLISH", "news", payload(number)]))
    crowd.take(0)
    assert control.read()[0] == "int"
    crowd.take(0)


def rest_of(sock: socket.socket) -> bytes:
    """Return what a slow one can still read; it must end."""
    sock.settimeout(PATIENCE_SECONDS)
    found = b""
    while data := sock.recv(READ_BYTES):
        found += data
    return found


def test_ten_thousand(start_trioredis: Callable[..., Server], tmp_path: Path) -> None:
    count = subscriber_count()
    path = str(tmp_path / "sock")
    limit = ("--client-output-buffer-limit", "pubsub", str(LIMIT_BYTES), "0", "0")
    server = start_trioredis("--unixsocket", path, "--maxclients", str(SUBSCRIBERS + 100), *limit)
    crowd = Crowd()
    with RespClient(server.address, PATIENCE_SECONDS) as control, ExitStack() as stack:
        before = info(control, "memory", "used_memory")
        for i in range(count):
            crowd.join(stack.enter_context(subscribe(path)), is_slow=i % SLOW_SHARE == 0)
        assert info(control, "clients", "pubsub_clients") == count
        last = MESSAGES_MAX
        for number in range(MESSAGES_MAX):
            publish(control, crowd, number)
            if number % 10 == 0 and info(control, "clients", "pubsub_clients") == len(crowd.readers):
                last = min(last, number + MORE_MESSAGES)
            if number == last:
                break
        crowd.catch_up()
        assert control.call("PUBSUB", "NUMSUB", "news")[1][1] == ("int", len(crowd.readers))
        assert info(control, "stats", "client_output_buffer_limit_disconnections") == len(crowd.slow)
        for sock in crowd.slow:
            part = rest_of(sock)
            assert crowd.stream.startswith(part)
            assert len(part) < len(crowd.stream)
        stack.close()
        until = time.monotonic() + PATIENCE_SECONDS
        while info(control, "clients", "connected_clients") > 1:
            assert time.monotonic() < until
        after = info(control, "memory", "used_memory")
        print(f"{count} subscribers, {len(crowd.stream)} bytes to each; memory {before} before, {after} after")
        assert after < before + MEMORY_SLACK_BYTES
