"""Aim: when a module's command dies, what it had other modules do to their values is undone, and nothing else is.

Method: modules with values of their own that run each other's commands and die on request; the same keys are looked at
before and after, in the processes that live on and in those that come after them.
"""

from __future__ import annotations

import json
import os
import random
import signal
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from tests._resp import RespClient
from tests._servers import running, trioredis_command
from tests.bench.modules import build_from
from tests.modules.test_torture import CRASHED, ask, hosts, is_error, settled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests._servers import Server
    from tests.modules.test_torture import Value

TALLY: Final = Path(__file__).parents[2] / "sandbox" / "examples" / "tally.c"
NEST: Final = Path(__file__).parents[1] / "sandbox" / "modules" / "nest.c"
DEEDS: Final = (
    "na.add k 5",
    "na.quiet k 5",
    "na.add k 5 ; na.quiet k 6 ; na.add k 7",
    "na.swap k 9",
    "na.swap k 9 ; na.add k 1",
    "na.drop k",
    "del k",
    "unlink k",
    "set k other",
    "na.drop k ; na.add k 3",
    "na.add new 3",
    "na.add new 3 ; na.sum k new",
    "na.sum k other",
    "na.sum other k ; na.sum third other",
    "rename k away ; na.add away 1",
    "rename k other ; na.add other 1",
    "move k 1",
    "copy k twin ; na.add twin 1",
    "na.add k 1 ; copy k other replace ; na.add other 1",
    "flushall ; na.add k 1",
    "na.add k 1 ; flushdb async",
    "swapdb 0 1 ; na.add k 1",
    "expire k 100 ; na.add k 1",
    "na.run na.add k 1 ; na.add other 1",
    "nc.run na.add k 1 ; na.add other 1",
)
QUESTIONS_MAX: Final = 20_000
KEYS: Final = ("k", "other", "third", "new", "away", "twin")


