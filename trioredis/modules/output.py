"""What a module says, as lines of the server's log: its own log, its outputs, its walls.

A module that floods is cut down to an allowance; what is left out is counted in the next line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, final

import trio

from trioredis.modules.api_names import NAMES
from trioredis.modules.protocol import Log as LogBody
from trioredis.observability import EVENTS
from trioredis.observability.module_events import NAMES_CHARS_MAX

if TYPE_CHECKING:
    from collections.abc import Iterable

    from trioredis.modules.protocol import Walls
    from trioredis.observability import Log

LINES_PER_SECOND: Final = 500
LEVELS: Final = (EVENTS.MODULE_DEBUG, EVENTS.MODULE_VERBOSE, EVENTS.MODULE_NOTICE, EVENTS.MODULE_WARNING)
SOURCES: Final = ("module", "host", "values")
KNOWN: Final = frozenset(NAMES)
PREFIXES: Final = ("RedisModule_", "ValkeyModule_")
STANDS: Final = 1
MISSING: Final = 0
STANDING: Final = {STANDS: "stands", MISSING: "is missing", 2: "is not wanted"}


@final
class Allowance:
    """How many lines a module may still say in this second."""

    def __init__(self) -> None:
        self._second = 0
        self._said = 0
        self._dropped = 0

    def take(self) -> int | None:
        """Return how many lines were left out before this one, or None: leave this one out too."""
        second = int(trio.current_time())
        if second != self._second:
            self._second, self._said = second, 0
        if self._said >= LINES_PER_SECOND:
            self._dropped += 1
            return None
        self._said += 1
        dropped, self._dropped = self._dropped, 0
        return dropped


def log_line(log: Log, allowance: Allowance, body: LogBody) -> None:
    """Log what the module has logged."""
    dropped = allowance.take()
    if dropped is not None:
        log.emit(
            LEVELS[body.level],
            line=body.text.decode("utf-8", "surrogateescape"),
            source=SOURCES[body.source],
            thread=body.thread,
            dropped=dropped + body.dropped,
        )


def log_output(log: Log, allowance: Allowance, stream: str, line: bytes) -> None:
    """Log a line that the module has written to one of its outputs."""
    dropped = allowance.take()
    if dropped is not None:
        log.emit(EVENTS.MODULE_OUTPUT, stream=stream, line=line.rstrip(b"\r"), dropped=dropped)


def log_missing(log: Log, missing: Iterable[bytes]) -> None:
    """Log all functions of the API that the module got no address for: those that nobody knows first."""
    functions = [short_name(one) for one in missing]
    for event, is_known in ((EVENTS.MODULE_FUNCTIONS_UNKNOWN, False), (EVENTS.MODULE_FUNCTIONS_MISSING, True)):
        for names in in_lines([one for one in functions if (one in KNOWN) is is_known], NAMES_CHARS_MAX):
            log.emit(event, functions=names)


def short_name(function: bytes) -> str:
    """Return a function's name without what all of them begin with."""
    name = function.decode("utf-8", "replace")
    return next((name.removeprefix(one) for one in PREFIXES if name.startswith(one)), name)


def in_lines(names: Iterable[str], chars_max: int) -> list[list[str]]:
    """Deal names out to lines that have so many characters at most, a comma after each included."""
    lines: list[list[str]] = []
    room = 0
    for name in names:
        if not lines or len(name) >= room:
            lines.append([])
            room = chars_max
        lines[-1].append(name)
        room -= len(name) + 1
    return lines


def log_walls(log: Log, walls: Walls) -> tuple[str, ...]:
    """Log which walls stand; returns a line for each, for reports."""
    lines = []
    for name, standing, raw in zip(walls.names, walls.standing, walls.details, strict=True):
        wall, detail = name.decode("utf-8", "replace"), raw.decode("utf-8", "replace")
        state = STANDING.get(standing, STANDING[MISSING])
        if state == STANDING[MISSING]:
            log.emit(EVENTS.MODULE_WALL_MISSING, wall=wall, detail=detail or "no reason was given")
        else:
            log.emit(EVENTS.MODULE_WALL, wall=wall, standing=state, detail=detail)
        lines.append(f"{wall}: {state}" + (f" ({detail})" if detail else ""))
    return tuple(lines)
