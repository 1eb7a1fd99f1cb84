"""Aim: keys, calls and what a crash leaves behind, as a module sees them in a stock server.

Method: the same module in both servers; the same commands; equal replies. Crashes are ours alone: the keyspace is
compared with itself.
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests._servers import redis_command, running, trioredis_command
from tests.sandbox._facts import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Client = Any
"""A redis.Redis; its commands have no types."""

SOURCE: Final = ROOT / "tests" / "sandbox" / "modules" / "keyapi.c"
OTHER: Final = ROOT / "sandbox" / "examples" / "keys.c"
INCLUDE: Final = ROOT / "sandbox" / "include"
SECONDS: Final = 20.0
READ: Final = 1
BOTH: Final = 3
RESTARTS: Final = ("--module-restart-backoff-ms", "0", "--module-restarts-per-minute", "0")
LONG: Final = "0123456789" * 500
QUIET: Final = 1 << 16 | 1 << 17 | 1 << 18 | 1 << 19

SCRIPTS: Final = {
    "nothing there": (
        f"KEYAPI.KEY k {READ} type",
        f"KEYAPI.KEY k {BOTH} type len abs ttl 5 read del unlink trunc 0 name db expire 5 expireat 5 lru lfu setlru 5",
        "EXISTS k",
        f"KEYAPI.KEY k {BOTH} trunc 3 type len read set a len close",
    ),
    "set": (
        f"KEYAPI.KEY k {BOTH} set one type len read set 12345 len",
        "OBJECT ENCODING k",
        "GET k",
        "EXPIRE k 100",
        f"KEYAPI.KEY k {BOTH} ttl 100000 set two abs",
        "TTL k",
        f"KEYAPI.KEY k {BOTH} set {LONG} len read",
        "STRLEN k",
        f"KEYAPI.KEY k {READ} set no del unlink trunc 1 expire 5 type",
        "STRLEN k",
    ),
    "write in place": (
        "SET k hello",
        f"KEYAPI.KEY k {BOTH} write 0 J read write 4 y read len",
        "GET k",
        f"SET k {LONG}",
        f"KEYAPI.KEY k {BOTH} write 4990 ABCDEFGHIJ call STRLEN k read",
        "GETRANGE k 4985 4999",
        "SET k 777",
        f"KEYAPI.KEY k {BOTH} write 1 8 len close",
        "GET k",
        "SET k abcdef EX 100",
        f"KEYAPI.KEY k {BOTH} write 0 AB trunc 4 read write 2 CD trunc 6 read set x write 0 y read",
        "GET k",
        "TTL k",
    ),
    "written bytes are seen by calls": (
        "SET k hello",
        f"KEYAPI.KEY k {BOTH} write 0 J call GET k write 1 E call GET k",
        "GET k",
    ),
    "truncate": (
        "SET k hello",
        f"KEYAPI.KEY k {BOTH} trunc 2 read trunc 5 read trunc 0 read type len",
        "EXISTS k",
        "GET k",
        f"KEYAPI.KEY k {BOTH} trunc 536870913 trunc -1",
    ),
    "expiry": (
        "SET k v",
        f"KEYAPI.KEY k {BOTH} ttl 1 abs expire 100000 ttl 100000 expire -1 abs expire -2",
        f"KEYAPI.KEY k {BOTH} expireat 99999999999999 abs expireat -5 expireat -1 abs expireat 99999999999999",
        "PEXPIRETIME k",
        f"KEYAPI.KEY k {BOTH} expireat 5 abs ttl 0",
        "EXISTS k",
    ),
    "delete": (
        "MSET a 1 b 2",
        f"KEYAPI.KEY a {BOTH} del type len read del abs",
        f"KEYAPI.KEY b {BOTH} unlink type set again type unlink",
        "DBSIZE",
    ),
    "age": (
        "SET k v",
        f"KEYAPI.KEY k {BOTH} lru setlru 50000 lru setlru -1 lfu setlfu 5 lfu",
        "CONFIG SET maxmemory-policy allkeys-lfu",
        f"KEYAPI.KEY k {BOTH} setlfu 200 lfu lru setlru 1000",
        "OBJECT FREQ k",
        "CONFIG SET maxmemory-policy noeviction",
    ),
    "calls beside an open key": (
        "SET k hello",
        f"KEYAPI.KEY k {BOTH} len call EXPIRE k call GET k",
    ),
    "modes": (
        "CONFIG RESETSTAT",
        f"KEYAPI.KEY k {READ}",
        f"KEYAPI.KEY k {BOTH} type",
        f"KEYAPI.KEY k {READ | QUIET} type",
        "SET k v",
        f"KEYAPI.KEY k {READ | QUIET} type",
        f"KEYAPI.KEY k {READ} type",
        f"KEYAPI.KEY k {1 << 20} type read",
        f"KEYAPI.KEY k {1 << 19} type",
    ),
    "databases": (
        "MSET aa 1 bb 22 cc 333",
        "KEYAPI.DB size exists aa exists zz selected scan",
        "KEYAPI.DB select 3 selected size select 99 select -1 selected",
        "SET only here",
        "KEYAPI.DB random size signal only scan",
        "KEYAPI.DB scandel only size",
        "KEYAPI.DB select 0 size scandel aa size",
    ),
    "calls": (
        "KEYAPI.CALL ! SET k v",
        "KEYAPI.CALL ! GET k",
        "KEYAPI.CALL ! nosuch x",
        "KEYAPI.CALL E nosuch x y",
        "KEYAPI.CALL ! GET",
        "KEYAPI.CALL E GET",
        "KEYAPI.CALL E CLIENT nosuch",
        "KEYAPI.CALL ! CLIENT nosuch",
        "KEYAPI.CALL ! INCR k",
        "KEYAPI.CALL W SET k other",
        "KEYAPI.CALL WE SET k other",
        "KEYAPI.CALL WE GET k",
        "KEYAPI.CALL S SUBSCRIBE k",
        "KEYAPI.CALL SE WATCH k",
        "KEYAPI.CALL S GET k",
        "KEYAPI.CALL C GET k",
        "KEYAPI.CALL CE GET k",
        "KEYAPI.CALL 3 GET k",
        "KEYAPI.CALL AR SET k w",
        "KEYAPI.CALL !A3 DEL k zz",
        "KEYAPI.CALL 0 EXISTS k",
        "KEYAPI.CALL ! keyapi.call ! ECHO deep",
        "KEYAPI.CALL ! MGET " + " ".join(f"k{n}" for n in range(40)),
        "KEYAPI.SAY first second third",
        "MGET n keyapi.say",
        "KEYAPI.DEEP 9",
        "GET deep",
    ),
    "formats": (
        "KEYAPI.FORMAT !AR30CSWME",
        "KEYAPI.FORMAT x",
        "KEYAPI.FORMAT !?",
        "KEYAPI.FORMAT E",
    ),
    "memory": (
        "SET k v",
        "CONFIG SET maxmemory 1",
        "KEYAPI.CALL M GET k",
        "KEYAPI.CALL M SET k w",
        "KEYAPI.CALL ME SET k w",
        "KEYAPI.CALL ! SET k w",
        "CONFIG SET maxmemory 0",
        "GET k",
    ),
    "replication": (
        "KEYAPI.REPLICATE ! SET k v",
        "KEYAPI.REPLICATE A nosuch v",
        "KEYAPI.REPLICATE ? SET v",
        "KEYAPI.REPLICATE AR set k v",
        "KEYAPI.TRAFFIC",
    ),
}
"""Commands that give the same replies in both servers, one after the other in an empty keyspace."""

CRASHES: Final = {
    "set by call": "set a changed set new one",
    "own": f"own a changed own b 17 own new {LONG}",
    "deleted": "del a del b",
    "expiry": "expire a 50000 expire b -1",
    "in place": "write a # write long #",
    "everything at once": "set a 1 del b expire a 9999 own new x write long y set new2 z del a",
    "flushed": "call FLUSHALL set a after",
    "nested": "deep 3 set a x",
}
"""Steps of a command that crashes at its end."""


@dataclass(frozen=True, slots=True)
class Pair:
    """The same module in both."""

    ours: Client
    stock: Client


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """Yield clients of both servers."""
    directory = tmp_path_factory.mktemp("keyapi")
    libraries = [build(source, directory) for source in (SOURCE, OTHER)]
    stock = redis_command()
    if stock is None:
        pytest.skip("redis-server is not installed")
    options = ["--enable-debug-command", "yes"]
    for library in libraries:
        options += ["--loadmodule", str(library)]
    made: dict[str, Any] = {"protocol": 2, "socket_timeout": SECONDS, "decode_responses": True}
    made["retry"] = Retry(NoBackoff(), 0)
    with (
        running("redis", [*stock, *options], directory) as theirs,
        running("trioredis", [*trioredis_command(), *options, *RESTARTS], directory) as ours,
        redis.Redis(port=ours.port, **made) as one,
        redis.Redis(port=theirs.port, **made) as other,
    ):
        yield Pair(one, other)


def build(source: Path, directory: Path) -> Path:
    """Return the compiled module."""
    result = directory / f"{source.stem}.so"
    warnings = ("-Wall", "-Wextra", "-Wshadow", "-Werror")
    subprocess.run(("gcc", "-O2", "-fPIC", "-shared", f"-I{INCLUDE}", *warnings, "-o", result, source), check=True)
    return result


def plain(reply: object) -> object:
    """Return the reply with its errors as text."""
    if isinstance(reply, list):
        return [plain(item) for item in reply]
    return f"{type(reply).__name__} {reply}" if isinstance(reply, Exception) else reply


def ask(client: Client, command: str) -> object:
    """Return the reply to the words, errors as text."""
    try:
        return plain(client.execute_command(*command.split(" ")))
    except redis.ResponseError as error:
        return plain(error)


@pytest.mark.parametrize("name", SCRIPTS)
def test_the_same_replies(pair: Pair, name: str) -> None:
    with pair.ours.client() as ours, pair.stock.client() as stock:
        for client in (ours, stock):
            client.flushall()
        for command in SCRIPTS[name]:
            assert ask(ours, command) == ask(stock, command), command


@pytest.mark.parametrize("touch", ["signal k", "exists k"])
def test_signalled_keys_end_transactions(pair: Pair, touch: str) -> None:
    def outcome(client: Client) -> object:
        client.set("k", "v")
        with client.pipeline() as transaction:
            transaction.watch("k")
            client.execute_command("KEYAPI.DB", *touch.split(" "))
            transaction.multi()
            transaction.get("k")
            try:
                return transaction.execute()
            except redis.WatchError:
                return "changed"

    assert outcome(pair.ours) == outcome(pair.stock)


@pytest.mark.parametrize("mode", [READ, BOTH])
def test_a_key_open_for_writing_ends_transactions(pair: Pair, mode: int) -> None:
    def outcome(client: Client) -> object:
        client.set("k", "v")
        with client.pipeline() as transaction:
            transaction.watch("k")
            client.execute_command("KEYAPI.KEY", "k", mode, "type")
            transaction.multi()
            transaction.get("k")
            try:
                return transaction.execute()
            except redis.WatchError:
                return "changed"

    assert outcome(pair.ours) == outcome(pair.stock) == ("changed" if mode == BOTH else ["v"])


def wait_until_up(client: Client) -> None:
    """Return when the module, which may have crashed, serves again."""
    while True:
        try:
            client.execute_command("KEYAPI.TRAFFIC")
        except redis.ResponseError as error:
            if "is being started again" not in str(error):
                raise
        else:
            return


def fill(client: Client) -> None:
    """Make some keys."""
    wait_until_up(client)
    client.flushall()
    client.mset({"a": "text", "b": "17", "long": LONG, "deep": "1"})
    client.pexpireat("b", 99999999999999)


def state(client: Client) -> object:
    """Return all that the keyspace holds."""
    names = sorted(client.keys("*"))
    return client.execute_command("DEBUG", "DIGEST"), [
        (name, client.get(name), client.pexpiretime(name)) for name in names
    ]


@pytest.mark.parametrize("name", CRASHES)
def test_a_crash_leaves_the_keyspace_as_it_was(pair: Pair, name: str) -> None:
    client = pair.ours
    fill(client)
    before = state(client)
    with pytest.raises(redis.ResponseError, match="MODULECRASH"):
        client.execute_command("KEYAPI.CRASH", *CRASHES[name].split(" "))
    assert state(client) == before


def test_a_module_dies_amid_the_call_of_another(pair: Pair) -> None:
    """It called the other one, which called it back: that has survived."""
    client = pair.ours
    fill(client)
    before = state(client)
    with pytest.raises(redis.ResponseError, match="MODULECRASH keyapi"):
        client.execute_command("KEYAPI.CALL", "!", "keys.call", "keyapi.crash", "set", "a", "changed", "own", "b", "1")
    assert state(client) == before
    assert client.execute_command("KEYS.GET", "a") == "text"
    wait_until_up(client)
    assert ask(client, "KEYAPI.CALL ! keys.call keyapi.call ! keys.set a done") == [0, [0, "OK"]]
    assert client.get("a") == "done"


def test_the_same_work_without_a_crash_stays(pair: Pair) -> None:
    client = pair.ours
    fill(client)
    before = state(client)
    client.execute_command("KEYAPI.KEY", "a", BOTH, "set", "changed")
    assert state(client) != before
