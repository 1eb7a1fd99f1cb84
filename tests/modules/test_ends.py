"""Aim: however a module's process ends, client and report say how; and one that only closes its channel ends too.

Method: a module whose process ends without a record of its own.
"""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from signal import Signals
from typing import TYPE_CHECKING, Final

import pytest

from tests._resp import RespClient
from tests._servers import running, trioredis_command
from tests.bench.modules import build_from
from tests.modules.test_torture import ask, settled

if TYPE_CHECKING:
    from collections.abc import Iterator

SOURCE: Final = Path(__file__).parents[1] / "sandbox" / "modules" / "ending.c"

pytestmark = pytest.mark.slow


@contextmanager
def ending(tmp_path: Path) -> Iterator[RespClient]:
    """Run a server with the module, which is always started again."""
    options = ("--module-report-dir", str(tmp_path / "r"), "--module-restart-backoff-ms", "0")
    command = [*trioredis_command(), "--loadmodule", str(build_from(SOURCE, tmp_path)), *options]
    command += ["--module-restart", "always"]
    with running("ours", command, tmp_path) as server, RespClient(server.address) as client:
        yield client


def report(tmp_path: Path) -> str:
    """Return the only report's text, when it is there."""
    while True:
        for path in (tmp_path / "r").glob("ending-*.txt"):
            return path.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGHUP", "SIGUSR1", "SIGALRM", "SIGSEGV", "SIGPIPE"])
def test_a_signal_that_nobody_handles(tmp_path: Path, name: str) -> None:
    with ending(tmp_path) as client:
        error = str(ask(client, "EN.SIGNAL", str(int(Signals[name]))))
        assert f"ending: {name} while running en.signal" in error
        assert name in report(tmp_path)


def test_leaving_by_system_call(tmp_path: Path) -> None:
    with ending(tmp_path) as client:
        assert "ending: exit status 5 while running en.leave" in str(ask(client, "EN.LEAVE", "5"))
        assert "ended itself with status 5" in report(tmp_path)


@pytest.mark.parametrize("how", ["libc", "call"])
def test_the_thread_that_serves_ends(tmp_path: Path, how: str) -> None:
    with ending(tmp_path) as client:
        assert "ending: its main thread ended while running en.thread" in str(ask(client, "EN.THREAD", how))
        text = report(tmp_path)
        assert "its main thread ended itself" in text
        assert "from outside" not in text
        assert settled(client, "EN.FINE") == "OK"


def test_its_channel_is_closed(tmp_path: Path) -> None:
    """A process that has closed everything is noticed, and another takes its place."""
    with ending(tmp_path) as client:
        assert ask(client, "EN.SHUT") == "OK"
        text = report(tmp_path)
        assert "protocol" in text
        assert "it closed its control channel" in text
        assert settled(client, "EN.FINE") == "OK"
