"""MONITOR. Method: the same commands on a server and a stock one, with a monitor each; the lines must be the same."""

from __future__ import annotations

import re
import socket
from typing import TYPE_CHECKING

import pytest

from tests._resp import RespClient

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests._servers import Server

LINE = re.compile(rb"(\d+)\.(\d{6}) \[(\d+) ([^\]]+)\] (.*)", re.DOTALL)
END = b"that is all"
STORIES = {
    "everyday": ("SET k v", "GET k", "get K", "MGET a b c", "DEL k"),
    "transaction": ("MULTI", "SET k 1", "INCR k", "GET", "DISCARD", "MULTI", "SET k 1", "INCR k", "EXEC"),
    "aborted": ("MULTI", "SET k", "EXEC", "WATCH k", "UNWATCH", "EXEC", "DISCARD"),
    "not shown": (
        "CONFIG GET port",
        "CONFIG SET timeout 0",
        "CLIENT LIST",
        "SLOWLOG LEN",
        "LATENCY LATEST",
        "NOSUCH x",
    ),
    "shown": ("CLIENT ID", "CLIENT SETNAME me", "COMMAND COUNT", "INFO server", "DBSIZE", "FLUSHALL", "TIME"),
    "databases": ("SELECT 3", "GET k", "MULTI", "SELECT 4", "PING", "EXEC", "SELECT 0"),
    "errors": ("INCR", "INCRBY k x", "SET k v BAD", "SELECT 99", "GET a b"),
    "secrets": ("AUTH secret", "AUTH user secret", "HELLO 2 AUTH u secret", "HELLO 2 SETNAME x AUTH u secret"),
    "bytes": (["ECHO", bytes(range(256))], ["ECHO", b""], ["ECHO", b'"\\\r\n'], ["SET", b"\xff", b"x" * 70_000]),
    "pauses": ("RESET", "CLIENT REPLY SKIP", "PING"),
}


def words(line: str | list[str | bytes]) -> list[str | bytes]:
    return list(line.split()) if isinstance(line, str) else line


def shown(server: Server, story: tuple[str | list[str | bytes], ...]) -> list[tuple[bytes, bytes]]:
    """Return database and command of the lines that a monitor gets of a story."""
    with RespClient(server.address) as monitor, RespClient(server.address) as client:
        assert monitor.call("MONITOR") == ("simple", b"OK")
        for line in story:
            if "CLIENT REPLY SKIP" in line or line == "PING":
                client.send(b" ".join(w if isinstance(w, bytes) else w.encode() for w in words(line)) + b"\r\n")
            else:
                client.call(*words(line))
        client.send(b'ECHO "%s"\r\n' % END)
        found: list[tuple[bytes, bytes]] = []
        while True:
            kind, text = monitor.read()
            assert kind == "simple"
            match = LINE.fullmatch(text)
            assert match, text
            _, _, database, address, command = match.groups()
            assert address.startswith(b"127.0.0.1:")
            if END in command:
                return found
            found.append((database, command))


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)
def test_lines_are_those_of_redis(
    story: tuple[str | list[str | bytes], ...], redis_server: Server, trioredis_server: Server
) -> None:
    assert shown(trioredis_server, story) == shown(redis_server, story)


def test_a_mistyped_password_is_hidden(trioredis_server: Server) -> None:
    story = ("AUTH a secret b", "HELLO 9 AUTH u secret", "HELLO 2 NOSUCH AUTH u secret", "HELLO 2 AUTH secret")
    lines = [command for _, command in shown(trioredis_server, story)]
    assert len(lines) == len(story)
    assert not any(b"secret" in line for line in lines)


@pytest.mark.parametrize("server_name", ["trioredis_server", "redis_server"])
def test_what_a_monitor_may_do(server_name: str, request: pytest.FixtureRequest) -> None:
    server: Server = request.getfixturevalue(server_name)
    with RespClient(server.address) as monitor:
        assert monitor.call("MONITOR") == ("simple", b"OK")
        assert monitor.call("PING") == ("simple", b"PONG")
        assert b'"PING"' in monitor.read()[1]
        assert monitor.call("GET", "k") == ("err", b"ERR Replica can't interact with the keyspace")
        assert monitor.call("SET", "k", "v") == ("err", b"ERR Replica can't interact with the keyspace")
        _, info = monitor.call("CLIENT", "INFO")
        assert b" flags=O " in info
        monitor.read()
        _, listed = monitor.call("CLIENT", "LIST", "TYPE", "normal")
        assert b" flags=O " in listed
        assert monitor.call("RESET") == ("simple", b"RESET")
        assert monitor.call("GET", "no_such_key") == ("nullbulk", None)


def test_over_a_unix_socket(start_trioredis: Callable[..., Server], tmp_path: Path) -> None:
    path = tmp_path / "s"
    server = start_trioredis("--unixsocket", str(path))
    with RespClient(server.address) as monitor, socket.socket(socket.AF_UNIX) as client:
        monitor.call("MONITOR")
        client.connect(str(path))
        client.sendall(b"PING\r\n")
        assert client.recv(7) == b"+PONG\r\n"
        assert monitor.read()[1].endswith(f' [0 unix:{path}] "PING"'.encode())


def test_many_monitors(trioredis_server: Server) -> None:
    """All get every line, in the same order, also those that come late."""
    clients = [RespClient(trioredis_server.address) for _ in range(20)]
    try:
        for client in clients[:10]:
            client.call("MONITOR")
        with RespClient(trioredis_server.address) as asker:
            asker.pipeline([["ECHO", f"first {i}"] for i in range(5000)])
            for client in clients[10:]:
                client.call("MONITOR")
            asker.pipeline([["ECHO", f"second {i}"] for i in range(5000)])
        early = [clients[0].read() for _ in range(10_000)]
        assert all([client.read() for _ in range(10_000)] == early for client in clients[1:10])
        assert all([client.read() for _ in range(5_000)] == early[5_000:] for client in clients[10:])
        assert [text.rsplit(b"] ", 1)[1] for _, text in early[:2]] == [b'"ECHO" "first 0"', b'"ECHO" "first 1"']
    finally:
        for client in clients:
            client.close()
