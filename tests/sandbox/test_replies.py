"""Aim: what a module replies with, and what it sees of the server, is byte by byte what a stock server makes of it.

Method: two modules with a command for each function are loaded into both servers; the bytes that come back over a
plain socket are compared, in RESP2 and RESP3. Where the versions differ by intent, what ours says stands here.
"""

from __future__ import annotations

import importlib.util
import json
import os
import socket
import subprocess
from typing import TYPE_CHECKING, Final

import pytest

from tests._servers import HOST, Server, redis_command, running, trioredis_command
from tests.sandbox._facts import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

INCLUDE: Final = ROOT / "sandbox" / "include"
MODULES: Final = ("replies", "server")
DEBUG: Final = ("--enable-debug-command", "yes")
SECONDS: Final = 20.0
READ_BYTES: Final = 65536
STATUS: Final = json.loads((ROOT / "sandbox" / "status.json").read_text(encoding="utf-8"))
MARK: Final = b"~end~"
MARK_REPLY: Final = b"$%d\r\n%s\r\n" % (len(MARK), MARK)

REPLIES: Final = (
    "replies.longlong",
    "replies.error foo",
    "replies.error -foo",
    "replies.error A_b",
    "replies.error",
    "replies.error a b",
    "replies.error A\r\nb c\r\n",
    "replies.simplestring OK",
    "replies.simplestring two\r\nlines\n",
    "replies.simplestring ",
    "replies.array",
    "replies.map",
    "replies.set",
    "replies.attribute",
    "replies.postponed",
    "replies.strings a b",
    "replies.verbatim",
    "replies.null",
    "replies.bool",
    "replies.longdouble",
    "replies.bignumber",
    "replies.number ",
    "replies.number 12x",
    "replies.number -",
    "replies.formatted a\r\nb m",
    "replies.formatted a \r\n",
    "replies.formatted  ",
    "replies.nothing",
    "replies.container error",
    "replies.container ERROR x",
    "replies.container error x y",
    "replies.container nope",
    "REPLIES.nope",
)
SERVER: Final = (
    "flushall",
    "server.seen",
    "server.field server redis_mode",
    "server.field server nope",
    "server.field nope uptime_in_seconds",
    "server.client",
    "server.name self joe",
    "server.client",
    "server.name 999999 x",
    "server.name self j\x01e",
    "server.publish c t",
    "server.spublish c t",
    "server.keys ping",
    "server.keys nope",
    "server.keys get",
    "server.where a b",
    "server.current",
    "SERVER.CURRENT",
    "server.multi",
    "multi;server.multi;exec",
    "set a 1",
    "del a",
    "server.seen",
    "server.notify hello k",
    "config set notify-keyspace-events KEA",
    "server.notify hello other",
    "server.seen",
    "config set notify-keyspace-events ",
    "multi;set b 1;append b 2;exec",
    "server.seen",
    "server.twice ab",
    "server.twice a b",
    "server.described a",
    "server.described a b",
)
"""One after the other, by one client; those between semicolons go out together."""
CALLS: Final = (
    "flushall;set a 1;set n 12;append t text",
    "replies.call 2 get a",
    "replies.call 2 get absent",
    "replies.call 2 mget a absent n",
    "replies.call 0 mget a absent n",
    "replies.call 2 incr a",
    "replies.call 2 incr t",
    "replies.call 2 set x",
    "replies.call 2 nonsense",
    "replies.call 2 echo text",
    "replies.call 2 ping",
    "replies.look 2 config get maxmemory",
    "replies.look 3 config get maxmemory",
    "replies.look 0 config get maxmemory",
    "replies.walk 2 config get maxmemory",
    "replies.walk 3 config get maxmemory",
    "replies.walk 3 get absent",
    "replies.walk 2 get absent",
    "replies.walk 2 mget a absent n",
    "replies.walk 3 mget a absent n",
    "replies.walk 2 incr t",
    "replies.walk 2 incr n",
    "replies.walk 2 ping",
    "replies.part 2 1 mget a n",
    "replies.part 2 2 mget a n",
    "replies.part 3 1 mget a absent",
    "replies.part 3 0 config get maxmemory",
)
"""Replies of commands that a module calls."""
OF_CLIENTS: Final = tuple(
    f"replies.call 2 {words}"
    for words in (
        "monitor", "reset", "subscribe a", "psubscribe a", "ssubscribe a", "unsubscribe a", "punsubscribe", "multi",
        "exec", "discard", "watch a", "unwatch", "quit", "client reply off", "client reply skip", "client reply on",
        "client getname", "client setname x", "client no-evict on", "client kill id 999999", "client unblock 999999",
        "client caching yes", "client getredir", "hello 5", "hello x", "auth x", "auth default x", "select 1",
        "select 99", "ping", "echo a",
    )
)  # fmt: skip
"""What is said of the client that calls: a module's is none that could do all of it."""
OUT_OF_BAND: Final = ("replies.call 3 debug protocol push", "replies.walk 3 debug protocol push")
"""Replies that come with a push."""
NOT_WHOLE: Final = b"-ERR the module's reply is not one whole value\r\n"
UNFILTER: Final = ("server.unfilter", "server.unfilter", "server.twice ab")
OURS: Final = {
    "replies.errorformat x": b"-CODE7 x: 0.50\r\n",
    "replies.number 1\r\n2": b"$4\r\n1\r\n2\r\n",
    "replies.lacking": NOT_WHOLE,
    "replies.twice": NOT_WHOLE,
    "replies.unclosed": b"*2\r\n:1\r\n*2\r\n:2\r\n:3\r\n",
    "server.keys mset a 1 b 2": b"*4\r\n:1\r\n:36\r\n:3\r\n:36\r\n",
    "set work 1": b"+OK\r\n",
    "server.seen": b"$31\r\n8:set:work job:data freed:data \r\n",
}
"""What 7.0 doesn't have, doesn't survive, or breaks the protocol with."""
DOUBLES: Final = b"0 -0 1 -1 0.1 0.5 1.5 3.141592653589793 10000000000 100000000000000000 1e+21 1e+100".split() + (
    b"1.7976931348623157e+308 5e-324 0.00001 1e-10 0.001 123456.789 4611686018427387904 9007199254740992".split()
    + b"-1234.5 inf -inf".split()
)
"""The shortest text that reads back, as 7.4 has them."""


