"""Aim: commands of modules are seen by MONITOR, SLOWLOG and LATENCY like all others.

Method: the same module in a stock server; the same commands; the same lines, entries and names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from tests._resp import RespClient
from tests._servers import redis_command, running, trioredis_command
from tests.bench.modules import SANDBOX, build_from, load_options

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests._resp import Reply
    from tests._servers import Server

Pair = tuple["Server", "Server"]

STORY: Final = (
    ("KEYS.SET", "a", "one"),
    ("KEYS.GET", "a"),
    ("PING",),
    ("keys.get", "none"),
    ("KEYS.GET",),
    ("MULTI",),
    ("KEYS.SET", "b", "two"),
    ("GET", "b"),
    ("EXEC",),
    ("KEYS.GET", *["x" * 200] * 40),
    ("ECHO", "that is all"),
)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """Yield our server and a stock one."""
    directory = tmp_path_factory.mktemp("observed")
    stock = redis_command()
    if stock is None:
        pytest.skip("redis-server is not installed")
    options = load_options([build_from(SANDBOX / "examples" / "keys.c", directory)])
    with (
        running("trioredis", [*trioredis_command(), *options], directory) as ours,
        running("redis", [*stock, *options], directory) as theirs,
    ):
        yield ours, theirs


def shown(server: Server, *, pipelined: bool) -> list[bytes]:
    """Return the commands that a monitor sees."""
    with RespClient(server.address) as monitor, RespClient(server.address) as client:
        monitor.call("MONITOR")
        if pipelined:
            client.pipeline(STORY)
        else:
            for line in STORY:
                client.call(*line)
        lines: list[bytes] = []
        while not lines or b"that is all" not in lines[-1]:
            lines.append(monitor.read()[1].split(b"] ", 1)[1])
        return lines


@pytest.mark.parametrize("pipelined", [False, True])
def test_monitors_see_them(pair: Pair, pipelined: bool) -> None:
    ours, theirs = (shown(server, pipelined=pipelined) for server in pair)
    assert ours == theirs
    assert b'"KEYS.SET" "b" "two"' in ours


def logged(server: Server) -> list[Reply]:
    """Return the arguments of the entries of the slow log."""
    with RespClient(server.address) as client:
        client.call("CONFIG", "SET", "slowlog-log-slower-than", "0")
        client.call("SLOWLOG", "RESET")
        client.pipeline(STORY)
        client.call("CONFIG", "SET", "slowlog-log-slower-than", "-1")
        return [entry[3] for _, entry in client.call("SLOWLOG", "GET", "-1")[1]]


def test_the_slow_log_has_them(pair: Pair) -> None:
    ours, theirs = map(logged, pair)
    assert ours == theirs
    assert len(ours) > 8


def test_their_run_times_are_counted(pair: Pair) -> None:
    for server in pair:
        with RespClient(server.address) as client:
            client.call("CONFIG", "RESETSTAT")
            client.pipeline([("KEYS.GET", "a")] * 5)
            kind, found = client.call("LATENCY", "HISTOGRAM", "KEYS.GET", "nosuch")
            assert (kind, len(found), found[0]) == ("array", 2, ("bulk", b"keys.get"))
            assert found[1][1][:2] == (("bulk", b"calls"), ("int", 5))
