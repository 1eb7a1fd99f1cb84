"""The record that a dying host program leaves behind, taken apart.

The layout is ``tr_crash_record`` of sandbox/crash.h. The record lies in memory that the module could write to, so
nothing in it is trusted: counts are clamped, texts are decoded leniently, and whatever the bytes are, the outcome is a
record or a :class:`BadRecord`. Read it after the process has ended.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import Final, NamedTuple

MAGIC: Final = 0x48435254
VERSION: Final = 1
REGISTERS_MAX: Final = 36
FRAMES_MAX: Final = 128
STACK_BYTES_MAX: Final = 4096
MAPS_BYTES_MAX: Final = 49152

_HEAD: Final = struct.Struct("<IHH III ii i Q iiii Q ii 16s QQ QQQ Q IIIIIIII")
_REGISTERS: Final = struct.Struct(f"<{REGISTERS_MAX}Q")
_FRAMES: Final = struct.Struct(f"<{FRAMES_MAX}Q")
_STACK_AT: Final = _HEAD.size + _REGISTERS.size + _FRAMES.size
_MAPS_AT: Final = _STACK_AT + STACK_BYTES_MAX

RECORD_BYTES: Final = _MAPS_AT + MAPS_BYTES_MAX
"""Bytes of a whole record."""

_X86_64: Final = (
    *("rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp"),
    *(f"r{number}" for number in range(8, 16)),
    *("rip", "eflags", "err", "trapno"),
)
_AARCH64: Final = (*(f"x{number}" for number in range(31)), "sp", "pc", "pstate")


class _Head(NamedTuple):
    """The fixed fields, in the order of the layout."""

    magic: int
    version: int
    machine: int
    claimed: int
    cause: int
    parts: int
    signal: int
    code: int
    system_error: int
    address: int
    exit_status: int
    sender_pid: int
    sender_uid: int
    system_call: int
    time_ns: int
    pid: int
    tid: int
    thread_name: bytes
    stack_low: int
    stack_high: int
    pc: int
    sp: int
    fp: int
    stack_from: int
    register_count: int
    method: int
    frame_count: int
    frames_cut: int
    stack_bytes: int
    maps_bytes: int
    maps_cut: int
    faults: int


class BadRecord(ValueError):
    """The bytes are no crash record: too few, another magic number or version."""


class Cause(IntEnum):
    """What ended the process, as far as its own handler saw it."""

    NONE = 0
    SIGNAL = 1
    EXIT = 2
    EXIT_NOW = 3


class Part(IntFlag):
    """Parts of the record that were written to their end."""

    CAUSE = 1
    REGISTERS = 2
    THREAD = 4
    STACK = 8
    MAPS = 16
    FRAMES = 32
    END = 64


class Machine(IntEnum):
    """Whose registers these are."""

    UNKNOWN = 0
    X86_64 = 1
    AARCH64 = 2


REGISTER_NAMES: Final = {Machine.UNKNOWN: (), Machine.X86_64: _X86_64, Machine.AARCH64: _AARCH64}


@dataclass(frozen=True, slots=True)
class Mapping:
    """A line of /proc/PID/maps: addresses from ``low`` up to but without ``high``."""

    low: int
    high: int
    permissions: str
    offset: int
    path: str


@dataclass(frozen=True, slots=True)
class CrashRecord:
    """What a crash record says. Addresses are of the dead process; times are nanoseconds since 1970."""

    machine: Machine
    cause: Cause
    parts: Part
    signal: int
    code: int
    address: int
    exit_status: int
    sender_pid: int
    sender_uid: int
    system_call: int | None
    time_ns: int
    pid: int
    tid: int
    thread_name: str
    stack_low: int
    stack_high: int
    pc: int
    sp: int
    fp: int
    stack_from: int
    stack: bytes
    registers: tuple[tuple[str, int], ...]
    frames: tuple[int, ...]
    frames_cut: bool
    frames_reliable: bool
    faults: int
    mappings: tuple[Mapping, ...]

    def register(self, name: str) -> int | None:
        """Return the value of a register, or None where this machine has none of that name."""
        return dict(self.registers).get(name)

    def mapping_of(self, address: int) -> Mapping | None:
        """Return the mapping that holds an address."""
        return next((one for one in self.mappings if one.low <= address < one.high), None)


def _enum(kind: type[Cause] | type[Machine], value: int) -> int:
    return value if value in {one.value for one in kind} else 0


def parse_mappings(text: str) -> tuple[Mapping, ...]:
    """Return the mappings of a maps file; lines that are none (such as a last one that was cut) are left out."""
    found = []
    for line in text.splitlines():
        fields = line.split(None, 5)
        try:
            low, _, high = fields[0].partition("-")
            one = Mapping(int(low, 16), int(high, 16), fields[1], int(fields[2], 16), "".join(fields[5:]))
        except (ValueError, IndexError):
            continue
        found.append(one)
    return tuple(found)


def _text(raw: bytes) -> str:
    clean = raw.split(b"\0", 1)[0].decode("utf-8", "replace")
    return "".join(char if char.isprintable() else "?" for char in clean)


def parse_record(raw: bytes | bytearray | memoryview) -> CrashRecord | None:
    """Take the record apart; None when nobody has written one.

    Raises:
        BadRecord: too few bytes, or another magic number or version.
    """
    data = bytes(raw[:RECORD_BYTES])
    if len(data) < RECORD_BYTES:
        raise BadRecord(f"{len(data)} bytes are no crash record, which has {RECORD_BYTES}")
    head = _Head._make(_HEAD.unpack_from(data))
    if head.magic != MAGIC:
        raise BadRecord(f"magic number {head.magic:#x}, not {MAGIC:#x}")
    if head.version != VERSION:
        raise BadRecord(f"version {head.version}, not {VERSION}")
    return _take_apart(head, data) if head.parts else None


def _take_apart(head: _Head, data: bytes) -> CrashRecord:
    machine = Machine(_enum(Machine, head.machine))
    values = _REGISTERS.unpack_from(data, _HEAD.size)[: min(head.register_count, REGISTERS_MAX)]
    maps = data[_MAPS_AT : _MAPS_AT + min(head.maps_bytes, MAPS_BYTES_MAX)]
    return CrashRecord(
        machine=machine,
        cause=Cause(_enum(Cause, head.cause)),
        parts=Part(head.parts & 0x7F),
        signal=head.signal,
        code=head.code,
        address=head.address,
        exit_status=head.exit_status,
        sender_pid=head.sender_pid,
        sender_uid=head.sender_uid,
        system_call=head.system_call if head.system_call >= 0 else None,
        time_ns=head.time_ns,
        pid=head.pid,
        tid=head.tid,
        thread_name=_text(head.thread_name),
        stack_low=head.stack_low,
        stack_high=head.stack_high,
        pc=head.pc,
        sp=head.sp,
        fp=head.fp,
        stack_from=head.stack_from,
        stack=data[_STACK_AT : _STACK_AT + min(head.stack_bytes, STACK_BYTES_MAX)],
        registers=tuple(zip(REGISTER_NAMES[machine], values, strict=False)),
        frames=_FRAMES.unpack_from(data, _HEAD.size + _REGISTERS.size)[: min(head.frame_count, FRAMES_MAX)],
        frames_cut=head.frames_cut != 0,
        frames_reliable=head.method == 1,
        faults=head.faults,
        mappings=parse_mappings(maps.decode("utf-8", "replace")),
    )
