"""All modules of a server: loading and unloading, what the engine tells of them, reports of their crashes.

    Modules.run()              the server's service nursery
    +- Helper.run()            a task per module: its life
    +- Host.run()              a task per process
    +- bury()                  a task per crash: waits for the end, makes the report

Processes are started in the server's own thread, since they die with the thread that has started them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Final, Protocol, final

import trio

from trioredis.config import BadValueError, to_bytes
from trioredis.engine import HelperEvent
from trioredis.modules import flight
from trioredis.modules.helper import Ending, EngineEnd, Helper, LoadError, Stage, Surrounding, UnloadError
from trioredis.modules.job import Job
from trioredis.modules.policy import OVERRIDE_PREFIX, Policy
from trioredis.modules.report import Module, Surroundings
from trioredis.modules.reports import Reports
from trioredis.modules.spawn import PROGRAM
from trioredis.observability import EVENTS
from trioredis.observability.info_input import ModuleLine, ModuleSection

if TYPE_CHECKING:
    from trioredis.config import Config
    from trioredis.engine import HelperInfo
    from trioredis.modules.host import Host
    from trioredis.observability import Log

BURIAL_S: Final = 30.0
"""How long a process that was given up may take to end, until its report is made without its status."""
ARGUMENT_BYTES_MAX: Final = 64
ARGUMENTS_MAX: Final = 32
BURIALS_MAX: Final = 8
"""Reports that wait to be made; of what crashes faster only the newest few are kept."""
OPTIONS: Final = {1: "handle-io-errors", 2: "handle-repl-async-load", 4: "no-implicit-signal-modified"}
"""Bits of a module's options, as INFO calls them."""
UNSAFE: Final = re.compile(r"[^A-Za-z0-9._-]")


class Engine(EngineEnd, Protocol):
    """What the engine does for all modules."""

    def add(self, name: str) -> int:
        """Make room for a module; returns its number. EngineError: no memory, or too many."""

    def take_events(self) -> Iterable[HelperInfo]:
        """Return those to whom something has happened."""

    def __iter__(self) -> Iterator[HelperInfo]: ...

    def info(self, ident: int) -> str:
        """Return what the module adds to INFO, as text."""


class StartError(Exception):
    """A module that the configuration names can't be loaded; the text is one line."""


