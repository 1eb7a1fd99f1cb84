"""Aim: coredis works under Trio. Method: its everyday commands, from several tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import coredis
import pytest
import trio
from coredis.exceptions import ResponseError

if TYPE_CHECKING:
    from tests._servers import Server


def connect(server: Server, **options: Any) -> Any:
    return coredis.Redis(host=server.host, port=server.port, decode_responses=True, **options)


async def test_everyday_commands(server: Server) -> None:
    async with connect(server) as client:
        assert await client.ping() == "PONG"
        assert await client.set("a", "1") is True
        assert await client.get("a") == "1"
        assert await client.get("nothing") is None
        assert await client.incrby("a", 41) == 42
        assert await client.mset({"b": "2", "c": "3"}) is True
        assert tuple(await client.mget(["b", "nothing", "c"])) == ("2", None, "3")
        assert await client.expire("a", 100) is True
        assert 90 < await client.ttl("a") <= 100
        assert await client.persist("a") is True
        assert await client.rename("b", "d") is True
        assert {key async for key in client.scan_iter()} == {"a", "c", "d"}
        assert await client.delete(["a", "c", "d", "nothing"]) == 3
        assert await client.dbsize() == 0
        await client.set("word", "abc")
        with pytest.raises(ResponseError, match="not an integer"):
            await client.incr("word")


async def test_pipeline(server: Server) -> None:
    async with connect(server) as client:
        async with client.pipeline(transaction=False) as pipe:
            replies = [pipe.incr("n") for _ in range(500)]
        assert [await reply for reply in replies] == list(range(1, 501))


async def test_many_tasks_share_a_client(server: Server) -> None:
    async with connect(server) as client:

        async def count() -> None:
            for _ in range(50):
                await client.incr("shared")

        async with trio.open_nursery() as nursery:
            for _ in range(20):
                nursery.start_soon(count)
        assert await client.get("shared") == "1000"


async def test_databases_and_names(server: Server) -> None:
    async with connect(server, db=2, client_name="tester") as client:
        assert await client.client_getname() == "tester"
        assert await client.set("k", "v") is True
        async with connect(server) as other:
            assert await other.exists(["k"]) == 0
