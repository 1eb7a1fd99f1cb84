"""CLIENT and its subcommands.

Method: tables of commands and replies against a real server; where a stock server knows the command,
the same lines go to both and the replies must be the same.
"""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

import pytest
import trio

import trioredis
from tests._resp import ClosedError, RespClient
from trioredis.config import Config
from trioredis.engine import EngineError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests._resp import Reply
    from tests._servers import Server

PATIENCE_SECONDS = 30.0
SYNTAX = ("err", b"ERR syntax error")
OK = ("simple", b"OK")

# Lines whose replies a 7.0 server gives, too.
LIKE_STOCK: list[tuple[str, ...]] = [
    ("CLIENT",),
    ("CLIENT", "NOSUCH"),
    ("CLIENT", "GETNAME"),
    ("CLIENT", "SETNAME", "conn-1"),
    ("CLIENT", "GETNAME"),
    ("CLIENT", "SETNAME", "a b"),
    ("CLIENT", "SETNAME", "a\nb"),
    ("CLIENT", "SETNAME", "\x7f"),
    ("CLIENT", "SETNAME", "!~"),
    ("CLIENT", "GETNAME"),
    ("CLIENT", "SETNAME", ""),
    ("CLIENT", "GETNAME"),
    ("CLIENT", "SETNAME"),
    ("CLIENT", "NO-EVICT", "on"),
    ("CLIENT", "NO-EVICT", "OFF"),
    ("CLIENT", "NO-EVICT", "maybe"),
    ("CLIENT", "GETREDIR"),
    ("CLIENT", "TRACKINGINFO"),
    ("CLIENT", "CACHING", "YES"),
    ("CLIENT", "CACHING"),
    ("CLIENT", "UNBLOCK", "99999"),
    ("CLIENT", "UNBLOCK", "99999", "timeout"),
    ("CLIENT", "UNBLOCK", "99999", "ERROR"),
    ("CLIENT", "UNBLOCK", "99999", "later"),
    ("CLIENT", "UNBLOCK", "x", "later"),
    ("CLIENT", "UNBLOCK", "x"),
    ("CLIENT", "UNBLOCK", "1", "ERROR", "x"),
    ("CLIENT", "UNBLOCK"),
    ("CLIENT", "PAUSE", "-1"),
    ("CLIENT", "PAUSE", "soon"),
    ("CLIENT", "PAUSE", "1.5"),
    ("CLIENT", "PAUSE", "+5"),
    ("CLIENT", "PAUSE", "soon", "some"),
    ("CLIENT", "PAUSE", "0"),
    ("CLIENT", "PAUSE", "0", "write"),
    ("CLIENT", "PAUSE", "9223372036854775808"),
    ("CLIENT", "PAUSE", "1", "ALL", "ALL"),
    ("CLIENT", "UNPAUSE"),
    ("CLIENT", "KILL", "127.0.0.1:1"),
    ("CLIENT", "KILL", "ID"),
    ("CLIENT", "KILL", "ID", "999999"),
    ("CLIENT", "KILL", "ID", "0"),
    ("CLIENT", "KILL", "ID", "-1"),
    ("CLIENT", "KILL", "ID", "x"),
    ("CLIENT", "KILL", "ID", "999999", "TYPE"),
    ("CLIENT", "KILL", "TYPE", "pubsub"),
    ("CLIENT", "KILL", "type", "SLAVE"),
    ("CLIENT", "KILL", "TYPE", "replica"),
    ("CLIENT", "KILL", "TYPE", "master"),
    ("CLIENT", "KILL", "TYPE", "odd"),
    ("CLIENT", "KILL", "USER", "nobody"),
    ("CLIENT", "KILL", "USER", "default", "ID", "999999"),
    ("CLIENT", "KILL", "SKIPME", "maybe"),
    ("CLIENT", "KILL", "ADDR", "1.2.3.4:5"),
    ("CLIENT", "KILL", "LADDR", "1.2.3.4:5", "SKIPME", "no"),
    ("CLIENT", "KILL", "NOSUCH", "1"),
    ("CLIENT", "LIST", "TYPE", "pubsub"),
    ("CLIENT", "LIST", "TYPE", "master"),
    ("CLIENT", "LIST", "TYPE", "odd"),
    ("CLIENT", "LIST", "TYPE"),
    ("CLIENT", "LIST", "TYPE", "normal", "x"),
    ("CLIENT", "LIST", "ID"),
    ("CLIENT", "LIST", "ID", "x"),
    ("CLIENT", "LIST", "ID", "999999", "0", "-5"),
    ("CLIENT", "LIST", "odd"),
    ("CLIENT", "LIST", "odd", "1"),
    ("CLIENT", "ID", "x"),
]

