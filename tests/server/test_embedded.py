"""Aim: a server inside a Trio program begins, serves and ends in order, whatever it listens on and however it waits.

Method: real sockets on the loopback interface, server and clients in one event loop.
"""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
import trio

import trioredis
from tests.server.kit import ask, connect, line, receive, rest, until
from trioredis.engine import EngineError
from trioredis.listeners import ListenError

PING = (b"PING\r\n", b"+PONG\r\n")
POLLERS = ("epoll", "poll", "select")


def has_ipv6() -> bool:
    """Whether this machine has an IPv6 loopback address."""
    try:
        with socket.socket(socket.AF_INET6) as sock:
            sock.bind(("::1", 0))
    except OSError:
        return False
    return True


async def test_it_listens_and_serves() -> None:
    async with trioredis.open_server(port=0) as server:
        port = server.port
        assert port > 0
        assert server.address[1] == server.port
        async with await connect(server.port) as stream:
            await ask(stream, *PING)
            await ask(stream, b"SET k v\r\nGET k\r\n", b"+OK\r\n$1\r\nv\r\n")
        assert server.statistics().commands == 3
    with pytest.raises(OSError, match="connect"):
        await connect(port)


async def test_two_servers_in_one_program() -> None:
    async with trioredis.open_server(port=0) as outer, trioredis.open_server(port=0) as inner:
        assert outer.port != inner.port
        async with await connect(outer.port) as one, await connect(inner.port) as other:
            await ask(one, b"SET k outer\r\n", b"+OK\r\n")
            await ask(other, b"GET k\r\n", b"$-1\r\n")
            await ask(other, b"SET k inner\r\n", b"+OK\r\n")
            await ask(one, b"GET k\r\n", b"$5\r\nouter\r\n")
        inner.stop()
        await inner.stopped.wait()
        async with await connect(outer.port) as one:
            await ask(one, *PING)


async def test_an_error_in_the_block_ends_the_server() -> None:
    with pytest.RaisesGroup(pytest.RaisesExc(ValueError, match="mine")):
        async with trioredis.open_server(port=0) as server:
            raise ValueError("mine")
    assert server.stopped.is_set()


async def test_cancelling_closes_everything() -> None:
    with trio.CancelScope() as scope:
        async with trioredis.open_server(port=0) as server:
            port = server.port
            stream = await connect(port)
            await ask(stream, *PING)
            scope.cancel()
            await trio.sleep_forever()
    assert scope.cancelled_caught
    async with stream:
        assert await rest(stream) == b""
    with pytest.raises(OSError, match="connect"):
        await connect(port)


async def test_serve_in_a_nursery_of_the_program() -> None:
    config = trioredis.Config()
    config.assign("bind", "127.0.0.1")
    config.assign("port", "0")
    config.assign("unixsocket", "")
    async with trio.open_nursery() as nursery:
        server = await nursery.start(trioredis.serve, config)
        assert server.listeners == ()  # port 0 means no TCP here, as in redis.conf
        async with server.open_client() as client:
            assert await client.execute("PING") == "PONG"
        server.stop()
    assert server.stopped.is_set()


async def test_the_shutdown_command() -> None:
    async with trioredis.open_server(port=0) as server:
        async with await connect(server.port) as stream:
            await stream.send_all(b"SHUTDOWN NOSAVE\r\n")
            assert await rest(stream) == b""
        await server.stopped.wait()


@pytest.mark.parametrize("poller", POLLERS)
async def test_every_poller_serves(poller: str) -> None:
    async with trioredis.open_server(port=0, poller=poller) as server:
        assert server.engine.poller == poller
        streams = [await connect(server.port) for _ in range(20)]
        for turn in range(10):
            for stream in streams:
                await stream.send_all(b"INCR n\r\n")
            replies = {await line(stream) for stream in streams}
            assert replies == {b":%d" % (20 * turn + i) for i in range(1, 21)}
        await ask(streams[0], b"GET n\r\n", b"$3\r\n200\r\n")
        assert server.engine.kill(next(iter(server.engine.clients())))  # from outside, while the poller may wait
        assert await rest(streams[0]) == b""
        await streams[1].send_all(b"CLIENT LIST\r\n")
        assert (await receive(streams[1], 1)) == b"$"
        async with server.open_client() as client:
            assert await client.execute("GET", "n") == b"200"
        for stream in streams:
            await stream.aclose()
        await until(lambda: server.statistics().clients == 0)


