"""SHUTDOWN, and taking it back.

Method: processes that end, and a server inside the test for what happens while one drains.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import trio

import trioredis
from tests._resp import ClosedError, RespClient
from trioredis.config import Config

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests._servers import Server

PATIENCE_SECONDS = 30.0
FAILED = ("err", b"ERR Errors trying to SHUTDOWN. Check logs.")
SYNTAX = ("err", b"ERR syntax error")


@pytest.mark.parametrize("options", [(), ("NOSAVE",), ("nosave", "now", "FORCE"), ("SAVE", "FORCE")])
def test_the_server_ends_without_a_reply(start_trioredis: Callable[..., Server], options: tuple[str, ...]) -> None:
    server = start_trioredis()
    with RespClient(server.address) as one, RespClient(server.address) as other:
        other.call("PING")
        with pytest.raises(ClosedError):
            one.call("SHUTDOWN", *options)
        with pytest.raises((ClosedError, ConnectionError)):
            other.call("PING")
    assert server.process.wait(10) == 0
    assert "Shutting down: SHUTDOWN" in server.log_tail()
    assert "Stopped, everything is closed" in server.log_tail()


@pytest.mark.parametrize(
    ("options", "reply"),
    [
        (("SAVE",), FAILED),
        (("SAVE", "NOW"), FAILED),
        (("SAVE", "NOSAVE"), SYNTAX),
        (("ABORT", "NOW"), SYNTAX),
        (("ABORT", "FORCE", "NOSAVE"), SYNTAX),
        (("LATER",), SYNTAX),
        (("NOSAVE", ""), SYNTAX),
        (("ABORT",), ("err", b"ERR No shutdown in progress.")),
    ],
)
def test_what_does_not_end_it(trioredis_server: Server, options: tuple[str, ...], reply: tuple[str, bytes]) -> None:
    with RespClient(trioredis_server.address) as one:
        assert one.call("SHUTDOWN", *options) == reply
        assert one.call("PING") == ("simple", b"PONG")


def test_a_refused_save_is_logged(start_trioredis: Callable[..., Server]) -> None:
    server = start_trioredis()
    with RespClient(server.address) as one:
        one.call("SHUTDOWN", "SAVE")
    assert "SHUTDOWN refused: this version cannot save the data" in server.log_tail()


async def _read_line(stream: trio.SocketStream) -> bytes:
    line = b""
    while not line.endswith(b"\r\n"):
        piece = await stream.receive_some(1)
        assert piece
        line += piece
    return line


async def _say(stream: trio.SocketStream, command: bytes) -> bytes:
    await stream.send_all(command + b"\r\n")
    return await _read_line(stream)


async def test_a_shutdown_is_taken_back_while_replies_leave() -> None:
    config = Config()
    config.assign("loglevel", "nothing")
    with trio.fail_after(PATIENCE_SECONDS):
        await _take_back_while_draining(config)


async def _take_back_while_draining(config: Config) -> None:
    async with trioredis.open_server(config, bind="127.0.0.1", shutdown_timeout=100) as server:
        address = server.address
        one, two, slow = [await trio.open_tcp_stream(*address) for _ in range(3)]
        async with one, two, slow:
            assert await _say(one, b"SETRANGE big 30000000 x") == b":30000001\r\n"
            await slow.send_all(b"GET big\r\n")  # and does not read: the drain waits for it
            while not any(
                info.output_bytes for ident in server.engine.clients() if (info := server.engine.client(ident))
            ):
                await trio.lowlevel.checkpoint()
            await two.send_all(b"SHUTDOWN\r\n")
            while not server.is_stopping:
                await trio.lowlevel.checkpoint()
            while server.listeners:
                await trio.lowlevel.checkpoint()
            with pytest.raises(OSError, match="all attempts to connect"):
                await trio.open_tcp_stream(*address)
            assert await _say(one, b"SHUTDOWN ABORT") == b"+OK\r\n"
            assert await _read_line(two) == b"-ERR Errors trying to SHUTDOWN. Check logs.\r\n"
            assert not server.is_stopping
            assert server.address == address
            async with await trio.open_tcp_stream(*address) as new:
                assert await _say(new, b"PING") == b"+PONG\r\n"
            assert await _say(two, b"SHUTDOWN ABORT") == b"-ERR No shutdown in progress.\r\n"
            await two.send_all(b"SHUTDOWN NOW\r\n")
            assert await two.receive_some(1) == b""
            await server.stopped.wait()


async def test_a_shutdown_that_closes_clients_goes_on() -> None:
    async with trioredis.open_server(bind="127.0.0.1", loglevel="nothing") as server:
        server.stop("the test")
        await server.stopped.wait()
        assert not server.abort_stop()
