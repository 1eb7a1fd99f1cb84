"""Going to the background: a process of its own session, without a terminal, whose parent waits for its success."""

from __future__ import annotations

import os
import sys
from typing import Final, NoReturn, final

SUCCESS: Final = b"\0"
REASON_BYTES_MAX: Final = 4096


@final
class Background:
    """The child's end of the pipe on which its parent waits."""

    def __init__(self, fd: int) -> None:
        self._fd = fd

    @staticmethod
    def enter() -> Background:
        """Fork twice and return in the grandchild; its standard streams are ``/dev/null`` then.

        The first process prints why the start has failed, if it has, and ends with status 1, otherwise with 0. Call it
        before any thread or event loop is there.

        Raises:
            OSError: no process or descriptor is to be had.
        """
        reading, writing = os.pipe()
        if os.fork() != 0:
            os.close(writing)
            _wait(reading)
        os.close(reading)
        os.setsid()
        if os.fork() != 0:
            os._exit(0)
        null = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(null, stream)
        if null > 2:
            os.close(null)
        return Background(writing)

    def succeeded(self) -> None:
        """The server serves: the parent may end."""
        self._tell(SUCCESS)

    def failed(self, reason: str) -> None:
        """The server can't start; the parent prints why."""
        self._tell(reason.encode("utf-8", "surrogateescape")[:REASON_BYTES_MAX])

    def _tell(self, message: bytes) -> None:
        fd, self._fd = self._fd, -1
        if fd < 0:
            return
        try:
            os.write(fd, message)
        except BrokenPipeError:
            return  # the parent was killed meanwhile
        finally:
            os.close(fd)


def _wait(reading: int) -> NoReturn:
    """Be the parent: end as the child tells, which ends without a word when it crashes."""
    told = b""
    while part := os.read(reading, REASON_BYTES_MAX):
        told += part
    if told == SUCCESS:
        os._exit(0)
    reason = told.decode("utf-8", "replace") or "the server ended while it started"
    print(reason, file=sys.stderr, flush=True)
    os._exit(1)
