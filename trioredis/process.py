"""What a redis.conf asks of the process around the server, besides serving.

    begin()     before anything is open: current directory, background
    settle()    before serving: limits, priorities; warnings go to the log
    ready()     it serves: pid file, title, service manager, the waiting parent
    stopping()  service manager
    end()       pid file

Only a server that has its process to itself does these things; one inside another program does none of them.
"""

from __future__ import annotations

import faulthandler
import os
import resource
import signal
import socket
from collections.abc import Callable
from typing import Final, final

from trioredis.config import Config, ConfigApplyError
from trioredis.daemon import Background
from trioredis.engine import EngineError, disable_huge_pages, set_title
from trioredis.observability import EVENTS, Log
from trioredis.observability.process import supervisor

PROGRAM: Final = "trioredis-server"
RESERVED_FILES: Final = 32
"""Descriptors besides those of clients, as in Redis."""
DEFAULT_PID_FILE: Final = "/var/run/redis.pid"
OOM_PATH: Final = "/proc/self/oom_score_adj"
OOM_MAX: Final = 1000
THP_PATH: Final = "/sys/kernel/mm/transparent_hugepage/enabled"
SOMAXCONN_PATH: Final = "/proc/sys/net/core/somaxconn"
NR_OPEN_PATH: Final = "/proc/sys/fs/nr_open"
ANY_ADDRESSES: Final = ("*", "0.0.0.0", "::", "::*")


class StartupError(Exception):
    """The server can't start; the text is one clear line.

    Args:
        step: what was being done, for the log.
    """

    def __init__(self, step: str, text: str) -> None:
        super().__init__(text)
        self.step = step


