"""Aim: values of a module's type are at home in the server as in Redis, and no acknowledged change of one is ever lost.

Method: the same commands to a stock server and ours; then thousands of random commands of the module and of plain
clients, with the module killed in between, against numbers in a dictionary.
"""

from __future__ import annotations

import os
import random
import signal
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from tests._resp import RespClient
from tests._servers import redis_command, running, trioredis_command
from tests.bench.modules import build_from
from tests.modules.test_torture import CRASHED, OPTIONS, ask, hosts, is_error, settled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests._servers import Server
    from tests.modules.test_torture import Value

SOURCE: Final = Path(__file__).parents[1] / "sandbox" / "modules" / "typeapi.c"
TALLY: Final = Path(__file__).parents[2] / "sandbox" / "examples" / "tally.c"
COMMANDS: Final = int(os.environ.get("VALUES_COMMANDS", "4000"))
KEYS: Final = 8
SAME: Final = """
    TV.ADD k 5|TYPE k|OBJECT ENCODING k|TV.GET k|TV.SAVED k|SCAN 0 TYPE typeapi-v|SCAN 0 TYPE TYPEAPI-V
    SCAN 0 TYPE none-such|GET k|INCR k|APPEND k 1|SET s x|TV.ADD s 1|TV.GET s|TV.GET nothing|COPY k k2|TV.GET k2
    COPY k k2|COPY k k2 REPLACE|COPY k refused|EXISTS refused|RENAME k2 k3|TV.GET k3|EXISTS k2
    EXPIRE k3 1000|TV.SWAP k3 77|TTL k3|TV.GET k3|TV.LOAD k3 nonsense|TTL k3|TV.SAVED k3|DEBUG DIGEST-VALUE k k3 s
    DEBUG DIGEST|TV.DROP k3|EXISTS k3|TV.DROP k3|TV.ADD big 4000000000|TV.SAVED big|TV.ADD minus -70000|TV.SAVED minus
    TV.SAVED s
    MOVE big 2|EXISTS big|TV.SUM all k minus|TV.COPY all twin|TV.GET twin|TV.GET all|TV.NEST k 3|TV.GET k
    OBJECT REFCOUNT k|GETDEL k|SET k plain|TYPE k|DBSIZE|DEBUG DIGEST|FLUSHALL|TV.GET all
"""


def stock_and_ours(tmp_path: Path, library: Path) -> Iterator[RespClient]:
    """Yield a client of each server, with the module."""
    stock = redis_command()
    if stock is None:
        pytest.skip("redis-server is not installed")
    common = ["--loadmodule", str(library), "--enable-debug-command", "yes"]
    with running("redis", [*stock, *common], tmp_path) as server, RespClient(server.address) as client:
        yield client
    with running("ours", [*trioredis_command(), *common], tmp_path) as server, RespClient(server.address) as client:
        yield client


def test_the_same_as_redis(tmp_path: Path) -> None:
    library = build_from(SOURCE, tmp_path)
    lines = [line.split() for line in SAME.replace("\n", "|").split("|") if line.strip()]
    redis, ours = ([(line, client.call(*line)) for line in lines] for client in stock_and_ours(tmp_path, library))
    for one, other in zip(ours, redis, strict=True):
        assert one == other


def test_payloads_are_those_of_redis(tmp_path: Path) -> None:
    library = build_from(SOURCE, tmp_path)
    payloads: list[list[bytes]] = []
    for client in stock_and_ours(tmp_path, library):
        for n in (0, 5, -5, 300, -40000, 1 << 33, -(1 << 62)):
            client.call("TV.ADD", f"key:{n}", str(n))
        payloads.append([client.call("TV.SAVED", str(key))[1] for key in sorted(f"key:{n}" for n in (0, 5, -5, 300))])
        for known in payloads[0]:
            assert client.call("TV.LOAD", "again", known)[0] == "int"
            assert client.call("TV.SAVED", "again")[1] == known
            for cut in range(len(known)):
                assert client.call("TV.LOAD", "again", known[:cut])[0] == "err"
    assert payloads[0] == payloads[1]