# What came after 7.0.
ALSO: list[tuple[tuple[str, ...], Reply]] = [
    (("CLIENT", "PAUSE", "9223372036854775807"), ("err", b"ERR timeout is out of range")),
    (("CLIENT", "NO-TOUCH", "ON"), OK),
    (("CLIENT", "NO-TOUCH", "off"), OK),
    (("CLIENT", "NO-TOUCH", "maybe"), SYNTAX),
    (("CLIENT", "SETINFO", "LIB-NAME", "redis-py"), OK),
    (("CLIENT", "SETINFO", "lib-ver", "1.0"), OK),
    (("CLIENT", "SETINFO", "lib-ver", ""), OK),
    (
        ("CLIENT", "SETINFO", "Lib-Ver", "a b"),
        ("err", b"ERR Lib-Ver cannot contain spaces, newlines or special characters."),
    ),
    (("CLIENT", "SETINFO", "os", "linux"), ("err", b"ERR Unrecognized option 'os'")),
    (("CLIENT", "SETINFO", "lib-name"), ("err", b"ERR wrong number of arguments for 'client|setinfo' command")),
    (("CLIENT", "KILL", "MAXAGE", "x"), ("err", b"ERR maxage is not an integer or out of range")),
    (("CLIENT", "KILL", "MAXAGE", "0"), ("err", b"ERR maxage should be greater than 0")),
    (("CLIENT", "KILL", "MAXAGE", "99999"), ("int", 0)),
]


@pytest.fixture
def one(trioredis_server: Server) -> Iterator[RespClient]:
    """A connection to our server."""
    with RespClient(trioredis_server.address) as client:
        yield client


@pytest.fixture
def connect(trioredis_server: Server) -> Iterator[Callable[[], RespClient]]:
    """A function that opens one more connection to our server; all are closed afterwards."""
    with contextlib.ExitStack() as stack:
        yield lambda: stack.enter_context(RespClient(trioredis_server.address))


def fields_of(reply: Reply) -> list[dict[str, str]]:
    """The lines of CLIENT LIST as dictionaries."""
    assert reply[0] in ("bulk", "verbatim")
    text = reply[1].decode().removeprefix("txt:")
    return [dict(field.split("=", 1) for field in line.split(" ")) for line in text.splitlines()]


def ident_of(client: RespClient) -> str:
    return str(client.call("CLIENT", "ID")[1])


@pytest.mark.parametrize("proto", ["2", "3"])
def test_replies_are_those_of_a_stock_server(trioredis_server: Server, redis_server: Server, proto: str) -> None:
    with RespClient(trioredis_server.address) as ours, RespClient(redis_server.address) as theirs:
        for client in (ours, theirs):
            client.call("HELLO", proto)
        for line in LIKE_STOCK:
            assert (line, ours.call(*line)) == (line, theirs.call(*line))


@pytest.mark.parametrize(("line", "reply"), ALSO, ids=lambda value: " ".join(map(str, value))[:40])
def test_replies_of_later_versions(one: RespClient, line: tuple[str, ...], reply: Reply) -> None:
    assert one.call(*line) == reply


def test_ids_grow(connect: Callable[[], RespClient]) -> None:
    first, second = connect(), connect()
    assert int(ident_of(first)) < int(ident_of(second))
    assert ident_of(first) == ident_of(first)


LINE_FIELDS = [
    "id",
    "addr",
    "laddr",
    "fd",
    "name",
    "age",
    "idle",
    "flags",
    "db",
    "sub",
    "psub",
    "ssub",
    "multi",
    "watch",
    "qbuf",
    "qbuf-free",
    "argv-mem",
    "multi-mem",
    "rbs",
    "rbp",
    "obl",
    "oll",
    "omem",
    "tot-mem",
    "events",
    "cmd",
    "user",
    "redir",
    "resp",
    "lib-name",
    "lib-ver",
]


def test_a_line_has_the_fields_of_7_4(one: RespClient) -> None:
    one.call("HELLO", "3", "SETNAME", "me")
    one.call("CLIENT", "SETINFO", "LIB-NAME", "lib")
    one.call("CLIENT", "SETINFO", "LIB-VER", "1.2")
    one.call("SELECT", "5")
    reply = one.call("CLIENT", "INFO")
    assert reply[0] == "verbatim"
    assert reply[1].endswith(b"\n")
    (line,) = fields_of(reply)
    assert list(line) == LINE_FIELDS
    facts = {
        "name": "me",
        "db": "5",
        "resp": "3",
        "lib-name": "lib",
        "lib-ver": "1.2",
        "cmd": "client|info",
        "user": "default",
        "flags": "N",
        "events": "r",
        "multi": "-1",
        "redir": "-1",
    }
    assert {name: line[name] for name in facts} == facts
    assert int(line["fd"]) > 0
    assert int(line["tot-mem"]) > 0
    assert int(line["age"]) >= 0
    assert fields_of(one.call("CLIENT", "LIST", "ID", line["id"]))[0]["addr"] == line["addr"]


