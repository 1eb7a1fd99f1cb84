"""Aim: the server as a process: signals, mistakes in its configuration, running out of descriptors.

Method: real processes whose log is read line by line; nothing waits for a time to pass.
"""

from __future__ import annotations

import os
import resource
import signal
import socket
from typing import TYPE_CHECKING, Final

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests._resp import ClosedError, RespClient
from tests.server.kit import HOST, Process

if TYPE_CHECKING:
    from pathlib import Path

READY: Final = "Ready to accept connections"
FEW_DESCRIPTORS: Final = 10


def server(directory: Path, *args: str) -> Process:
    """Start a server on the loopback interface only."""
    return Process(directory, "--bind", HOST, *args)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_in_order(tmp_path: Path, number: signal.Signals) -> None:
    with server(tmp_path) as process:
        process.wait_for(READY)
        with RespClient((HOST, process.port)) as client:
            assert client.call("PING") == ("simple", b"PONG")
            process.signal(number)
            with pytest.raises(ClosedError):
                client.read()
        status, out, err = process.ended()
    assert (status, err) == (0, "")
    assert number.name in out
    assert "Stopped" in out.splitlines()[-1]


def test_a_second_signal_stops_it_at_once(tmp_path: Path) -> None:
    size = 32 << 20
    with server(tmp_path, "--shutdown-timeout", "3600") as process, RespClient(wait_ready(process)) as client:
        assert client.call("SETRANGE", "k", str(size - 1), "x") == ("int", size)
        client.send(b"GET k\r\n")  # and never read
        process.signal(signal.SIGTERM)
        process.wait_for("Shutting down")
        process.signal(signal.SIGTERM)
        assert process.ended()[0] == 1


def wait_ready(process: Process) -> tuple[str, int]:
    """Wait until the server listens; return its address."""
    process.wait_for(READY)
    return HOST, process.port


def test_sighup_opens_the_log_again(tmp_path: Path) -> None:
    log, old = tmp_path / "server.log", tmp_path / "server.log.1"
    with server(tmp_path, "--logfile", str(log)) as process:
        process.wait_until(lambda: log.exists() and READY in log.read_text())
        log.rename(old)
        process.signal(signal.SIGHUP)
        process.wait_until(log.exists)
        process.signal(signal.SIGTERM)
        assert process.ended() == (0, "", "")
    assert READY in old.read_text()
    assert "SIGHUP" in old.read_text() + log.read_text()
    assert "Stopped" in log.read_text()


def test_the_shutdown_command(tmp_path: Path) -> None:
    with server(tmp_path) as process, RespClient(wait_ready(process)) as client:
        with pytest.raises(ClosedError):
            client.call("SHUTDOWN")
        assert process.ended()[0] == 0


def test_a_taken_port(tmp_path: Path) -> None:
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
        with server(tmp_path, "--port", str(port)) as process:
            status, _, err = process.ended()
    assert status == 1
    assert err == (
        f"trioredis-server: cannot start: cannot listen on {HOST} port {port}: "
        "the address is in use by another process\n"
    )


def test_a_unix_socket_in_no_folder(tmp_path: Path) -> None:
    path = tmp_path / "missing" / "socket"
    with server(tmp_path, "--unixsocket", str(path)) as process:
        status, _, err = process.ended()
    assert status == 1
    assert err.startswith(f"trioredis-server: cannot start: cannot listen on Unix socket {path}: ")
    assert err.count("\n") == 1


def test_an_unknown_directive(tmp_path: Path) -> None:
    file = tmp_path / "redis.conf"
    file.write_text("port 0\nmaxmemry 1gb\n")
    with Process(tmp_path, str(file)) as process:
        status, out, err = process.ended()
    assert (status, out) == (1, "")
    assert err == (
        f"trioredis-server: {file}:2: Bad directive or wrong number of arguments: "
        "maxmemry 1gb (did you mean 'maxmemory'?)\n"
    )


def test_checking_the_configuration_serves_nothing(tmp_path: Path) -> None:
    with server(tmp_path, "--port", "0", "--check-config") as process:
        status, out, err = process.ended()
    assert (status, err) == (0, "")
    assert out.endswith("trioredis-server: configuration is valid\n")


def test_a_log_that_cannot_be_opened(tmp_path: Path) -> None:
    with server(tmp_path, "--logfile", str(tmp_path / "missing" / "log")) as process:
        status, out, err = process.ended()
    assert (status, out) == (1, "")
    assert err.startswith("trioredis-server: ")
    assert err.count("\n") == 1


def limit_descriptors(pid: int, more: int) -> None:
    """Allow a process so many descriptors more than it has now."""
    highest = max(int(name) for name in os.listdir(f"/proc/{pid}/fd"))
    _, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (highest + 1 + more, hard))


def test_running_out_of_descriptors(tmp_path: Path) -> None:
    with server(tmp_path) as process:
        address = wait_ready(process)
        with RespClient(address) as first:
            assert first.call("PING") == ("simple", b"PONG")
            limit_descriptors(process.process.pid, FEW_DESCRIPTORS)  # behind its back: it can't lower maxclients
            more = [socket.create_connection(address) for _ in range(2 * FEW_DESCRIPTORS)]
            try:
                process.wait_for("Accepting on")
                assert first.call("PING") == ("simple", b"PONG")  # who is in is served
            finally:
                for one in more:
                    one.close()
            with RespClient(address) as after:
                assert after.call("PING") == ("simple", b"PONG")
        process.signal(signal.SIGTERM)
        assert process.ended()[0] == 0


def connection(host: str, port: int, password: str | None = None) -> redis.Redis:
    """Return a client that does not try again."""
    return redis.Redis(host, port, password=password, retry=Retry(NoBackoff(), 0))


def test_a_password(tmp_path: Path) -> None:
    with server(tmp_path, "--requirepass", "secret") as process:
        host, port = wait_ready(process)
        with connection(host, port) as stranger, pytest.raises(redis.AuthenticationError):
            stranger.ping()
        with connection(host, port, password="wrong") as liar, pytest.raises(redis.AuthenticationError):
            liar.ping()
        with connection(host, port, password="secret") as friend:
            assert friend.ping()
            friend.config_set("requirepass", "")
            with connection(host, port) as anybody:
                assert anybody.ping()
