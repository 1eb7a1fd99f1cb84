"""Aim: redis-py works, with each of its parsers. Method: use it as its users do; compare with known results."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
import redis
from redis._parsers import _HiredisParser, _RESP2Parser, _RESP3Parser
from redis.backoff import NoBackoff
from redis.retry import Retry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests._servers import Server

PARSERS = {
    "resp2-python": (2, _RESP2Parser),
    "resp3-python": (3, _RESP3Parser),
    "resp2-hiredis": (2, _HiredisParser),
    "resp3-hiredis": (3, _HiredisParser),
}
BINARY = bytes(range(256))
FAR = 4_102_444_800  # the year 2100


@pytest.fixture(params=PARSERS)
def options(request: pytest.FixtureRequest, server: Server) -> dict[str, Any]:
    """Return how to connect."""
    protocol, parser = PARSERS[request.param]
    return {"host": server.host, "port": server.port, "protocol": protocol, "parser_class": parser}


def pooled(options: dict[str, Any], **more: Any) -> Any:
    pool = redis.ConnectionPool(**{**options, **more})
    return redis.Redis.from_pool(pool)


@pytest.fixture
def client(options: dict[str, Any]) -> Iterator[Any]:
    """Return a client that decodes replies to text."""
    with pooled(options, decode_responses=True) as found:
        yield found


@pytest.fixture
def binary(options: dict[str, Any]) -> Iterator[Any]:
    """Return a client that leaves replies as bytes."""
    with pooled(options) as found:
        yield found


def test_strings(client: Any) -> None:
    assert client.set("greeting", "hello") is True
    assert client.get("greeting") == "hello"
    assert client["greeting"] == "hello"
    assert client.get("nothing") is None
    assert client.append("greeting", " world") == 11
    assert client.strlen("greeting") == 11
    assert client.getrange("greeting", 0, 4) == "hello"
    assert client.substr("greeting", -5, -1) == "world"
    assert client.setrange("greeting", 6, "Redis") == 11
    assert client.getset("greeting", "new") == "hello Redis"
    assert client.getdel("greeting") == "new"
    assert client.exists("greeting") == 0
    assert client.mset({"a": "1", "b": "2"}) is True
    assert client.mget("a", "nothing", "b") == ["1", None, "2"]
    assert client.msetnx({"b": "3", "c": "4"}) is False
    assert client.setnx("c", "5") is True


def test_conditional_set(client: Any) -> None:
    assert client.set("k", "1", xx=True) is None
    assert client.set("k", "1", nx=True) is True
    assert client.set("k", "2", nx=True) is None
    assert client.set("k", "2", xx=True, get=True) == "1"
    assert client.set("k", "3", ex=100) is True
    assert client.set("k", "4", keepttl=True) is True
    assert 90 < client.ttl("k") <= 100
    assert client.set("k", "5", pxat=FAR * 1000) is True
    assert client.pexpiretime("k") == FAR * 1000


def test_counters(client: Any) -> None:
    assert client.incr("n") == 1
    assert client.incrby("n", 9) == 10
    assert client.decr("n") == 9
    assert client.decrby("n", 19) == -10
    assert client.incrbyfloat("f", 0.1) == pytest.approx(0.1)
    assert client.incrbyfloat("f", "2.5e1") == pytest.approx(25.1)
    client.set("word", "abc")
    with pytest.raises(redis.ResponseError, match="not an integer"):
        client.incr("word")
    client.set("n", 2**63 - 1)
    with pytest.raises(redis.ResponseError, match="overflow"):
        client.incr("n")


def test_longest_common_subsequence(client: Any) -> None:
    client.mset({"a": "ohmytext", "b": "mynewtext"})
    assert client.lcs("a", "b") == "mytext"
    assert client.lcs("a", "b", len=True) == 6
    found = client.lcs("a", "b", idx=True, minmatchlen=4, withmatchlen=True)
    pairs = found if isinstance(found, dict) else dict(zip(found[::2], found[1::2], strict=True))
    assert pairs["matches"] == [[[4, 7], [5, 8], 4]]
    assert pairs["len"] == 6


def test_binary_safety(binary: Any) -> None:
    assert binary.set(BINARY, BINARY * 5) is True
    assert binary.get(BINARY) == BINARY * 5
    assert binary.keys("*") == [BINARY]
    big = BINARY * 20_000
    binary.set("big", big)
    assert binary.get("big") == big
    assert binary.strlen("big") == len(big)


def test_keys(client: Any) -> None:
    names = {f"user:{i}" for i in range(500)}
    assert client.mset(dict.fromkeys(names, "x")) is True
    assert client.dbsize() == 500
    assert set(client.scan_iter(match="user:*", count=50)) == names
    assert set(client.scan_iter(match="user:1?")) == {f"user:1{i}" for i in range(10)}
    assert list(client.scan_iter(_type="list")) == []
    assert set(client.keys("user:49[89]")) == {"user:498", "user:499"}
    assert client.randomkey() in names
    assert client.type("user:1") == "string"
    assert client.type("nothing") == "none"
    assert client.exists("user:1", "user:1", "nothing") == 2
    assert client.touch("user:1", "nothing") == 1
    assert client.delete("user:1", "user:2", "nothing") == 2
    assert client.unlink("user:3") == 1
    assert client.rename("user:4", "user:5") is True
    assert client.renamenx("user:5", "user:6") is False
    assert client.copy("user:6", "copy") is True
    assert client.copy("user:7", "copy", replace=True) is True
    assert client.object("encoding", "copy") == "embstr"
    assert client.object("refcount", "copy") == 1
    with pytest.raises(redis.ResponseError, match="no such key"):
        client.rename("nothing", "x")


def test_expiry(client: Any) -> None:
    client.set("k", "v")
    assert client.ttl("k") == -1
    assert client.ttl("nothing") == -2
    assert client.expire("k", 1000) is True
    assert 990 < client.ttl("k") <= 1000
    assert 990_000 < client.pttl("k") <= 1_000_000
    assert client.expire("k", 2000, nx=True) is False
    assert client.expire("k", 2000, gt=True) is True
    assert client.pexpire("k", 500_000, lt=True) is True
    assert client.expireat("k", FAR) is True
    assert client.expiretime("k") == FAR
    assert client.pexpireat("k", FAR * 1000 + 7) is True
    assert client.pexpiretime("k") == FAR * 1000 + 7
    assert client.persist("k") is True
    assert client.persist("k") is False
    assert client.getex("k", ex=50) == "v"
    assert 40 < client.ttl("k") <= 50
    assert client.getex("k", persist=True) == "v"
    assert client.ttl("k") == -1
    assert client.execute_command("SETEX", "k", 60, "w") in (True, "OK")
    assert client.execute_command("PSETEX", "k", 60_000, "w") in (True, "OK")
    assert client.get("k") == "w"
    assert client.expire("k", -1) is True
    assert client.get("k") is None


def test_a_key_dies_in_time(client: Any) -> None:
    client.set("short", "v", px=30)
    until = time.monotonic() + 20
    while client.exists("short"):
        assert time.monotonic() < until, "a key with 30 ms to live is still there after 20 s"
    assert client.get("short") is None
    assert client.ttl("short") == -2


def test_databases(options: dict[str, Any], client: Any) -> None:
    client.set("here", "0")
    with pooled(options, db=3, decode_responses=True) as other:
        assert other.get("here") is None
        assert client.move("here", 3) is True
        assert other.get("here") == "0"
        assert client.swapdb(0, 3) is True
        assert client.get("here") == "0"
        assert client.copy("here", "there", destination_db=3) is True
        assert other.keys() == ["there"]
        assert other.flushdb() is True
    assert client.dbsize() == 1
    assert client.flushall() is True
    assert client.dbsize() == 0
    with pytest.raises(redis.ResponseError, match="out of range"), pooled(options, db=99) as wrong:
        wrong.ping()


def test_connection(options: dict[str, Any]) -> None:
    with pooled(options, client_name="tester", decode_responses=True, max_connections=1) as client:
        assert client.ping() is True
        assert client.echo("hello") == "hello"
        assert client.client_getname() == "tester"
        assert client.client_setname("renamed") is True
        assert client.client_getname() == "renamed"
        number = client.client_id()
        assert isinstance(number, int)
        me = client.client_info()
        assert int(me["id"]) == number
        assert me["name"] == "renamed"
        assert number in {int(c["id"]) for c in client.client_list()}
        assert client.execute_command("SELECT", 5) in (True, "OK")


def test_wrong_password(options: dict[str, Any]) -> None:
    with pytest.raises(redis.AuthenticationError), pooled(options, username="nobody", password="x") as client:
        client.ping()


def test_errors(client: Any) -> None:
    with pytest.raises(redis.ResponseError, match="unknown command 'NOSUCH'"):
        client.execute_command("NOSUCH", "a")
    with pytest.raises(redis.ResponseError, match="wrong number of arguments for 'get' command"):
        client.execute_command("GET")
    with pytest.raises(redis.ResponseError, match="syntax error"):
        client.execute_command("SET", "k", "v", "NONSENSE")
    assert client.ping() is True


def test_pipelines(client: Any) -> None:
    with client.pipeline(transaction=False) as pipe:
        for i in range(2_000):
            pipe.set(f"k{i}", i)
            pipe.incrby(f"k{i}", i)
        pipe.get("k1000")
        results = pipe.execute()
    assert results[:4] == [True, 0, True, 2]
    assert results[-1] == "2000"
    with client.pipeline(transaction=False) as pipe:
        pipe.set("word", "x").incr("word").get("word")
        mixed = pipe.execute(raise_on_error=False)
    assert mixed[0] is True
    assert isinstance(mixed[1], redis.ResponseError)
    assert mixed[2] == "x"


def test_threads_share_a_pool(options: dict[str, Any]) -> None:
    with pooled(options) as client:

        def count() -> None:
            for _ in range(200):
                client.incr("shared")

        threads = [threading.Thread(target=count) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert client.get("shared") == b"1600"


def test_reconnects_after_quit(options: dict[str, Any]) -> None:
    with pooled(options, retry=Retry(NoBackoff(), 3)) as client:  # it may notice only while it sends
        assert client.execute_command("QUIT") in (True, b"OK")
        assert client.ping() is True
