"""Aim: commands of modules come through every door as the server's own do; a module that misbehaves costs one error.

Method: one server with example modules, raw clients beside each other.
"""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import pytest

from tests._resp import RespClient, encode
from tests._servers import running, trioredis_command
from tests.bench.modules import build
from tests.modules.test_torture import hosts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests._servers import Server

TIMEOUT_MS: Final = 300
BUSY_MS: Final = 20
OPTIONS: Final = (
    ("--enable-module-command", "yes"),
    ("--module-command-timeout", str(TIMEOUT_MS)),
    ("--busy-reply-threshold", str(BUSY_MS)),
    ("--module-restarts-per-minute", "0"),
    ("--module-restart-backoff-ms", "0"),
    ("--loglevel", "warning"),
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Run a server with three modules."""
    folder = tmp_path_factory.mktemp("serving")
    options = [word for pair in OPTIONS for word in pair]
    for library in build(("hello", "crash", "keys", "threads"), folder):
        options += ["--loadmodule", str(library)]
    command = [*trioredis_command(), *options, "--module-report-dir", str(folder / "reports")]
    with running("ours", command, folder) as process:
        yield process


@pytest.fixture
def client(server: Server) -> Iterator[RespClient]:
    """Connect, to an empty server whose modules all serve."""
    with RespClient(server.address) as one:
        one.call("FLUSHALL")
        while one.call("CRASH.NOW", "none")[0] == "err":
            pass
        yield one


def error_of(reply: tuple[str, object]) -> str:
    """Return the text of an error reply."""
    kind, text = reply
    assert kind == "err", reply
    assert isinstance(text, bytes)
    return text.decode()


def test_a_pipeline_keeps_its_order(client: RespClient) -> None:
    commands = []
    for n in range(300):
        commands += [("SET", "k", str(n)), ("KEYS.GET", "k"), ("KEYS.GET", "k"), ("GET", "k"), ("HELLOMODULE.RAND",)]
    replies = client.pipeline(commands)
    for n in range(300):
        ours = replies[5 * n : 5 * n + 5]
        value = ("bulk", str(n).encode())
        assert ours[:4] == [("simple", b"OK"), value, value, value]
        assert ours[4][0] == "int"


def test_in_transactions(client: RespClient) -> None:
    replies = client.pipeline(
        [("MULTI",), ("SET", "k", "1"), ("KEYS.GET", "k"), ("KEYS.SET", "k", "2"), ("GET", "k"), ("EXEC",)]
    )
    assert replies[-1] == ("array", (("simple", b"OK"), ("bulk", b"1"), ("simple", b"OK"), ("bulk", b"2")))


def test_watch_sees_what_modules_write(server: Server, client: RespClient) -> None:
    client.call("WATCH", "k")
    with RespClient(server.address) as other:
        other.call("KEYS.SET", "k", "1")
    assert client.pipeline([("MULTI",), ("PING",), ("EXEC",)])[-1][1] is None


def test_wrong_number_of_arguments(client: RespClient) -> None:
    assert error_of(client.call("KEYS.GET")) == "ERR wrong number of arguments for 'keys.get' command"


def test_reply_can_be_switched_off(client: RespClient) -> None:
    client.send(encode(["CLIENT", "REPLY", "SKIP"]) + encode(["HELLOMODULE.RAND"]) + encode(["ECHO", "x"]))
    assert client.read() == ("bulk", b"x")
    client.send(encode(["CLIENT", "REPLY", "OFF"]) + encode(["KEYS.SET", "k", "3"]) + encode(["CLIENT", "REPLY", "ON"]))
    assert client.read() == ("simple", b"OK")
    assert client.call("GET", "k") == ("bulk", b"3")


def test_quit_waits_for_the_reply(server: Server) -> None:
    with RespClient(server.address) as one:
        replies = one.exchange(encode(["HELLOMODULE.RAND"]) * 3 + encode(["QUIT"]))
    assert replies.count(b":") == 3
    assert replies.endswith(b"+OK\r\n")


def test_a_client_that_leaves_amid_its_commands(server: Server, client: RespClient) -> None:
    for _ in range(50):
        with RespClient(server.address) as other:
            other.send(encode(["KEYS.SET", "k", "gone"]) * 20)
    assert client.call("KEYS.SET", "mine", "here") == ("simple", b"OK")
    assert client.call("KEYS.GET", "mine") == ("bulk", b"here")


def test_a_crash_costs_one_error(server: Server, client: RespClient) -> None:
    with RespClient(server.address) as other:
        client.send(encode(["CRASH.NOW", "read-null"]) + encode(["SET", "k", "after"]) + encode(["HELLOMODULE.RAND"]))
        assert other.call("PING") == ("simple", b"PONG")
        text = error_of(client.read())
    assert text.startswith("MODULECRASH crash: SIGSEGV while running crash.now; report crash-")
    assert client.read() == ("simple", b"OK")
    assert client.read()[0] == "int"


def test_commands_behind_a_crash_wait(client: RespClient) -> None:
    """They had been accepted before it."""
    replies = client.pipeline([("CRASH.NOW", "abort"), *[("CRASH.NOW", "none")] * 5])
    assert error_of(replies[0]).startswith("MODULECRASH crash: SIGABRT")
    assert replies[1:] == [("simple", b"OK")] * 5


def test_a_crash_in_a_transaction(client: RespClient) -> None:
    replies = client.pipeline(
        [("MULTI",), ("SET", "k", "1"), ("CRASH.NOW", "divide"), ("INCR", "k"), ("EXEC",), ("GET", "k")]
    )
    first, crash, third = replies[4][1]
    assert first == ("simple", b"OK")
    assert error_of(crash).startswith("MODULECRASH crash: SIGFPE")
    assert third == ("int", 2)
    assert replies[5] == ("bulk", b"2")


def test_who_is_blocked_hears_of_the_crash(server: Server, client: RespClient) -> None:
    with RespClient(server.address) as other:
        ident = other.call("CLIENT", "ID")[1]
        other.send(encode(["THREADS.WAIT", "100000"]))
        while b"flags=b" not in client.call("CLIENT", "LIST", "ID", str(ident))[1]:
            pass
        for pid in hosts(server.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        assert error_of(other.read()).startswith("MODULECRASH threads: killed while running nothing for the server")
        assert other.call("PING") == ("simple", b"PONG")
    while client.call("THREADS.TICKS")[0] == "err":
        pass


def test_a_hang_ends(server: Server, client: RespClient) -> None:
    with RespClient(server.address) as other:
        client.send(encode(["CRASH.NOW", "loop"]))
        while (reply := other.call("PING")) == ("simple", b"PONG"):  # the command has not begun
            pass
        while reply[0] == "err":
            assert error_of(reply).startswith("BUSY")
            reply = other.call("PING")
        assert reply == ("simple", b"PONG")
    text = error_of(client.read())
    assert text.startswith("MODULECRASH crash: timeout while running crash.now")
    kind, report = client.call("MODULE", "CRASH", text.rpartition(" ")[2])
    assert kind in {"bulk", "verbatim"}
    first = report.decode().splitlines()[0]
    assert first.startswith("timeout in loop")
    assert "crash.c:" in first


def test_latency_knows_modules(client: RespClient) -> None:
    client.call("CONFIG", "SET", "latency-monitor-threshold", "1")
    client.call("LATENCY", "RESET")
    client.call("CRASH.NOW", "loop")
    while client.call("CRASH.NOW", "none")[0] == "err":
        pass
    kind, events = client.call("LATENCY", "LATEST")
    client.call("CONFIG", "SET", "latency-monitor-threshold", "0")
    assert kind == "array"
    assert b"module-call" in {event[1][0][1] for event in events}
