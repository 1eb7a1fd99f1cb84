"""CONFIG and what its changes do to a running server.

Method: real servers; where a stock server answers the same, it is asked, too. What CONFIG GET and SET
make of each directive is tested without a server in tests/config.
"""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Final

import pytest

from tests._resp import RespClient
from tests._servers import HOST, free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests._resp import Reply
    from tests._servers import Server

OK = ("simple", b"OK")
LOOKS: Final = 1000
"""How often a test looks for a line that another task of the server logs."""

LIKE_STOCK: list[tuple[str, ...]] = [
    ("CONFIG",),
    ("CONFIG", "NOSUCH"),
    ("CONFIG", "GET"),
    ("CONFIG", "GET", "maxmemory"),
    ("CONFIG", "GET", "MaxMemory"),
    ("CONFIG", "GET", "nosuch"),
    ("CONFIG", "GET", "nosuch", "hz"),
    ("CONFIG", "GET", "hz", "hz"),
    ("CONFIG", "SET", "hz"),
    ("CONFIG", "SET", "hz", "10", "maxmemory"),
    ("CONFIG", "SET", "nosuch", "1"),
    ("CONFIG", "SET", "hz", "abc"),
    ("CONFIG", "SET", "hz", "10", "hz", "10"),
    ("CONFIG", "SET", "maxmemory", "100mb", "hz", "abc"),
    ("CONFIG", "GET", "maxmemory"),
    ("CONFIG", "SET", "maxmemory", "100mb", "HZ", "20"),
    ("CONFIG", "GET", "maxmemory"),
    ("CONFIG", "GET", "hz"),
    ("CONFIG", "SET", "maxmemory", "0", "hz", "10"),
    ("CONFIG", "SET", "databases", "4"),
    ("CONFIG", "SET", "dir", "/"),
    ("CONFIG", "SET", "maxmemory-policy", "odd"),
    ("CONFIG", "SET", "save", "900 1"),
    ("CONFIG", "GET", "save"),
    ("CONFIG", "SET", "save", ""),
    ("CONFIG", "RESETSTAT"),
    ("CONFIG", "RESETSTAT", "x"),
    ("CONFIG", "REWRITE"),
    ("CONFIG", "REWRITE", "x"),
]


@pytest.fixture
def server(start_trioredis: Callable[..., Server]) -> Server:
    """A server of this test alone."""
    return start_trioredis("--bind", HOST)


@pytest.fixture
def one(server: Server) -> Iterator[RespClient]:
    with RespClient(server.address) as client:
        yield client


@pytest.mark.parametrize("proto", ["2", "3"])
def test_replies_are_those_of_a_stock_server(server: Server, redis_server: Server, proto: str) -> None:
    with RespClient(server.address) as ours, RespClient(redis_server.address) as theirs:
        for client in (ours, theirs):
            client.call("HELLO", proto)
        for line in LIKE_STOCK:
            assert (line, ours.call(*line)) == (line, theirs.call(*line))


def value_of(reply: Reply) -> bytes:
    """The value in a CONFIG GET of one name."""
    (_, (_, (_, value))) = reply
    assert isinstance(value, bytes)
    return value


def test_get_by_pattern_and_bytes(one: RespClient) -> None:
    names = [name for _, name in one.call("CONFIG", "GET", "*max-listpack*")[1][::2]]
    assert b"hash-max-listpack-entries" in names
    assert one.call("CONFIG", "SET", "requirepass", b"\xff\xfe") == OK
    assert value_of(one.call("CONFIG", "GET", "requirepass")) == b"\xff\xfe"
    assert one.call("AUTH", b"\xff\xfe") == OK
    assert one.call("CONFIG", "SET", "requirepass", "") == OK


def test_port_and_bind_are_followed(server: Server, one: RespClient) -> None:
    port = free_port()
    assert one.call("CONFIG", "SET", "port", str(port)) == OK
    with RespClient((HOST, port)) as other:
        assert other.call("CONFIG", "SET", "bind", "127.0.0.1 127.0.0.2") == OK
        with RespClient(("127.0.0.2", port)) as third:
            listeners = third.call("INFO", "server")[1].decode().splitlines()
            assert f"listener0:name=tcp,bind=127.0.0.1,bind=127.0.0.2,port={port}" in listeners
            assert f"tcp_port:{port}" in listeners
            assert third.call("CONFIG", "SET", "bind", "127.0.0.2") == OK
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((HOST, port), timeout=10)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(server.address, timeout=10)
        assert other.call("CONFIG", "SET", "port", "0") == OK
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.2", port), timeout=10)
        assert other.call("CONFIG", "SET", "port", str(server.port), "bind", HOST) == OK
    with RespClient(server.address) as back:
        assert back.call("PING") == ("simple", b"PONG")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (("port", "{taken}"), b"argument 'port') - Unable to listen on this port. Check server logs."),
        (("bind", "203.0.113.7"), b"argument 'bind') - Failed to bind to specified addresses."),
        (("hz", "50", "port", "{taken}"), b"argument 'port') - Unable to listen on this port. Check server logs."),
    ],
)
def test_an_address_that_cannot_be_had_changes_nothing(
    server: Server, one: RespClient, line: tuple[str, ...], reason: bytes
) -> None:
    with socket.create_server((HOST, 0)) as taken:
        words = [word.format(taken=taken.getsockname()[1]) for word in line]
        kind, text = one.call("CONFIG", "SET", *words)
    assert (kind, text) == ("err", b"ERR CONFIG SET failed (possibly related to " + reason)
    assert value_of(one.call("CONFIG", "GET", "port")) == str(server.port).encode()
    assert value_of(one.call("CONFIG", "GET", "hz")) == b"10"
    with RespClient(server.address) as other:
        assert other.call("PING") == ("simple", b"PONG")
    assert "Cannot listen on" in server.log_tail()


