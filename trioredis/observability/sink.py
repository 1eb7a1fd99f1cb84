"""Where log lines go: a file, standard output, or syslog. Writing never raises and never waits for a reader.

A line is one ``write()`` of at most `LINE_BYTES_MAX` bytes, the size up to which the kernel keeps writes to a pipe
whole. What cannot be written now is dropped and counted; the owner tells, once writing works again, how many were lost.
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
import socket
import stat
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, final

if TYPE_CHECKING:
    from trioredis.observability.levels import LogLevel

from trioredis.observability.formats import LINE_BYTES_MAX

CUT_MARK: Final = b"...\n"
FILE_MODE: Final = 0o644
OPEN_FLAGS: Final = os.O_WRONLY | os.O_APPEND | os.O_NOCTTY | os.O_NONBLOCK
SYSLOG_PATH: Final = "/dev/log"
FACILITIES: Final = {"user": 1} | {f"local{n}": 16 + n for n in range(8)}


@dataclass(frozen=True, slots=True)
class SinkStatistics:
    """What a sink did since it was opened. ``last_error`` is empty when nothing ever failed."""

    lines_written: int
    lines_dropped: int
    last_error: str


def encode_line(line: str) -> bytes:
    """The bytes of one line, cut to `LINE_BYTES_MAX` at a character's border, with its line break."""
    raw = line.encode("utf-8", "backslashreplace") + b"\n"
    if len(raw) <= LINE_BYTES_MAX:
        return raw
    kept = raw[: LINE_BYTES_MAX - len(CUT_MARK)].decode("utf-8", "ignore")
    return kept.encode("utf-8") + CUT_MARK


class Sink(ABC):
    """Takes rendered lines, counts them, and never raises."""

    def __init__(self, name: str) -> None:
        self.name: Final = name
        self.pending_lost = 0  # lines dropped since the last that was written
        self.last_error = ""
        self._written = 0
        self._dropped = 0

    def write(self, level: LogLevel, line: str) -> bool:
        """Write one line, given without its line break. Tells whether it went out; never raises."""
        try:
            self._put(level, line)
        except OSError as error:
            self.drop(_describe(error))
            return False
        self._written += 1
        return True

    def tell_lost(self, level: LogLevel, line: str) -> bool:
        """Write the line about lost lines. Tells whether it went out; a failure does not count as one more."""
        try:
            self._put(level, line)
        except OSError as error:
            self.last_error = _describe(error)
            return False
        self._written += 1
        self.pending_lost = 0
        return True

    def drop(self, error: str) -> None:
        """Count one line as lost because of ``error``."""
        self._dropped += 1
        self.pending_lost += 1
        self.last_error = error

    def statistics(self) -> SinkStatistics:
        """Counters of this sink."""
        return SinkStatistics(self._written, self._dropped, self.last_error)

    @abstractmethod
    def _put(self, level: LogLevel, line: str) -> None:
        """Write one line now or raise OSError."""

    @abstractmethod
    def close(self) -> None:
        """Give back the descriptor; lines written later are dropped. Safe to call twice."""


class _Output:
    """A descriptor that a write never waits on: a regular file, or one that was opened non-blocking."""

    def __init__(self, fd: int) -> None:
        self.fd = fd

    def write(self, raw: bytes) -> int:
        """Write once; how many bytes went out. Raises OSError."""
        return os.write(self.fd, raw)

    def close(self) -> None:
        """Close the descriptor."""
        os.close(self.fd)


@final
class _SocketOutput(_Output):
    """A socket as standard output, as systemd gives it: not waiting is asked for with each call."""

    def __init__(self, fd: int) -> None:
        super().__init__(fd)
        self._sock: Final = socket.socket(fileno=fd)

    def write(self, raw: bytes) -> int:
        return self._sock.send(raw, socket.MSG_DONTWAIT | getattr(socket, "MSG_NOSIGNAL", 0))

    def close(self) -> None:
        self._sock.close()


@final
class _PolledOutput(_Output):
    """A pipe or terminal that we must share with others: write only when there is room for a whole line."""

    def write(self, raw: bytes) -> int:
        room = select.poll()
        room.register(self.fd, select.POLLOUT)
        if not room.poll(0):
            raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        return os.write(self.fd, raw)


@final
class _Closed(_Output):
    """No output: standard output was closed when the process started, or the sink is closed."""

    def __init__(self) -> None:
        super().__init__(-1)

    def write(self, raw: bytes) -> int:
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))

    def close(self) -> None:
        return None


