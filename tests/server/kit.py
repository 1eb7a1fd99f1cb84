"""Small steps of the tests of the server: streams of bytes to it, and processes whose log is watched line by line."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Self

import trio

from tests._servers import PROBE_SECONDS, free_port

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HOST: Final = "127.0.0.1"
PATIENCE_SECONDS: Final = 30.0
"""How long a step may take on a busy machine before the test gives up."""


async def connect(port: int, host: str = HOST) -> trio.SocketStream:
    """Open a connection to a server of this program."""
    return await trio.open_tcp_stream(host, port)


async def receive(stream: trio.SocketStream, size: int) -> bytes:
    """Return exactly so many bytes; fewer when the stream ends before."""
    parts = bytearray()
    with trio.fail_after(PATIENCE_SECONDS):
        while len(parts) < size and (part := await stream.receive_some(size - len(parts))):
            parts += part
    return bytes(parts)


async def line(stream: trio.SocketStream) -> bytes:
    """Return the next line, without its end."""
    found = b""
    while not found.endswith(b"\r\n"):
        byte = await receive(stream, 1)
        assert byte, f"the connection ended after {found!r}"
        found += byte
    return found[:-2]


async def ask(stream: trio.SocketStream, request: bytes, reply: bytes) -> None:
    """Send a request and compare what comes back."""
    await stream.send_all(request)
    assert await receive(stream, len(reply)) == reply


async def rest(stream: trio.SocketStream) -> bytes:
    """Return what comes until the server closes the connection; a reset is an end too."""
    parts = bytearray()
    with trio.fail_after(PATIENCE_SECONDS), suppress(trio.BrokenResourceError):
        while part := await stream.receive_some():
            parts += part
    return bytes(parts)


async def until(condition: Callable[[], bool]) -> None:
    """Let the other tasks of this program run until the condition holds."""
    with trio.fail_after(PATIENCE_SECONDS):
        while not condition():
            await trio.lowlevel.checkpoint()


class Process:
    """A server process of the test's own, with its output in reach. Use it in a ``with``; it is killed at the end.

    Args:
        directory: where it runs.
        args: its arguments; a free port is added unless they name one.
        preexec: called in the child before it becomes the server.
    """

    def __init__(self, directory: Path, *args: str, preexec: Callable[[], None] | None = None) -> None:
        self.port = free_port()
        port = () if "--port" in args else ("--port", str(self.port))
        self.process: Final = subprocess.Popen(
            [sys.executable, "-m", "trioredis", *args, *port],
            cwd=directory,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            process_group=0,
            preexec_fn=preexec,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()

    def wait_for(self, text: str) -> str:
        """Read the log until a line has this text; return the line. The process is killed when none comes in time."""
        assert self.process.stdout is not None
        seen = []
        watchdog = threading.Timer(PATIENCE_SECONDS, self.process.kill)
        watchdog.start()
        try:
            for line in self.process.stdout:
                seen.append(line)
                if text in line:
                    return line
        finally:
            watchdog.cancel()
        raise AssertionError(f"the log ended without {text!r}: {seen}")

    def signal(self, number: signal.Signals) -> None:
        """Send a signal."""
        self.process.send_signal(number)

    def ended(self) -> tuple[int, str, str]:
        """Wait for the end; return the status and the rest of both outputs."""
        out, err = self.process.communicate(timeout=PATIENCE_SECONDS)
        return self.process.returncode, out, err

    def wait_until(self, condition: Callable[[], bool]) -> None:
        """Return when the condition holds; the process must live until then."""
        for _ in range(round(PATIENCE_SECONDS / PROBE_SECONDS)):
            if condition():
                return
            try:
                self.process.wait(PROBE_SECONDS)
            except subprocess.TimeoutExpired:
                continue
            break
        raise AssertionError("it did not come to that")
