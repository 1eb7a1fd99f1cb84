"""Aim: transactions and WATCH loops of redis-py and coredis work. Method: their pipelines, alone and with rivals."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Final

import coredis
import pytest
import redis
import trio

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests._servers import Server

RIVALS: Final = 4
ROUNDS: Final = 50


@pytest.fixture(params=[2, 3])
def client(request: pytest.FixtureRequest, server: Server) -> Iterator[Any]:
    with redis.Redis(host=server.host, port=server.port, protocol=request.param, decode_responses=True) as found:
        yield found


@pytest.mark.parametrize("transaction", [False, True])
def test_a_pipeline(client: Any, transaction: bool) -> None:
    with client.pipeline(transaction=transaction) as pipe:
        pipe.set("a", 1).incr("a").get("a").mget("a", "no").delete("a").get("a")
        assert pipe.execute() == [True, 2, "2", ["2", None], 1, None]
        assert pipe.execute() == []


@pytest.mark.parametrize("transaction", [False, True])
def test_errors_in_a_pipeline(client: Any, transaction: bool) -> None:
    client.set("word", "abc")
    with client.pipeline(transaction=transaction) as pipe:
        pipe.set("a", 1).incr("word").set("b", 2)
        first, error, last = pipe.execute(raise_on_error=False)
        assert (first, last) == (True, True)
        assert isinstance(error, redis.ResponseError)
        pipe.set("c", 3).incr("word")
        with pytest.raises(redis.ResponseError, match="not an integer"):
            pipe.execute()
    assert client.mget("a", "b", "c") == ["1", "2", "3"]


def test_an_error_while_queueing(client: Any) -> None:
    with client.pipeline() as pipe:
        pipe.set("a", 1).execute_command("SET", "only_a_key")
        with pytest.raises(redis.ResponseError, match="wrong number of arguments"):
            pipe.execute()
    assert client.get("a") is None


def test_a_large_pipeline(client: Any) -> None:
    with client.pipeline() as pipe:
        for _ in range(10_000):
            pipe.incr("n")
        assert pipe.execute() == list(range(1, 10_001))


def test_a_watched_key_that_changes(client: Any) -> None:
    client.set("a", 1)
    with client.pipeline() as pipe:
        pipe.watch("a")
        assert pipe.get("a") == "1"
        client.set("a", 2)
        pipe.multi()
        pipe.set("a", 3)
        with pytest.raises(redis.WatchError):
            pipe.execute()
        pipe.watch("a")
        pipe.unwatch()
        client.set("a", 4)
        assert pipe.set("a", 5).execute() == [True]
    assert client.get("a") == "5"


def test_rivals_with_redis_py(client: Any) -> None:
    """Each adds one by reading and writing; without WATCH some would be lost."""
    client.set("n", 0)

    def add(pipe: Any) -> None:
        value = int(pipe.get("n"))
        pipe.multi()
        pipe.set("n", value + 1)

    def work() -> None:
        for _ in range(ROUNDS):
            client.transaction(add, "n")

    threads = [threading.Thread(target=work) for _ in range(RIVALS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert client.get("n") == str(RIVALS * ROUNDS)


def connect(server: Server) -> Any:
    return coredis.Redis(host=server.host, port=server.port, decode_responses=True)


@pytest.mark.parametrize("transaction", [False, True])
async def test_a_pipeline_of_coredis(server: Server, transaction: bool) -> None:
    async with connect(server) as one:
        async with one.pipeline(transaction=transaction) as pipe:
            replies = [pipe.set("a", "1"), pipe.incr("a"), pipe.get("a"), pipe.mget(["a", "no"]), pipe.delete(["a"])]
        assert [await reply for reply in replies] == [True, 2, "2", ("2", None), 1]


async def test_rivals_with_coredis(server: Server) -> None:
    async with connect(server) as one:
        await one.set("n", "0")

        async def work() -> None:
            for _ in range(ROUNDS):
                await add_one(one)

        async with trio.open_nursery() as nursery:
            for _ in range(RIVALS):
                nursery.start_soon(work)
        assert await one.get("n") == str(RIVALS * ROUNDS)


async def add_one(one: Any) -> None:
    """Read and write, again until nobody came in between."""
    while True:
        try:
            async with one.pipeline(transaction=True) as pipe, pipe.watch("n"):
                value = int(await one.get("n"))
                pipe.set("n", str(value + 1))
        except coredis.exceptions.WatchError:
            continue
        return
