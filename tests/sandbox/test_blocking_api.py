"""Aim: blocked clients, timers, threads and descriptors of a module behave as in a stock server.

Method: a module that has a command for each case is loaded into a stock server and into ours; the same steps give the
replies written here. Nobody sleeps: who has to be blocked is looked for in INFO, what has to have happened in the
module's own log of its callbacks.
"""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests._resp import RespClient, Word, encode
from tests._servers import Server, redis_command, running, trioredis_command
from tests.sandbox._facts import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SOURCE: Final = ROOT / "tests" / "sandbox" / "modules" / "blockapi.c"
INCLUDE: Final = ROOT / "sandbox" / "include"
SECONDS: Final = 20.0
READABLE, WRITABLE = 1, 2


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the compiled module."""
    result = tmp_path_factory.mktemp("blockapi") / "blockapi.so"
    warnings = ("-Wall", "-Wextra", "-Wshadow", "-Werror")
    subprocess.run(("gcc", "-O2", "-fPIC", "-shared", f"-I{INCLUDE}", *warnings, "-o", result, SOURCE), check=True)
    return result


@pytest.fixture(scope="module", params=["redis", "trioredis"])
def server(request: pytest.FixtureRequest, library: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Yield a server with the module."""
    if request.param == "trioredis" and sys.platform != "linux":
        pytest.skip("modules need Linux")
    command = redis_command() if request.param == "redis" else trioredis_command()
    if command is None:
        pytest.skip("redis-server is not installed")
    with running(request.param, [*command, "--loadmodule", str(library)], tmp_path_factory.mktemp("server")) as found:
        yield found


def plain(reply: tuple[str, Any]) -> Any:
    """Return the value of a reply; errors with a '-' before them."""
    kind, value = reply
    if kind == "array":
        return [plain(item) for item in value]
    if isinstance(value, bytes):
        value = value.decode()
    return f"-{value}" if kind == "err" else value


class Client:
    """One connection to the server under test."""

    def __init__(self, server: Server) -> None:
        self.conn = RespClient(("127.0.0.1", server.port), SECONDS)
        self.ident = str(self("CLIENT", "ID"))

    def __call__(self, *words: Word) -> Any:
        return plain(self.conn.call(*words))

    def send(self, *words: Word) -> None:
        """Send a command whose reply is read later."""
        self.conn.send(encode(words))

    def read(self) -> Any:
        """Read one reply."""
        return plain(self.conn.read())

    def close(self) -> None:
        """Close the connection."""
        self.conn.close()


@pytest.fixture
def clients(server: Server) -> Iterator[Callable[[], Client]]:
    """Yield a maker of connections, which are closed at the end; the module's log is empty."""
    made: list[Client] = []

    def make() -> Client:
        made.append(Client(server))
        return made[-1]

    make()("BLK.LOG")
    yield make
    for one in made:
        one.close()


def until(condition: Callable[[], bool]) -> None:
    """Ask again and again."""
    end = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < end


def blocked(observer: Client) -> int:
    """Return how many clients are blocked."""
    lines = dict(line.split(":") for line in observer("INFO", "clients").splitlines() if ":" in line)
    return int(lines["blocked_clients"])


def block(observer: Client, client: Client, *words: Word) -> None:
    """Send a command and wait until its client is blocked."""
    before = blocked(observer)
    client.send(*words)
    until(lambda: blocked(observer) > before)


def log_of(observer: Client, count: int) -> list[str]:
    """Return the module's log once it has so many lines."""
    lines: list[str] = []

    def enough() -> bool:
        lines.extend(observer("BLK.LOG"))
        return len(lines) >= count

    until(enough)
    return lines


def test_unblocked_with_a_reply_callback(clients: Callable[[], Client]) -> None:
    waiting, other = clients(), clients()
    block(other, waiting, "BLK.WAIT", "a", "0", "rf")
    assert other("BLK.UNBLOCK", "a", "value") == 0
    assert waiting.read() == [1, 0, "value", 4, "BLK.WAIT"]
    assert log_of(other, 1) == ["free value"]
    assert blocked(other) == 0
    assert waiting("PING") == "PONG"


