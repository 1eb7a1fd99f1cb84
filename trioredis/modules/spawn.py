"""Starting the process of a module: the host program, what it inherits, and nothing else.

The process dies with the thread that starts it, so that is always the server's own thread: starting takes a
millisecond or two. It has a process group of its own: what is typed at the server's terminal does not reach it. Not a
session: Linux shares processors out by session (autogroups), and was seen to leave a starting helper waiting for a
third of a second behind a server and a client that woke each other all the time.
"""

from __future__ import annotations

import os
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trioredis.engine import HelperFiles

PROGRAM: Final = Path(__file__).parent / "trioredis-modhost"
SOCKET_BYTES: Final = 2 << 20
"""Room for the largest message of the control channel, as far as the system permits."""
WRAPPER_VARIABLES: Final = ("PATH", "HOME", "TERM")
"""What a wrapper gets of the server's environment; the module gets nothing of it."""


@final
@dataclass(frozen=True, slots=True)
class Spawned:
    """A process that was started. Whoever has it closes all of it, after the process has ended.

    ``memory`` is a descriptor of our own for the shared memory, which may be read when the process is gone.
    """

    process: subprocess.Popen[bytes]
    control: socket.socket
    memory: int
    pidfd: int


def spawn(
    shared: HelperFiles, arguments: Sequence[str], path: str, *, program: Sequence[str], wrapper: Sequence[str] = ()
) -> Spawned:
    """Start a host for the module.

    Args:
        shared: from the engine.
        arguments: the policy's.
        path: the module's file.
        program: the host program, with arguments that go before all others.
        wrapper: a command that starts it, such as a debugger; empty: none.

    Raises:
        OSError: it could not be started; nothing is left behind.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    memory = -1
    try:
        for one in (ours, theirs):
            one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SOCKET_BYTES)
        ours.setblocking(False)
        memory = os.dup(shared.shm)
        numbers = {"--control": theirs.fileno(), "--shm": shared.shm, "--host-wake": shared.host_wake,
                       "--engine-wake": shared.engine_wake, "--parent": 0 if wrapper else os.getpid()}  # fmt: skip
        process = subprocess.Popen(
            [*wrapper, *program, *(str(one) for pair in numbers.items() for one in pair), *arguments, path],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            env={name: os.environ[name] for name in WRAPPER_VARIABLES if wrapper and name in os.environ},
            pass_fds=(theirs.fileno(), *shared),
            process_group=0,
        )
        return Spawned(process, ours, memory, _pidfd(process))
    except OSError:
        ours.close()
        if memory >= 0:
            os.close(memory)
        raise
    finally:
        theirs.close()


def _pidfd(process: subprocess.Popen[bytes]) -> int:
    """Return a descriptor for the process. OSError: none can be had; the process has been ended."""
    try:
        return os.pidfd_open(process.pid)
    except OSError:
        process.kill()
        process.communicate()
        raise
