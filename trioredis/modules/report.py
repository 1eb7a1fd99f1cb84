"""The report of a module's end: facts as frozen records, as JSON for machines and as text for people.

The first line of the text says what went wrong and where, so that it can stand alone in a log or an error reply.
Reports are pure data: making one needs the crash record (or only the wait status, when the process left none) and the
frames that a symbolizer has found; nothing here reads the clock or the disk but :func:`write_report`.
"""

from __future__ import annotations

import json
import os
import signal
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from trioredis.modules.crash_record import Cause, CrashRecord
from trioredis.modules.reason import reason_of, signal_name

if TYPE_CHECKING:
    from trioredis.modules.symbolize import Frame

MAIN_THREAD_ENDED: Final = "its main thread ended"
"""What csrc/modhost/last_words.c says of a process whose other threads live on."""
FORMAT: Final = 2
"""Version of the JSON; grows with every change that a reader must know of."""
STACK_LINE_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class Module:
    """The module that ran: its path is as the loader got it, the build id hexadecimal or empty."""

    name: str
    path: str
    version: int | None = None
    build_id: str = ""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the server knows besides the crash record. Lines are in the order of time, oldest first."""

    running: str | None = None
    """The command or callback that was under way."""
    calls: tuple[str, ...] = ()
    """The last API calls, a line each, from the flight recorder."""
    missing_names: tuple[str, ...] = ()
    """API names that the module asked for and did not get."""
    walls: tuple[str, ...] = ()
    """The jail's walls, a line each."""
    kind: str = "died"
    """Why the server gave the process up: died, protocol, timeout, limit, memory or asked."""
    ending: str = ""
    """What the server says about it; of another kind than ``died`` it is the reason."""
    last_words: str = ""
    """What the host program said before it died: an assertion of the module, or why it could not go on."""
    arguments: tuple[str, ...] = ()
    """Of the command that ran, cut to length."""
    client_id: int = 0
    """Who had sent it; 0: nobody."""
    running_us: int | None = None
    """How long it had been running, microseconds."""
    limits: tuple[str, ...] = ()
    """The settings of the sandbox, a line each."""
    uptime_ms: int | None = None
    """How long the process had lived."""
    restarts: int = 0
    """How often the module had been restarted before."""
    time: str | None = None
    """When the server learned of it, ISO 8601 in UTC."""


@dataclass(frozen=True, slots=True)
class CrashReport:
    """Everything that is known of a module's end."""

    headline: str
    module: Module
    surroundings: Surroundings
    cause: str
    """``signal``, ``exit``, ``exit_now`` or ``unrecorded``."""
    signal: str | None
    reason: str
    time: str | None
    """When it was, ISO 8601 in UTC."""
    pid: int | None
    tid: int | None
    thread: str | None
    address: int | None
    frames: tuple[Frame, ...]
    frames_complete: bool
    """False: there were more frames, or they were found by guess."""
    registers: tuple[tuple[str, int], ...]
    stack_from: int | None
    stack: str
    """Bytes in hexadecimal."""
    libraries: tuple[str, ...]
    """What was mapped as code, each with the address where it begins."""
    memory: tuple[str, ...]
    """Everything that was mapped, a line each, as in /proc."""


def _frame_of_module(frames: tuple[Frame, ...], module_path: str) -> Frame | None:
    path = os.path.realpath(module_path)
    return next((one for one in frames if one.library is not None and os.path.realpath(one.library) == path), None)


def blamed_frame(frames: tuple[Frame, ...], module_path: str) -> Frame | None:
    """Return the innermost frame of the module's own code, else the innermost that has a name."""
    own = _frame_of_module(frames, module_path)
    return own or next((frame for frame in frames if frame.function), frames[0] if frames else None)


def _during(surroundings: Surroundings) -> str:
    return f" while running {surroundings.running}" if surroundings.running else ""