def test_addresses_are_those_of_the_socket(one: RespClient, trioredis_server: Server) -> None:
    (line,) = fields_of(one.call("CLIENT", "INFO"))
    host, port = one._sock.getsockname()
    assert line["addr"] == f"{host}:{port}"
    assert line["laddr"] == f"{host}:{trioredis_server.port}"


def test_flags_follow_the_switches(one: RespClient) -> None:
    one.call("CLIENT", "NO-EVICT", "ON")
    one.call("CLIENT", "NO-TOUCH", "ON")
    assert fields_of(one.call("CLIENT", "INFO"))[0]["flags"] == "eT"
    one.call("CLIENT", "NO-EVICT", "OFF")
    assert fields_of(one.call("CLIENT", "INFO"))[0]["flags"] == "T"


def test_list_is_in_order_of_age_and_filters(connect: Callable[[], RespClient]) -> None:
    first, second = connect(), connect()
    ids = [ident_of(first), ident_of(second)]
    listed = [line["id"] for line in fields_of(first.call("CLIENT", "LIST"))]
    assert [ident for ident in listed if ident in ids] == ids
    assert listed == sorted(listed, key=int)
    assert [line["id"] for line in fields_of(first.call("CLIENT", "LIST", "ID", *reversed(ids)))] == ids[::-1]
    assert [line["id"] for line in fields_of(first.call("CLIENT", "LIST", "TYPE", "normal"))] == listed


def test_buffers_of_a_client_that_does_not_read(connect: Callable[[], RespClient]) -> None:
    one, slow = connect(), connect()
    ident = ident_of(slow)
    one.call("SET", "big", b"x" * 4_000_000)
    for _ in range(5):
        slow.send(b"*2\r\n$3\r\nGET\r\n$3\r\nbig\r\n")
    slow.send(b"*2\r\n$4\r\nECHO\r\n$10\r\nhalf")
    # The slow one's commands may run after ours; they have run when its output is there, and it is sent a moment later.
    line: dict[str, str] = {}
    deadline = time.monotonic() + PATIENCE_SECONDS
    while int(line.get("qbuf", 0)) < 10 or int(line["obl"]) < 10_000_000 or line["events"] == "r":
        assert time.monotonic() < deadline
        (line,) = fields_of(one.call("CLIENT", "LIST", "ID", ident))
    assert int(line["obl"]) <= 20_000_100
    assert int(line["omem"]) >= int(line["obl"])
    assert int(line["tot-mem"]) >= int(line["omem"])
    assert int(line["oll"]) >= 1
    assert line["events"] == "rw"
    assert line["cmd"] == "get"
    one.call("DEL", "big")


def is_closed(client: RespClient) -> bool:
    try:
        client.call("PING")
    except (ClosedError, ConnectionError):
        return True
    return False


def test_kill_by_each_filter(connect: Callable[[], RespClient]) -> None:
    one = connect()

    def lines_of(victim: RespClient) -> list[tuple[str, ...]]:
        ident = ident_of(victim)
        (line,) = fields_of(one.call("CLIENT", "LIST", "ID", ident))
        return [
            ("ID", ident),
            ("ADDR", line["addr"]),
            ("ID", ident, "TYPE", "normal", "USER", "default", "LADDR", line["laddr"]),
            ("SKIPME", "yes", "ID", ident, "ADDR", line["addr"]),
        ]

    for which in range(4):
        victim = connect()
        filters = lines_of(victim)[which]
        assert one.call("CLIENT", "KILL", *filters) == ("int", 1)
        assert one.call("CLIENT", "KILL", *filters) == ("int", 0)
        assert is_closed(victim)
        assert not is_closed(one)


def test_all_filters_must_match(connect: Callable[[], RespClient]) -> None:
    one, other = connect(), connect()
    ident = ident_of(other)
    for filters in (("TYPE", "pubsub"), ("ADDR", "1.2.3.4:5"), ("LADDR", "1.2.3.4:5"), ("MAXAGE", "1000")):
        assert one.call("CLIENT", "KILL", "ID", ident, *filters) == ("int", 0)
    assert not is_closed(other)


