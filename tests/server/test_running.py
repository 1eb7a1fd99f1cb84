"""Aim: the process does what a redis.conf asks of it: background, pid file, service manager, limits, titles.

Method: real processes; what they tell the kernel is read from /proc, what they tell systemd from a socket of the test.
"""

from __future__ import annotations

import ctypes
import os
import resource
import select
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from tests._resp import ClosedError, RespClient
from tests._servers import free_port
from tests.server.kit import HOST, PATIENCE_SECONDS, Process
from trioredis.config import Config
from trioredis.observability.process import supervisor
from trioredis.process import RESERVED_FILES, parse_cpus, title

if TYPE_CHECKING:
    from collections.abc import Iterator

READY: Final = "Ready to accept connections"
PR_CAPBSET_DROP: Final = 24  # from <linux/prctl.h>
CAP_SYS_RESOURCE: Final = 24  # from <linux/capability.h>


@contextmanager
def server(directory: Path, *args: str, **options: object) -> Iterator[Process]:
    """Run a server until the end of the block; it serves from the beginning."""
    with Process(directory, "--bind", HOST, *args, **options) as process:  # type: ignore[arg-type]
        process.wait_for(READY)
        yield process


def proc(pid: int, name: str) -> str:
    """Return a file of the kernel's about a process."""
    return Path(f"/proc/{pid}/{name}").read_text()


def config_get(client: RespClient, name: str) -> str:
    """Return a value that CONFIG GET has."""
    kind, value = client.call("CONFIG", "GET", name)
    assert kind == "array"
    return str(value[1][1], "utf-8")


def close_server(client: RespClient) -> None:
    """SHUTDOWN; return when the connection has ended."""
    with pytest.raises(ClosedError):
        client.call("SHUTDOWN", "NOSAVE")


def wait_gone(pid: int) -> None:
    """Return when a process that is nobody's child here has ended."""
    fd = os.pidfd_open(pid)
    try:
        assert select.select([fd], [], [], PATIENCE_SECONDS)[0] == [fd]
    finally:
        os.close(fd)


def test_in_the_background(tmp_path: Path) -> None:
    port = free_port()
    file = tmp_path / "redis.conf"
    file.write_text(f"bind {HOST}\nport {port}\ndaemonize yes\npidfile run.pid\nlogfile server.log\ndir {tmp_path}\n")
    started = subprocess.run(
        [sys.executable, "-m", "trioredis", str(file)],
        cwd="/",
        capture_output=True,
        check=False,
        timeout=PATIENCE_SECONDS,
    )
    assert (started.returncode, started.stdout, started.stderr) == (0, b"", b"")
    with RespClient((HOST, port)) as client:  # it serves as soon as the parent has ended
        pid = int((tmp_path / "run.pid").read_text())
        assert os.getsid(pid) not in (pid, os.getsid(0))
        assert {os.readlink(f"/proc/{pid}/fd/{fd}") for fd in range(3)} == {os.devnull}
        assert client.call("PING") == ("simple", b"PONG")
        close_server(client)
        wait_gone(pid)
    assert not (tmp_path / "run.pid").exists()
    assert "Stopped" in (tmp_path / "server.log").read_text()


def test_a_start_in_the_background_that_fails(tmp_path: Path) -> None:
    with socket.create_server((HOST, 0)) as taken:
        port = str(taken.getsockname()[1])
        options = ["--bind", HOST, "--port", port, "--daemonize", "yes", "--pidfile", "run.pid", "--logfile", "log"]
        started = subprocess.run(
            [sys.executable, "-m", "trioredis", *options],
            cwd=tmp_path,
            capture_output=True,
            check=False,
            timeout=PATIENCE_SECONDS,
            text=True,
        )
    line = f"cannot listen on {HOST} port {port}: the address is in use by another process"
    assert (started.returncode, started.stdout) == (1, "")
    assert started.stderr == f"trioredis-server: cannot start: {line}\n"
    assert f"Cannot start: {line} step=listen" in (tmp_path / "log").read_text()
    assert not (tmp_path / "run.pid").exists()


def test_the_pid_file(tmp_path: Path) -> None:
    path, elsewhere = tmp_path / "run.pid", tmp_path / "elsewhere"
    elsewhere.mkdir()
    with server(tmp_path, "--pidfile", "run.pid") as process:
        process.wait_until(path.exists)
        with RespClient((HOST, process.port)) as client:
            process.wait_until(lambda: path.read_text() == f"{process.process.pid}\n")
            assert client.call("CONFIG", "SET", "dir", str(elsewhere))[0] == "err"  # protected
            close_server(client)
        assert process.ended()[0] == 0
    assert not path.exists()


def test_a_pid_file_that_cannot_be_written(tmp_path: Path) -> None:
    with server(tmp_path, "--pidfile", "missing/run.pid") as process:
        line = process.wait_for("Directive pidfile")
        assert str(tmp_path / "missing/run.pid") in line