def _headline(what: str, reason: str, frame: Frame | None, surroundings: Surroundings) -> str:
    where = ""
    if frame is not None:
        where = f" in {frame.text()}" if frame.function else f" at {frame.place()}"
    during = _during(surroundings)
    return f"{what}{where}: {reason}{during}"


def _libraries(record: CrashRecord) -> tuple[str, ...]:
    code = [one for one in record.mappings if "x" in one.permissions and one.path]
    return tuple(f"{one.low:#x} {one.path}" for one in code)


def _memory(record: CrashRecord) -> tuple[str, ...]:
    return tuple(
        f"{one.low:#x}-{one.high:#x} {one.permissions} {one.offset:#x} {one.path}".rstrip() for one in record.mappings
    )


def make_report(
    module: Module,
    surroundings: Surroundings,
    record: CrashRecord | None,
    frames: tuple[Frame, ...],
    status: int,
) -> CrashReport:
    """Put the report together.

    Args:
        module: what ran.
        surroundings: what the server knows.
        record: the crash record, None if there is none.
        frames: what the symbolizer made of the record's frames.
        status: the process's end as ``subprocess`` has it: the exit status, or the negative signal number.
    """
    if record is None or record.cause is Cause.NONE or surroundings.kind not in ("died", "asked", "timeout"):
        return _unrecorded(module, surroundings, status)
    reason = surroundings.last_words or reason_of(record)
    name = signal_name(record.signal) if record.cause is Cause.SIGNAL else None
    what = name or ("exit" if record.cause is Cause.EXIT else "_exit")
    if surroundings.kind == "timeout" and surroundings.running_us is not None:  # the server made it stop, by a signal
        what, reason = "timeout", f"was still at work after {surroundings.running_us // 1000} ms"
    headline = _headline(what, reason, blamed_frame(frames, module.path), surroundings)
    if reason == surroundings.last_words and _frame_of_module(frames, module.path) is None:
        headline = reason + _during(surroundings)  # the host program gave up, and its text says all that there is
    moment = datetime.fromtimestamp(record.time_ns // 1_000_000_000, UTC) if _sane(record.time_ns) else None
    return CrashReport(
        headline=headline,
        module=module,
        surroundings=surroundings,
        cause=record.cause.name.lower(),
        signal=name,
        reason=reason,
        time=moment.isoformat() if moment else None,
        pid=record.pid,
        tid=record.tid,
        thread=record.thread_name,
        address=record.address if name else None,
        frames=frames,
        frames_complete=record.frames_reliable and not record.frames_cut,
        registers=record.registers,
        stack_from=record.stack_from if record.stack else None,
        stack=record.stack.hex(),
        libraries=_libraries(record),
        memory=_memory(record),
    )


def _sane(time_ns: int) -> bool:
    """Whether the time is within what a date can hold; the module may have written anything there."""
    return 0 < time_ns < 1 << 62


def _unrecorded(module: Module, surroundings: Surroundings, status: int) -> CrashReport:
    name = signal_name(-status) if status < 0 else None
    what = f"{name or 'exit'} in module {module.name}"
    if surroundings.kind != "died" and surroundings.ending:
        reason, what = surroundings.ending, f"{surroundings.kind} in module {module.name}"
    elif surroundings.last_words:
        reason = surroundings.last_words
    elif status == -signal.SIGKILL and surroundings.ending == MAIN_THREAD_ENDED:
        reason = "its main thread ended itself, and with it whoever could serve the server"
    elif status == -signal.SIGKILL:
        reason = "was killed from outside: by the server for taking too long, by the kernel for want of memory, by hand"
    elif status == -signal.SIGSYS:
        reason = "made a system call that its jail forbids"
    elif name is not None:
        reason = "ended by a signal without leaving a record"
    else:
        reason = f"the process ended itself with status {status} without leaving a record"
    return CrashReport(
        headline=_headline(what, reason, None, surroundings),
        module=module,
        surroundings=surroundings,
        cause="unrecorded",
        signal=name,
        reason=reason,
        time=surroundings.time,
        pid=None,
        tid=None,
        thread=None,
        address=None,
        frames=(),
        frames_complete=False,
        registers=(),
        stack_from=None,
        stack="",
        libraries=(),
        memory=(),
    )


def to_json(report: CrashReport) -> dict[str, Any]:
    """Return the report as JSON's types; addresses and registers are hexadecimal strings, as 64 bits need."""
    data = asdict(report)
    data["format"] = FORMAT
    data["registers"] = {name: f"{value:#x}" for name, value in report.registers}
    for key in ("address", "stack_from"):
        data[key] = None if data[key] is None else f"{data[key]:#x}"
    for one, frame in zip(data["frames"], report.frames, strict=True):
        one["address"] = f"{frame.address:#x}"
        one["offset"] = None if frame.offset is None else f"{frame.offset:#x}"
        one["place"] = frame.place()
    return data


def write_report(report: CrashReport, path: Path) -> None:
    """Write the report as JSON. A reader sees the whole file or none.

    Raises:
        OSError: the disk's.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_text(json.dumps(to_json(report), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise


def to_text(report: CrashReport) -> str:
    """Return the report for people: the headline, then a section for each thing that is known."""
    module = report.module
    version = f" version {module.version}" if module.version is not None else ""
    build = f", build {module.build_id}" if module.build_id else ""
    lines = [report.headline, "", f"Module   {module.name}{version} ({module.path}{build})"]
    if report.pid is not None:
        lines.append(f"Process  {report.pid}, thread {report.tid} ({report.thread})")
    if report.time is not None:
        lines.append(f"Time     {report.time}")
    lines += _running_lines(report.surroundings)
    sections = (
        ("Stack, innermost first", _frame_lines(report)),
        ("Last API calls", report.surroundings.calls),
        ("API names that the module asked for and did not get", report.surroundings.missing_names),
        ("Registers", _register_lines(report)),
        ("Bytes on the stack", _stack_lines(report)),
        ("Walls", report.surroundings.walls),
        ("Settings of the sandbox", report.surroundings.limits),
        ("Memory", report.memory),
    )
    for title, content in sections:
        if content:
            lines += ["", title, *(f"  {line}" for line in content)]
    return "\n".join(lines) + "\n"


def _running_lines(around: Surroundings) -> list[str]:
    lines = []
    if around.running:
        words = " ".join((around.running, *around.arguments))
        since = "" if around.running_us is None else f" for {around.running_us / 1000:.3f} ms"
        lines.append(f"Running  {words}{f', client {around.client_id}' if around.client_id else ''}{since}")
    if around.uptime_ms is not None:
        lines.append(f"Lived    {around.uptime_ms / 1000:.3f} s, {around.restarts} restarts before")
    if around.ending:
        lines.append(f"Ending   {around.kind}: {around.ending}")
    return lines


def _frame_lines(report: CrashReport) -> list[str]:
    lines = [
        f"{number:3} {frame.address:#018x} {frame.text()}{' (inlined)' if frame.inlined else ''}"
        for number, frame in enumerate(report.frames)
    ]
    return lines if report.frames_complete or not lines else [*lines, "    there may be more, or others between these"]


def _register_lines(report: CrashReport) -> list[str]:
    cells = [f"{name:>7} {value:#018x}" for name, value in report.registers]
    return ["".join(cells[start : start + 3]) for start in range(0, len(cells), 3)]


def _stack_lines(report: CrashReport) -> list[str]:
    data = bytes.fromhex(report.stack)[: 16 * STACK_LINE_BYTES]
    start = report.stack_from or 0
    return [
        f"{start + at:#018x} {data[at : at + STACK_LINE_BYTES].hex(' ', 8)}"
        for at in range(0, len(data), STACK_LINE_BYTES)
    ]
