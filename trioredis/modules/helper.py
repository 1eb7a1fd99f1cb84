"""One module, from its load to its unload: the processes that it has lived in, and what becomes of it when one ends.

    load --> start a process, greet, grant the floor --> serving --> unload
                 ^                                          | crash, hang, violation
                 |        by policy, at once or delayed     v
                 +----------------------------------- restart, or parked

The engine keeps the module's values, its commands and its clients across processes; this keeps the processes.
"""

from __future__ import annotations

import os
import shlex
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol, TypeVar, final

import trio

from trioredis.engine import EngineError, FailKind
from trioredis.modules import flight
from trioredis.modules.crash_record import BadRecord, Cause, parse_record
from trioredis.modules.host import Host, HostLost, pidfd_of
from trioredis.modules.output import log_missing
from trioredis.modules.protocol import LoadModule, LoadModuleAnswer, UnloadModule, UnloadModuleAnswer
from trioredis.modules.spawn import PROGRAM, spawn
from trioredis.observability import EVENTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from trioredis.config import Config
    from trioredis.engine import HelperFiles, HelperInfo
    from trioredis.modules.policy import Policy
    from trioredis.observability import Log

FAREWELL_S: Final = 1.0
"""How long the last words of a process that is over are waited for."""
HELLO_S: Final = 10.0
"""How long a process may take until it greets."""
BACKOFF_MS_MAX: Final = 10_000
MINUTE_S: Final = 60.0
MS_PER_S: Final = 1000

T = TypeVar("T")


class EngineEnd(Protocol):
    """What the engine does for the supervisor; see csrc/modhost/modhost.h."""

    def prepare(self, ident: int) -> HelperFiles:
        """Make shared memory and eventfds for a new process; they stay the engine's. EngineError: none can be had."""

    def attach(self, ident: int, pid: int, pidfd: int) -> None:
        """Serve this process, and give it the floor for loading; steals the descriptor. EngineError: no memory."""

    def loaded(self, ident: int, *, ok: bool) -> bool:
        """The load has been answered. True: the process gets values back first, :meth:`Helper.has_its_values` tells."""

    def values_lost(self, ident: int) -> int:
        """Return how many keys of its types the ends of its processes have cost."""

    def unload(self, ident: int) -> bool:
        """Give it the floor for unloading; False: it is busy."""

    def unloaded(self, ident: int, *, ok: bool) -> None:
        """The unload has been answered."""

    def fail(self, ident: int, why: str, kind: FailKind = FailKind.ASKED) -> None:
        """End its process as after a crash."""

    def park(self, ident: int) -> None:
        """It will not be restarted."""


class Stage(Enum):
    """Where in its life a module is."""

    LOADING = "loading"
    SERVING = "serving"
    DOWN = "down"
    PARKED = "parked"
    UNLOADING = "unloading"
    GONE = "gone"


class LoadError(Exception):
    """The module is not loaded; the text says why."""


class UnloadError(Exception):
    """The module stays; the text is what Redis says in this case."""


@final
@dataclass(slots=True)
class Ending:
    """Why a process is over. ``failure`` is what the engine knows; None: the engine never had it."""

    failure: HelperInfo | None
    reason: str
    at: float = field(default_factory=trio.current_time)


@final
@dataclass(frozen=True, slots=True)
class Surrounding:
    """What a helper needs of the supervisor.

    ``start`` runs a task for as long as the supervisor lives, ``bury`` makes the report of a process that has failed
    and returns what waits for its headline (empty: there is no report), ``hurrying`` is entered while clients wait for
    what is done here.
    """

    engine: EngineEnd
    config: Config
    log: Log
    server_version: int
    commands: Callable[[], tuple[bytes, ...]]
    start: Callable[[Callable[[], Awaitable[None]]], Awaitable[None]]
    bury: Callable[[Helper, Host, Ending], Awaitable[Callable[[], Awaitable[str]]]]
    hurrying: Callable[[], AbstractContextManager[None]] = nullcontext
    program: Sequence[str] = (str(PROGRAM),)


