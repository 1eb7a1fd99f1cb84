"""Aim: however a module dies, and however often, nobody else notices: no wrong reply, no lost write, nothing left.

Method: one server with a module that dies amid its work on request, in every way; clients that know what each of
their keys must hold, plain ones and values of the module's own type; and one who makes it die, CRASHES times.
"""

from __future__ import annotations

import os
import random
import signal
import threading
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from tests._resp import ClosedError, RespClient
from tests._servers import running, trioredis_command
from tests.bench.modules import build_from

if TYPE_CHECKING:
    from tests._resp import Reply
    from tests._servers import Server

SOURCE: Final = Path(__file__).parents[1] / "sandbox" / "modules" / "torture.c"
PARTS: Final = 5
CRASHES: Final = int(os.environ.get("TORTURE_CRASHES", "200"))
"""In each part: a thousand in all."""
WORKERS: Final = 4
KEYS: Final = 8
TIMEOUT_MS: Final = 100
WAYS: Final = (
    *("null", "division", "stack", "abort", "exit", "exit-now", "kill", "memory", "assertion", "thread", "garbage"),
    *("killed-outside", "loop"),  # a loop costs TIMEOUT_MS each time
)
OPTIONS: Final = (
    ("--module-command-timeout", str(TIMEOUT_MS)),
    ("--module-restart", "always"),
    ("--module-restart-backoff-ms", "0"),
    ("--module-restarts-per-minute", "0"),
    ("--module-reports-max", "5"),
    ("--module-sandbox-memory", "256mb"),
    ("--enable-module-command", "yes"),
    ("--loglevel", "warning"),
)
DOWN: Final = "MODULEDOWN"
CRASHED: Final = "MODULECRASH"

pytestmark = pytest.mark.slow


class Wrong(AssertionError):
    """A reply that can't be."""


class Failure(str):
    """An error reply."""

    __slots__ = ()


Value = int | bytes | str | None | tuple["Value", ...]


def value_of(reply: Reply) -> Value:
    """Return what a reply says."""
    kind, value = reply
    if kind == "err":
        return Failure(value.decode())
    if kind == "array":
        return tuple(value_of(one) for one in value)
    assert kind in {"int", "bulk", "simple", "null", "nullbulk", "nullarray"}, reply
    return value.decode() if kind == "simple" else value  # type: ignore[no-any-return]


def ask(client: RespClient, *words: str | int) -> Value:
    """Call, with words and numbers."""
    return value_of(client.call(*(str(word) for word in words)))


def is_error(value: Value, code: str) -> bool:
    """Whether it is an error of this code."""
    return isinstance(value, Failure) and value.startswith(code)


def settled(client: RespClient, *words: str | int) -> Value:
    """Call until the module is there."""
    while is_error(value := ask(client, *words), DOWN):
        pass
    return value


class Worker(threading.Thread):
    """A client with keys of its own, and the knowledge of what they hold."""

    def __init__(self, address: tuple[str, int], number: int, stop: threading.Event) -> None:
        super().__init__(name=f"worker-{number}")
        self.client = RespClient(address)
        self.random = random.Random(number)
        self.prefix = f"w{number}"
        self.plain: dict[str, int] = {}
        self.sums: dict[str, int] = {}
        self.stop = stop
        self.calls = 0
        self.problem: BaseException | None = None

    def run(self) -> None:
        """Work and check until told to stop."""
        try:
            while not self.stop.is_set():
                self.random.choice((self.set, self.incr, self.get, self.delete, self.add, self.look, self.both))()
                self.calls += 1
        except BaseException as problem:
            self.problem = problem
            self.stop.set()

    def key(self, kind: str) -> str:
        """One of the keys of this worker."""
        return f"{self.prefix}:{kind}:{self.random.randrange(KEYS)}"

    def expect(self, reply: Value, wanted: Value, *about: object) -> None:
        """Compare."""
        if reply != wanted:
            raise Wrong(f"{about}: {reply!r} instead of {wanted!r}")

    def set(self) -> None:
        key, value = self.key("plain"), self.random.randrange(1000)
        self.expect(ask(self.client, "SET", key, value), "OK", "SET", key)
        self.plain[key] = value

    def incr(self) -> None:
        key = self.key("plain")
        self.plain[key] = self.plain.get(key, 0) + 1
        self.expect(ask(self.client, "INCR", key), self.plain[key], "INCR", key)

    def get(self) -> None:
        key = self.key("plain")
        wanted = str(self.plain[key]).encode() if key in self.plain else None
        self.expect(ask(self.client, "GET", key), wanted, "GET", key)

    def delete(self) -> None:
        key = self.key(self.random.choice(("plain", "sum")))
        known = self.plain if key in self.plain else self.sums
        self.expect(ask(self.client, "DEL", key), int(key in known), "DEL", key)
        known.pop(key, None)

    def take(self, key: str, reply: Value, n: int) -> None:
        """Judge the reply to an addition and learn from it."""
        if is_error(reply, DOWN) or is_error(reply, CRASHED):
            return  # nothing has changed then; the next look tells
        self.sums[key] = self.sums.get(key, 0) + n
        self.expect(reply, self.sums[key], "TORTURE.ADD", key)

    def add(self) -> None:
        key, n = self.key("sum"), self.random.randrange(-9, 100)
        self.take(key, ask(self.client, "TORTURE.ADD", key, n), n)

    def look(self) -> None:
        key = self.key("sum")
        reply = ask(self.client, "TORTURE.GET", key)
        if not is_error(reply, DOWN) and not is_error(reply, CRASHED):
            self.expect(reply, self.sums.get(key), "TORTURE.GET", key)

    def both(self) -> None:
        key, plain, n = self.key("sum"), self.key("plain"), self.random.randrange(9)
        commands = (("MULTI",), ("TORTURE.ADD", key, str(n)), ("INCR", plain), ("EXEC",))
        replies = value_of(self.client.pipeline(commands)[-1])
        if not isinstance(replies, tuple):
            raise Wrong(f"EXEC: {replies!r}")
        self.take(key, replies[0], n)
        self.plain[plain] = self.plain.get(plain, 0) + 1
        self.expect(replies[1], self.plain[plain], "INCR in EXEC", plain)

    def check_all(self) -> None:
        """Compare every key once more."""
        for number in range(KEYS):
            plain, total = f"{self.prefix}:plain:{number}", f"{self.prefix}:sum:{number}"
            wanted = str(self.plain[plain]).encode() if plain in self.plain else None
            self.expect(ask(self.client, "GET", plain), wanted, "GET at the end", plain)
            self.expect(settled(self.client, "TORTURE.GET", total), self.sums.get(total), "sum at the end", total)