def test_the_log_follows(server: Server, one: RespClient) -> None:
    one.call("CONFIG", "SET", "loglevel", "verbose", "log-format", "json")
    with RespClient(server.address) as other:
        other.call("PING")
        assert any(one.call("PING") and '"event":"client.opened"' in server.log_tail() for _ in range(LOOKS))
    one.call("CONFIG", "SET", "loglevel", "nothing")
    before = server.log_tail()
    one.call("CONFIG", "SET", "hz", "20")
    assert server.log_tail() == before


def test_a_change_is_logged_without_its_value(server: Server, one: RespClient) -> None:
    assert one.call("CONFIG", "SET", "requirepass", "open-sesame", "HZ", "20") == OK
    assert "Configuration changed: requirepass, hz" in server.log_tail()
    assert "sesame" not in server.log_tail()
    one.call("AUTH", "open-sesame")
    assert one.call("CONFIG", "SET", "requirepass", "") == OK


def test_a_password_guards_from_then_on(server: Server, one: RespClient) -> None:
    noauth = ("err", b"NOAUTH Authentication required.")
    assert one.call("CONFIG", "SET", "requirepass", "secret") == OK
    with RespClient(server.address) as other:
        assert other.call("GET", "k") == noauth
        assert other.call("HELLO", "3")[1].startswith(b"NOAUTH HELLO must be called")
        assert one.call("GET", "k") == ("nullbulk", None)  # who was in stays in
        assert one.call("CONFIG", "SET", "requirepass", "") == OK
        assert other.call("GET", "k") == ("nullbulk", None)
        assert one.call("CONFIG", "SET", "requirepass", "other") == OK
        assert other.call("GET", "k") == noauth
        assert other.call("AUTH", "other") == OK
        assert other.call("CONFIG", "SET", "requirepass", "") == OK


def test_limits_are_in_force_at_once(server: Server, one: RespClient) -> None:
    assert one.call("CONFIG", "SET", "maxclients", "1") == OK
    with RespClient(server.address) as other:
        assert other.read() == ("err", b"ERR max number of clients reached")
    assert one.call("CONFIG", "SET", "maxclients", "100", "maxmemory", "1") == OK
    assert one.call("SET", "k", "v")[1].startswith(b"OOM ")
    assert one.call("CONFIG", "SET", "maxmemory", "0") == OK
    assert one.call("SET", "k", "v") == OK


def test_rewrite_keeps_what_was_set(start_trioredis: Callable[..., Server], tmp_path: Path) -> None:
    path = tmp_path / "redis.conf"
    path.write_text("# mine\nbind 127.0.0.1\nhz 20\n")
    server = start_trioredis_with_file(start_trioredis, path)
    with RespClient(server.address) as one:
        assert one.call("CONFIG", "SET", "maxmemory", "100mb") == OK
        assert one.call("CONFIG", "REWRITE") == OK
        text = path.read_text()
        assert text.startswith("# mine\nbind 127.0.0.1\nhz 20\n")
        assert "\nmaxmemory 100mb\n" in text
        assert f"Configuration written to {path}" in server.log_tail()
        path.unlink()
        path.mkdir()
        kind, reply = one.call("CONFIG", "REWRITE")
        assert (kind, reply[:31]) == ("err", b"ERR Rewriting config file: Is a")
        assert "Cannot write the configuration" in server.log_tail()


def start_trioredis_with_file(start: Callable[..., Server], path: Path) -> Server:
    """Start our server with a configuration file, which must be its first argument."""
    return start(str(path))


def test_resetstat_takes_back_what_info_counts(one: RespClient) -> None:
    one.call("SET", "k", "v")
    one.call("GET", "k")
    one.call("GET", "nothing")
    one.call("NOSUCH")
    assert one.call("CONFIG", "RESETSTAT") == OK
    lines = one.call("INFO", "everything")[1].decode().splitlines()
    facts = dict(line.split(":", 1) for line in lines if ":" in line)
    zero = ("keyspace_hits", "keyspace_misses", "total_error_replies", "total_connections_received")
    assert {name: facts[name] for name in zero} == dict.fromkeys(zero, "0")
    assert [name for name in facts if name.startswith("errorstat")] == []
    # CONFIG RESETSTAT itself ends after the counters were set back, so it is the first one counted.
    assert [name for name in facts if name.startswith("cmdstat")] == ["cmdstat_config|resetstat"]
    assert facts["total_commands_processed"] == "1"
    assert facts["db0"].startswith("keys=1,")
    assert int(facts["used_memory_peak"]) >= int(facts["used_memory"]) > 0
