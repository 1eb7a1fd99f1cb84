"""An engine that has no keyspace and a host that has no module: what the supervisor needs to be tried alone."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import trio

from trioredis.config import Config
from trioredis.engine import FailKind, HelperEvent, HelperFiles, HelperInfo, HelperState
from trioredis.modules import flight
from trioredis.modules.protocol import MESSAGES, LoadModuleAnswer, Log, UnloadModuleAnswer, Walls
from trioredis.modules.supervisor import Modules
from trioredis.observability.capture import LogCapture

FAKE: Final = Path(__file__).parent / "fake_host.py"
MEMORY_BYTES: Final = flight.RECORDER_AT + (flight.ENTRIES + 1) * flight.ENTRY.size
PATIENCE_S: Final = 30.0

Step = list[Any]

HELLO: Final[list[Step]] = [["hello"], ["take"], ["take"]]
"""Greets, takes the answer, takes load_module."""


def answer(outcome: int = 0, reason: bytes = b"", name: bytes = b"fake") -> Step:
    """Return the step that answers load_module, the first question of all."""
    body = LoadModuleAnswer(outcome, reason, name, 3, 1, 0, (b"fake.get",), (b"faketype1",), (), 0, (b"NoSuch",), 0, 9)
    return ["send", MESSAGES.encode(body, 1).hex()]


def unload_answer(outcome: int) -> Step:
    """Return the step that answers unload_module, the second question."""
    return ["send", MESSAGES.encode(UnloadModuleAnswer(outcome, b""), 2).hex()]


def log_packet(text: bytes, level: int = 2) -> str:
    """Return a log line of the module."""
    return MESSAGES.encode(Log(level, 0, 7, 0, 0, text)).hex()


def walls_packet(*walls: tuple[bytes, int, bytes]) -> str:
    """Return a message about walls: name, standing, detail."""
    names, standing, details = zip(*walls, strict=True)
    return MESSAGES.encode(Walls(1, names, standing, details)).hex()


def info(
    ident: int, events: HelperEvent, failed: FailKind = FailKind.NONE, reason: str = "", report: str = ""
) -> HelperInfo:
    """Return what the engine has to tell of a helper."""
    numbers = dict.fromkeys(
        ("pid", "version", "api_version", "options", "used_bytes", "peak_bytes", "commands", "units", "crashes",
         "busy_ns", "pending", "handed"),
        0,
    )  # fmt: skip
    return HelperInfo(
        id=ident,
        name="fake",
        state=HelperState.DOWN if failed is not FailKind.NONE else HelperState.LOADING,
        events=events,
        failed=failed,
        reason=reason,
        report=report,
        running="fake.get",
        running_us=340,
        running_client=12,
        running_argv=(b"fake.get", b"key"),
        **numbers,
    )


class FakeEngine:
    """Keeps account of what it is asked, gives the floor at once, and sees processes end."""

    def __init__(self, nursery: trio.Nursery) -> None:
        self.calls: list[tuple[Any, ...]] = []
        self.failures = 0
        self.restores = False
        self._nursery = nursery
        self._events: list[HelperInfo] = []
        self._fds: list[int] = []
        self._pidfds: dict[int, int] = {}
        self.tell: Any = None

    def add(self, name: str) -> int:
        self.calls.append(("add", name))
        return sum(call[0] == "add" for call in self.calls)

    def prepare(self, ident: int) -> HelperFiles:
        self.release()
        memory = os.memfd_create("fake")
        os.ftruncate(memory, MEMORY_BYTES)
        self._fds = [memory, os.eventfd(0), os.eventfd(0)]
        return HelperFiles(*self._fds)

    def release(self) -> None:
        for fd in self._fds:
            os.close(fd)
        self._fds = []

    def values_lost(self, ident: int) -> int:
        return 0

    def attach(self, ident: int, pid: int, pidfd: int) -> None:
        self.calls.append(("attach", ident, pid))
        self._pidfds[ident] = pidfd
        self._post(info(ident, HelperEvent.LOADED))
        self._nursery.start_soon(self._watch, ident, pidfd)

    async def _watch(self, ident: int, pidfd: int) -> None:
        try:
            await trio.lowlevel.wait_readable(pidfd)
            if self._pidfds.get(ident) == pidfd and ("unloaded", ident, True) not in self.calls:
                self.end(ident, FailKind.DIED, "SIGSEGV")
        finally:
            os.close(pidfd)

    def end(self, ident: int, kind: FailKind, reason: str) -> None:
        if self._pidfds.pop(ident, None) is not None:
            self.failures += 1
            self._post(info(ident, HelperEvent.FAILED, kind, reason, f"fake-{self.failures}"))

    def loaded(self, ident: int, *, ok: bool) -> bool:
        self.calls.append(("loaded", ident, ok))
        if self.restores:
            self._post(info(ident, HelperEvent.RESTORED))
        return self.restores

    def unload(self, ident: int) -> bool:
        self._post(info(ident, HelperEvent.LOADED))
        return True

    def unloaded(self, ident: int, *, ok: bool) -> None:
        self.calls.append(("unloaded", ident, ok))

    def fail(self, ident: int, why: str, kind: FailKind = FailKind.ASKED) -> None:
        self.calls.append(("fail", ident, why))
        self.end(ident, kind, why)

    def park(self, ident: int) -> None:
        self.calls.append(("park", ident))

    def take_events(self) -> Iterator[HelperInfo]:
        events, self._events = self._events, []
        return iter(events)

    def __iter__(self) -> Iterator[HelperInfo]:
        return iter([info(ident, HelperEvent(0)) for ident in self._pidfds])

    def info(self, ident: int) -> str:
        return ""

    def _post(self, event: HelperInfo) -> None:
        self._events.append(event)
        trio.lowlevel.current_trio_token().run_sync_soon(self.tell)


class Stage:
    """The supervisor among fakes."""

    def __init__(self, modules: Modules, engine: FakeEngine, log: LogCapture, config: Config) -> None:
        self.modules = modules
        self.engine = engine
        self.log = log
        self.config = config

    def events(self, ident: str) -> list[dict[str, Any]]:
        """Return the fields of all events of a kind."""
        return [dict(one.fields) for one in self.log.events if one.event.id == ident]

    async def wait_for(self, ident: str, count: int = 1) -> list[dict[str, Any]]:
        """Wait until there are so many events of a kind."""
        with trio.fail_after(PATIENCE_S):
            while len(self.events(ident)) < count:
                await trio.lowlevel.checkpoint()
        return self.events(ident)


@asynccontextmanager
async def on_stage(folder: Path, steps: Sequence[Step], **directives: str) -> AsyncIterator[Stage]:
    """Run the supervisor with a host that goes through these steps."""
    config = Config(directory=str(folder))
    for name, value in directives.items():
        config.assign(name.replace("_", "-"), value)
    log = LogCapture()
    async with trio.open_nursery() as nursery:
        engine = FakeEngine(nursery)
        modules = Modules(
            engine,
            config,
            log.log,
            server_version=0x070400,
            commands=lambda: (b"get", b"set"),
            program=[sys.executable, "-I", "-S", str(FAKE), json.dumps(steps)],
        )
        engine.tell = modules.take_events
        await nursery.start(modules.run)
        yield Stage(modules, engine, log, config)
        nursery.cancel_scope.cancel()
    engine.release()