@final
class Modules:
    """The modules of a server. :meth:`run` owns all processes and tasks; it must run before anything is loaded.

    Args:
        engine: who serves them.
        config: the configuration, as it is at each moment.
        log: where events go.
        server_version: what modules are told, ``major << 16 | minor << 8 | patch``.
        commands: names of all commands.
        hurrying: entered while clients wait for a process to come.
        program: the host program.
    """

    def __init__(
        self,
        engine: Engine,
        config: Config,
        log: Log,
        *,
        server_version: int,
        commands: Callable[[], tuple[bytes, ...]],
        hurrying: Callable[[], AbstractContextManager[None]] = nullcontext,
        program: Sequence[str] = (str(PROGRAM),),
    ) -> None:
        self.reports: Final = Reports(config, log)
        self._engine: Final = engine
        self._config: Final = config
        self._log: Final = log
        self._helpers: dict[int, Helper] = {}
        self._to_start, self._starting = trio.open_memory_channel[Callable[[], Awaitable[None]]](0)
        self._burials = 0
        self._around: Final = Surrounding(
            engine=engine,
            config=config,
            log=log,
            server_version=server_version,
            commands=commands,
            start=self._to_start.send,
            bury=self._bury,
            hurrying=hurrying,
            program=tuple(program),
        )

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Run modules until cancelled; then all their processes are ended."""
        try:
            async with trio.open_nursery() as module_nursery:
                task_status.started()
                async for task in self._starting:
                    module_nursery.start_soon(task)
        finally:
            for helper in self._helpers.values():
                if helper.host is not None:
                    helper.host.close()

    def take_events(self) -> None:
        """Hand what the engine has to tell to the modules concerned. Never waits."""
        for info in self._engine.take_events():
            helper = self._helpers.get(info.id)
            if helper is None:
                continue
            if HelperEvent.LOADED in info.events:
                helper.floor_came_back()
            if HelperEvent.RESTORED in info.events:
                helper.has_its_values()
            if HelperEvent.NOT_TAKEN_BACK in info.events:
                helper.not_taken_back(info)
            if HelperEvent.FAILED in info.events:
                if helper.stage is Stage.SERVING:  # its client may ask for the report already
                    self.reports.expect(safe_ident(info.report))
                helper.failed(info)

    @property
    def loaded(self) -> tuple[Helper, ...]:
        """The modules that are there, the oldest first; those that are down or parked too."""
        return tuple(one for one in self._helpers.values() if one.settled.is_set() and one.stage is not Stage.GONE)

    async def load(self, path: str, args: Sequence[bytes] = (), overrides: Sequence[tuple[str, str]] = ()) -> Helper:
        """Load a module.

        Args:
            path: its file; a relative one begins at ``dir``.
            args: for its load function.
            overrides: ``sandbox.<setting>`` and value, for its policy.

        Cancelled: the load goes on.

        Raises:
            LoadError: with the reason, which has been logged.
        """
        path = os.path.join(self._config.directory, path)
        settings = dict((name.removeprefix(OVERRIDE_PREFIX).lower(), value) for name, value in overrides)
        try:
            policy = Policy.of(self._config, path, settings.items())
        except BadValueError as refused:
            self._log.emit(EVENTS.MODULE_LOAD_FAILED, path=path, reason=str(refused))
            raise LoadError(str(refused)) from refused
        helper = Helper(self._engine.add(stem(path)), path, args, policy, self._around, overrides=settings.items())
        self._helpers[helper.ident] = helper
        await self._to_start.send(partial(self._live, helper))
        await helper.settled.wait()
        if helper.stage is Stage.GONE:
            raise LoadError(helper.load_error)
        return helper

    async def load_configured(self) -> None:
        """Load the modules of ``loadmodule`` lines, in their order.

        Raises:
            StartError: one can't be loaded; those before it are there.
        """
        for line in self._config.lines["loadmodule"]:
            _, path, *args = line.words
            try:
                await self.load(path, [to_bytes(one) for one in args])
            except LoadError as error:
                raise StartError(f"{line.source}:{line.number}: can't load module {path}: {error}") from error

    async def _live(self, helper: Helper) -> None:
        await helper.run()
        if helper.stage is Stage.GONE:
            self._helpers.pop(helper.ident, None)

    def find(self, name: str) -> Helper | None:
        """Return the module of that name, in whatever case its letters are."""
        return next((one for one in self.loaded if same_name(one.name, name)), None)

    async def unload(self, name: str) -> None:
        """Unload a module.

        Raises:
            UnloadError: it stays; the text is for the client.
        """
        helper = self.find(name)
        if helper is None:
            raise UnloadError("no such module with that name")
        await helper.unload()
        self._helpers.pop(helper.ident, None)

    def lines(self) -> list[list[str]]:
        """Return the words of a ``loadmodule`` line for each module."""
        return [[one.path, *(arg.decode("utf-8", "surrogateescape") for arg in one.args)] for one in self.loaded]

    def policy_lines(self) -> list[list[str]]:
        """Return the words of a ``module-sandbox-policy`` line for each setting that MODULE LOADEX has given."""
        return [[one.path, *override] for one in self.loaded for override in one.overrides]

    def names(self) -> dict[int, str]:
        """Return the modules' names by the numbers that the engine has for them."""
        return {ident: helper.name for ident, helper in self._helpers.items()}

    def command_names(self, module: str) -> frozenset[str]:
        """Return the full names of a module's commands; none for a module that is not there."""
        helper = self.find(module)
        if helper is None or helper.info is None:
            return frozenset()
        return frozenset(texts(helper.info.commands))

    # INFO.

    def info_lines(self) -> tuple[ModuleLine, ...]:
        """Return what the section Modules says of each module."""
        known = {one.id: one for one in self._engine}
        return tuple(
            ModuleLine(
                name=one.name,
                version=one.info.version,
                api=one.info.api_version,
                filters=one.info.filters,
                options=tuple(name for bit, name in OPTIONS.items() if known[one.ident].options & bit),
            )
            for one in self.loaded
            if one.info is not None and one.ident in known
        )

    def info_sections(self) -> tuple[ModuleSection, ...]:
        """Return our own section, if there are modules: how each fares."""
        known = {one.id: one for one in self._engine}
        fields = tuple((one.name, health(one, known[one.ident])) for one in self.loaded if one.ident in known)
        return (ModuleSection(module="trioredis_modules", section="", fields=fields),) if fields else ()

    def own_sections(self) -> tuple[ModuleSection, ...]:
        """Ask the modules for what they add to INFO. Waits in C for each, at most its time limit for commands."""
        found: list[ModuleSection] = []
        for one in self.loaded:
            if one.stage is Stage.SERVING:
                found += sections_of(one.name, self._engine.info(one.ident))
        return tuple(found)

    # After a crash.

    async def _bury(self, helper: Helper, host: Host, ending: Ending) -> Callable[[], Awaitable[str]]:
        """Have a report made of a process that has failed, while life goes on; returns what waits for its headline."""
        if self._burials >= BURIALS_MAX:
            if ending.failure is not None:
                self.reports.drop(safe_ident(ending.failure.report))
            await self._to_start.send(partial(self._forget, host))
            return no_headline
        self._burials += 1
        around = self._surroundings(helper, ending)
        report = ending.failure.report if ending.failure is not None else f"{helper.name}-{os.urandom(4).hex()}"
        ident = safe_ident(report)
        self.reports.expect(ident)
        await self._to_start.send(partial(self._make_report, ident, helper.name, around, helper, host, ending))
        return partial(self.reports.headline, ident)

    async def _forget(self, host: Host) -> None:
        await host.wait_ended(BURIAL_S)
        host.close()

    async def _make_report(
        self, ident: str, name: str, around: Surroundings, helper: Helper, host: Host, ending: Ending
    ) -> None:
        try:
            await host.wait_ended(BURIAL_S)
            if ending.failure is None and host.last_words:  # it ended itself and said why: that comes first
                around = replace(around, kind="died")
            job = self._job(ident, name, around, helper, host)
        except BaseException:
            self.reports.drop(ident)
            raise
        finally:
            host.close()
            self._burials -= 1
        failure = ending.failure
        await self.reports.add(
            job,
            kind=around.kind,
            running=failure.running if failure is not None else "",
            running_us=failure.running_us if failure is not None else 0,
            running_client=failure.running_client if failure is not None else 0,
        )

    def _surroundings(self, helper: Helper, ending: Ending) -> Surroundings:
        failure = ending.failure
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        lived_ms = round((ending.at - helper.began) * 1000)
        if failure is None:
            return Surroundings(
                running="its start",
                kind="protocol",
                ending=ending.reason,
                limits=helper.policy.lines(),
                uptime_ms=lived_ms,
                restarts=helper.restarts,
                time=now,
            )
        return Surroundings(
            running=failure.running or None,
            missing_names=texts(helper.info.missing) if helper.info is not None else (),
            kind=failure.failed.name.lower(),
            ending=ending.reason,
            arguments=self._shown(failure.running_argv),
            client_id=failure.running_client,
            running_us=failure.running_us,
            limits=helper.policy.lines(),
            uptime_ms=lived_ms,
            restarts=helper.restarts,
            time=now,
        )

    def _shown(self, argv: Sequence[bytes]) -> tuple[str, ...]:
        """Return the arguments of a command as a report shows them, without its name."""
        hidden = self._config.flag("hide-user-data-from-log")
        shown = [f"({len(one)} bytes)" if hidden else shown_argument(one) for one in argv[1:ARGUMENTS_MAX]]
        return (*shown, f"and {len(argv) - ARGUMENTS_MAX} more") if len(argv) > ARGUMENTS_MAX else tuple(shown)

    def _job(self, ident: str, name: str, around: Surroundings, helper: Helper, host: Host) -> Job:
        info = helper.info
        calls = tuple(one.text() for one in flight.read_calls(host.memory))
        return Job(
            ident=ident,
            folder=str(self.reports.folder),
            keep=self.reports.keep,
            module=Module(name, helper.path, info.version if info is not None else None),
            surroundings=with_host(around, calls, host),
            crash_area=flight.read_crash_area(host.memory),
            status=host.status if host.status is not None else 0,
        )