@pytest.mark.parametrize("poller", POLLERS)
async def test_a_reply_larger_than_the_sockets_buffers(poller: str) -> None:
    size = 8 << 20
    async with trioredis.open_server(port=0, poller=poller) as server, await connect(server.port) as stream:
        await ask(stream, b"SETRANGE k %d x\r\n" % (size - 1), b":%d\r\n" % size)
        await stream.send_all(b"GET k\r\nPING\r\n")
        reply = await receive(stream, size + len(b"$%d\r\n\r\n+PONG\r\n" % size))
        assert reply.endswith(b"x\r\n+PONG\r\n")


async def test_unix_socket(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    async with trioredis.open_server(port=0, unixsocket=path, unixsocketperm="700") as server:
        assert [one.kind for one in server.listeners].count("unix") == 1
        assert path.stat().st_mode & 0o777 == 0o700
        async with await trio.open_unix_socket(path) as stream:
            await ask(stream, *PING)
    assert not path.exists()


@pytest.mark.parametrize("where", ["missing/socket", "."])
async def test_a_unix_socket_that_cannot_be(tmp_path: Path, where: str) -> None:
    with pytest.RaisesGroup(pytest.RaisesExc(ListenError, match="Unix socket"), flatten_subgroups=True):
        async with trioredis.open_server(port=0, unixsocket=tmp_path / where):
            raise AssertionError("it listens")


async def test_several_addresses_share_the_port() -> None:
    async with trioredis.open_server(port=0, bind="127.0.0.1 127.0.0.2 127.0.0.3") as server:
        assert [one.host for one in server.listeners] == ["127.0.0.1", "127.0.0.2", "127.0.0.3"]
        for one in server.listeners:
            assert one.port == server.port
            async with await connect(one.port, one.host) as stream:
                await ask(stream, *PING)


@pytest.mark.skipif(not has_ipv6(), reason="no IPv6 on this machine")
async def test_ipv6() -> None:
    async with trioredis.open_server(port=0, bind="::1") as server, await connect(server.port, "::1") as stream:
        await ask(stream, *PING)
        assert server.listeners[0].name == f"[::1]:{server.port}"


async def test_an_address_of_nobody() -> None:
    with pytest.RaisesGroup(pytest.RaisesExc(ListenError, match=r"192\.0\.2\.1"), flatten_subgroups=True):
        async with trioredis.open_server(port=0, bind="192.0.2.1"):
            raise AssertionError("it listens")
    async with trioredis.open_server(port=0, bind="127.0.0.1 -192.0.2.1") as server:  # the dash: it may be absent
        assert len(server.listeners) == 1


async def test_a_taken_port() -> None:
    async with trioredis.open_server(port=0, bind="127.0.0.1") as server:
        with pytest.RaisesGroup(pytest.RaisesExc(ListenError, match="in use"), flatten_subgroups=True):
            async with trioredis.open_server(port=server.port, bind="127.0.0.1"):
                raise AssertionError("it listens")


async def test_the_client_limit() -> None:
    async with trioredis.open_server(port=0, maxclients=2) as server:
        async with await connect(server.port) as one, await connect(server.port) as two:
            await ask(one, *PING)
            await ask(two, *PING)
            async with await connect(server.port) as three:
                assert await rest(three) == b"-ERR max number of clients reached\r\n"
            await ask(one, b"QUIT\r\n", b"+OK\r\n")
            assert await rest(one) == b""
        async with await connect(server.port) as four:
            await ask(four, *PING)
        assert server.statistics().connections_rejected == 1


@pytest.mark.slow
async def test_an_idle_client_is_closed() -> None:
    async with trioredis.open_server(port=0, timeout=1) as server, await connect(server.port) as stream:
        await ask(stream, *PING)
        assert await rest(stream) == b""


async def test_protected_mode_lets_local_clients_in() -> None:
    async with trioredis.open_server(port=0, protected_mode=True) as server, await connect(server.port) as stream:
        await ask(stream, b"CONFIG GET protected-mode\r\n", b"*2\r\n$14\r\nprotected-mode\r\n$3\r\nyes\r\n")
        assert server.statistics().connections_denied == 0


async def test_directives_are_checked() -> None:
    for directives, expected in (({"no_such": 1}, KeyError), ({"hz": "x"}, ValueError)):
        with pytest.raises(expected):
            async with trioredis.open_server(**directives):
                raise AssertionError("it serves")


async def test_feeding_nobody() -> None:
    async with trioredis.open_server(port=0) as server:
        with pytest.raises(EngineError):
            server.engine.feed(123456, b"PING\r\n")