def test_unblocked_without_callbacks(clients: Callable[[], Client]) -> None:
    waiting, other = clients(), clients()
    block(other, waiting, "BLK.WAIT", "a", "0", "-")
    waiting.send("PING")
    assert other("BLK.UNBLOCK", "a", "value") == 0
    assert waiting.read() == "PONG"  # nobody made a reply for the first command
    assert other("BLK.LOG") == []


def test_a_reply_made_at_once_is_sent_at_once(clients: Callable[[], Client]) -> None:
    waiting, other = clients(), clients()
    block(other, waiting, "BLK.WAIT", "a", "0", "rfi")
    assert waiting.read() == "at once"
    assert blocked(other) == 1
    other("BLK.UNBLOCK", "a", "value")
    assert waiting.read() == [1, 0, "value", 4, "BLK.WAIT"]
    log_of(other, 1)


def test_commands_behind_a_blocked_one_wait(clients: Callable[[], Client]) -> None:
    waiting, other = clients(), clients()
    before = blocked(other)
    commands = (("BLK.WAIT", "a", "0", "rf"), ("BLK.COUNTED",), ("BLK.TIMERS",), ("PING",), ("ECHO", "x"))
    waiting.conn.send(b"".join(map(encode, commands)))
    until(lambda: blocked(other) > before)
    other("BLK.UNBLOCK", "a", "value")
    assert waiting.read() == [1, 0, "value", 4, "BLK.WAIT"]
    assert isinstance(waiting.read(), int)
    assert len(waiting.read()) == 9
    assert [waiting.read(), waiting.read()] == ["PONG", "x"]
    log_of(other, 1)


def test_aborted(clients: Callable[[], Client]) -> None:
    waiting, other = clients(), clients()
    block(other, waiting, "BLK.WAIT", "a", "0", "rtfd")
    waiting.send("PING")
    assert other("BLK.ABORT", "a") == 0
    assert waiting.read() == "PONG"
    assert other("BLK.LOG") == []


@pytest.mark.parametrize("lock", ["0", "1"])
def test_a_thread_replies(clients: Callable[[], Client], lock: str) -> None:
    waiting, other = clients(), clients()
    block(other, waiting, "BLK.WAIT", "a", "0", "-")
    assert other("BLK.THREAD", "a", "from a thread", lock) == "OK"
    assert waiting.read() == ["from a thread", 0]
    until(lambda: blocked(other) == 0)


def test_time_out(clients: Callable[[], Client]) -> None:
    waiting, other = clients(), clients()
    assert waiting("BLK.WAIT", "a", "30", "rtfd") == [0, 1, "a"]
    assert other("BLK.LOG") == ["timeout a"]
    assert blocked(other) == 0
    assert waiting("PING") == "PONG"
    assert other("BLK.UNBLOCK", "a", "late") == 0
    assert log_of(other, 1) == ["free-gone late"]


def test_time_out_without_a_callback(server: Server, clients: Callable[[], Client]) -> None:
    if server.name == "redis":
        pytest.skip("Redis 7.0 calls the missing callback")
    waiting, other = clients(), clients()
    waiting.send("BLK.WAIT", "a", "30", "rf")
    waiting.send("PING")
    assert waiting.read() == "PONG"
    other("BLK.UNBLOCK", "a", "late")
    assert log_of(other, 1) == ["free-gone late"]


def test_client_unblock(clients: Callable[[], Client]) -> None:
    waiting, other = clients(), clients()
    block(other, waiting, "BLK.WAIT", "a", "0", "rt")
    assert other("CLIENT", "UNBLOCK", waiting.ident) == 1
    assert waiting.read() == [0, 1, "a"]
    assert other("CLIENT", "UNBLOCK", waiting.ident) == 0
    block(other, waiting, "BLK.WAIT", "b", "0", "rtd")
    assert other("CLIENT", "UNBLOCK", waiting.ident, "ERROR") == 1
    assert waiting.read() == "-UNBLOCKED client unblocked via CLIENT UNBLOCK"
    assert waiting("PING") == "PONG"
    block(other, waiting, "BLK.WAIT", "c", "0", "r")
    assert other("CLIENT", "UNBLOCK", waiting.ident) == 0  # has no callback for it
    assert other("CLIENT", "UNBLOCK", waiting.ident, "ERROR") == 0
    for name in "abc":
        assert other("BLK.UNBLOCK", name, "x") == 0
    assert waiting.read()[:3] == [1, 0, "x"]
    assert log_of(other, 2) == ["timeout a", "disconnect b"]