@final
class Process:
    """The process of one server."""

    def __init__(self, config: Config) -> None:
        self._config: Final = config
        self._supervisor: Final = supervisor(config.supervised)
        self._background: Background | None = None
        self._pid_file = ""
        self._oom_base: int | None = None
        self._crash_fd = -1
        self.is_ready = False

    def begin(self) -> None:
        """Go to the current directory and to the background that the configuration names.

        In the background only the child returns; the parent ends when the child serves or has failed.

        Raises:
            StartupError: there is no such directory, or no process to be had.
        """
        try:
            os.chdir(self._config.directory)
        except OSError as error:
            raise StartupError("dir", f"can't chdir to '{self._config.directory}': {error.strerror}") from error
        if not self._config.daemonize or self._supervisor != "no":
            return
        try:
            self._background = Background.enter()
        except OSError as error:
            raise StartupError("daemonize", f"can't go to the background: {error.strerror}") from error

    def settle(self, log: Log) -> None:
        """Set limits and priorities, follow CONFIG SET in them, and warn of what is doubtful.

        Raises:
            StartupError: not even a few descriptors are to be had.
        """
        config = self._config
        self._limit_files_at_start(log)
        self._warn_of_backlog(log)
        if self._supervisor == "no" and config.supervised not in ("no", "auto"):
            problem = f"{config.supervised} has not started this process, so it is not told"
            log.emit(EVENTS.CONFIG_WARNING, directive="supervised", problem=problem)
        self._warn(log, "oom-score-adj", self._set_oom_score)
        self._warn(log, "server-cpulist", self._pin)
        self._warn(log, "crash-log-enabled", self._report_crashes)
        if config.flag("disable-thp") and _read(THP_PATH).startswith("[always]"):
            self._warn(log, "disable-thp", _disable_huge_pages)
        config.on_change("crash-log-enabled", self._report_crashes)
        config.on_change("dir", self._change_directory)
        config.on_change("maxclients", self._change_maxclients)
        config.on_change(("oom-score-adj", "oom-score-adj-values"), self._set_oom_score)
        config.on_change("proc-title-template", self._show_title)

    def ready(self, log: Log) -> None:
        """The server serves: write the pid file, show the title, tell whoever waits for it."""
        self.is_ready = True
        self._warn(log, "pidfile", self._write_pid_file)
        self._warn(log, "proc-title-template", self._show_title)
        if self._supervisor == "systemd":
            self._warn(log, "supervised", lambda: _notify("STATUS=Ready to accept connections\nREADY=1\n"))
        elif self._supervisor == "upstart":
            os.kill(os.getpid(), signal.SIGSTOP)
        if self._background is not None:
            self._background.succeeded()

    def stopping(self, log: Log) -> None:
        """The server ends now and does not come back."""
        if self._supervisor == "systemd":
            self._warn(log, "supervised", lambda: _notify("STATUS=Stopping\nSTOPPING=1\n"))

    def failed(self, reason: str) -> None:
        """The server could not start: say why to the parent that waits, if one does."""
        if self._background is not None:
            self._background.failed(reason)

    def end(self) -> None:
        """Remove the pid file and watch for crashes no more. Idempotent."""
        self._stop_crash_reports()
        path, self._pid_file = self._pid_file, ""
        if path:
            try:
                os.unlink(path)
            except OSError:
                return  # somebody else has removed it, or its folder

    def _warn(self, log: Log, directive: str, act: Callable[[], None]) -> None:
        """Do what a directive asks for; a refusal is a line in the log and no more."""
        try:
            act()
        except ConfigApplyError as refused:
            log.emit(EVENTS.CONFIG_WARNING, directive=directive, problem=str(refused))

    def _report_crashes(self) -> None:
        """Have Python write where every thread was, should the process crash: to the log file or to standard error."""
        self._stop_crash_reports()
        if not self._config.flag("crash-log-enabled"):
            return
        if not self._config.logfile:
            faulthandler.enable()
            return
        try:
            self._crash_fd = os.open(self._config.logfile, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise ConfigApplyError(f"can't open {self._config.logfile}: {error.strerror}") from error
        faulthandler.enable(self._crash_fd)

    def _stop_crash_reports(self) -> None:
        faulthandler.disable()
        fd, self._crash_fd = self._crash_fd, -1
        if fd >= 0:
            os.close(fd)

    # Open files.

    def _limit_files_at_start(self, log: Log) -> None:
        wanted = self._config.maxclients
        files = raise_file_limit(wanted + RESERVED_FILES)
        if files >= wanted + RESERVED_FILES:
            return
        if files <= RESERVED_FILES:
            raise StartupError("files", f"only {files} open files are allowed, {RESERVED_FILES} are not enough")
        self._config.assign("maxclients", str(files - RESERVED_FILES))
        log.emit(EVENTS.SERVER_FD_LIMIT, wanted=wanted, maxclients=files - RESERVED_FILES, files_max=files)

    def _change_maxclients(self) -> None:
        files = raise_file_limit(self._config.maxclients + RESERVED_FILES)
        if files < self._config.maxclients + RESERVED_FILES:
            raise ConfigApplyError(
                "The operating system is not able to handle the specified number of clients, "
                f"try with {files - RESERVED_FILES}"
            )

    def _warn_of_backlog(self, log: Log) -> None:
        backlog, allowed = self._config.tcp_backlog, _read(SOMAXCONN_PATH).strip()
        if self._config.port and allowed.isdigit() and int(allowed) < backlog:
            problem = f"{backlog} is not in force, because {SOMAXCONN_PATH} is {allowed}"
            log.emit(EVENTS.CONFIG_WARNING, directive="tcp-backlog", problem=problem)

    def _change_directory(self) -> None:
        try:
            os.chdir(self._config.directory)
        except OSError as error:
            raise ConfigApplyError(os.strerror(error.errno or 0)) from error

    # Priorities.

    def _set_oom_score(self) -> None:
        mode = self._config.text("oom-score-adj")
        if mode == "no" and self._oom_base is None:
            return
        values = self._config["oom-score-adj-values"]
        assert isinstance(values, tuple)
        try:
            if self._oom_base is None:
                self._oom_base = int(_read(OOM_PATH) or 0)
            score = self._oom_base if mode == "no" else int(str(values[0]))
            score += self._oom_base if mode in ("relative", "yes") else 0
            with open(OOM_PATH, "w", encoding="ascii") as file:
                file.write(str(max(-OOM_MAX, min(OOM_MAX, score))))
        except OSError as error:
            raise ConfigApplyError("Failed to apply new oom_score_adj configuration, check server logs.") from error
        if mode == "no":
            self._oom_base = None

    def _pin(self) -> None:
        words = self._config.text("server-cpulist")
        if not words:
            return
        try:
            os.sched_setaffinity(0, parse_cpus(words))
        except (ValueError, OSError) as error:
            raise ConfigApplyError(f"the processors {words} can't be had: {error}") from error

    # What others see.

    def _write_pid_file(self) -> None:
        path = self._config.pidfile or (DEFAULT_PID_FILE if self._background else "")
        if not path:
            return
        path = os.path.abspath(path)  # CONFIG SET dir may move us before the end
        try:
            with open(path, "w", encoding="ascii") as file:
                file.write(f"{os.getpid()}\n")
        except OSError as error:
            raise ConfigApplyError(f"can't write {path}: {error.strerror}") from error
        self._pid_file = path

    def _show_title(self) -> None:
        if not self._config.flag("set-proc-title"):
            return
        try:
            set_title(title(self._config))
        except EngineError as error:
            raise ConfigApplyError(f"the title can't be shown: {error}") from error


def raise_file_limit(wanted: int) -> int:
    """Have the system allow ``wanted`` open files, or as many as can be had; returns how many are allowed now."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return wanted
    most = _read(NR_OPEN_PATH).strip()
    candidates = [wanted, min(wanted, int(most) if most.isdigit() else wanted), min(wanted, hard)]
    for number in candidates:
        if number <= soft:
            continue
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (number, max(hard, number)))
        except (ValueError, OSError):
            continue
        return number
    return soft


def parse_cpus(words: str) -> set[int]:
    """Read a list of processors: ``0,2-4`` or, with a step, ``0-7:2``.

    Raises:
        ValueError: it is none.
    """
    found: set[int] = set()
    for part in words.split(","):
        span, _, step = part.partition(":")
        first, dash, last = span.partition("-")
        found.update(range(int(first), int(last if dash else first) + 1, int(step or 1)))
    return found


def title(config: Config) -> str:
    """What ``proc-title-template`` makes of the configuration."""
    host = next((one.removeprefix("-") for one in config.bind), "*")
    listening = f"{'*' if host in ANY_ADDRESSES else host}:{config.port}" if config.port else config.unixsocket
    values = {
        "{title}": PROGRAM,
        "{listen-addr}": listening,
        "{server-mode}": "",
        "{port}": str(config.port),
        "{tls-port}": str(config.integer("tls-port")),
        "{unixsocket}": config.unixsocket,
        "{config-file}": config.path,
    }
    text = config.text("proc-title-template")
    for name, value in values.items():
        text = text.replace(name, value)
    return text.rstrip()


def _notify(state: str) -> None:
    """Tell systemd. ConfigApplyError: its socket is not there."""
    path = os.environ.get("NOTIFY_SOCKET", "")
    address = "\0" + path[1:] if path.startswith("@") else path
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
            sock.sendto(state.encode(), address)
    except OSError as error:
        raise ConfigApplyError(f"systemd can't be told at {path}: {error.strerror}") from error


def _disable_huge_pages() -> None:
    try:
        disable_huge_pages()
    except EngineError as error:
        raise ConfigApplyError(f"huge pages stay: {error}") from error


def _read(path: str) -> str:
    """The text of a file of the kernel's; empty when it is not there."""
    try:
        with open(path, encoding="ascii") as file:
            return file.read()
    except OSError:
        return ""
