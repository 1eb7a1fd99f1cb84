"""The helpers of modules as the engine knows them: one is a module's process and its data channel.

Life: ``add`` -> ``prepare`` (shared memory for a new process) -> the process greets -> ``attach`` (the engine lets it
load the module) -> LOADED -> ``loaded``. After FAILED a new process may be prepared for the same helper, or it is
parked.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, Flag
from typing import Any, NamedTuple, final

from trioredis.engine._native import ffi, lib
from trioredis.engine.engine import Engine, check


class HelperState(Enum):
    """Where a helper stands; values as in csrc/modhost/modhost.h."""

    NEW = 0
    LOADING = 1
    SERVING = 2
    DOWN = 3
    PARKED = 4
    UNLOADING = 5
    GONE = 6
    RESTORING = 7


class FailKind(Enum):
    """Why a helper was failed; values as in csrc/modhost/modhost.h."""

    NONE = 0
    DIED = 1
    PROTOCOL = 2
    TIMEOUT = 3
    LIMIT = 4
    MEMORY = 5
    ASKED = 6


class ServerEvent(Enum):
    """What Python tells modules of, by the numbers of their interface."""

    SHUTDOWN = 5
    CONFIG = 16


class HelperEvent(Flag):
    """What there is to tell of a helper; values as in csrc/modhost/modhost.h."""

    LOADED = 1
    FAILED = 2
    NOT_TAKEN_BACK = 4
    RESTORED = 8


class HelperFiles(NamedTuple):
    """Descriptors that a new process needs duplicates of; they stay the engine's."""

    shm: int
    host_wake: int
    engine_wake: int


@final
@dataclass(frozen=True, slots=True)
class HelperInfo:
    """One helper at this moment; what ``failed`` and the fields below it say is of its last failure."""

    id: int
    name: str
    state: HelperState
    pid: int
    version: int
    api_version: int
    options: int
    used_bytes: int
    peak_bytes: int
    commands: int
    units: int
    crashes: int
    busy_ns: int
    pending: int
    handed: int
    events: HelperEvent
    failed: FailKind
    reason: str
    report: str
    running: str
    running_us: int
    running_client: int
    running_argv: tuple[bytes, ...]
    """The command's name and arguments, cut."""
    types: int = 0
    """Data types; ``types_not_kept`` of them can't be saved or loaded, so their values end with the process."""
    types_not_kept: int = 0
    values: int = 0
    value_bytes_kept: int = 0
    """What the server has of them for another process: payloads and commands."""
    values_lost: int = 0
    values_not_taken_back: int = 0
    """Keys deleted after restarts, as nothing told what their values were."""
    checkpoints: int = 0
    checkpoints_failed: int = 0


@final
@dataclass(frozen=True, slots=True)
class RuntimeCommand:
    """A command that a module registered. ``info`` is the body of the message command_info, empty without one."""

    id: int
    name: str
    helper: int
    parent: int | None
    is_live: bool
    is_container: bool
    arity: int
    flags: int
    categories: int
    first_key: int
    last_key: int
    key_step: int
    info: bytes


def _argv(data: bytes) -> tuple[bytes, ...]:
    """Split what the engine kept of a command."""
    out, at = [], 0
    while at + 4 <= len(data):
        (size,) = struct.unpack_from("=I", data, at)
        out.append(data[at + 4 : at + 4 + size])
        at += 4 + size
    return tuple(out)


def _text(pointer: Any) -> str:
    return str(ffi.string(pointer).decode("utf-8", "backslashreplace"))


def _info(m: Any) -> HelperInfo:
    return HelperInfo(
        id=m.id,
        name=_text(m.name),
        state=HelperState(m.state),
        pid=m.pid,
        version=m.version,
        api_version=m.api_version,
        options=m.options,
        used_bytes=m.used_bytes,
        peak_bytes=m.peak_bytes,
        commands=m.commands,
        units=m.units,
        crashes=m.crashes,
        busy_ns=m.ns,
        pending=m.pending,
        handed=m.handed,
        events=HelperEvent(m.events),
        failed=FailKind(m.failed),
        reason=_text(m.reason),
        report=_text(m.report),
        running=_text(m.running),
        types=m.types,
        types_not_kept=m.types_not_kept,
        values=m.values,
        value_bytes_kept=m.value_bytes_kept,
        values_lost=m.values_lost,
        values_not_taken_back=m.values_not_taken_back,
        checkpoints=m.checkpoints,
        checkpoints_failed=m.checkpoints_failed,
        running_us=m.running_us,
        running_client=m.running_client,
        running_argv=_argv(ffi.buffer(m.argv, m.argv_bytes)[:] if m.argv_bytes else b""),
    )