calls = pytest.mark.skipif(STATUS["Call"] != "there", reason="modules can't call commands yet")


class Connection:
    """A client of plain bytes; closed by the one who made it."""

    def __init__(self, server: Server, resp: int) -> None:
        self._socket = socket.create_connection((HOST, server.port), SECONDS)
        self(f"hello {resp}")

    def __call__(self, commands: str) -> bytes:
        """Return all bytes that commands are answered with."""
        lines = (*commands.split(";"), f"echo {MARK.decode()}")
        self._socket.sendall(b"".join(self._encode(*line.split(" ")) for line in lines))
        reply = b""
        while not reply.endswith(MARK_REPLY):
            data = self._socket.recv(READ_BYTES)
            assert data, f"the server hung up after {reply!r}"
            reply += data
        return reply[: -len(MARK_REPLY)]

    @staticmethod
    def _encode(*words: str) -> bytes:
        parts = [word.encode() for word in words]
        return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)

    def close(self) -> None:
        """Hang up."""
        self._socket.close()


def run(server: Server, commands: tuple[str, ...], resp: int) -> list[bytes]:
    """Return the replies of commands, one after the other on a connection of its own."""
    connection = Connection(server, resp)
    try:
        return [connection(command) for command in commands]
    finally:
        connection.close()


@pytest.fixture(scope="module")
def libraries(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ...]:
    """Return the compiled modules."""
    folder = tmp_path_factory.mktemp("modules")
    paths = tuple(folder / f"{name}.so" for name in MODULES)
    for name, path in zip(MODULES, paths, strict=True):
        source = ROOT / "tests" / "sandbox" / "modules" / f"{name}.c"
        flags = ("-O2", "-fPIC", "-shared", "-Wall", "-Wextra", "-Wshadow", "-Werror")
        subprocess.run((os.environ.get("CC", "gcc"), *flags, f"-I{INCLUDE}", "-o", path, source), check=True)
    return paths


def load(libraries: tuple[Path, ...]) -> list[str]:
    """Return options of a server that loads the modules."""
    return [word for path in libraries for word in ("--loadmodule", str(path))]