def test_the_directory(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    options = ("--dir", str(first), "--enable-protected-configs", "yes", "--logfile", "server.log")
    with Process(tmp_path, "--bind", HOST, *options) as process:
        process.wait_until(lambda: (first / "server.log").exists() and READY in (first / "server.log").read_text())
        pid = process.process.pid
        assert os.readlink(f"/proc/{pid}/cwd") == str(first)
        with RespClient((HOST, process.port)) as client:
            assert client.call("CONFIG", "SET", "dir", str(second)) == ("simple", b"OK")
            assert os.readlink(f"/proc/{pid}/cwd") == str(second)
            assert client.call("CONFIG", "SET", "dir", str(tmp_path / "third"))[0] == "err"
            assert os.readlink(f"/proc/{pid}/cwd") == str(second)


@pytest.mark.parametrize("abstract", [False, True])
def test_systemd_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, abstract: bool) -> None:
    path = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.settimeout(PATIENCE_SECONDS)
        manager.bind("\0" + path if abstract else path)
        monkeypatch.setenv("NOTIFY_SOCKET", "@" + path if abstract else path)
        with server(tmp_path, "--supervised", "auto", "--daemonize", "yes") as process:  # stays in the foreground
            assert "READY=1" in manager.recv(4096).decode().splitlines()
            with RespClient((HOST, process.port)) as client:
                assert b"process_supervised:systemd\r\n" in client.call("INFO", "server")[1]
            process.signal(signal.SIGTERM)
            assert "STOPPING=1" in manager.recv(4096).decode().splitlines()
            assert process.ended()[0] == 0


def test_upstart_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UPSTART_JOB", "redis")
    with server(tmp_path, "--supervised", "upstart") as process:
        pid = process.process.pid
        assert os.WIFSTOPPED(os.waitpid(pid, os.WUNTRACED)[1])
        process.signal(signal.SIGCONT)
        with RespClient((HOST, process.port)) as client:
            assert client.call("PING") == ("simple", b"PONG")


def test_the_supervisor_that_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("UPSTART_JOB", raising=False)
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    assert {supervisor(asked) for asked in ("no", "auto", "systemd", "upstart")} == {"no"}
    monkeypatch.setenv("NOTIFY_SOCKET", "/run/notify")
    assert [supervisor(asked) for asked in ("no", "auto", "systemd", "upstart")] == ["no", "systemd", "systemd", "no"]
    monkeypatch.setenv("UPSTART_JOB", "redis")
    assert [supervisor(asked) for asked in ("no", "auto", "systemd", "upstart")] == [
        "no",
        "upstart",
        "systemd",
        "upstart",
    ]


def test_a_service_manager_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    with Process(tmp_path, "--bind", HOST, "--supervised", "systemd") as process:
        assert "systemd has not started this process" in process.wait_for("Directive supervised")