def sections_of(module: str, text: str) -> list[ModuleSection]:
    """Return the sections in what a module has given for INFO: a heading, then its fields."""
    found: list[tuple[str, list[tuple[str, str]]]] = []
    for line in text.splitlines():
        if line.startswith("# "):
            found.append((line[2:].removeprefix(module).removeprefix("_"), []))
        elif ":" in line and found:
            name, _, value = line.partition(":")
            found[-1][1].append((name, value))
    return [ModuleSection(module=module, section=name, fields=tuple(fields)) for name, fields in found]


def health(helper: Helper, known: HelperInfo) -> str:
    """Return how a module fares, as a value of INFO."""
    fields = {
        "state": helper.stage.value,
        "pid": helper.pid,
        "crashes": helper.crashes,
        "restarts": helper.restarts,
        "used_memory": known.used_bytes,
        "used_memory_peak": known.peak_bytes,
        "values": known.values,
        "values_kept_bytes": known.value_bytes_kept,
        "values_lost": known.values_lost,
        "types_not_kept": known.types_not_kept,
        "checkpoints": known.checkpoints,
        "checkpoints_failed": known.checkpoints_failed,
        "commands": known.commands,
        "usec": known.busy_ns // 1000,
        "waiting": known.pending + known.handed,
    }
    return ",".join(f"{name}={value}" for name, value in fields.items())


def with_host(around: Surroundings, calls: tuple[str, ...], host: Host) -> Surroundings:
    """Add what the process has left."""
    return replace(around, calls=calls, walls=host.walls, last_words=host.last_words)


def same_name(one: str, other: str) -> bool:
    """Whether two names are one module's: as in Redis, the case of a to z makes no difference."""
    return to_bytes(one).lower() == to_bytes(other).lower()


def stem(path: str) -> str:
    """Return what a module is called until it has given its name."""
    return os.path.basename(path).removesuffix(".so") or "module"


def texts(items: Iterable[bytes]) -> tuple[str, ...]:
    """Return names as text."""
    return tuple(one.decode("utf-8", "replace") for one in items)


def shown_argument(argument: bytes) -> str:
    """Return an argument in printable characters, cut to ``ARGUMENT_BYTES_MAX`` bytes."""
    text = repr(argument[:ARGUMENT_BYTES_MAX])[1:]
    more = len(argument) - ARGUMENT_BYTES_MAX
    return f"{text}... ({more} bytes more)" if more > 0 else text


async def no_headline() -> str:
    """Say that there will be no report."""
    await trio.lowlevel.checkpoint()
    return ""


def safe_ident(ident: str) -> str:
    """Return the id of a report as a file's name: a module chooses its name, and with it how the id begins."""
    return UNSAFE.sub("_", ident).lstrip(".-") or "report"
