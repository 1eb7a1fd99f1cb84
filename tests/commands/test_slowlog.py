"""SLOWLOG. Method: the same commands on a server and a stock one, all of them "slow"; the entries must be the same."""

from __future__ import annotations

import re
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from tests._resp import RespClient
from trioredis.commands.schema import load
from trioredis.config.directives import DIRECTIVES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests._resp import Reply
    from tests._servers import Server

REDACT: Final = Path(__file__).parents[2] / "csrc" / "exec" / "redact.c"
STORIES: dict[str, list[list[str | bytes]]] = {
    "everyday": [["SET", "k", "v"], ["GET", "k"], ["get", "K"]],
    "arguments": [["DEL", *map(str, range(n))] for n in (30, 31, 32, 33, 1000)],
    "long": [["ECHO", b"x" * n] for n in (127, 128, 129, 1000)],
    "both": [["DEL", *["y" * 200] * 40]],
    "transaction": [["MULTI"], ["SET", "k", "1"], ["INCR", "k"], ["EXEC"]],
    "secrets": [
        ["AUTH", "secret"],
        ["AUTH", "user", "secret"],
        ["HELLO", "2", "AUTH", "u", "secret", "SETNAME", "x"],
        ["CONFIG", "SET", "masterauth", "secret", "timeout", "0", "MASTERAUTH", "secret"],
        ["CONFIG", "SET", "masterauth", ""],
        ["CONFIG", "GET", "masterauth"],
    ],
    "refused": [["GET"], ["NOSUCH", "x"], ["INCRBY", "k", "x"], ["SELECT", "99"]],
    "named": [["CLIENT", "SETNAME", "somebody"], ["PING"]],
}


@contextmanager
def everything_is_slow(server: Server) -> Iterator[RespClient]:
    """Log every command, until the end; the client that is given has no name."""
    with RespClient(server.address) as client:
        client.call("CONFIG", "SET", "slowlog-max-len", "128", "slowlog-log-slower-than", "0")
        client.call("SLOWLOG", "RESET")
        try:
            yield client
        finally:
            client.call("CONFIG", "SET", "slowlog-max-len", "128", "slowlog-log-slower-than", "10000")
            client.call("SLOWLOG", "RESET")


def entries(server: Server, story: list[list[str | bytes]]) -> list[tuple[Reply, Reply]]:
    """Return arguments and client name of the entries that a story leaves, oldest first."""
    with everything_is_slow(server) as client:
        for line in story:
            client.call(*line)
        kind, found = client.call("SLOWLOG", "GET", "-1")
        assert kind == "array"
        numbers = [entry[1][0][1] for entry in found]
        assert numbers == list(range(numbers[0], numbers[0] - len(numbers), -1))
        for _, entry in found:
            assert [part[0] for part in entry] == ["int", "int", "int", "array", "bulk", "bulk"]
            assert entry[4][1].startswith(b"127.0.0.1:")
        return [(entry[3], entry[5]) for _, entry in reversed(found)]


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)
def test_entries_are_those_of_redis(
    story: list[list[str | bytes]], redis_server: Server, trioredis_server: Server
) -> None:
    assert entries(trioredis_server, story) == entries(redis_server, story)


def test_commands_with_secrets_are_marked() -> None:
    """Whatever the engine has a rule for is asked about."""
    names = re.findall(r'\{"([a-z|]+)", TR_SECRET_', REDACT.read_text())
    found = [entry for name in names if (entry := load().find(name))]
    assert {"auth", "hello", "config|set"} <= {entry.fullname for entry in found}
    assert all("secrets" in entry.internal_flags for entry in found)


def test_secret_directives_are_hidden(trioredis_server: Server) -> None:
    """The engine's list of them is that of the configuration."""
    secret = sorted(name for name, one in DIRECTIVES.items() if one.sensitive)
    usual = ["maxmemory", "timeout", "loglevel"]
    assert len(secret) > 3
    with everything_is_slow(trioredis_server) as client:
        for name in [*secret, *usual]:
            client.call("CONFIG", "SET", name, "sesame", "no-such-directive", "1")
        _, found = client.call("SLOWLOG", "GET", str(len(secret) + len(usual)))
        shown = {entry[3][1][2][1].decode(): entry[3][1][3][1] for _, entry in found}
    assert shown == dict.fromkeys(secret, b"(redacted)") | dict.fromkeys(usual, b"sesame")


@pytest.mark.parametrize("server_name", ["trioredis_server", "redis_server"])
def test_counts_and_limits(server_name: str, request: pytest.FixtureRequest) -> None:
    server: Server = request.getfixturevalue(server_name)
    with everything_is_slow(server) as client:
        for _ in range(20):
            client.call("PING")
        assert client.call("SLOWLOG", "LEN")[1] >= 20
        assert len(client.call("SLOWLOG", "GET")[1]) == 10
        assert len(client.call("SLOWLOG", "GET", "3")[1]) == 3
        assert client.call("SLOWLOG", "GET", "0") == ("array", ())
        wrong = ("err", b"ERR count should be greater than or equal to -1")
        assert client.call("SLOWLOG", "GET", "-2") == wrong
        assert client.call("SLOWLOG", "GET", "x") == wrong
        client.call("CONFIG", "SET", "slowlog-max-len", "5")
        assert client.call("SLOWLOG", "LEN") == ("int", 5)
        client.call("CONFIG", "SET", "slowlog-log-slower-than", "-1")
        before = client.call("SLOWLOG", "GET", "1")
        client.call("PING")
        assert client.call("SLOWLOG", "GET", "1") == before
        assert client.call("SLOWLOG", "RESET") == ("simple", b"OK")
        assert client.call("SLOWLOG", "LEN") == ("int", 0)
        _, help_lines = client.call("SLOWLOG", "HELP")
        assert any(line.startswith(b"GET") for _, line in help_lines)


def test_a_slow_command(trioredis_server: Server) -> None:
    """With the threshold as it is by default only the slow one gets in."""
    with RespClient(trioredis_server.address) as client:
        client.call("SLOWLOG", "RESET")
        client.call("PING")
        client.call("DEBUG", "SLEEP", "0.02")
        ((_, entry),) = client.call("SLOWLOG", "GET")[1]
        assert entry[2][1] >= 20_000
        assert entry[3] == ("array", (("bulk", b"DEBUG"), ("bulk", b"SLEEP"), ("bulk", b"0.02")))
        client.call("SLOWLOG", "RESET")
