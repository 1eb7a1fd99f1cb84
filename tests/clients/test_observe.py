"""Aim: the clients understand MONITOR, SLOWLOG and LATENCY. Method: redis-py with both protocols, coredis too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import coredis
import pytest
import redis

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests._servers import Server


@pytest.fixture(params=[2, 3])
def client(request: pytest.FixtureRequest, server: Server) -> Iterator[Any]:
    with redis.Redis(host=server.host, port=server.port, protocol=request.param, decode_responses=True) as found:
        yield found


def test_monitor(client: Any) -> None:
    with client.monitor() as monitor:
        client.set("a key", 'a "value"\n')
        with client.pipeline() as pipe:
            pipe.incr("n").get("n").execute()
        commands = []
        while (seen := monitor.next_command())["command"] != "EXEC":
            commands.append(seen)
        shown = [seen["command"] for seen in commands if not seen["command"].startswith(("CLIENT", "HELLO"))]
        assert shown == [r'SET a key a "value"\n', "MULTI", "INCRBY n 1", "GET n"]
        assert {seen["client_type"] for seen in commands} == {"tcp"}
        assert {seen["client_address"] for seen in commands} == {"127.0.0.1"}
        assert {seen["db"] for seen in commands} == {0}


def test_slowlog(client: Any) -> None:
    client.config_set("slowlog-log-slower-than", 0)
    try:
        client.slowlog_reset()
        client.set("k", "v")
        newest = client.slowlog_get(1)[0]
        assert newest["command"] == b"SET k v" or newest["command"] == "SET k v"
        assert newest["duration"] >= 0
        assert newest["id"] >= 0
        assert newest["client_address"].startswith(b"127.0.0.1") or newest["client_address"].startswith("127.0.0.1")
        assert client.slowlog_len() >= 2
        assert client.slowlog_reset() is True
    finally:
        client.config_set("slowlog-log-slower-than", 10_000)


def test_latency(client: Any) -> None:
    client.config_set("latency-monitor-threshold", 10)
    try:
        client.latency_reset()
        client.execute_command("DEBUG", "SLEEP", "0.02")
        found = {entry[0]: entry for entry in client.latency_latest()}
        name, time_s, newest, longest = found["command"]
        assert newest == longest >= 20
        assert [list(one) for one in client.latency_history(name)] == [[time_s, newest]]
        assert client.latency_reset("command") == 1
        assert client.latency_history("command") == []
    finally:
        client.config_set("latency-monitor-threshold", 0)
        client.latency_reset()


async def test_coredis(server: Server) -> None:
    async with coredis.Redis(host=server.host, port=server.port, decode_responses=True) as client:
        await client.config_set({"slowlog-log-slower-than": 0, "latency-monitor-threshold": 10})
        try:
            await client.slowlog_reset()
            await client.latency_reset()
            await client.set("k", "v")
            newest = (await client.slowlog_get(1))[0]
            assert tuple(newest.command) == ("SET", "k", "v")
            assert await client.slowlog_len() >= 2
            await client.config_set({"slowlog-log-slower-than": 10_000})
            assert "get" not in await client.latency_histogram("nosuch")
            assert await client.latency_latest() == {}
            assert await client.latency_history("command") == ()
            assert isinstance(await client.latency_doctor(), str)
        finally:
            await client.config_set({"slowlog-log-slower-than": 10_000, "latency-monitor-threshold": 0})
