"""Aim: whatever bytes the record area holds, there is a record, none, or one kind of error.

Method: real records, cut and with flipped bytes; random ones.
"""

from __future__ import annotations

import random
import signal
import struct
from typing import TYPE_CHECKING

import pytest

from tests.modules._crashes import die
from trioredis.modules import crash_record
from trioredis.modules.crash_record import BadRecord, Cause, CrashRecord, Machine, Part, parse_mappings, parse_record

if TYPE_CHECKING:
    from pathlib import Path

HEAD_BYTES = 1480
"""Everything before the bytes of the stack: all that steers the reader."""


@pytest.fixture(scope="module")
def raw(crash_host: Path, crasher: Path) -> bytes:
    return die(crash_host, crasher, "write_null").raw


def test_a_real_record(raw: bytes) -> None:
    record = parse_record(raw)
    assert record is not None
    assert len(raw) == crash_record.RECORD_BYTES
    assert record.parts == Part(127)
    assert (record.cause, record.signal, record.address) == (Cause.SIGNAL, signal.SIGSEGV, 0)
    assert record.machine is not Machine.UNKNOWN
    assert record.register("rip" if record.machine is Machine.X86_64 else "pc") == record.pc == record.frames[0]
    assert record.register("no such register") is None
    assert record.thread_name == "crash_host"
    assert record.pid == record.tid
    mapping = record.mapping_of(record.pc)
    assert mapping is not None
    assert mapping.path.endswith("/crasher.so")
    assert "x" in mapping.permissions
    assert len(record.stack) > 64
    assert record.stack_from <= record.sp < record.stack_high
    assert record.system_call is None


def test_nothing_was_recorded(crash_host: Path, crasher: Path) -> None:
    death = die(crash_host, crasher, "live")
    assert (death.status, death.record) == (0, None)
    killed = die(crash_host, crasher, "be_killed")
    assert (killed.status, killed.record) == (-signal.SIGKILL, None)


def test_every_truncation(raw: bytes) -> None:
    for size in range(0, len(raw), 97):
        with pytest.raises(BadRecord):
            parse_record(raw[:size])


def test_other_magic_and_version(raw: bytes) -> None:
    with pytest.raises(BadRecord, match="magic"):
        parse_record(b"\0" * len(raw))
    with pytest.raises(BadRecord, match="version 2"):
        parse_record(raw[:4] + b"\2" + raw[5:])


def test_every_flipped_byte_of_the_head(raw: bytes) -> None:
    for at in range(8, HEAD_BYTES):
        data = bytearray(raw)
        data[at] ^= 0xFF
        record = parse_record(data)
        assert record is None or isinstance(record, CrashRecord)


def test_random_bytes_behind_the_magic() -> None:
    source = random.Random(5)
    for _ in range(50):
        data = struct.pack("<IH", crash_record.MAGIC, crash_record.VERSION)
        record = parse_record(data + source.randbytes(crash_record.RECORD_BYTES - len(data)))
        assert record is None or len(record.frames) <= crash_record.FRAMES_MAX


def test_lines_that_are_no_mappings() -> None:
    good = "7f00-7f10 r-xp 00001000 08:01 12 /lib/a name with blanks.so\n"
    found = parse_mappings(f"nonsense\n\nzz-10 r--p 0 0:0 0\n{good}5000-6000 rw-p 00000000 00:00 0\n7000-")
    assert [(one.low, one.path) for one in found] == [(0x7F00, "/lib/a name with blanks.so"), (0x5000, "")]
