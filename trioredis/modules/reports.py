"""The reports of crashed modules: made one after the other, kept as files, at most so many."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from subprocess import CalledProcessError
from typing import TYPE_CHECKING, Final, final

import trio

from trioredis.modules.job import Job, stored
from trioredis.observability import EVENTS

if TYPE_CHECKING:
    from trioredis.config import Config
    from trioredis.observability import Log

FOLDER: Final = "module-reports"
MAKING_S: Final = 60.0
"""How long making a report may take until it is made without functions and lines."""
WAITING_S: Final = 60.0
"""How long somebody waits for a report that is being made."""
IDENT: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@final
@dataclass(frozen=True, slots=True)
class Entry:
    """A report in the list of them."""

    ident: str
    time: str
    module: str
    headline: str


@final
class Reports:
    """All reports. Making one is a process's work; reading them is a thread's."""

    def __init__(self, config: Config, log: Log) -> None:
        self._config: Final = config
        self._log: Final = log
        self._making: Final = trio.CapacityLimiter(1)
        self._unfinished: dict[str, trio.Event] = {}

    @property
    def folder(self) -> Path:
        """Where they are."""
        given = self._config.text("module-report-dir")
        return Path(self._config.directory, given or FOLDER)

    @property
    def keep(self) -> int:
        """How many are kept."""
        return self._config.integer("module-reports-max")

    def expect(self, ident: str) -> None:
        """A report with this id will be added, or dropped. May be said twice."""
        self._unfinished.setdefault(ident, trio.Event())

    async def add(self, job: Job, **fields: object) -> None:
        """Make a report, and log what happened. Cancelled: there may be no report; the log tells the kind of end.

        Args:
            job: what it is made of.
            fields: more for the event ``module.crashed``.
        """
        log = self._log.bind(module=job.module.name)
        path = self.folder / f"{job.ident}.json"
        try:
            async with self._making:
                headline = await self._make(job)
        except Exception as error:  # whatever is wrong with a report, the server goes on
            log.emit(EVENTS.MODULE_REPORT_FAILED, report=job.ident, error=str(error))
            headline, path = f"{job.surroundings.kind}: {job.surroundings.ending or job.status}", Path()
        finally:
            self.drop(job.ident)
        log.emit(EVENTS.MODULE_CRASHED, headline=headline, report=job.ident, file=str(path), **fields)

    def drop(self, ident: str) -> None:
        """The report is made, or will never be."""
        expected = self._unfinished.pop(ident, None)
        if expected is not None:
            expected.set()

    async def _make(self, job: Job) -> str:
        """Have the report made; returns its headline. OSError: it can't be stored."""
        command = [sys.executable, "-m", "trioredis.modules.report_program"]
        with trio.move_on_after(MAKING_S):
            try:
                done = await trio.run_process(
                    command, stdin=job.to_json(), capture_stdout=True, capture_stderr=True, deliver_cancel=_kill
                )
            except (CalledProcessError, OSError):
                pass  # below, without functions and lines; the disk's own errors come again there
            else:
                return bytes(done.stdout).decode("utf-8", "replace")
        from trioredis.modules.reporter import make  # rarely needed, and slow to import

        return await trio.to_thread.run_sync(partial(make, job, symbolize=False))

    async def wait_for(self, ident: str) -> None:
        """Return when the report is not being made any more, or after a while."""
        unfinished = self._unfinished.get(ident)
        if unfinished is not None:
            with trio.move_on_after(WAITING_S):
                await unfinished.wait()

    async def wait_for_all(self) -> None:
        """Return when no report is being made."""
        for ident in list(self._unfinished):
            await self.wait_for(ident)

    async def latest(self, count: int) -> list[Entry]:
        """Return the newest reports, the newest one first; none when the folder can't be read."""
        return await trio.to_thread.run_sync(_latest, self.folder, count)

    async def headline(self, ident: str) -> str:
        """Wait for a report that is being made, and return its first line; empty: there is no such one."""
        return (await self.text(ident) or "").partition("\n")[0]

    async def text(self, ident: str) -> str | None:
        """Return a report for people; None: there is no such one."""
        if not IDENT.fullmatch(ident):
            return None
        await self.wait_for(ident)
        return await trio.to_thread.run_sync(_read, self.folder / f"{ident}.txt")


async def _kill(process: trio.Process) -> None:
    process.kill()


def _latest(folder: Path, count: int) -> list[Entry]:
    try:
        paths = stored(folder)[::-1][:count]
    except OSError:
        return []
    found = []
    for path in paths:
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            found.append(Entry(path.stem, data["time"] or "", data["module"]["name"], data["headline"]))
        except (OSError, ValueError, KeyError, TypeError):
            continue  # gone meanwhile, or somebody else's file
    return found


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
