"""Aim: what INFO and CLIENT tell of listeners, and what ends them. Method: the same questions to both servers."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import pytest

from tests._resp import ClosedError, RespClient

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests._servers import Server

PATIENCE_SECONDS: Final = 20.0
CHANNELS: Final = ("SUBSCRIBE", "one", "two")


@pytest.fixture(params=["trioredis", "redis"])
def server(request: pytest.FixtureRequest) -> Server:
    """Return each of the servers in turn."""
    found: Server = request.getfixturevalue(f"{request.param}_server")
    return found


def listen(client: RespClient) -> int:
    """Subscribe to two channels, a pattern and a shard channel; return the client's id."""
    ident: int = client.call("CLIENT", "ID")[1]
    client.call(*CHANNELS)
    client.read()
    client.call("PSUBSCRIBE", "p*")
    client.call("SSUBSCRIBE", "s")
    return ident


def fields(line: bytes) -> dict[str, str]:
    """Return the fields of a line of CLIENT LIST."""
    return dict(part.split("=", 1) for part in line.decode().split())


def info(client: RespClient, section: str) -> dict[str, str]:
    """Return a section of INFO."""
    text = client.call("INFO", section)[1].decode()
    return dict(line.split(":", 1) for line in text.splitlines() if ":" in line)


def test_info_counts(server: Server) -> None:
    with RespClient(server.address) as asker, RespClient(server.address) as one, RespClient(server.address) as two:
        listen(one)
        two.call("SUBSCRIBE", "two")
        stats = info(asker, "stats")
        assert (stats["pubsub_channels"], stats["pubsub_patterns"], stats["pubsubshard_channels"]) == ("2", "1", "1")
        if server.name == "trioredis":  # a stock 7.0 does not count them
            assert info(asker, "clients")["pubsub_clients"] == "2"
        one.call("RESET")
        two.call("UNSUBSCRIBE")
        stats = info(asker, "stats")
        assert (stats["pubsub_channels"], stats["pubsub_patterns"], stats["pubsubshard_channels"]) == ("0", "0", "0")


def test_client_list(server: Server) -> None:
    with RespClient(server.address) as asker, RespClient(server.address) as one:
        ident = listen(one)
        found = fields(asker.call("CLIENT", "LIST", "TYPE", "PUBSUB")[1])
        assert (found["id"], found["flags"], found["sub"], found["psub"]) == (str(ident), "P", "2", "1")
        assert found["ssub"] == "1"
        assert found["cmd"] == "ssubscribe"
        assert b"flags=P" not in asker.call("CLIENT", "LIST", "TYPE", "normal")[1]


def test_client_kill_type(server: Server) -> None:
    with RespClient(server.address) as asker, RespClient(server.address) as one:
        listen(one)
        killed, left = asker.pipeline([("CLIENT", "KILL", "TYPE", "pubsub"), ("PUBLISH", "one", "x")])
        assert (killed, left) == (("int", 1), ("int", 0))
        with pytest.raises(ClosedError):
            one.read()
        assert asker.call("PUBSUB", "NUMPAT") == ("int", 0)


def test_memory_of_a_listener_is_counted(start_trioredis: Callable[..., Server]) -> None:
    server = start_trioredis()
    with RespClient(server.address) as asker, RespClient(server.address) as one:
        ident = one.call("CLIENT", "ID")[1]

        def memory() -> int:
            return int(fields(asker.call("CLIENT", "LIST", "ID", str(ident))[1])["tot-mem"])

        before, sum_before = memory(), int(info(asker, "memory")["mem_clients_normal"])
        one.call("HELLO", "3")
        names = [f"channel:{i}" for i in range(1000)]
        one.call("SUBSCRIBE", *names)
        for _ in names[1:]:
            one.read()
        assert memory() - before > 1000 * 64
        assert int(info(asker, "memory")["mem_clients_normal"]) - sum_before > 1000 * 64
        one.call("UNSUBSCRIBE")
        for _ in names[1:]:
            one.read()
        assert memory() - before < 4096


def test_listeners_may_be_idle(start_trioredis: Callable[..., Server]) -> None:
    server = start_trioredis("--timeout", "1")
    with RespClient(server.address) as one, RespClient(server.address) as idle, RespClient(server.address) as asker:
        one.call("SUBSCRIBE", "c")
        idle.call("PING")
        until = time.monotonic() + PATIENCE_SECONDS
        while (clients := info(asker, "clients"))["connected_clients"] != "2":
            assert time.monotonic() < until
        assert clients["pubsub_clients"] == "1"
        assert asker.call("PUBLISH", "c", "x") == ("int", 1)
        assert one.read()[0] == "array"
