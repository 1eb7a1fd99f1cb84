"""Aim: a log line is one write that never raises and never waits; what cannot be written is counted and told.

Method: real descriptors that refuse: a full device, a pipe nobody reads or whose reader has gone, a closed standard
output, a socket, a file at its size limit, a file that is renamed. Output is always read from the other end.
"""

from __future__ import annotations

import errno
import fcntl
import os
import pty
import resource
import signal
import socket
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from trioredis.observability.formats import LINE_BYTES_MAX
from trioredis.observability.levels import LogLevel
from trioredis.observability.sink import FileSink, Sink, SyslogSink, encode_line

if TYPE_CHECKING:
    from collections.abc import Iterator

NOTICE = LogLevel.NOTICE
FULL = Path("/dev/full")
BIG_LINE = "x" * 3000


@pytest.fixture
def cleanup() -> Iterator[ExitStack]:
    """Closes what a test opened, in reverse order."""
    with ExitStack() as stack:
        yield stack


def own(stack: ExitStack, fd: int) -> int:
    stack.callback(os.close, fd)
    return fd


def opened(stack: ExitStack, path: str | Path = "", stdout_fd: int | None = None) -> FileSink:
    sink = FileSink(str(path), stdout_fd)
    stack.callback(sink.close)
    return sink


def pipe(stack: ExitStack) -> tuple[int, FileSink]:
    """The reading end of a pipe, and a sink that has the writing end as standard output."""
    reader, writer = os.pipe()
    return reader, opened(stack, stdout_fd=own(stack, writer))


def fill(sink: Sink) -> int:
    """Write until a line is dropped; how many went out."""
    count = 0
    while sink.write(NOTICE, BIG_LINE):
        count += 1
    return count