@final
class Helper:
    """A module that the engine knows by ``ident``. :meth:`run` is its life; everybody else only asks and tells."""

    def __init__(
        self,
        ident: int,
        path: str,
        args: Sequence[bytes],
        policy: Policy,
        surrounding: Surrounding,
        *,
        overrides: Iterable[tuple[str, str]] = (),
    ) -> None:
        self.ident: Final = ident
        self.path: Final = path
        self.args: Final = tuple(args)
        self.policy: Final = policy
        self.overrides: Final = tuple(overrides)
        self.name = Path(path).stem
        self.info: LoadModuleAnswer | None = None
        self.stage = Stage.LOADING
        self.restarts = 0
        self._values_lost = 0
        self._not_taken_back = 0
        self.crashes = 0
        self.began = trio.current_time()
        self.load_error = ""
        self.settled: Final = trio.Event()
        self.log = surrounding.log.bind(module=self.name)
        self._around: Final = surrounding
        self._host: Host | None = None
        self._over = trio.Event()
        self._ending: Ending | None = None
        self._floor_back = trio.Event()
        self._restored = trio.Event()
        self._restarted_at: deque[float] = deque()
        self._ended_at = 0.0
        self._unloading: trio.Event | None = None

    # What the engine tells.

    def floor_came_back(self) -> None:
        """The floor for loading or unloading has come back."""
        self._floor_back.set()

    def failed(self, failure: HelperInfo) -> None:
        """The engine has given the process up."""
        self._end(Ending(failure, failure.reason))

    def has_its_values(self) -> None:
        """A process that was started again has got the module's values back, and serves."""
        self._restored.set()

    def not_taken_back(self, info: HelperInfo) -> None:
        """Another module's command was undone, but not what it had made of values of this one."""
        keys, self._not_taken_back = info.values_not_taken_back - self._not_taken_back, info.values_not_taken_back
        self.log.emit(EVENTS.MODULE_VALUES_STAY, keys=keys)

    def _end(self, ending: Ending) -> None:
        if self._ending is None:
            self._ending = ending
        elif self._ending.failure is None:
            self._ending.failure = ending.failure
        self._over.set()

    @property
    def is_gone(self) -> bool:
        """Whether it was unloaded, or never came to be loaded."""
        return self.stage is Stage.GONE

    @property
    def pid(self) -> int:
        """The process that it lives in, 0: none."""
        return self._host.module_pid if self._host is not None and not self._host.gone.is_set() else 0

    @property
    def host(self) -> Host | None:
        """The process that it lives in, or lived in last."""
        return self._host

    # Its life.

    async def run(self) -> None:
        """Load the module, and again after each end of its process, until it is unloaded, refused or parked.

        Cancelled: the process is ended by whoever runs it.
        """
        while True:
            try:
                await self._bring_up()
                await self._over.wait()
            except LoadError as refused:
                await self._refused(str(refused))
                return
            except HostLost as lost:
                self._end(Ending(None, str(lost)))
            if self._unloading is not None:
                await self._unloading.wait()
            if self.is_gone or not await self._after_end():
                return

    async def _bring_up(self) -> None:
        """Start a process, load the module in it, and wait until it has its values.

        Raises:
            LoadError: there can't be a process, or the module refuses.
            HostLost: the process ended, was ended, or is in trouble.
        """
        self._over, self._ending = trio.Event(), None
        self._floor_back, self._restored = trio.Event(), trio.Event()
        began = trio.current_time()
        with self._around.hurrying():
            host, answer = await self._start_and_load()
        gets_values = self._around.engine.loaded(self.ident, ok=True)
        host.serving()
        if gets_values:
            await self._unless_over(self._restored.wait)
        self._say_loaded(answer, host, began)

    async def _start_and_load(self) -> tuple[Host, LoadModuleAnswer]:
        host = self._start()
        await self._around.start(host.run)
        try:
            answer = await self._unless_over(self._load)
        except HostLost:
            await host.wait_ended(FAREWELL_S)  # who refuses ends as soon as it has said so
            if host.load_answer is None or not host.load_answer.outcome:
                raise
            answer = host.load_answer
        if answer.outcome:
            raise LoadError(answer.reason.decode("utf-8", "replace") or "the module refused")
        return host, answer

    def _start(self) -> Host:
        """Start the process. LoadError: it can't be had."""
        self.began = trio.current_time()
        try:
            shared = self._around.engine.prepare(self.ident)
            spawned = spawn(
                shared, self.policy.arguments(), self.path, program=self._around.program, wrapper=self._wrapper()
            )
        except (OSError, EngineError) as error:
            raise LoadError(f"its process can't be started: {error}") from error
        self._host = Host(spawned, self.log, self._in_trouble)
        return self._host

    def _wrapper(self) -> list[str]:
        return shlex.split(self._around.config.text("module-sandbox-wrapper"))

    def _in_trouble(self) -> None:
        """The host has broken the rules: the engine is to end it, if it has it."""
        if self._host is None:
            return  # it has failed before
        if self._host.attached:
            self._around.engine.fail(self.ident, self._host.trouble, FailKind.PROTOCOL)
        else:
            self._end(Ending(None, self._host.trouble))

    async def _load(self) -> LoadModuleAnswer:
        host = self._host
        assert host is not None
        wrapped = bool(self._wrapper())
        with trio.move_on_after(float("inf") if wrapped else HELLO_S) as patience:
            await host.greet(
                server_version=self._around.server_version,
                command_ms_max=self._around.config.integer("module-command-timeout"),
                wrapped=wrapped,
            )
        if patience.cancelled_caught:
            raise HostLost(f"its process did not greet within {HELLO_S:g} s")
        request = LoadModule(os.fsencode(self.path), self.args, self._around.commands())
        question = await host.post(request)
        try:
            pidfd = pidfd_of(host)
        except OSError as error:
            raise HostLost("its process ended") from error
        host.attached = True
        try:
            self._around.engine.attach(self.ident, host.module_pid, pidfd)
        except EngineError as error:
            host.attached = False
            raise HostLost(f"the engine can't serve it: {error}") from error
        answer = await host.answer_of(question, LoadModuleAnswer)
        await self._floor_back.wait()
        return answer

    async def _unless_over(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do something with the process, but no longer than until it is over. HostLost: it is."""
        found: list[T] = []

        async def watch(scope: trio.CancelScope) -> None:
            await self._over.wait()
            scope.cancel()

        async with trio.open_nursery() as work_nursery:
            work_nursery.start_soon(watch, work_nursery.cancel_scope)
            try:
                found.append(await work())
            except HostLost as lost:
                await self._give_up(lost)
            work_nursery.cancel_scope.cancel()
        if not found:
            raise HostLost(self._ending.reason if self._ending is not None else "its process ended")
        return found[0]

    async def _give_up(self, lost: HostLost) -> None:
        """The process is lost: let the engine say how, if it had it; it knows more."""
        assert self._host is not None
        if self._host.attached:
            with trio.move_on_after(HELLO_S):
                await self._over.wait()
            return
        self._host.kill()
        self._end(Ending(None, str(lost)))

    def _say_loaded(self, answer: LoadModuleAnswer, host: Host, began: float) -> None:
        self.info = answer
        self.name = answer.name.decode("utf-8", "replace")
        self.log = host.log = self._around.log.bind(module=self.name)
        now = trio.current_time()
        before, self._values_lost = self._values_lost, self._around.engine.values_lost(self.ident)
        lost = self._values_lost - before
        if self.settled.is_set():
            self.log.emit(
                EVENTS.MODULE_RESTARTED,
                down_ms=round((now - self._ended_at) * MS_PER_S, 3),
                restarts=self.restarts,
                module_pid=host.module_pid,
                **({"keys_lost": lost} if lost else {}),
            )
        else:
            self.log.emit(
                EVENTS.MODULE_LOADED,
                version=answer.version,
                path=self.path,
                load_ms=round((now - began) * MS_PER_S, 3),
                module_pid=host.module_pid,
                commands=len(answer.commands),
                **({"types": answer.types} if answer.types else {}),
                **({"missing": len(answer.missing)} if answer.missing else {}),
            )
            log_missing(self.log, answer.missing)
        self.stage = Stage.SERVING
        self.settled.set()

    # Its ends.

    async def _refused(self, reason: str) -> None:
        """It can't be loaded, or not again."""
        host, self._host = self._host, None
        if host is not None:
            await host.wait_ended(FAREWELL_S)  # it ends by itself, and may have something to say
            host.kill()
            host.close()
        self.log.emit(EVENTS.MODULE_LOAD_FAILED, path=self.path, reason=reason)
        if self.settled.is_set():
            self._park(f"its restart failed: {reason}")
            return
        self._never_loaded(reason)

    def _never_loaded(self, reason: str) -> None:
        self.load_error = reason
        self.stage = Stage.GONE
        self._around.engine.loaded(self.ident, ok=False)
        self.settled.set()

    async def _after_end(self) -> bool:
        """The process is over: have it reported, and wait until the next one may start. False: there will be none."""
        ending, host = self._ending, self._host
        assert ending is not None
        self._ended_at = ending.at
        self.crashes += 1
        by_itself = host is not None and is_idle(ending) and left_by_itself(host)
        reason = ending.reason
        if host is not None:
            with self._around.hurrying():
                told = await self._hand_over_to_bury(host, ending)
                if not self.settled.is_set():
                    reason = await told() or reason  # whoever loads it waits for where and why
        if not self.settled.is_set():
            self.log.emit(EVENTS.MODULE_LOAD_FAILED, path=self.path, reason=reason)
            self._never_loaded(reason)
            return False
        self.stage = Stage.DOWN
        reason = self._why_stay_down(by_itself=by_itself)
        if reason:
            self._park(reason)
            return False
        await self._back_off(ending.reason)
        self.restarts += 1
        self.stage = Stage.LOADING
        return True

    async def _hand_over_to_bury(self, host: Host, ending: Ending) -> Callable[[], Awaitable[str]]:
        """Return what waits for the report and returns its headline; see :class:`Surrounding`."""
        if ending.failure is not None and ending.failure.failed is FailKind.TIMEOUT:
            await self._around.start(host.kill_later)
        else:
            host.kill()
        self._host = None  # it is the undertaker's now
        return await self._around.bury(self, host, ending)

    def _park(self, reason: str) -> None:
        self.stage = Stage.PARKED
        self._around.engine.park(self.ident)
        self.log.emit(EVENTS.MODULE_PARKED, reason=reason)

    def _why_stay_down(self, *, by_itself: bool) -> str:
        """Say why the module is not restarted; empty: it is."""
        policy = self._around.config.text("module-restart")
        if policy == "never":
            return "module-restart is never"
        if policy == "on-crash" and by_itself:
            return "it ended itself with status 0 while it had nothing to do, and module-restart is on-crash"
        now = trio.current_time()
        while self._restarted_at and self._restarted_at[0] < now - MINUTE_S:
            self._restarted_at.popleft()
        limit = self._around.config.integer("module-restarts-per-minute")
        if limit and len(self._restarted_at) >= limit:
            return f"it was restarted {limit} times within a minute"
        return ""

    async def _back_off(self, reason: str) -> None:
        """Wait before a restart; not at all when it is the first one within a minute."""
        before = len(self._restarted_at)
        self._restarted_at.append(trio.current_time())
        base = self._around.config.integer("module-restart-backoff-ms")
        delay_ms = min(base << min(before - 1, 20), BACKOFF_MS_MAX) if before else 0
        if delay_ms:
            self.log.emit(EVENTS.MODULE_RESTART_DELAYED, delay_ms=delay_ms, reason=reason)
            await trio.sleep(delay_ms / MS_PER_S)

    async def unload(self) -> None:
        """Unload the module.

        Raises:
            UnloadError: it stays; the text is for the client.
        """
        if self.stage is Stage.PARKED:
            self._gone()
            return
        if self.stage is not Stage.SERVING:
            raise UnloadError(NOT_POSSIBLE)
        self._floor_back = trio.Event()
        if not self._around.engine.unload(self.ident):
            raise UnloadError(HAS_TYPES if self.info is not None and self.info.types else NOT_POSSIBLE)
        self.stage = Stage.UNLOADING
        self._unloading = trio.Event()
        try:
            await self._unload_now()
        finally:
            self._unloading.set()
            self._unloading = None

    async def _unload_now(self) -> None:
        """Do as :meth:`unload`, with the floor granted. Cancelled: it counts as a crash."""
        host = self._host
        assert host is not None
        try:
            answer: UnloadModuleAnswer | None = await self._unless_over(self._ask_unload)
        except HostLost:
            await host.wait_ended(FAREWELL_S)  # it ends as soon as it has said that it is unloaded
            answer = host.unload_answer
        except trio.Cancelled:
            self._around.engine.fail(self.ident, "its unloading was cancelled")
            raise
        if answer is not None and not answer.outcome:
            self._gone()
            return
        if answer is not None and not self._over.is_set():
            self._around.engine.unloaded(self.ident, ok=False)
            self.stage = Stage.SERVING
        raise UnloadError(UNLOAD_TEXTS.get(answer.outcome if answer is not None else 1, NOT_POSSIBLE))

    async def _ask_unload(self) -> UnloadModuleAnswer:
        assert self._host is not None
        answer = await self._host.ask(UnloadModule(), UnloadModuleAnswer)
        await self._floor_back.wait()
        return answer

    def _gone(self) -> None:
        self._around.engine.unloaded(self.ident, ok=True)
        self.stage = Stage.GONE
        self._over.set()
        if self._host is not None:
            self._host.close()
        self.log.emit(EVENTS.MODULE_UNLOADED)


NOTHING: Final = "nothing for the server"
"""What the engine says that a process runs that it has given nothing to do."""
NOT_POSSIBLE: Final = "operation not possible."
HAS_TYPES: Final = "the module exports one or more module-side data types, can't unload"
UNLOAD_TEXTS: Final = {
    2: "the module holds timer that is not fired. Please stop the timer or wait until it fires.",
    3: "the module has blocked clients. Please wait for them to be unblocked and try again.",
}


def is_idle(ending: Ending) -> bool:
    """Whether the engine had the process and waited for nothing that it was to do."""
    return ending.failure is not None and ending.failure.running == NOTHING


def left_by_itself(host: Host) -> bool:
    """Whether the process has ended itself with status 0, as far as its record says."""
    try:
        record = parse_record(flight.read_crash_area(host.memory))
    except (BadRecord, OSError):
        return False
    return record is not None and record.cause in (Cause.EXIT, Cause.EXIT_NOW) and record.exit_status == 0
