"""Aim: values are saved by a child of the module's process, which keeps nobody waiting and may come to any end.

Method: a module whose values are saved as it is told; what its processes have seen, which they share; and crashes,
after which values are what the child has saved and what was done since.
"""

from __future__ import annotations

import os
import signal
from contextlib import contextmanager
from errno import EPERM
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from tests._resp import RespClient
from tests._servers import running, trioredis_command
from tests.bench.modules import build_from
from tests.modules.test_torture import CRASHED, ask, children, hosts, is_error, settled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests._servers import Server

SOURCE: Final = Path(__file__).parents[1] / "sandbox" / "modules" / "saving.c"
LENGTH: Final = 100_000
TURNS: Final = 20_000
"""Commands after which what should have happened has not."""
OTHER: Final = 2
"""What SV.GET says of a value that a process saved which served no commands."""

pytestmark = pytest.mark.slow


def number(client: RespClient, *words: str) -> int:
    """Return the reply of a command that replies with a number."""
    reply = ask(client, *words)
    assert isinstance(reply, int)
    return reply


class Saving:
    """The server with the module, and what its keys must hold."""

    def __init__(self, server: Server, client: RespClient) -> None:
        self.server, self.client = server, client
        self.numbers: dict[str, int] = {}
        self.filled = 0

    @property
    def pid(self) -> int:
        """Of the module's process."""
        [pid] = hosts(self.server.pid)
        return pid

    def health(self, name: str) -> int:
        """Return one of the numbers that INFO has of the module."""
        text = ask(self.client, "INFO", "modules")
        assert isinstance(text, bytes)
        [line] = [one for one in text.decode().splitlines() if f",{name}=" in one]
        return int(line.partition(f",{name}=")[2].partition(",")[0])

    def fill(self) -> None:
        """Change one of a few values."""
        key = f"key:{self.filled % 7}"
        self.filled += 1
        self.numbers[key] = self.numbers.get(key, 0) + 1
        assert ask(self.client, "SV.FILL", key, "x" * LENGTH) == self.numbers[key]

    def fill_until(self, name: str, count: int) -> None:
        """Change values until a number of INFO is that large."""
        for _ in range(TURNS):
            if self.health(name) >= count:
                return
            self.fill()
        raise AssertionError(f"{name} is {self.health(name)}")

    def fill_until_saving(self, count: int) -> None:
        """Change values until so many children have begun to save."""
        for _ in range(TURNS):
            if ask(self.client, "SV.SAVERS") == count:
                return
            self.fill()
        raise AssertionError(f"{count - 1} children have saved")

    def check(self) -> set[object]:
        """Compare all values; returns what saved them."""
        replies = {key: settled(self.client, "SV.GET", key) for key in self.numbers}
        pairs = {key: reply for key, reply in replies.items() if isinstance(reply, tuple)}
        assert {key: pair[0] for key, pair in pairs.items()} == self.numbers
        return {pair[1] for pair in pairs.values()}

    def crash(self) -> set[object]:
        """Let the module crash and compare all values."""
        assert is_error(ask(self.client, "SV.DIE"), CRASHED)
        return self.check()


@contextmanager
def saving(tmp_path: Path, *options: str, arguments: tuple[str, ...] = ()) -> Iterator[Saving]:
    """Run a server with the module, loaded with these arguments."""
    library = build_from(SOURCE, tmp_path)
    options = ("--module-report-dir", str(tmp_path / "r"), "--module-restart-backoff-ms", "0", *options)
    command = [*trioredis_command(), "--loadmodule", str(library), *arguments, *options]
    with running("ours", command, tmp_path) as server, RespClient(server.address) as client:
        yield Saving(server, client)


def test_by_a_child(tmp_path: Path) -> None:
    with saving(tmp_path) as module:
        module.fill_until("checkpoints", 1)
        assert ask(module.client, "SV.SAVERS") == 1
        assert ask(module.client, "SV.PARENT") == 1
        assert module.check() == {0}
        assert OTHER in module.crash()
        module.fill_until("checkpoints", 3)
        assert OTHER in module.crash()
        assert module.health("checkpoints_failed") == 0
        assert module.health("crashes") == 2


def test_nobody_waits(tmp_path: Path) -> None:
    """As long as the child saves, all others go on, with what it saves too."""
    with saving(tmp_path) as module, RespClient(module.server.address) as other:
        assert ask(module.client, "SV.MODE", "wait") == "OK"
        module.fill_until_saving(1)
        assert len(children(module.pid)) == 1
        for n in range(100):
            assert ask(other, "INCR", "plain") == n + 1
            module.fill()
        assert module.health("checkpoints") == 0
        assert ask(module.client, "SV.GO") == "OK"
        while module.health("checkpoints") == 0:
            pass
        assert module.check() == {0}
        assert module.crash() == {OTHER}


def test_the_process_ends_meanwhile(tmp_path: Path) -> None:
    """The child ends with it, and the bases are the old ones."""
    with saving(tmp_path) as module:
        assert ask(module.client, "SV.MODE", "wait") == "OK"
        module.fill_until_saving(1)
        [child] = children(module.pid)
        assert module.crash() == {0}
        wait_until_gone(child)


def test_the_server_is_killed_meanwhile(tmp_path: Path) -> None:
    with saving(tmp_path) as module:
        assert ask(module.client, "SV.MODE", "wait") == "OK"
        module.fill_until_saving(1)
        pid = module.pid
        [child] = children(pid)
        os.kill(module.server.pid, signal.SIGKILL)
        wait_until_gone(pid)
        wait_until_gone(child)