@final
class Helpers:
    """The helpers of one engine, by their ids. All methods return at once.

    Raises, where a helper's id is given: EngineError: there is no such helper.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._out = ffi.new("tr_api_module *")

    def add(self, name: str) -> int:
        """Make a helper without a process. EngineError: no memory.

        Args:
            name: stands for the module until it tells its own.
        """
        return check(lib.tr_api_module_add(self._engine._g, name.encode()))

    def prepare(self, ident: int) -> HelperFiles:
        """Make the shared memory for a new process. EngineError: no memory, no descriptors."""
        fds = ffi.new("int[3]")
        check(lib.tr_api_module_prepare(self._engine._g, ident, fds))
        return HelperFiles(*fds)

    def attach(self, ident: int, pid: int, pidfd: int) -> None:
        """The process has greeted: let it load the module. ``pidfd`` is the engine's from now on."""
        check(lib.tr_api_module_attach(self._engine._g, ident, pid, pidfd))
        self._engine._nudge()

    def loaded(self, ident: int, *, ok: bool) -> bool:
        """The process has said how loading went: serve, or give it up.

        True: it gets its values back first; RESTORED or FAILED comes.
        """
        code = check(lib.tr_api_module_loaded(self._engine._g, ident, ok))
        self._engine._nudge()
        return code == 1

    def values_lost(self, ident: int) -> int:
        """Return how many keys of its types the ends of its processes have cost."""
        return next(one.values_lost for one in self if one.id == ident)

    def unload(self, ident: int) -> bool:
        """Let the unload function run; False: the helper is busy or does not serve."""
        code = lib.tr_api_module_unload(self._engine._g, ident)
        if code == lib.TR_EAGAIN:
            return False
        check(code)
        self._engine._nudge()
        return True

    def unloaded(self, ident: int, *, ok: bool) -> None:
        """The process has said how unloading went."""
        check(lib.tr_api_module_unloaded(self._engine._g, ident, ok))

    def fail(self, ident: int, why: str, kind: FailKind = FailKind.ASKED) -> None:
        """End it as after a crash."""
        check(lib.tr_api_module_fail(self._engine._g, ident, kind.value, why.encode()))
        self._engine._nudge()

    def park(self, ident: int) -> None:
        """It failed and is not started again."""
        check(lib.tr_api_module_park(self._engine._g, ident))
        self._engine._nudge()

    def happens(self, event: ServerEvent, texts: Sequence[str] = (), *, now: bool = False) -> None:
        """Tell modules that want to hear of ``event``: when the command that runs has ended, or ``now``."""
        data = b"".join(text.encode() + b"\0" for text in texts)
        lib.tr_api_server_event(self._engine._g, event.value, data, len(data), len(texts), now)

    def take_events(self) -> Iterator[HelperInfo]:
        """Yield each helper that has something to tell; its events are taken by that."""
        while lib.tr_api_module_event(self._engine._g, self._out):
            yield _info(self._out)

    def __iter__(self) -> Iterator[HelperInfo]:
        ident = 0
        while lib.tr_api_module_next(self._engine._g, ident, self._out):
            info = _info(self._out)
            ident = info.id
            yield info

    def info(self, ident: int, sections: Sequence[str] = (), *, crash: bool = False) -> str:
        """What the module itself adds to INFO: those sections, or without any all of them; empty: nothing.

        Waits in C for the module, at most its time limit for commands.
        """
        out, size = ffi.new("char **"), ffi.new("size_t *")
        names = [ffi.new("char[]", name.encode()) for name in sections]
        found = lib.tr_api_module_info(
            self._engine._g, ident, not sections, crash, len(names), names, [len(name) - 1 for name in names], out, size
        )
        return ffi.buffer(out[0], size[0])[:].decode("utf-8", "backslashreplace") if found else ""

    def commands(self) -> Iterator[RuntimeCommand]:
        """Yield the commands that modules have registered, gone ones included, in the order of their ids."""
        out = ffi.new("tr_api_runtime_command *")
        number = 0
        while lib.tr_api_runtime_at(self._engine._g, number, out):
            number += 1
            yield RuntimeCommand(
                id=out.id,
                name=_text(out.fullname),
                helper=out.module,
                parent=None if out.parent < 0 else out.parent,
                is_live=bool(out.live),
                is_container=bool(out.is_container),
                arity=out.arity,
                flags=out.flags,
                categories=out.categories,
                first_key=out.first_key,
                last_key=out.last_key,
                key_step=out.key_step,
                info=ffi.buffer(out.info, out.info_bytes)[:] if out.info_bytes else b"",
            )