def limit_files(soft: int, hard: int) -> None:
    """Allow this process so many open files, and no right to raise the hard limit to what it executes."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, CAP_SYS_RESOURCE)  # refused to all but root, who alone needs it


def test_the_limit_of_files_is_raised(tmp_path: Path) -> None:
    with server(tmp_path, "--maxclients", "500", preexec=partial(limit_files, 100, 1000)) as process:
        limit = resource.prlimit(process.process.pid, resource.RLIMIT_NOFILE)
        assert limit == (500 + RESERVED_FILES, 1000)
        with RespClient((HOST, process.port)) as client:
            assert config_get(client, "maxclients") == "500"
            assert client.call("CONFIG", "SET", "maxclients", "700") == ("simple", b"OK")
        assert resource.prlimit(process.process.pid, resource.RLIMIT_NOFILE)[0] == 700 + RESERVED_FILES


def test_a_hard_limit_lowers_maxclients(tmp_path: Path) -> None:
    with Process(tmp_path, "--bind", HOST, preexec=partial(limit_files, 100, 200)) as process:
        line = process.wait_for("maxclients lowered from 10000 to 168")
        assert "files_max=200" in line or line.rstrip().endswith("the limit of open files is 200")
        process.wait_for(READY)
        with RespClient((HOST, process.port)) as client:
            assert config_get(client, "maxclients") == "168"
            kind, text = client.call("CONFIG", "SET", "maxclients", "300")
            assert kind == "err"
            assert text.endswith(b"try with 168")
            assert config_get(client, "maxclients") == "168"


def test_the_title(tmp_path: Path) -> None:
    with server(tmp_path, "--proc-title-template", "{title} {listen-addr} {port}") as process:
        pid = process.process.pid
        wanted = f"trioredis-server {HOST}:{process.port} {process.port}"
        process.wait_until(lambda: proc(pid, "cmdline").rstrip("\0") == wanted)
        assert proc(pid, "comm") == "trioredis-serve\n"
        with RespClient((HOST, process.port)) as client:
            assert client.call("CONFIG", "SET", "proc-title-template", "{title} x") == ("simple", b"OK")
        assert proc(pid, "cmdline").rstrip("\0") == "trioredis-server x"


def test_no_title(tmp_path: Path) -> None:
    with server(tmp_path, "--set-proc-title", "no") as process:
        with RespClient((HOST, process.port)) as client:
            assert client.call("PING") == ("simple", b"PONG")
        assert "trioredis" in proc(process.process.pid, "cmdline").split("\0")


@pytest.mark.parametrize(
    ("directives", "shown"),
    [
        ({}, "trioredis-server *:6379"),
        ({"bind": "127.0.0.1 -::1"}, "trioredis-server 127.0.0.1:6379"),
        ({"port": "0", "unixsocket": "/tmp/x"}, "trioredis-server /tmp/x"),
        ({"proc-title-template": "a {config-file}"}, "a"),
    ],
)
def test_what_a_title_shows(directives: dict[str, str], shown: str) -> None:
    config = Config()
    for name, value in directives.items():
        words = [value] if name == "proc-title-template" else value.split()
        config.assign(name, *words)
    assert title(config) == shown


def test_the_score_for_the_kernel(tmp_path: Path) -> None:
    base = int(proc(os.getpid(), "oom_score_adj"))
    options = ("--oom-score-adj", "relative", "--oom-score-adj-values", "7", "200", "800")
    with server(tmp_path, *options) as process:
        pid = process.process.pid
        assert int(proc(pid, "oom_score_adj")) == min(base + 7, 1000)
        with RespClient((HOST, process.port)) as client:
            assert client.call("CONFIG", "SET", "oom-score-adj", "absolute") == ("simple", b"OK")
            assert client.call("CONFIG", "SET", "oom-score-adj-values", f"{base + 9} 1000 1000") == ("simple", b"OK")
            assert int(proc(pid, "oom_score_adj")) == base + 9
            client.call("CONFIG", "SET", "oom-score-adj", "no")
            assert int(proc(pid, "oom_score_adj")) == base


def test_processors(tmp_path: Path) -> None:
    mine = min(os.sched_getaffinity(0))
    with server(tmp_path, "--server-cpulist", str(mine)) as process:
        assert os.sched_getaffinity(process.process.pid) == {mine}


@pytest.mark.parametrize(
    ("words", "cpus"), [("0", {0}), ("0,2-4", {0, 2, 3, 4}), ("0-7:2", {0, 2, 4, 6}), ("1:5", {1})]
)
def test_lists_of_processors(words: str, cpus: set[int]) -> None:
    assert parse_cpus(words) == cpus


@pytest.mark.parametrize("words", ["x", "1-", "-1", "0-3:0", ","])
def test_no_lists_of_processors(words: str) -> None:
    with pytest.raises(ValueError, match=r"^(invalid literal|range\(\) arg 3)"):
        parse_cpus(words)


def test_the_backlog_is_doubted(tmp_path: Path) -> None:
    allowed = int(Path("/proc/sys/net/core/somaxconn").read_text())
    with Process(tmp_path, "--bind", HOST, "--tcp-backlog", str(allowed + 1)) as process:
        line = process.wait_for("Directive tcp-backlog")
        assert str(allowed) in line


def test_sigterm_now(tmp_path: Path) -> None:
    size = 32 << 20
    options = ("--shutdown-timeout", "3600", "--shutdown-on-sigterm", "now")
    with server(tmp_path, *options) as process, RespClient((HOST, process.port)) as client:
        assert client.call("SETRANGE", "k", str(size - 1), "x") == ("int", size)
        client.send(b"GET k\r\n")  # and never read
        process.signal(signal.SIGTERM)
        assert process.ended()[0] == 0


def test_what_was_loaded(tmp_path: Path) -> None:
    file = tmp_path / "redis.conf"
    file.write_text(f"bind {HOST}\n# nothing\nhz 20\n")
    with Process(tmp_path, str(file)) as process:
        line = process.wait_for("Configuration loaded")
        assert f"file={file}" in line
        assert "directives=3" in line  # with the port on the command line


def test_a_crash_leaves_a_report(tmp_path: Path) -> None:
    log = tmp_path / "server.log"
    with Process(tmp_path, "--bind", HOST, "--logfile", str(log)) as process:
        process.wait_until(lambda: log.exists() and READY in log.read_text())
        process.signal(signal.SIGABRT)
        assert process.ended()[0] == -signal.SIGABRT
    assert "Fatal Python error: Aborted" in log.read_text()


CRASHING: Final = """
import sys
from trioredis import run
from trioredis.config import Config

async def serve(*args, **more):
    raise RuntimeError("a value of the user's")

run.serve = serve
sys.exit(run.run(Config()))
"""


def test_an_error_that_nobody_expects(tmp_path: Path) -> None:
    crashed = subprocess.run(
        [sys.executable, "-c", CRASHING],
        cwd=tmp_path,
        capture_output=True,
        check=False,
        timeout=PATIENCE_SECONDS,
        text=True,
    )
    assert crashed.returncode == 1
    assert "Stopping because of an unexpected error" in crashed.stdout
    assert "RuntimeError" in crashed.stdout
    assert "of the user" not in crashed.stdout


def test_the_unix_socket_goes_with_the_server(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    with server(tmp_path, "--unixsocket", str(path)) as process:
        assert path.is_socket()
        process.signal(signal.SIGTERM)
        assert process.ended()[0] == 0
    assert not path.exists()