def test_client_list_shows_it(clients: Callable[[], Client]) -> None:
    waiting, other = clients(), clients()
    block(other, waiting, "BLK.WAIT", "a", "0", "r")
    assert " flags=b " in other("CLIENT", "LIST", "ID", waiting.ident)
    other("BLK.UNBLOCK", "a", "x")
    waiting.read()
    assert " flags=N " in other("CLIENT", "LIST", "ID", waiting.ident)


def test_disconnected(clients: Callable[[], Client]) -> None:
    waiting, other = clients(), clients()
    block(other, waiting, "BLK.WAIT", "a", "0", "rtfdu")
    waiting.close()
    assert log_of(other, 2) == ["disconnect a", "free-gone left"]
    assert blocked(other) == 0


def test_disconnected_without_a_callback(clients: Callable[[], Client]) -> None:
    waiting, other = clients(), clients()
    block(other, waiting, "BLK.WAIT", "a", "0", "rf")
    waiting.close()
    until(lambda: blocked(other) == 0)
    assert other("BLK.LOG") == []
    other("BLK.UNBLOCK", "a", "late")
    assert log_of(other, 1) == ["free-gone late"]


def test_not_in_a_transaction(clients: Callable[[], Client]) -> None:
    waiting, other = clients(), clients()
    waiting("MULTI")
    waiting("BLK.WAIT", "a", "0", "rf")
    waiting("PING")
    refused = "-ERR Blocking module command called from transaction"
    assert waiting("EXEC") == [refused, "PONG"]
    assert blocked(other) == 0
    assert other("BLK.UNBLOCK", "a", "x") == 0
    assert log_of(other, 1) == ["free-gone x"]


def test_time_in_the_background(clients: Callable[[], Client]) -> None:
    waiting, other = clients(), clients()
    block(other, waiting, "BLK.WAIT", "a", "0", "rm")
    assert other("BLK.LOG") == ["measure 1 0 0"]
    other("BLK.UNBLOCK", "a", "x")
    waiting.read()


def test_replies_that_nobody_wants(clients: Callable[[], Client]) -> None:
    waiting, other = clients(), clients()
    waiting.send("CLIENT", "REPLY", "SKIP")
    block(other, waiting, "BLK.WAIT", "a", "0", "rf")
    waiting.send("PING")
    other("BLK.UNBLOCK", "a", "x")
    assert waiting.read() == "PONG"
    log_of(other, 1)


def test_keys(clients: Callable[[], Client]) -> None:
    waiting, other = clients(), clients()
    other("SET", "k2", "there")
    block(other, waiting, "BLK.KEYS", "t", "0", "k1", "k2", "k2")
    assert other("BLK.PUSH", "k1", "1") == 1  # no such key: nobody is asked
    assert blocked(other) == 1
    assert other("BLK.PUSH", "k2", "0") == 0  # asked, but there is nothing
    until(lambda: other("BLK.LOG") == ["key k2"])
    assert blocked(other) == 1
    other("BLK.PUSH", "k2", "1")
    assert waiting.read() == ["k2", 6, "0", "data"]
    assert log_of(other, 2) == ["key k2", "free data"]
    other("SET", "k1", "there")
    block(other, waiting, "BLK.KEYS", "t", "0", "k1")
    other("BLK.PUSH", "k1", "0")
    assert waiting.read() == ["k1", 4, "0", "data"]
    assert log_of(other, 2) == ["key k1", "free data"]
    other("DEL", "k1", "k2")