class World:
    """A server with modules na, nb and nc, and two clients in it."""

    def __init__(self, server: Server, client: RespClient, log: Path) -> None:
        self.client, self.pid, self.address, self.log = client, server.pid, server.address, log

    def ask(self, *words: str | int) -> Value:
        return settled(self.client, *words)

    def say(self, line: str) -> Value:
        return self.ask(*line.split())

    def crash(self, line: str) -> None:
        """Run commands by module nb, which then dies."""
        reply = self.say(f"nb.run {line} ; die")
        assert is_error(reply, CRASHED), (line, reply)

    def image(self) -> list[Value]:
        """What the keys hold."""
        held: list[Value] = [tuple(sorted(str(key) for key in self.keys()))]
        for key in KEYS:
            reply = self.ask("na.get", key)
            held += [reply, self.ask("expiretime", key), self.ask("type", key)]
        return held

    def wait_count(self, wanted: Value) -> None:
        """Ask until the module has so many values: it hears of what is to be freed between commands."""
        asked = 0
        while (count := self.ask("na.count")) != wanted:
            asked += 1
            assert asked < QUESTIONS_MAX, count

    def keys(self) -> tuple[Value, ...]:
        reply = self.ask("keys", "*")
        assert isinstance(reply, tuple)
        return reply

    def kill(self) -> None:
        """End all modules' processes."""
        for pid in hosts(self.pid):
            os.kill(pid, signal.SIGKILL)
        for name in ("na", "nb", "nc"):
            while is_error(self.ask(f"{name}.calls"), CRASHED):
                pass

    def events(self, name: str) -> list[dict[str, object]]:
        records = (json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{"))
        return [record for record in records if record.get("event") == name]


@contextmanager
def served(tmp_path: Path, *options: str, bare: str = "") -> Iterator[World]:
    """Start a server with three modules."""
    library, log = build_from(NEST, tmp_path), tmp_path / "server.json"
    command = [*trioredis_command(), "--module-restart-backoff-ms", "0", "--module-restarts-per-minute", "0"]
    command += ["--module-report-dir", str(tmp_path / "r"), "--log-format", "json", "--logfile", str(log), *options]
    for name in ("na", "nb", "nc"):
        command += ["--loadmodule", str(library), name, *bare.split()]
    with running("ours", command, tmp_path) as server, RespClient(server.address) as client:
        yield World(server, client, log)


def prepare(world: World) -> None:
    for line in ("flushall", "na.add k 10", "na.add k 1", "na.add other 20", "na.quiet third 30", "na.sum third other"):
        world.say(line)


def test_what_was_done_is_undone(tmp_path: Path) -> None:
    with served(tmp_path) as world:
        for line in DEEDS:
            prepare(world)
            before, calls = world.image(), world.ask("na.calls")
            world.crash(line)
            assert world.image() == before, line
            world.wait_count(3)
            if "na.run" not in line:  # a module's own process may be in the way of what it did
                after = world.ask("na.calls")
                assert isinstance(calls, int)
                assert isinstance(after, int)
                assert after >= calls, line
            world.kill()
            assert world.image() == before, line
            world.wait_count(3)
        assert not world.events("module.values_stay")


def test_nothing_else_is_undone(tmp_path: Path) -> None:
    """Values that the command had nothing to do with are not even looked at; neither is what was done between."""
    with served(tmp_path) as world:
        for n in range(200):
            world.say(f"na.add key:{n} {n}")
        calls = world.ask("na.calls")
        world.crash("na.add key:7 1")
        after = world.ask("na.calls")
        assert isinstance(calls, int)
        assert after == calls + 2  # what was undone, and the one that made the value
        assert [world.ask("na.get", f"key:{n}") for n in range(200)] == list(range(200))
        world.wait_count(200)


def test_a_call_amid_a_call(tmp_path: Path) -> None:
    """Inner commands die and outer ones go on; or the outer one dies after inner ones have died."""
    with served(tmp_path) as world:
        prepare(world)
        world.say("nc.run na.add k 1 ; nb.run na.add k 100 ; nb.run na.add k 200")
        assert world.ask("na.get", "k") == 312
        assert world.say("nc.add keep 5") == 5
        # nb dies amid nc's command: what nb did goes, what nc did before and does afterwards stays
        hold = "nc.hold keep na.add k 1000 ; nb.run na.add k 5 ; na.quiet other 7"
        assert world.say(hold) == 1006
        assert world.ask("na.get", "k") == 1317
        assert world.ask("na.get", "other") == 27
        before = world.image()
        world.kill()
        assert world.image() == before


def test_a_value_in_use(tmp_path: Path) -> None:
    """A command of na has a value open, has nb change it, and nb dies: na's command can't go on, nothing is changed."""
    with served(tmp_path) as world:
        prepare(world)
        before = world.image()
        reply = world.say("na.hold k nb.run na.add k 1 ; die")
        assert is_error(reply, CRASHED)
        assert world.image() == before


def test_a_module_that_dies_between(tmp_path: Path) -> None:
    """The module whose value was changed dies before the one that had it changed."""
    with served(tmp_path) as world:
        prepare(world)
        before = world.image()
        assert is_error(world.say("nb.run na.add k 1 ; na.quiet other 2 ; na.run die ; die"), CRASHED)
        assert world.image() == before


@pytest.mark.parametrize(("options", "bare"), [(("--module-durability", "off"), ""), ((), "bare")])
def test_values_that_nobody_keeps(tmp_path: Path, options: tuple[str, ...], bare: str) -> None:
    """They stay as they are, which is said; keys that the command made or deleted are as before."""
    with served(tmp_path, *options, bare=bare) as world:
        prepare(world)
        world.crash("na.add k 1 ; na.add k 1 ; na.add new 1 ; del other")
        assert world.ask("na.get", "k") == 13
        assert world.ask("na.get", "new") is None
        assert world.ask("na.get", "other") == 20
        world.wait_count(3)
        world.crash("na.add third 1 ; na.add other 1")
        world.crash("na.get k")
        assert [event["keys"] for event in world.events("module.values_stay")] == [1, 2]
        world.crash("na.swap k 1")  # the module has dropped what the key held
        while world.ask("exists", "k"):
            pass
        assert world.ask("na.add", "k", 1) == 1


def test_the_example(tmp_path: Path) -> None:
    """The example of a data type, changed in place, made, deleted and set to something else by another module."""
    deeds = ("tally.add k one", "tally.add new one", "del k", "set k other", "copy k twin ; tally.add twin two")
    example = ("--loadmodule", str(build_from(TALLY, tmp_path)), "--enable-debug-command", "yes")
    with served(tmp_path, *example) as world:
        for line in deeds:
            for setup in ("flushall", "tally.add k one 3", "tally.add k two 4", "tally.add k one 3"):
                world.say(setup)
            before = world.say("debug digest"), world.say("tally.all k"), world.keys()
            world.crash(line)
            assert (world.say("debug digest"), world.say("tally.all k"), world.keys()) == before
            world.kill()
            assert (settled(world.client, "tally.all", "k"), world.keys()) == before[1:]


def test_many_values(tmp_path: Path) -> None:
    """More than is made anew in a living process: it is started again."""
    with served(tmp_path, "--enable-debug-command", "yes") as world:
        for n in range(3000):
            world.say(f"na.add key:{n % 1500} 1")
        before = ask(world.client, "DEBUG", "DIGEST")
        world.crash(" ; ".join(f"na.add key:{n} 1" for n in range(1500)))
        assert [world.ask("na.get", f"key:{n}") for n in range(1500)] == [2] * 1500
        assert ask(world.client, "DEBUG", "DIGEST") == before


def test_others_go_on(tmp_path: Path) -> None:
    """While a process gets many values back, plain commands are served and may do what they like to the keys."""
    many = 20_000
    with served(tmp_path) as world, RespClient(world.address) as other:
        for at in range(0, many, 1000):
            world.client.pipeline([("na.add", f"key:{n}", str(n)) for n in range(at, at + 1000)])
        wanted = {f"key:{n}": n for n in range(many)}
        for pid in hosts(world.pid):
            os.kill(pid, signal.SIGKILL)
        while is_error(ask(world.client, "na.get", "key:1"), CRASHED):
            pass
        waits: list[float] = []
        for n in range(0, many, 7):
            if not is_error(ask(other, "na.calls"), "MODULEDOWN"):
                break
            began = time.perf_counter()
            match n % 3:
                case 0:
                    assert ask(other, "DEL", f"key:{n}") == 1
                    del wanted[f"key:{n}"]
                case 1:
                    assert ask(other, "RENAME", f"key:{n}", f"moved:{n}") == "OK"
                    wanted[f"moved:{n}"] = wanted.pop(f"key:{n}")
                case _:
                    assert ask(other, "SET", f"key:{n}", "plain") == "OK"
                    del wanted[f"key:{n}"]
            waits.append(time.perf_counter() - began)
        assert waits
        print(f"{len(waits)} commands meanwhile, the longest took {max(waits) * 1000:.1f} ms")
        for _ in range(2):
            held = {key: world.ask("na.get", key) for key in wanted}
            assert held == wanted
            world.kill()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_at_random(tmp_path: Path, seed: int) -> None:
    """Commands of all kinds, half of them in commands that die, against what was there before."""
    pick = random.Random(seed)
    lines = [part for line in DEEDS for part in line.split(" ; ") if not part.startswith(("na.run", "nc.run", "set"))]
    with served(tmp_path) as world:
        for _ in range(60):
            before = world.image()
            chosen = [pick.choice(lines) for _ in range(pick.randrange(1, 6))]
            if pick.randrange(2):
                inner = f"nc.run {' ; '.join(chosen)}"
                world.crash(pick.choice((" ; ".join(chosen), inner)))
                assert world.image() == before, chosen
            else:
                world.say(f"nb.run {' ; '.join(chosen)}")
            if pick.randrange(10) == 0:
                before = world.image()
                world.kill()
                assert world.image() == before, chosen