class World:
    """The server and what its keys must hold."""

    def __init__(self, server: Server, client: RespClient, seed: int) -> None:
        self.server, self.client = server, client
        self.random = random.Random(seed)
        self.dbs: list[dict[str, int]] = [{}, {}]
        self.db = 0
        self.deaths = 0

    @property
    def numbers(self) -> dict[str, int]:
        return self.dbs[self.db]

    def key(self) -> str:
        return f"key:{self.random.randrange(KEYS)}"

    def known(self) -> str:
        """Return a key that is there, or might be."""
        return self.random.choice(sorted(self.numbers)) if self.numbers else self.key()

    def answer(self, *words: str | int) -> Value:
        """Call until the module is there; a command that it died of has changed nothing."""
        while is_error(reply := settled(self.client, *words), CRASHED):
            pass
        return reply

    def expect(self, wanted: object, *words: str | int) -> None:
        reply = self.answer(*words)
        assert reply == wanted, (words, reply, wanted)

    def step(self) -> None:
        n, key, other = self.random.randrange(-50, 100), self.key(), self.key()
        numbers = self.numbers
        match self.random.randrange(16):
            case 0 | 1 | 2:
                numbers[key] = numbers.get(key, 0) + n
                self.expect(numbers[key], "TV.ADD", key, n)
            case 3 | 4:
                numbers[key] = numbers.get(key, 0) + n
                self.expect(numbers[key], "TV.QUIET", key, n)
            case 5 | 6:
                third = self.key()
                wanted = numbers.get(other, 0) + numbers.get(third, 0)
                self.expect(wanted, "TV.SUM", key, other, third)
                numbers[key] = wanted
            case 7:
                self.expect(int(numbers.pop(key, None) is not None), "DEL", key)
            case 8:
                self.rename(self.known(), other)
            case 9:
                self.copy(self.known(), other)
            case 10:
                numbers[key] = numbers.get(key, 0) + 1000 + 2 * n
                self.expect(numbers[key], "TV.NEST", key, n)
            case 11 if key in numbers:
                self.expect(numbers[key], "TV.SWAP", key, n)
                numbers[key] = n
            case 12:
                self.expect(int(numbers.pop(key, None) is not None), "TV.DROP", key)
            case 13 if key != other:
                numbers[key] = numbers[other] = numbers.get(key, 0) + 7
                self.expect(numbers[key], "TV.COPY", key, other)
            case 14:
                self.between()
            case _:
                self.check(key)

    def rename(self, one: str, to: str) -> None:
        if one in self.numbers and one != to:
            self.expect("OK", "RENAME", one, to)
            self.numbers[to] = self.numbers.pop(one)

    def copy(self, one: str, to: str) -> None:
        if one in self.numbers and one != to:
            self.expect(1, "COPY", one, to, "REPLACE")
            self.numbers[to] = self.numbers[one]

    def between(self) -> None:
        """Do something to databases."""
        match self.random.randrange(12):
            case 0:
                self.expect("OK", "FLUSHDB")
                self.numbers.clear()
            case 1 | 2 | 3:
                self.expect("OK", "SWAPDB", 0, 1)
                self.dbs.reverse()
            case _:
                self.db = 1 - self.db
                self.expect("OK", "SELECT", self.db)

    def check(self, key: str) -> None:
        reply = self.answer("TV.GET", key)
        wanted = self.numbers.get(key)
        assert (reply[0] if isinstance(reply, tuple) else reply) == wanted, (key, reply, wanted)

    def die(self) -> None:
        """Let the module die, by itself amid a change, or from outside."""
        self.deaths += 1
        if self.random.randrange(2):
            assert is_error(settled(self.client, "TV.DIE", self.key()), "MODULECRASH")
            return
        for pid in hosts(self.server.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def check_all(self) -> None:
        for self.db in (0, 1):
            self.expect("OK", "SELECT", self.db)
            for key in range(KEYS):
                self.check(f"key:{key}")
            keys = ask(self.client, "KEYS", "*")
            assert isinstance(keys, tuple)
            assert len(keys) == len(self.numbers)
        self.db = 1


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_values_outlive_the_process(tmp_path: Path, seed: int) -> None:
    library = build_from(SOURCE, tmp_path)
    options = [word for pair in OPTIONS for word in pair]
    command = [*trioredis_command(), *options, "--loadmodule", str(library), "--module-report-dir", str(tmp_path / "r")]
    with running("ours", command, tmp_path) as server, RespClient(server.address) as client:
        world = World(server, client, seed)
        for n in range(COMMANDS):
            world.step()
            if n % 100 == 99:
                world.die()
            if n % 500 == 499:
                world.check_all()
        world.check_all()
        assert world.deaths == COMMANDS // 100


@pytest.mark.slow
@pytest.mark.parametrize("forks", ["yes", "no"])
def test_checkpoints(tmp_path: Path, forks: str) -> None:
    """More than a journal holds: it is swept, new bases are made while commands go on, and nothing is lost."""
    library = build_from(TALLY, tmp_path)
    options = ["--module-sandbox-fork", forks, "--enable-debug-command", "yes", "--module-restart-backoff-ms", "0"]
    command = [*trioredis_command(), *options, "--loadmodule", str(library), "--module-report-dir", str(tmp_path / "r")]
    with running("ours", command, tmp_path) as server, RespClient(server.address) as client:
        kept: list[int] = []
        for turn in range(60):
            words = [f"{turn}:{n}:{'w' * 300}" for n in range(200)]
            client.pipeline([("TALLY.ADD", f"key:{n % 20}", word) for n, word in enumerate(words)])
            client.call("DEL", f"key:{turn % 20}") if turn < 20 else None
            kept.append(len(client.call("TALLY.ALL", "key:3")[1]))
        before = ask(client, "DEBUG", "DIGEST")
        assert before != ask(client, "DEBUG", "DIGEST-VALUE", "none")
        for _ in range(3):
            for pid in hosts(server.pid):
                os.kill(pid, signal.SIGKILL)
            while is_error(settled(client, "TALLY.GET", "key:0", "none"), CRASHED):
                pass
            assert ask(client, "DEBUG", "DIGEST") == before