def test_keys_serve_who_came_first(clients: Callable[[], Client]) -> None:
    other = clients()
    queue = [clients() for _ in range(4)]
    other("SET", "q", "there")
    for number, one in enumerate(queue):
        block(other, one, "BLK.KEYS", "-", str(1000000 + number), "q")
    other("BLK.PUSH", "q", "2")
    assert [one.read()[2] for one in queue[:2]] == ["1000000", "1000001"]
    assert blocked(other) == 2
    other("BLK.PUSH", "q", "2")
    assert [one.read()[2] for one in queue[2:]] == ["1000002", "1000003"]
    assert log_of(other, 10).count("free data") == 4
    other("DEL", "q")


def test_keys_time_out(clients: Callable[[], Client]) -> None:
    waiting, other = clients(), clients()
    assert waiting("BLK.KEYS", "t", "30", "nokey") == [0, 1, "t"]
    assert log_of(other, 2) == ["timeout (nobody)", "free-gone data"]
    assert waiting("PING") == "PONG"
    block(other, waiting, "BLK.KEYS", "t", "0", "nokey")
    assert other("CLIENT", "UNBLOCK", waiting.ident) == 1
    assert waiting.read() == [0, 1, "t"]
    assert log_of(other, 2) == ["timeout (nobody)", "free-gone data"]


def test_keys_and_unblocking(clients: Callable[[], Client]) -> None:
    waiting, other = clients(), clients()
    block(other, waiting, "BLK.KEYS", "tn", "0", "nokey")
    assert other("BLK.UNBLOCK", "nokey", "unused") == 0
    assert waiting.read() == [0, 1, "tn"]
    assert log_of(other, 2) == ["timeout (nobody)", "free data"]
    block(other, waiting, "BLK.KEYS", "n", "0", "nokey")
    assert other("BLK.UNBLOCK", "nokey", "unused") == 1  # has no callback that could answer
    assert blocked(other) == 1
    waiting.close()
    assert log_of(other, 1) == ["free-gone data"]


def test_timers(clients: Callable[[], Client]) -> None:
    one = clients()
    assert one("BLK.TIMERS") == [1, 0, 1, 0, 0, 1, 1, 1, 0]
    assert one("BLK.TIMER", "a", "20", "fired") == [1, 0, "fired", 4, "BLK.TIMER"]
    assert one("BLK.ORDER", "a", "60", "20", "40", "1", "0", "20")[2] == "4 3 1 5 2 0 "
    assert one("BLK.ORDER", "a", *["5"] * 20)[2].split() == [str(i) for i in range(20)]


def test_descriptors(clients: Callable[[], Client]) -> None:
    one = clients()
    assert one("BLK.FDS") == [
        errno.ERANGE,
        errno.ERANGE,
        errno.EINVAL,
        errno.EINVAL,
        errno.EBADF,
        errno.ERANGE,
        errno.EINVAL,
        errno.EINVAL,
    ]
    seen = one("BLK.PIPE", "a")[2]
    both = READABLE | WRITABLE
    assert seen == f"w{WRITABLE} {READABLE}/1 {READABLE}/1 {both}/0 "


def test_threads_of_a_command_have_all_cpus(clients: Callable[[], Client]) -> None:
    assert clients()("BLK.CPUS") == len(os.sched_getaffinity(0))


def test_one_shots_come_from_any_thread(clients: Callable[[], Client]) -> None:
    assert clients()("BLK.ONESHOT", "a")[2] == "once"


def test_the_lock_is_had_by_one(clients: Callable[[], Client]) -> None:
    waiting, other = clients(), clients()
    before = other("BLK.COUNTED")
    waiting.send("BLK.COUNT", "4", "250")
    while (now := other("BLK.COUNTED")) < before + 1000:
        assert now >= 0
    assert waiting.read()[2] == "apart"
    assert other("BLK.COUNTED") == before + 1000


def test_the_lock_can_be_tried(clients: Callable[[], Client]) -> None:
    one = clients()
    before = one("BLK.COUNTED")
    assert one("BLK.TRY") == before + 1