@pytest.fixture(scope="module")
def stock(libraries: tuple[Path, ...], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Yield a stock server with the modules."""
    command = redis_command()
    if command is None:
        pytest.skip("redis-server is not installed")
    with running("redis", [*command, *load(libraries), *DEBUG], tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture(scope="module")
def ours(libraries: tuple[Path, ...], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Yield our server with the modules."""
    if importlib.util.find_spec("trioredis.modules.supervisor") is None:
        pytest.skip("modules can't be loaded into the server yet")
    command = [*trioredis_command(), *load(libraries), *DEBUG]
    with running("trioredis", command, tmp_path_factory.mktemp("trioredis")) as server:
        yield server


@pytest.mark.parametrize("resp", [2, 3])
@pytest.mark.parametrize("command", REPLIES)
def test_replies_are_those_of_stock(command: str, resp: int, stock: Server, ours: Server) -> None:
    assert run(ours, (command,), resp) == run(stock, (command,), resp)


@pytest.mark.parametrize("resp", [2, 3])
def test_doubles_are_those_of_7_4(resp: int, ours: Server) -> None:
    lines = b"".join(b",%s\r\n" % text if resp == 3 else b"$%d\r\n%s\r\n" % (len(text), text) for text in DOUBLES)
    assert run(ours, ("replies.double",), resp) == [b"*%d\r\n" % len(DOUBLES) + lines]


def test_errors_are_counted_as_in_stock(stock: Server, ours: Server) -> None:
    commands = ("config resetstat", *(one for one in REPLIES if "nope" not in one), "info errorstats")
    theirs, mine = (run(server, commands, 2)[-1].decode() for server in (stock, ours))
    assert mine.replace("Errorstats", "").split() == theirs.replace("Errorstats", "").split()


def test_what_7_0_does_not_have(ours: Server) -> None:
    run(ours, ("flushall", "server.seen"), 2)
    assert dict(zip(OURS, run(ours, tuple(OURS), 2), strict=True)) == OURS


@pytest.mark.parametrize("resp", [2, 3])
def test_what_a_module_sees_is_that_of_stock(resp: int, stock: Server, ours: Server) -> None:
    theirs, mine = (run(server, SERVER, resp) for server in (stock, ours))
    assert dict(enumerate(zip(SERVER, mine, strict=True))) == dict(enumerate(zip(SERVER, theirs, strict=True)))


@calls
@pytest.mark.parametrize("resp", [2, 3])
def test_replies_of_commands_are_those_of_stock(resp: int, stock: Server, ours: Server) -> None:
    theirs, mine = (run(server, CALLS, resp) for server in (stock, ours))
    assert dict(zip(CALLS, mine, strict=True)) == dict(zip(CALLS, theirs, strict=True))


@calls
def test_no_reply_of_resp3_for_resp2(ours: Server) -> None:
    assert run(ours, ("replies.call 3 config get maxmemory",), 2) == [b"+refused\r\n"]


@calls
@pytest.mark.parametrize("resp", [2, 3])
def test_a_module_is_the_client_that_it_is_in_stock(resp: int, stock: Server, ours: Server) -> None:
    theirs, mine = (run(server, OF_CLIENTS, resp) for server in (stock, ours))
    assert dict(zip(OF_CLIENTS, mine, strict=True)) == dict(zip(OF_CLIENTS, theirs, strict=True))


@calls
def test_a_module_may_ask_who_it_is(ours: Server) -> None:
    asked = ("replies.call 2 client id", "replies.call 2 client info", "client list", "ping")
    ident, about, listed, alive = run(ours, asked, 2)
    assert ident.startswith(b":")
    assert b" fd=-1 " in about
    assert b"client|info" not in listed
    assert alive == b"+PONG\r\n"


@calls
def test_a_reply_with_a_push_is_that_of_stock(stock: Server, ours: Server) -> None:
    assert run(ours, OUT_OF_BAND, 3) == run(stock, OUT_OF_BAND, 3)
    assert run(ours, OUT_OF_BAND[:1], 2) == [b"+refused\r\n"]


def test_line_ends_in_a_number_of_resp3(ours: Server) -> None:
    assert run(ours, ("replies.number 1\r\n2",), 3) == [b"(1  2\r\n"]


@calls
def test_errors_handed_on_are_counted_as_in_stock(stock: Server, ours: Server) -> None:
    commands = ("config resetstat", "set t text", "replies.call 2 incr t", "replies.walk 2 incr t", "info errorstats")
    theirs, mine = (run(server, commands, 2)[-1].decode() for server in (stock, ours))
    assert "count=1" in theirs
    assert mine == theirs


def test_a_filter_ends(stock: Server, ours: Server) -> None:
    assert run(ours, UNFILTER, 2) == run(stock, UNFILTER, 2)