ENDS: Final = {
    "null": "ended by signal 11",
    "abort": "ended by signal",
    "exit": "ended amid it with status 3",
    "exit-now": "ended amid it with status 4",
    "leave": "ended amid it with status 5",
    "assert": "assertion failed: one == two",
    "ask": "was called by a forked child, which has no server",
}


@pytest.mark.parametrize("how", ENDS)
def test_a_child_that_fails(tmp_path: Path, how: str) -> None:
    """The process that serves never saves because of it: another child does, a little later."""
    with saving(tmp_path, "--logfile", str(tmp_path / "log")) as module:
        pid = module.pid
        assert ask(module.client, "SV.MODE", how) == "OK"
        module.fill_until("checkpoints_failed", 2)
        assert module.health("checkpoints") == 0
        assert ask(module.client, "SV.SAVERS") == 2
        assert ask(module.client, "SV.MODE", "well") == "OK"
        module.fill_until("checkpoints", 1)
        assert module.health("checkpoints_failed") == 2
        assert ask(module.client, "SV.SAVERS") == 3
        assert module.pid == pid
        assert module.health("crashes") == 0
        wait_for_line(tmp_path / "log", ENDS[how])
        assert OTHER in module.crash()


def test_saving_crashes_everywhere(tmp_path: Path) -> None:
    """The process that serves lives on, however little there is to save."""
    with saving(tmp_path, arguments=("always",)) as module:
        pid = module.pid
        module.fill_until("checkpoints_failed", 3)
        assert module.health("checkpoints") == 0
        assert (module.pid, module.health("crashes")) == (pid, 0)
        module.check()


def test_no_child_can_be_made(tmp_path: Path) -> None:
    """Then the process itself saves, as far as it gets in a short time."""
    with saving(tmp_path) as module:
        pid = module.pid
        assert number(module.client, "SV.FULL") > 0
        assert ask(module.client, "SV.MODE", "slow") == "OK"
        module.fill_until("checkpoints_failed", 1)
        assert module.health("checkpoints") == 0
        assert ask(module.client, "SV.MODE", "well") == "OK"
        module.fill_until("checkpoints", 1)
        assert module.health("checkpoints_failed") == 1
        assert ask(module.client, "SV.SAVERS") == 0
        assert (module.pid, module.health("crashes")) == (pid, 0)
        assert 1 in module.crash()


def test_saving_crashes_here(tmp_path: Path) -> None:
    """That costs the process once."""
    with saving(tmp_path, arguments=("always",)) as module:
        assert number(module.client, "SV.FULL") > 0
        while module.health("crashes") == 0:
            key = f"key:{module.filled}"
            module.filled += 1
            if settled(module.client, "SV.FILL", key, "x" * LENGTH) == 1:
                module.numbers[key] = 1
        module.check()
        assert number(module.client, "SV.FULL") > 0
        module.fill_until("checkpoints_failed", 3)
        assert module.health("checkpoints") == 0
        assert module.health("crashes") == 1
        module.check()


def test_what_a_child_logs(tmp_path: Path) -> None:
    with saving(tmp_path, "--logfile", str(tmp_path / "log")) as module:
        assert ask(module.client, "SV.MODE", "log") == "OK"
        module.fill_until("checkpoints", 1)
        wait_for_line(tmp_path / "log", "a line of the child's")
        assert module.health("checkpoints_failed") == 0


def test_a_child_that_is_killed(tmp_path: Path) -> None:
    with saving(tmp_path) as module:
        assert ask(module.client, "SV.MODE", "loop") == "OK"
        module.fill_until_saving(1)
        [child] = children(module.pid)
        assert ask(module.client, "SV.MODE", "well") == "OK"
        os.kill(child, signal.SIGKILL)
        module.fill_until("checkpoints", 1)
        assert module.health("checkpoints_failed") == 1
        assert module.health("crashes") == 0
        assert OTHER in module.crash()


@pytest.mark.parametrize("how", ["fork", "_Fork", "daemon", "thread", "vfork", "spawn"])
def test_the_module_itself_must_not(tmp_path: Path, how: str) -> None:
    with saving(tmp_path) as module:
        pid = module.pid
        assert ask(module.client, "SV.FORK", how) == EPERM
        assert (module.pid, children(pid)) == (pid, [])


@pytest.mark.parametrize("how", ["fork", "_Fork", "thread"])
def test_unless_it_may(tmp_path: Path, how: str) -> None:
    with saving(tmp_path, "--module-sandbox-fork", "yes") as module:
        assert ask(module.client, "SV.FORK", how) == 0
        module.fill_until("checkpoints", 1)
        assert ask(module.client, "SV.SAVERS") == 1


def test_no_child_is_left(tmp_path: Path) -> None:
    """What a module has started ends with its process, however that ends."""
    with saving(tmp_path, "--module-sandbox-fork", "yes") as module:
        crashed = ask(module.client, "SV.CHILD")
        assert isinstance(crashed, int)
        assert is_error(ask(module.client, "SV.DIE"), CRASHED)
        wait_until_gone(crashed)
        killed = settled(module.client, "SV.CHILD")
        assert isinstance(killed, int)
        os.kill(module.pid, signal.SIGKILL)
        wait_until_gone(killed)
        stopped = settled(module.client, "SV.CHILD")
        assert isinstance(stopped, int)
    wait_until_gone(stopped)


def wait_for_line(path: Path, text: str) -> None:
    """Return when the log has this text."""
    while text not in path.read_text(encoding="utf-8"):
        pass


def wait_until_gone(pid: int) -> None:
    """Return when there is no such process; whoever has it as a child now is to ask for its status."""
    while Path(f"/proc/{pid}").exists():
        stat = Path(f"/proc/{pid}/stat")
        try:
            if stat.read_text().rpartition(")")[2].split()[0] == "Z":
                return
        except (FileNotFoundError, ProcessLookupError):
            return
