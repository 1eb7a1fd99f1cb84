"""Server processes for tests and benchmarks: start, wait until they answer, stop by pid.

The commands can be overridden with the environment variables ``TRIOREDIS_SERVER`` and
``REDIS_SERVER`` (a command line; the options of this module are appended to it).
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

HOST: Final = "127.0.0.1"
READY_SECONDS: Final = 20.0
STOP_SECONDS: Final = 10.0
PROBE_SECONDS: Final = 0.02  # how long one wait for "did it die?" lasts between two connection attempts
START_ATTEMPTS: Final = 3  # another process may take the port between our bind and the server's
LOG_TAIL_BYTES: Final = 8192
PR_SET_PDEATHSIG: Final = 1  # from <linux/prctl.h>


class ServerError(Exception):
    """A server did not start, or died. The message carries the end of its log."""


def trioredis_command() -> list[str]:
    """Return the command that starts our server, without a port."""
    override = os.environ.get("TRIOREDIS_SERVER")
    return shlex.split(override) if override else [sys.executable, "-m", "trioredis"]


def redis_command() -> list[str] | None:
    """Return the stock server's command, without persistence; None when it is not installed."""
    override = os.environ.get("REDIS_SERVER")
    found = shlex.split(override) if override else [shutil.which("redis-server") or ""]
    if not shutil.which(found[0]):
        return None
    return [*found, "--bind", HOST, "--save", "", "--appendonly", "no"]


def free_port() -> int:
    """Return a loopback port that was free a moment ago, picked by the kernel."""
    with socket.socket() as sock:
        sock.bind((HOST, 0))
        port: int = sock.getsockname()[1]
        return port


class Server:
    """One running server process; whoever started it calls ``stop()`` or uses ``running()``."""

    def __init__(self, name: str, process: subprocess.Popen[bytes], port: int, log_path: Path) -> None:
        self.name: Final = name
        self.process: Final = process
        self.host: Final = HOST
        self.port: Final = port
        self.log_path: Final = log_path

    @property
    def pid(self) -> int:
        """Process id of the server itself."""
        return self.process.pid

    @property
    def address(self) -> tuple[str, int]:
        """Host and port, as ``socket.create_connection`` takes them."""
        return (self.host, self.port)

    def log_tail(self) -> str:
        """Return the end of what the server wrote, and its exit status when it has ended."""
        with contextlib.suppress(FileNotFoundError):
            text = self.log_path.read_bytes()[-LOG_TAIL_BYTES:].decode("utf-8", "replace")
            status = self.process.poll()
            return text if status is None else f"{text}\n[{self.name} ended with status {status}]"
        return ""

    def stop(self) -> int:
        """End the process (SIGTERM, then SIGKILL); return its exit status. Safe to call twice."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            return self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()


def answers(address: tuple[str, int], seconds: float) -> bool:
    """Whether a server at ``address`` replies to a PING within ``seconds``."""
    try:
        with socket.create_connection(address, timeout=seconds) as sock:
            sock.sendall(b"PING\r\n")
            return sock.recv(64)[:1] in (b"+", b"-")
    except OSError:
        return False


def wait_ready(server: Server, seconds: float = READY_SECONDS) -> None:
    """Return once the server answers; ServerError when it ends or stays silent ``seconds``."""
    deadline = time.monotonic() + seconds
    while not answers(server.address, seconds) or server.process.poll() is not None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.process.wait(PROBE_SECONDS)
        if server.process.poll() is not None or time.monotonic() > deadline:
            server.stop()
            raise ServerError(f"{server.name} on port {server.port} did not start:\n{server.log_tail()}")


def start(name: str, command: Sequence[str], directory: Path, *, core: int | None = None) -> Server:
    """Start ``command --port N`` in ``directory`` and wait until it answers.

    Args:
        name: used in messages and for the log file.
        command: the server's command line without a port.
        directory: working directory of the process; its log goes there too.
        core: the only CPU core that the process may use; None leaves it to the kernel.

    Raises:
        ServerError: it ended or never answered.
    """

    libc = ctypes.CDLL(None)

    def prepare() -> None:
        if sys.platform == "linux":  # a server must not outlive a killed parent
            libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if core is not None:
            os.sched_setaffinity(0, {core})

    for attempt in range(START_ATTEMPTS):
        port = free_port()
        log_path = directory / f"{name}-{port}.log"
        with log_path.open("wb") as log:
            process = subprocess.Popen(
                [*command, "--port", str(port)],
                cwd=directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                process_group=0,  # Ctrl-C is for the parent, which stops its children
                preexec_fn=prepare,
            )
        server = Server(name, process, port, log_path)
        try:
            wait_ready(server)
        except ServerError:
            if attempt == START_ATTEMPTS - 1 or "in use" not in server.log_tail():
                raise
        except BaseException:
            server.stop()
            raise
        else:
            return server
    raise AssertionError("unreachable: the last attempt returns or raises")


@contextlib.contextmanager
def running(name: str, command: Sequence[str], directory: Path, *, core: int | None = None) -> Iterator[Server]:
    """``start()`` as a context manager that stops the server at the end of the block."""
    server = start(name, command, directory, core=core)
    try:
        yield server
    finally:
        server.stop()