@final
class FileSink(Sink):
    """Appends lines to a log file, or to standard output when ``path`` is empty.

    The file is opened once. A file that was renamed or removed meanwhile is noticed before the next line and opened
    again, so log rotation needs no signal. Standard output is opened anew where the system allows it, so that not
    waiting for its reader does not change the descriptor that other processes share.
    """

    def __init__(self, path: str, stdout_fd: int | None = 1) -> None:
        """Open the output. ``stdout_fd`` None means that standard output is closed.

        Raises OSError when the log file cannot be opened.
        """
        super().__init__("file")
        self._path: Final = path
        self._stdout_fd: Final = stdout_fd
        self._torn = False  # the last write ended within a line
        self._out = self._open()
        self._identity = self._identify()

    @property
    def is_tty(self) -> bool:
        """Whether the output is a terminal."""
        return self._out.fd >= 0 and os.isatty(self._out.fd)

    def _put(self, level: LogLevel, line: str) -> None:
        if self._path and self._out.fd >= 0 and self._was_rotated():
            with contextlib.suppress(OSError):  # the old file stays in use; SIGHUP tells why
                self.reopen()
        raw = (b"\n" if self._torn else b"") + encode_line(line)
        count = self._out.write(raw)
        if count == len(raw):
            self._torn = False
            return
        self._torn = True
        raise OSError("only a part of the line was written")

    def reopen(self) -> None:
        """Open the file at the path again. Raises OSError, the old file stays in use then."""
        out = self._open()
        self._out.close()
        self._out = out
        self._torn = False
        self._identity = self._identify()

    def close(self) -> None:
        """Close the descriptor; lines written later are dropped. Safe to call twice."""
        self._out.close()
        self._out = _Closed()

    def _open(self) -> _Output:
        """A descriptor of our own, and the way to write to it without waiting."""
        if self._path:
            return _Output(os.open(self._path, OPEN_FLAGS | os.O_CREAT, FILE_MODE))
        if self._stdout_fd is None:
            return _Closed()
        mode = os.fstat(self._stdout_fd).st_mode
        if stat.S_ISSOCK(mode):
            return _SocketOutput(os.dup(self._stdout_fd))
        if stat.S_ISREG(mode):
            return _Output(os.dup(self._stdout_fd))
        try:
            return _Output(os.open(f"/dev/fd/{self._stdout_fd}", OPEN_FLAGS))
        except OSError:
            return _PolledOutput(os.dup(self._stdout_fd))

    def _identify(self) -> tuple[int, int]:
        if self._out.fd < 0:
            return (0, 0)
        status = os.fstat(self._out.fd)
        return (status.st_dev, status.st_ino)

    def _was_rotated(self) -> bool:
        try:
            status = Path(self._path).stat()
        except OSError:
            return True
        return (status.st_dev, status.st_ino) != self._identity


@final
class SyslogSink(Sink):
    """Sends lines to the local syslog socket, without waiting for it.

    Written here because the C library's ``syslog()`` waits when the daemon does not read.
    """

    def __init__(self, ident: str, facility: str, path: str = SYSLOG_PATH) -> None:
        """``ident`` names the program, ``facility`` is a key of `FACILITIES`. A missing daemon is no error."""
        super().__init__("syslog")
        self._ident: Final = ident
        self._facility: Final = FACILITIES[facility.lower()]
        self._path: Final = path
        self._sock: socket.socket | None = None
        self._closed = False

    def _put(self, level: LogLevel, line: str) -> None:
        if self._closed:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        stamp = time.strftime("%b %e %H:%M:%S")
        head = f"<{self._facility * 8 + level.syslog_severity}>{stamp} {self._ident}[{os.getpid()}]: "
        raw = encode_line(head + line)[:-1]
        try:
            self._send(raw)
        except OSError:
            self._disconnect()
            raise

    def close(self) -> None:
        """Close the socket; lines written later are dropped. Safe to call twice."""
        self._closed = True
        self._disconnect()

    def _send(self, raw: bytes) -> None:
        try:
            self._connected().send(raw)
        except BlockingIOError:
            raise
        except OSError:
            # The daemon was restarted: its socket is another one now.
            self._disconnect()
            self._connected().send(raw)

    def _connected(self) -> socket.socket:
        if self._sock is None:
            sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            sock.setblocking(False)
            try:
                sock.connect(self._path)
            except OSError:
                sock.close()
                raise
            self._sock = sock
        return self._sock

    def _disconnect(self) -> None:
        if self._sock is not None:
            self._sock.close()
        self._sock = None


def _describe(error: OSError) -> str:
    return os.strerror(error.errno) if error.errno else str(error)
