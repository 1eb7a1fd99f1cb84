"""What a process has left in the memory that it shared with the engine: its crash record and its last API calls.

The layout is that of sandbox/wire/shm.h and recorder.h. The module could write anything there at any time, so sizes
come from here and never from the memory; entries that are not whole are marked, and whatever the bytes are there is an
answer.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from typing import Final, final

from trioredis.modules.api_names import NAMES
from trioredis.modules.crash_record import RECORD_BYTES
from trioredis.modules.protocol import MESSAGES

PAGE: Final = 4096
CRASH_AT: Final = PAGE
CRASH_BYTES: Final = 65536
SLOT_BYTES: Final = 128
SLOTS: Final = 2048
ENTRIES: Final = 1024
ENTRY: Final = struct.Struct("<QQIIII4Q")
RECORDER_AT: Final = CRASH_AT + CRASH_BYTES + 2 * SLOT_BYTES * SLOTS
RETURNED: Final = 1
CALLBACK: Final = 2
CALLS_MAX: Final = 64
"""Calls that a report shows."""
NS_PER_US: Final = 1000


@final
@dataclass(frozen=True, slots=True)
class Call:
    """An entry of the flight recorder. ``ago_us``: before the last entry; None: it is not whole."""

    ago_us: int | None
    name: str
    thread: int
    depth: int
    arguments: tuple[int, ...]
    is_callback: bool
    is_return: bool

    def text(self) -> str:
        """Return the call in one line."""
        shown = ", ".join(f"{one:#x}" if one > 9 else str(one) for one in self.arguments)
        verb = "callback " if self.is_callback else ""
        tail = f" -> {self.arguments[0]:#x}" if self.is_return and self.arguments else f"({shown})"
        when = "  (not whole)" if self.ago_us is None else f"-{self.ago_us / 1000:.3f} ms"
        return f"{when:>14}  thread {self.thread}{'  ' * min(self.depth, 16)}  {verb}{self.name}{tail}"


def read_crash_area(fd: int) -> bytes:
    """Return the bytes of the crash record. OSError: the descriptor's."""
    return os.pread(fd, RECORD_BYTES, CRASH_AT)


def read_calls(fd: int, limit: int = CALLS_MAX) -> tuple[Call, ...]:
    """Return the last calls, oldest first; none when the memory has another size. OSError: the descriptor's."""
    size = (ENTRIES + 1) * ENTRY.size
    data = os.pread(fd, size, RECORDER_AT)
    return decode_calls(data, limit) if len(data) == size else ()


def decode_calls(data: bytes, limit: int = CALLS_MAX) -> tuple[Call, ...]:
    """Take the recorder's bytes apart."""
    following = int.from_bytes(data[:8], "little")
    numbers = range(max(0, following - min(limit, ENTRIES)), following)
    rows = [(number, ENTRY.unpack_from(data, ENTRY.size * (1 + number % ENTRIES))) for number in numbers]
    newest = max((row[1] for number, row in rows if row[0] == number + 1), default=0)
    return tuple(_call(number, row, newest) for number, row in rows)


def _call(number: int, row: tuple[int, ...], newest: int) -> Call:
    stamp, time_ns, function, thread, flags, depth, *arguments = row
    is_callback = bool(flags & CALLBACK)
    while arguments and not arguments[-1]:
        arguments.pop()
    return Call(
        ago_us=(newest - time_ns) // NS_PER_US if stamp == number + 1 else None,
        name=_name(function, is_callback),
        thread=thread,
        depth=depth,
        arguments=tuple(arguments),
        is_callback=is_callback,
        is_return=bool(flags & RETURNED),
    )


def _name(number: int, is_callback: bool) -> str:
    if is_callback:
        spec = MESSAGES.by_number.get(number)
        return spec.name if spec else f"message {number}"
    return NAMES[number - 1] if 0 < number <= len(NAMES) else f"function {number}"
