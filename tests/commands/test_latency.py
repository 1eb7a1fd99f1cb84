"""LATENCY. Method: the texts from made-up delays; the commands on a server beside a stock one, with a slow command."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests._resp import RespClient
from trioredis.commands.latency import ADVICE, graph, report
from trioredis.engine import Delays

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests._servers import Server

SERVERS = ["trioredis_server", "redis_server"]


@contextmanager
def watched(server: Server, threshold_ms: int = 10) -> Iterator[RespClient]:
    """Record delays, until the end."""
    with RespClient(server.address) as client:
        client.call("LATENCY", "RESET")
        client.call("CONFIG", "SET", "latency-monitor-threshold", str(threshold_ms))
        try:
            yield client
        finally:
            client.call("CONFIG", "SET", "latency-monitor-threshold", "0")
            client.call("LATENCY", "RESET")


@pytest.mark.parametrize("server_name", SERVERS)
def test_events(server_name: str, request: pytest.FixtureRequest) -> None:
    server: Server = request.getfixturevalue(server_name)
    with watched(server) as client:
        assert client.call("LATENCY", "HISTORY", "command") == ("array", ())
        wrong = ("err", b"ERR No samples available for event 'command'")
        assert client.call("LATENCY", "GRAPH", "command") == wrong
        client.call("DEBUG", "SLEEP", "0.02")
        found = {entry[0][1]: entry for _, entry in client.call("LATENCY", "LATEST")[1]}
        assert found.keys() <= {b"command", b"pump-turn"}
        name, time_s, newest, longest = (part[1] for part in found[b"command"])
        assert newest == longest >= 20
        assert client.call("LATENCY", "HISTORY", name) == ("array", (("array", (("int", time_s), ("int", newest))),))
        assert client.call("LATENCY", "GRAPH", "command")[1].startswith(b"command")
        assert b"command" in client.call("LATENCY", "DOCTOR")[1]
        assert client.call("LATENCY", "RESET", "nosuch", "command", "command") == ("int", 1)
        assert client.call("LATENCY", "HISTORY", "command") == ("array", ())
        _, help_lines = client.call("LATENCY", "HELP")
        assert any(line.startswith(b"HISTOGRAM") for _, line in help_lines)


def test_turns_are_events_of_ours(trioredis_server: Server) -> None:
    with watched(trioredis_server) as client:
        client.call("DEBUG", "SLEEP", "0.02")
        names = [entry[0][1] for _, entry in client.call("LATENCY", "LATEST")[1]]
        assert names == [b"command", b"pump-turn"]
        assert client.call("LATENCY", "RESET") == ("int", 2)


@pytest.mark.parametrize("protocol", [2, 3])
@pytest.mark.parametrize("server_name", SERVERS)
def test_histograms(server_name: str, protocol: int, request: pytest.FixtureRequest) -> None:
    server: Server = request.getfixturevalue(server_name)
    with RespClient(server.address) as client:
        client.call("HELLO", str(protocol))
        client.call("CONFIG", "RESETSTAT")
        for _ in range(5):
            client.call("GET", "k")
        client.call("CLIENT", "ID")
        client.call("CLIENT", "GETNAME")
        one = mapped(client.call("LATENCY", "HISTOGRAM", "get", "nosuch"))
        assert one.keys() == {b"get"}
        spread = mapped(one[b"get"])
        assert spread[b"calls"] == ("int", 5)
        steps = mapped(spread[b"histogram_usec"])
        limits, counts = list(steps), [count for _, count in steps.values()]
        assert limits == sorted(limits)
        assert counts == sorted(counts)
        assert counts[-1] == 5
        assert mapped(client.call("LATENCY", "HISTOGRAM", "client")).keys() == {b"client|id", b"client|getname"}
        assert mapped(client.call("LATENCY", "HISTOGRAM", "CLIENT|ID")).keys() == {b"client|id"}
        assert mapped(client.call("LATENCY", "HISTOGRAM", "set")) == {}
        assert {b"get", b"client|id", b"latency|histogram"} <= mapped(client.call("LATENCY", "HISTOGRAM")).keys()


def mapped(reply: tuple[str, object]) -> dict[bytes, tuple[str, int]]:
    """Return a map of either protocol, by the values of its keys."""
    kind, items = reply
    assert isinstance(items, tuple)
    if kind == "map":
        return {key: value for (_, key), value in items}
    assert kind == "array"
    return {key: value for (_, key), value in zip(items[::2], items[1::2], strict=True)}


def test_the_graph() -> None:
    delays = Delays(b"fork", ((1000, 10), (1060, 60), (1100, 30)), 90)
    assert graph(delays, 1120) == (
        "fork: 10 to 60 ms (longest ever 90 ms)\n"
        " #\n #\n #\n ##\n ##\n###\n"
        "---\n"
        "from 2 min ago (left) to 20 s ago (right)\n"
    )


def test_the_graph_of_one() -> None:
    assert graph(Delays(b"x", ((1000, 0),), 0), 4600).endswith("\n-\n1 h ago\n")
    many = Delays(b"x", tuple((i, 5) for i in range(160)), 5)
    assert {len(line) for line in graph(many, 400_000).splitlines()[1:-1]} == {72}
    assert "4 d ago" in graph(many, 400_000)


def test_the_doctor() -> None:
    assert "latency-monitor-threshold" in report([], 0)
    assert "25 ms" in report([], 25)
    said = report([Delays(b"pump-turn", ((1, 30),), 30), Delays(b"mine", ((1, 20), (61, 100), (301, 20)), 100)], 10)
    first, second = said.splitlines()[1:]
    assert first == f" * pump-turn: 1 delay, 30 ms typically, 30 ms at the longest. {ADVICE[b'pump-turn']}"
    assert (
        second == " * mine: 3 delays, 20 ms typically, 100 ms at the longest, seldom (every 2 min) and with outliers."
    )
    often = report([Delays(b"mine", ((1, 20), (31, 20)), 20)], 10)
    assert "often (every 30 s) and of much the same length" in often
