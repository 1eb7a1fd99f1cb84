"""Aim: `configure` gives an output that does what the directives say and tells about its own trouble.

Method: real files and pipes, lines read back; a stock server's log as the yardstick of the legacy format.
"""

from __future__ import annotations

import json
import os
import pty
import re
import socket
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.observability.test_formats import LEGACY_LINE, parse_logfmt
from trioredis.observability import (
    EVENTS,
    LogContractError,
    LogFormat,
    LogLevel,
    LogOutput,
    LogSettings,
    Role,
    TimestampFormat,
    configure,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests._servers import Server

NOW_NS = 1_700_000_000_123_000_000


@contextmanager
def output(path: Path | str = "", stdout_fd: int | None = None, **settings: Any) -> Iterator[LogOutput]:
    made = configure(LogSettings(logfile=str(path), **settings), stdout_fd=stdout_fd, clock_ns=lambda: NOW_NS)
    try:
        yield made
    finally:
        made.close()


def close_listener(out: LogOutput, name: str = "x") -> None:
    """Log something harmless at level notice."""
    out.log.emit(EVENTS.LISTENER_CLOSED, listener=name)


@pytest.mark.parametrize("threshold", list(LogLevel))
def test_loglevel(threshold: LogLevel, tmp_path: Path) -> None:
    path = tmp_path / "log"
    with output(path, level=threshold, format=LogFormat.JSON) as out:
        out.log.emit(EVENTS.CLIENT_OPENED, client_id=1, addr="a")
        out.log.emit(EVENTS.LISTENER_CLOSED, listener="x")
        out.log.emit(EVENTS.LISTENER_FAILED, listener="x", error="e")
        out.level = LogLevel.WARNING
        out.log.emit(EVENTS.LISTENER_CLOSED, listener="later")
    levels = [json.loads(line)["level"] for line in path.read_text().splitlines()]
    expected = [LogLevel.VERBOSE, LogLevel.NOTICE, LogLevel.WARNING]
    assert levels == [level.structured_name for level in expected if level >= threshold]


def test_formats_can_change_while_running(tmp_path: Path) -> None:
    path = tmp_path / "log"
    with output(path) as out:
        close_listener(out)
        out.set_format(format=LogFormat.LOGFMT)
        close_listener(out)
        out.set_format(timestamps=TimestampFormat.MILLISECONDS)
        close_listener(out)
        out.set_format(format=LogFormat.JSON)
        close_listener(out)
    legacy, logfmt, with_ms, as_json = path.read_text().splitlines()
    assert LEGACY_LINE.fullmatch(legacy)
    assert parse_logfmt(logfmt)["event"] == "listener.closed"
    assert parse_logfmt(with_ms)["timestamp"] == "1700000000123"
    assert json.loads(as_json)["timestamp"] == 1_700_000_000_123


def test_role_is_that_of_the_moment(tmp_path: Path) -> None:
    path = tmp_path / "log"
    with output(path) as out:
        close_listener(out)
        out.role = Role.REPLICA
        close_listener(out)
    assert [line.partition(" ")[0].partition(":")[2] for line in path.read_text().splitlines()] == ["M", "S"]


@pytest.mark.parametrize(
    ("no_color", "colours", "expected"),
    [(None, None, True), ("1", None, False), ("", None, True), ("1", True, True), (None, False, False)],
)
def test_colours_on_a_terminal(
    no_color: str | None, colours: bool | None, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    if no_color is not None:
        monkeypatch.setenv("NO_COLOR", no_color)
    theirs, ours = pty.openpty()
    try:
        with output(stdout_fd=ours, colours=colours) as out:
            close_listener(out)
            assert (b"\x1b[" in os.read(theirs, 4096)) is expected
    finally:
        os.close(theirs)
        os.close(ours)


def test_no_colours_in_files_and_in_structured_formats(tmp_path: Path) -> None:
    with output(tmp_path / "log") as out:
        close_listener(out)
    assert "\x1b" not in (tmp_path / "log").read_text()
    with output(tmp_path / "log2", format=LogFormat.JSON, colours=True) as out:
        close_listener(out)
    assert json.loads((tmp_path / "log2").read_text())["event"] == "listener.closed"


def test_lost_lines_are_told_once_writing_works_again() -> None:
    reader, writer = os.pipe()
    with ExitStack() as stack:
        stack.callback(os.close, reader)
        stack.callback(os.close, writer)
        out = stack.enter_context(output(stdout_fd=writer, format=LogFormat.JSON))
        while out.statistics().file.lines_dropped < 3:
            close_listener(out, "y" * 300)
        got = os.read(reader, 1 << 20)
        close_listener(out, "after")
        close_listener(out, "next")
        got += os.read(reader, 1 << 20)
        statistics = out.statistics().file
    lines = [json.loads(line) for line in got.splitlines()]
    told = [line for line in lines if line["event"] == "log.lost"]
    # A short line may have found room between two that did not, hence a sum.
    assert sum(line["lines"] for line in told) == statistics.lines_dropped == 3
    assert {(line["output"], line["error"]) for line in told} == {("file", "Resource temporarily unavailable")}
    assert [line.get("listener") for line in lines[-3:]] == [None, "after", "next"]
    assert statistics.lines_written == len(lines)


def test_a_line_is_lost_rather_than_written_where_lost_ones_are_not_told(tmp_path: Path) -> None:
    """A device that is full takes neither: the count goes on."""
    with output("/dev/full") as out:
        for _ in range(4):
            close_listener(out)
        statistics = out.statistics()
    assert (statistics.file.lines_written, statistics.file.lines_dropped) == (0, 4)
    assert statistics.file.last_error == "No space left on device"


def test_closing_tells_what_was_lost() -> None:
    reader, writer = os.pipe()
    with ExitStack() as stack:
        stack.callback(os.close, reader)
        stack.callback(os.close, writer)
        with output(stdout_fd=writer, format=LogFormat.JSON) as out:
            while out.statistics().file.lines_dropped == 0:
                close_listener(out, "y" * 300)
            os.read(reader, 1 << 20)
        assert json.loads(os.read(reader, 1 << 16))["event"] == "log.lost"


def test_reopening_says_so_in_the_new_file(tmp_path: Path) -> None:
    path, old = tmp_path / "log", tmp_path / "log.1"
    with output(path) as out:
        close_listener(out)
        path.rename(old)
        assert out.reopen()
    assert len(old.read_text().splitlines()) == 1
    assert path.read_text().endswith(f"Log file opened again file={path}\n")


def test_reopening_that_fails_says_so_in_the_old_file(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    with output(folder / "log") as out:
        folder.rename(tmp_path / "moved")
        assert not out.reopen()
    text = (tmp_path / "moved" / "log").read_text()
    assert f"Cannot open the log file {folder}/log again: No such file or directory" in text


def test_strict_outputs_raise_and_others_log(tmp_path: Path) -> None:
    path = tmp_path / "log"
    with output(path, strict=True) as out, pytest.raises(LogContractError):
        out.log.emit(EVENTS.LISTENER_CLOSED)
    with output(path) as out:
        for _ in range(3):
            out.log.emit(EVENTS.LISTENER_CLOSED)
        assert out.statistics().bad_events == 3
    bad = "Event listener.closed was logged against the catalogue: field listener is missing"
    lines = path.read_text().splitlines()
    assert [line.partition(" # ")[2] for line in lines if " # " in line] == [bad]
    assert sum(line.endswith("No longer listening on ?") for line in lines) == 3


def test_misuse_is_not_logged_above_warning(tmp_path: Path) -> None:
    with output(tmp_path / "log", level=LogLevel.NOTHING) as out:
        out.log.emit("nonsense")  # type: ignore[arg-type]
        assert out.statistics().bad_events == 1
    assert (tmp_path / "log").read_text() == ""


def test_syslog_gets_message_and_context(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as daemon:
        daemon.bind(str(tmp_path / "syslog"))
        settings: dict[str, Any] = {"syslog_enabled": True, "syslog_path": str(tmp_path / "syslog")}
        with output(tmp_path / "log", **settings) as out:
            out.log.bind(user="ann").emit(EVENTS.LISTENER_CLOSED, listener="x")
            assert daemon.recv(5000).decode().partition("]: ")[2] == "No longer listening on x user=ann"
            out.set_format(format=LogFormat.JSON)
            close_listener(out)
            assert json.loads(daemon.recv(5000).decode().partition("]: ")[2])["event"] == "listener.closed"
            statistics = out.statistics()
    assert statistics.syslog is not None
    assert (statistics.file.lines_written, statistics.syslog.lines_written) == (2, 2)


def test_trouble_with_syslog_is_told_to_syslog_and_not_to_the_file(tmp_path: Path) -> None:
    path = tmp_path / "log"
    with output(path, syslog_enabled=True, syslog_path=str(tmp_path / "syslog")) as out:
        close_listener(out)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as daemon:
            daemon.bind(str(tmp_path / "syslog"))
            close_listener(out)
            assert b"1 log lines were lost: No such file or directory output=syslog" in daemon.recv(5000)
            assert daemon.recv(5000).endswith(b"No longer listening on x")
    assert len(path.read_text().splitlines()) == 2


def test_unknown_facility() -> None:
    with pytest.raises(ValueError, match="unknown syslog facility 'local8'"):
        LogSettings(syslog_facility="local8")


def test_the_log_file_must_be_openable(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        configure(LogSettings(logfile=str(tmp_path / "absent" / "log")))


def run_with_stdout_closed(script: str, directory: Path) -> subprocess.CompletedProcess[str]:
    command = f"exec \"{sys.executable}\" -c '{script}' >&-"
    return subprocess.run(
        ["/bin/sh", "-c", command],
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        cwd=directory,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
    )


def test_standard_output_closed_at_the_start_is_not_another_file(tmp_path: Path) -> None:
    """Number 1 may be given to the next file that is opened, which must not get our log lines."""
    script = """
from trioredis.observability import *
victim = open("victim", "w")
out = configure(LogSettings())
out.log.emit(EVENTS.LISTENER_CLOSED, listener="x")
import sys
sys.stderr.write(f"{victim.fileno()} {out.statistics().file.last_error}")
"""
    done = run_with_stdout_closed(script, tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr == "1 Bad file descriptor"
    assert (tmp_path / "victim").read_text() == ""


def test_outputs_do_not_share_anything(tmp_path: Path) -> None:
    with output(tmp_path / "a", level=LogLevel.NOTHING) as quiet, output(tmp_path / "b") as loud:
        close_listener(quiet)
        close_listener(loud)
    assert (tmp_path / "a").read_text() == ""
    assert len((tmp_path / "b").read_text().splitlines()) == 1


def test_the_legacy_line_has_the_form_of_a_stock_servers(redis_server: Server, tmp_path: Path) -> None:
    with output(tmp_path / "log") as out:
        close_listener(out)
    stock = [line for line in redis_server.log_path.read_text().splitlines() if re.match(r"\d+:", line)]
    ours = (tmp_path / "log").read_text().splitlines()
    assert stock
    for line in stock + ours:
        assert LEGACY_LINE.fullmatch(line), line