def test_lines_are_appended(cleanup: ExitStack, tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("old\n")
    sink = opened(cleanup, path)
    assert sink.write(NOTICE, "one")
    assert sink.write(NOTICE, "two")
    assert path.read_text() == "old\none\ntwo\n"
    assert (sink.statistics().lines_written, sink.statistics().lines_dropped) == (2, 0)


def test_each_line_is_one_write(cleanup: ExitStack) -> None:
    """A packet socket keeps the borders between writes."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        sink = opened(cleanup, stdout_fd=theirs.fileno())
        for line in ("one", BIG_LINE, "three"):
            assert sink.write(NOTICE, line)
        assert [ours.recv(1 << 16) for _ in range(3)] == [b"one\n", BIG_LINE.encode() + b"\n", b"three\n"]


def test_a_line_is_cut_at_the_limit_between_characters(cleanup: ExitStack) -> None:
    raw = encode_line("é" * 5000)
    assert len(raw) <= LINE_BYTES_MAX
    assert raw.decode().startswith("ééé")
    assert raw.endswith("é...\n".encode())


def test_a_missing_folder_is_an_error_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        FileSink(str(tmp_path / "absent" / "log"))


def test_a_full_disk_drops_and_counts(cleanup: ExitStack) -> None:
    sink = opened(cleanup, FULL)
    for _ in range(3):
        assert not sink.write(NOTICE, "lost")
    assert sink.statistics().lines_dropped == sink.pending_lost == 3
    assert sink.last_error == os.strerror(errno.ENOSPC)


def test_telling_of_lost_lines_is_not_counted_as_lost(cleanup: ExitStack) -> None:
    sink = opened(cleanup, FULL)
    sink.write(NOTICE, "lost")
    assert not sink.tell_lost(NOTICE, "one line was lost")
    assert sink.statistics().lines_dropped == sink.pending_lost == 1


def test_a_reader_that_has_gone(cleanup: ExitStack) -> None:
    reader, sink = pipe(cleanup)
    assert sink.write(NOTICE, "read")
    os.close(reader)
    assert not sink.write(NOTICE, "lost")
    assert sink.last_error == os.strerror(errno.EPIPE)


def test_a_reader_that_does_not_read_is_not_waited_for(cleanup: ExitStack) -> None:
    reader, sink = pipe(cleanup)
    own(cleanup, reader)
    written = fill(sink)
    assert sink.last_error == os.strerror(errno.EAGAIN)
    got = b""
    while len(got) < written * (len(BIG_LINE) + 1):
        got += os.read(reader, 1 << 16)
    assert got == (BIG_LINE.encode() + b"\n") * written
    assert sink.write(NOTICE, "again")
    assert os.read(reader, 100) == b"again\n"


def test_standard_output_stays_blocking_for_others(cleanup: ExitStack) -> None:
    reader, writer = os.pipe()
    own(cleanup, reader)
    opened(cleanup, stdout_fd=own(cleanup, writer))
    assert not fcntl.fcntl(writer, fcntl.F_GETFL) & os.O_NONBLOCK


def test_a_pipe_that_cannot_be_opened_anew_is_not_waited_for_either(
    cleanup: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: str, flags: int, mode: int = 0o777) -> int:
        raise PermissionError(errno.EACCES, path)

    monkeypatch.setattr(os, "open", refuse)
    reader, sink = pipe(cleanup)
    own(cleanup, reader)
    assert fill(sink) > 0
    assert sink.last_error == os.strerror(errno.EAGAIN)
    os.read(reader, 1 << 20)
    assert sink.write(NOTICE, "again")


def test_a_socket_as_standard_output(cleanup: ExitStack) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        sink = opened(cleanup, stdout_fd=theirs.fileno())
        assert fill(sink) > 0
        assert sink.last_error == os.strerror(errno.EAGAIN)
        assert theirs.getblocking()
        ours.close()
        assert not sink.write(NOTICE, "lost")
        assert sink.last_error == os.strerror(errno.EPIPE)


def test_closed_standard_output(cleanup: ExitStack) -> None:
    sink = opened(cleanup, stdout_fd=None)
    assert not sink.write(NOTICE, "lost")
    assert not sink.is_tty
    assert sink.last_error == os.strerror(errno.EBADF)


def test_writing_after_closing_is_counted(cleanup: ExitStack, tmp_path: Path) -> None:
    sink = FileSink(str(tmp_path / "log"))
    sink.close()
    sink.close()
    assert not sink.write(NOTICE, "lost")
    assert (tmp_path / "log").read_text() == ""


def test_standard_output_may_be_closed_behind_our_back(cleanup: ExitStack) -> None:
    reader, writer = os.pipe()
    own(cleanup, reader)
    sink = opened(cleanup, stdout_fd=writer)
    os.close(writer)
    assert sink.write(NOTICE, "ours")
    assert os.read(reader, 100) == b"ours\n"


def test_terminals_are_recognised(cleanup: ExitStack) -> None:
    theirs, ours = pty.openpty()
    own(cleanup, theirs)
    sink = opened(cleanup, stdout_fd=own(cleanup, ours))
    assert sink.is_tty
    assert sink.write(NOTICE, "shown")
    assert os.read(theirs, 100) == b"shown\r\n"


@contextmanager
def file_size_limit(size_bytes: int) -> Iterator[None]:
    """Let no file of this process grow beyond ``size_bytes``."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)


def test_a_torn_line_is_ended_before_the_next(cleanup: ExitStack, tmp_path: Path) -> None:
    sink = opened(cleanup, tmp_path / "log")
    assert sink.write(NOTICE, "first")
    with file_size_limit(10):
        assert not sink.write(NOTICE, "second")
        assert sink.last_error == "only a part of the line was written"
        assert not sink.write(NOTICE, "third")
        assert sink.last_error == os.strerror(errno.EFBIG)
    assert sink.write(NOTICE, "fourth")
    assert sink.write(NOTICE, "fifth")
    assert (tmp_path / "log").read_text() == "first\nseco\nfourth\nfifth\n"
    assert sink.statistics().lines_dropped == 2


def test_a_renamed_file_is_left_before_the_next_line(cleanup: ExitStack, tmp_path: Path) -> None:
    path, old = tmp_path / "log", tmp_path / "log.1"
    sink = opened(cleanup, path)
    sink.write(NOTICE, "before")
    path.rename(old)
    sink.write(NOTICE, "after")
    assert (old.read_text(), path.read_text()) == ("before\n", "after\n")


def test_a_file_replaced_by_another_is_noticed(cleanup: ExitStack, tmp_path: Path) -> None:
    path = tmp_path / "log"
    sink = opened(cleanup, path)
    sink.write(NOTICE, "before")
    other = tmp_path / "other"
    other.write_text("new\n")
    other.rename(path)
    sink.write(NOTICE, "after")
    assert path.read_text() == "new\nafter\n"


def test_the_old_file_stays_in_use_when_the_new_one_cannot_be_opened(cleanup: ExitStack, tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    sink = opened(cleanup, folder / "log")
    moved = tmp_path / "moved"
    folder.rename(moved)
    assert sink.write(NOTICE, "kept")
    assert (moved / "log").read_text() == "kept\n"
    with pytest.raises(FileNotFoundError):
        sink.reopen()
    assert sink.write(NOTICE, "still kept")
    assert (moved / "log").read_text() == "kept\nstill kept\n"


def test_reopening_leaks_no_descriptor(cleanup: ExitStack, tmp_path: Path) -> None:
    sink = opened(cleanup, tmp_path / "log")
    before = sorted(os.listdir("/proc/self/fd"))
    for _ in range(5):
        sink.reopen()
    assert sorted(os.listdir("/proc/self/fd")) == before


def test_the_log_is_not_inherited_by_children(cleanup: ExitStack, tmp_path: Path) -> None:
    opened(cleanup, tmp_path / "log")
    script = "import os; print([os.path.realpath(one.path) for one in os.scandir('/proc/self/fd')])"
    child = subprocess.run([sys.executable, "-c", script], close_fds=False, check=True, capture_output=True, text=True)
    assert str(tmp_path) not in child.stdout


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[socket.socket]:
    """What listens at /dev/log on a real system."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "syslog"))
        listening.setblocking(False)
        yield listening


def to_syslog(stack: ExitStack, path: Path, facility: str = "local3") -> SyslogSink:
    sink = SyslogSink("trio", facility, str(path / "syslog"))
    stack.callback(sink.close)
    return sink


@pytest.mark.parametrize(
    ("level", "priority"),
    [(LogLevel.DEBUG, 159), (LogLevel.VERBOSE, 158), (LogLevel.NOTICE, 157), (LogLevel.WARNING, 156)],
)
def test_syslog_line(level: LogLevel, priority: int, cleanup: ExitStack, daemon: socket.socket, tmp_path: Path) -> None:
    sink = to_syslog(cleanup, tmp_path)
    assert sink.write(level, "message")
    got = daemon.recv(5000).decode()
    head, _, text = got.partition(f" trio[{os.getpid()}]: ")
    assert text == "message"
    assert head.startswith(f"<{priority}>")
    assert len(head) == len(f"<{priority}>Nov  4 22:13:20")


def test_a_missing_syslog_daemon_is_counted_and_found_later(cleanup: ExitStack, tmp_path: Path) -> None:
    sink = to_syslog(cleanup, tmp_path)
    assert not sink.write(NOTICE, "lost")
    assert sink.last_error == os.strerror(errno.ENOENT)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as late:
        late.bind(str(tmp_path / "syslog"))
        assert sink.write(NOTICE, "found")
        assert late.recv(5000).endswith(b": found")


def test_a_restarted_syslog_daemon_loses_no_line(cleanup: ExitStack, daemon: socket.socket, tmp_path: Path) -> None:
    sink = to_syslog(cleanup, tmp_path)
    assert sink.write(NOTICE, "one")
    daemon.close()
    (tmp_path / "syslog").unlink()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as second:
        second.bind(str(tmp_path / "syslog"))
        assert sink.write(NOTICE, "two")
        assert second.recv(5000).endswith(b": two")


def test_a_syslog_daemon_that_does_not_read_is_not_waited_for(
    cleanup: ExitStack, daemon: socket.socket, tmp_path: Path
) -> None:
    sink = to_syslog(cleanup, tmp_path)
    assert fill(sink) > 0
    assert sink.last_error == os.strerror(errno.EAGAIN)
    daemon.recv(5000)
    assert sink.write(NOTICE, "again")


def test_a_closed_syslog_sink_drops(cleanup: ExitStack, daemon: socket.socket, tmp_path: Path) -> None:
    sink = to_syslog(cleanup, tmp_path)
    sink.close()
    assert not sink.write(NOTICE, "lost")
    with pytest.raises(BlockingIOError):
        daemon.recv(5000)
