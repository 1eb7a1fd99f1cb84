"""Aim: ``rename-command`` means what it means to Redis.

Method: a server with renamed commands answers as a stock one does with the same lines; lines that a stock one refuses
are refused at start.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from tests._resp import RespClient
from tests._servers import redis_command, running
from tests.server.kit import Process

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests._servers import Server

LINES: Final = (
    ("GET", "fetch"),
    ("set", ""),
    ("client", "Cl"),
    ("mget", "GET"),
    ("echo", "a"),
    ("A", "b"),
    ("ping", "PING"),
)
OPTIONS: Final = [word for old, new in LINES for word in ("--rename-command", old, new)]
COMMANDS: Final[tuple[tuple[str, ...], ...]] = (
    ("fetch", "k"),
    ("FETCH",),
    ("get", "a", "b"),
    ("set", "k", "v"),
    ("mget", "k"),
    ("echo", "x"),
    ("a", "x"),
    ("B", "x"),
    ("PING",),
    ("CLIENT", "ID"),
    ("CL", "nosuch"),
    ("cl",),
    ("cl|id",),
    ("cl", "reply", "wrong"),
    ("COMMAND", "LIST", "FILTERBY", "PATTERN", "fetch"),
    ("COMMAND", "LIST", "FILTERBY", "PATTERN", "get"),
    ("COMMAND", "LIST", "FILTERBY", "PATTERN", "set"),
    ("COMMAND", "LIST", "FILTERBY", "PATTERN", "echo"),
    ("COMMAND", "GETKEYS", "fetch", "k"),
    ("COMMAND", "GETKEYS", "get", "k", "l"),
    ("COMMAND", "GETKEYS", "set", "k", "v"),
    ("COMMAND", "INFO", "set", "client", "client|list"),
)
SUMMARIES: Final = {"fetch": b"get", "get": b"mget", "b": b"echo", "cl": b"client"}


def replies(client: RespClient) -> list[object]:
    """Send every command; return the replies."""
    return [client.call(*words) for words in COMMANDS]


def test_as_a_stock_server(start_trioredis: Callable[..., Server], tmp_path: Path) -> None:
    command = redis_command()
    if command is None:
        pytest.skip("redis-server is not installed")
    file = tmp_path / "redis.conf"
    file.write_text("".join(f'rename-command {old} "{new}"\n' for old, new in LINES))
    command.insert(1, str(file))
    with running("redis", command, tmp_path) as stock, RespClient(stock.address) as client:
        expected = replies(client)
    with RespClient(start_trioredis(*OPTIONS).address) as client:
        for words, mine, theirs in zip(COMMANDS, replies(client), expected, strict=True):
            assert mine == theirs, words


def test_command_shows_own_names(start_trioredis: Callable[..., Server]) -> None:
    with RespClient(start_trioredis(*OPTIONS).address) as client:
        for name, own in SUMMARIES.items():
            kind, (entry,) = client.call("COMMAND", "INFO", name)
            assert (kind, entry[1][0]) == ("array", ("bulk", own))
            assert client.call("COMMAND", "DOCS", name)[1][0] == ("bulk", own)
        listed = {word for _, word in client.call("COMMAND", "LIST")[1]}
        assert client.call("COMMAND", "COUNT") == ("int", sum(b"|" not in word for word in listed))
        assert {b"get", b"mget", b"echo", b"client", b"client|list"} <= listed
        assert b"set" not in listed


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("nosuch x", "No such command in rename-command: nosuch"),
        ("config|get x", "No such command in rename-command: config|get"),
        ("get SET", "Target command name already exists: SET"),
        ("get x\nrename-command get y", "No such command in rename-command: get"),
    ],
)
@pytest.mark.parametrize("option", [(), ("--check-config",)])
def test_refused_lines(tmp_path: Path, line: str, reason: str, option: tuple[str, ...]) -> None:
    file = tmp_path / "redis.conf"
    file.write_text(f"rename-command {line}\n")
    with Process(tmp_path, *option, str(file)) as process:
        assert process.ended() == (1, "", f"trioredis-server: {file}:{1 + line.count(chr(10))}: {reason}\n")


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("user alice on >secret ~* +@all", "ACL users are not there yet"),
        ("aclfile users.acl", "ACL users are not there yet"),
    ],
)
@pytest.mark.parametrize("option", [(), ("--check-config",)])
def test_lines_that_must_not_be_passed_over(tmp_path: Path, line: str, what: str, option: tuple[str, ...]) -> None:
    file = tmp_path / "redis.conf"
    file.write_text(f"{line}\n")
    with Process(tmp_path, *option, str(file)) as process:
        status, _, err = process.ended()
    assert status == 1
    assert what in err
    assert "secret" not in err
    assert err.count("\n") == 1
