"""Aim: a module hears of what happens in the server as it does from a stock one, and what it hides stays hidden.

Method: one module is loaded into both servers and asked what it has heard of. Ours tells it after the command, one
event after the other, where stock tells it amid: what it hears is the same.
"""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING, Final

import pytest

from tests._servers import Server, redis_command, running, trioredis_command
from tests.sandbox._facts import ROOT
from tests.sandbox.test_replies import run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

COMMANDS: Final = (
    "flushall",
    "flushdb",
    "select 3",
    "flushdb async",
    "swapdb 0 1",
    "multi;flushall;swapdb 1 2;exec",
    "flushall nonsense",
    "config set maxmemory 0 HZ 20",
    "config set nonsense 0",
)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the compiled module."""
    path = tmp_path_factory.mktemp("modules") / "events.so"
    source = ROOT / "tests" / "sandbox" / "modules" / "events.c"
    flags = ("-O2", "-fPIC", "-shared", "-Wall", "-Wextra", "-Wshadow", "-Werror")
    include = ROOT / "sandbox" / "include"
    subprocess.run((os.environ.get("CC", "gcc"), *flags, f"-I{include}", "-o", path, source), check=True)
    return path


@pytest.fixture
def ours(library: Path, tmp_path: Path) -> Iterator[Server]:
    """Yield our server with the module."""
    command = [*trioredis_command(), "--loadmodule", str(library)]
    with running("trioredis", command, tmp_path) as server:
        yield server


def seen(server: Server, *commands: str) -> list[str]:
    """Run commands on a connection of their own; what the module has heard of then."""
    run(server, ("events.seen",), 2)
    return run(server, (*commands, "events.seen"), 2)[-1].decode().split("\r\n")[1].split()


def test_events_are_those_of_stock(library: Path, ours: Server, tmp_path_factory: pytest.TempPathFactory) -> None:
    command = redis_command()
    if command is None:
        pytest.skip("redis-server is not installed")
    with running("redis", [*command, "--loadmodule", str(library)], tmp_path_factory.mktemp("redis")) as stock:
        theirs, mine = (run(server, ("events.seen",), 2) for server in (stock, ours))
        assert mine == theirs  # the module itself, then this client
        for commands in COMMANDS:
            theirs_seen, mine_seen = (seen(server, commands) for server in (stock, ours))
            assert mine_seen == theirs_seen, commands


def test_the_fate_of_keys(ours: Server) -> None:
    heard = seen(ours, "flushall", "set k v", "del k", "set k v", "set l x", "getdel l", "set a 1", "rename a b")
    fates = [word for word in heard if word.startswith("key-")]
    assert fates[0] == "key-0:k"
    assert {"key-0:l", "key-0:a"} < set(fates)
    assert run(ours, ("exists k l a",), 2) == [b":1\r\n"]


def test_the_clockwork(ours: Server) -> None:
    while run(ours, ("events.cron",), 2) != [b":1\r\n"]:
        pass


def test_the_shutdown(ours: Server) -> None:
    assert run(ours, ("ping",), 2) == [b"+PONG\r\n"]
    ours.process.terminate()
    ours.process.wait(20)
    assert "heard of the shutdown: 0" in ours.log_tail()


def test_hidden_arguments(ours: Server) -> None:
    commands = ("config set slowlog-log-slower-than 0", "events.hide 3 shown secret", "slowlog get 9")
    reply = run(ours, commands, 2)[-1]
    assert b"shown" in reply
    assert b"(redacted)" in reply
    assert b"secret" not in reply