def children(pid: int) -> list[int]:
    """Return the living children of a process."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        with suppress(FileNotFoundError):
            found += [int(child) for child in (task / "children").read_text().split()]
    return found


def hosts(pid: int) -> list[int]:
    """Return those that run a module."""
    out = []
    for child in children(pid):
        with suppress(FileNotFoundError, ProcessLookupError):
            if b"trioredis-modhost" in Path(f"/proc/{child}/cmdline").read_bytes():
                out.append(child)
    return out


def die(client: RespClient, server: Server, way: str, turn: int) -> None:
    """Make the module die that way, and see that nothing came of the command."""
    other = f"other:{turn % 5}"
    ask(client, "SET", other, "before")
    ask(client, "SET", f"{other}:gone", "5")
    before = settled(client, "TORTURE.GET", "victim")
    if way == "killed-outside":
        for pid in hosts(server.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    else:
        reply = settled(client, "TORTURE.DIE", way, "victim", turn, other)
        assert is_error(reply, CRASHED), (way, reply)
    assert ask(client, "GET", other) == b"before", way
    assert ask(client, "GET", f"{other}:gone") == b"5", way
    after = settled(client, "TORTURE.GET", "victim")
    while is_error(after, CRASHED):  # killed from outside: who came first may have met it
        after = settled(client, "TORTURE.GET", "victim")
    assert after == before, way


def descriptors(pid: int) -> Counter[str]:
    """Return what a process has open, by kind."""
    found: Counter[str] = Counter()
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):
            found[str(link.readlink()).partition(":[")[0]] += 1
    return found


def until(condition: object, server: Server) -> bool:
    """Ask the server until the condition holds; each question is a turn of its loop."""
    assert callable(condition)
    with RespClient(server.address) as client:
        for _ in range(200_000):
            if condition():
                return True
            ask(client, "PING")
    return False


@pytest.mark.parametrize("part", range(PARTS))
def test_nobody_notices(part: int, tmp_path: Path) -> None:
    library = build_from(SOURCE, tmp_path)
    options = [word for pair in OPTIONS for word in pair]
    command = [*trioredis_command(), *options, "--loadmodule", str(library), "--module-report-dir", str(tmp_path / "r")]
    with running("ours", command, tmp_path) as server, RespClient(server.address) as client:
        for n in range(50):
            settled(client, "TORTURE.ADD", "victim", n)
        for way in WAYS:  # whatever is made once has been made
            die(client, server, way, 0)
        assert until(lambda: len(children(server.pid)) == 1, server)
        fds_before = descriptors(server.pid) + Counter(socket=1)  # of who asks in the end
        used_before = int(client_info(client, "used_memory"))
        stop = threading.Event()
        workers = [Worker(server.address, WORKERS * part + number, stop) for number in range(WORKERS)]
        for worker in workers:
            worker.start()
        try:
            for turn in range(CRASHES):
                die(client, server, WAYS[turn % len(WAYS)], turn)
                if stop.is_set():
                    break
        finally:
            stop.set()
            for worker in workers:
                worker.join()
        problems = [worker.problem for worker in workers if worker.problem is not None]
        assert not problems, problems
        for worker in workers:
            worker.check_all()
            worker.client.close()
            assert worker.calls > CRASHES / 10
        assert settled(client, "TORTURE.GET", "victim") == sum(range(50))
        assert until(lambda: len(children(server.pid)) == 1, server), "a process is left"
        assert until(lambda: descriptors(server.pid) <= fds_before, server), descriptors(server.pid) - fds_before
        assert int(client_info(client, "used_memory")) < used_before + (8 << 20), "memory is left"
        with suppress(ClosedError):
            ask(client, "SHUTDOWN", "NOSAVE")


def client_info(client: RespClient, field: str) -> str:
    """Return a field of INFO."""
    text = ask(client, "INFO", "memory")
    assert isinstance(text, bytes)
    for line in text.decode().splitlines():
        if line.startswith(f"{field}:"):
            return line.partition(":")[2]
    raise AssertionError(field)