def test_kill_in_the_old_form(connect: Callable[[], RespClient]) -> None:
    one, other = connect(), connect()
    (line,) = fields_of(other.call("CLIENT", "INFO"))
    assert one.call("CLIENT", "KILL", line["addr"]) == OK
    assert is_closed(other)


def test_who_kills_itself_gets_the_reply(connect: Callable[[], RespClient]) -> None:
    first, second = connect(), connect()
    assert first.call("CLIENT", "KILL", "ID", ident_of(first)) == ("int", 0)  # SKIPME is yes
    assert first.call("CLIENT", "KILL", "ID", ident_of(first), "SKIPME", "no") == ("int", 1)
    assert is_closed(first)
    (line,) = fields_of(second.call("CLIENT", "INFO"))
    assert second.call("CLIENT", "KILL", line["addr"]) == OK
    assert is_closed(second)


def test_a_killed_client_is_gone_for_the_next_command(connect: Callable[[], RespClient]) -> None:
    one, other = connect(), connect()
    ident = ident_of(other)
    killed, listed = one.pipeline([("CLIENT", "KILL", "ID", ident), ("CLIENT", "LIST", "ID", ident)])
    assert killed == ("int", 1)
    assert fields_of(listed) == []


def test_a_pause_of_writes_holds_them_until_unpause(connect: Callable[[], RespClient]) -> None:
    one, other = connect(), connect()
    one.call("SET", "paused", "before")
    assert one.call("CLIENT", "PAUSE", "100000", "write") == OK
    assert other.call("GET", "paused") == ("bulk", b"before")
    other.send(b"SET paused after\r\n")
    assert one.call("GET", "paused") == ("bulk", b"before")
    assert one.call("CLIENT", "UNPAUSE") == OK
    assert other.read() == OK
    assert one.call("GET", "paused") == ("bulk", b"after")


def test_a_pause_ends_by_itself(connect: Callable[[], RespClient]) -> None:
    one = connect()
    assert one.call("CLIENT", "PAUSE", "50", "ALL") == OK
    assert one.call("PING") == ("simple", b"PONG")


def test_reply_off_skip_and_on(one: RespClient) -> None:
    one.send(b"CLIENT REPLY OFF\r\nPING\r\nCLIENT REPLY ON\r\nPING a\r\nCLIENT REPLY SKIP\r\nPING b\r\nPING c\r\n")
    assert [one.read() for _ in range(3)] == [OK, ("bulk", b"a"), ("bulk", b"c")]
    assert one.call("CLIENT", "REPLY", "LATER") == SYNTAX


@pytest.mark.slow
def test_no_touch_leaves_the_idle_time_alone(start_trioredis: Callable[..., Server]) -> None:
    server = start_trioredis("--enable-debug-command", "yes")
    with RespClient(server.address) as one:
        one.call("SET", "k", "v")
        one.call("CLIENT", "NO-TOUCH", "ON")
        one.call("DEBUG", "SLEEP", "1.1")
        one.call("GET", "k")
        assert one.call("OBJECT", "IDLETIME", "k")[1] >= 1
        one.call("CLIENT", "NO-TOUCH", "OFF")
        one.call("GET", "k")
        assert one.call("OBJECT", "IDLETIME", "k") == ("int", 0)


def test_a_unix_client_is_named_after_the_path(start_trioredis: Callable[..., Server], tmp_path: Path) -> None:
    import socket

    path = str(tmp_path / "s")
    start_trioredis("--unixsocket", path)
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(path)
        sock.sendall(b"CLIENT INFO\r\n")
        reply = sock.recv(4096)
    line = fields_of(("bulk", reply.split(b"\r\n")[1]))[0]
    assert line["addr"] == line["laddr"] == f"{path}:0"
    assert line["flags"] == "U"


async def test_no_memory_for_a_name_is_said() -> None:
    config = Config()
    config.assign("loglevel", "nothing")
    seen: set[bytes] = set()
    async with trioredis.open_server(config, bind="127.0.0.1") as server:
        engine = server.engine
        for nth in range(1, 20):
            ident = engine.open_fed()
            engine.fail_allocation(nth)
            with contextlib.suppress(EngineError):  # not even the command could be read
                engine.feed(ident, b"CLIENT SETNAME some-name\r\n")
            engine.fail_allocation(0)
            seen.add(engine.fed_output(ident))
            engine.kill(ident)
            await trio.lowlevel.checkpoint()
    assert {b"+OK\r\n", b"-OOM the server is out of memory\r\n"} <= seen
    assert seen <= {b"+OK\r\n", b"-OOM the server is out of memory\r\n", b""}
