"""Listeners of a channel, or monitors, in a process of their own that reads as fast as it can and drops what it reads.

    python -m tests.bench.listeners HOST PORT COUNT WORD ...

sends a command (``SUBSCRIBE`` a channel, ``MONITOR``) on each of its connections, says ``ready`` when all have been
answered, and ends with its standard input.
"""

from __future__ import annotations

import os
import resource
import select
import socket
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests._resp import encode
from tests.bench.load import LoadError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests._servers import Server

ROOT: Final = Path(__file__).resolve().parents[2]
READ_BYTES: Final = 1 << 18
FD_RESERVE: Final = 50
STOP_SECONDS: Final = 10.0
CONFIRMED: Final = (b":1\r\n", b"+OK\r\n")
"""How the answers to SUBSCRIBE and MONITOR end."""


@contextmanager
def listening(server: Server, words: tuple[str, ...], count: int, core: int) -> Iterator[None]:
    """Have ``count`` clients listen after the command ``words``, read on ``core``. LoadError: one was closed."""
    if count == 0:
        yield
        return
    command = [sys.executable, "-m", "tests.bench.listeners", server.host, str(server.port), str(count), *words]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: os.sched_setaffinity(0, {core}),
    )
    try:
        if process.stdout is None or process.stdout.readline() != "ready\n":
            raise LoadError(f"{count} clients can't {' '.join(words)}")
        yield
    finally:
        process.communicate(timeout=STOP_SECONDS)
    if process.returncode:
        raise LoadError("a listener was closed, so not every message was sent to all")


def subscribe(address: tuple[str, int], words: list[str]) -> socket.socket:
    """Return a socket that listens, confirmed."""
    sock = socket.create_connection(address)
    sock.sendall(encode(words))
    reply = b""
    while not reply.endswith(CONFIRMED):
        reply += sock.recv(READ_BYTES)
    return sock


def drain(socks: dict[int, socket.socket]) -> None:
    """Read from all until standard input ends."""
    poller = select.epoll()
    for fd in (sys.stdin.fileno(), *socks):
        poller.register(fd, select.EPOLLIN)
    room = bytearray(READ_BYTES)
    while True:
        for fd, _ in poller.poll():
            if fd not in socks:
                return
            if socks[fd].recv_into(room) == 0:
                raise LoadError("the server closed a listener")


def main() -> None:
    """Listen as the arguments say."""
    host, port, count, *words = sys.argv[1:]
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(int(count) + FD_RESERVE, hard), hard))
    with ExitStack() as stack:
        socks = [stack.enter_context(subscribe((host, int(port)), words)) for _ in range(int(count))]
        print("ready", flush=True)
        drain({sock.fileno(): sock for sock in socks})


if __name__ == "__main__":
    main()
