"""Aim: the first line of a report says what went wrong and where; the rest says all that is known.

Method: every kind of end, for real, in a library of our own; the JSON is read back.
"""

from __future__ import annotations

import dataclasses
import json
import os
import re
import signal
from typing import TYPE_CHECKING

import pytest

from tests.modules._crashes import Death, build_crasher, die, line_of
from trioredis.modules.report import CrashReport, Module, Surroundings, make_report, to_json, to_text, write_report
from trioredis.modules.symbolize import Symbolizer

if TYPE_CHECKING:
    from pathlib import Path


NULL_LINE = line_of("*nowhere = 1")
POKE_LINE = line_of("*where = 7")

pytestmark = pytest.mark.slow


def report_of(death: Death, running: str | None = None) -> CrashReport:
    """Make the report of an end."""
    module = Module("crasher", str(death.library), 3, "abcd")
    frames = Symbolizer().frames_of(death.record) if death.record else ()
    return make_report(module, Surroundings(running=running), death.record, frames, death.status)


ENDS = [
    (
        "write_null",
        "SIGSEGV",
        rf"SIGSEGV in write_null at crasher\.c:{NULL_LINE}: wrote to address 0x0 \(null pointer\)",
    ),
    ("read_member", "SIGSEGV", r"SIGSEGV in read_member at .*: read from address 0x14 \(null pointer \+ 20\)"),
    ("through_inline", "SIGSEGV", rf"SIGSEGV in poke at crasher\.c:{POKE_LINE}: wrote to address 0x0 \(null pointer\)"),
    (
        "call_null",
        "SIGSEGV",
        rf"SIGSEGV in call_null at crasher\.c:{line_of('missing();')}: called a null function pointer",
    ),
    ("overflow", "SIGSEGV", r"SIGSEGV in deeper at crasher\.c:\d+: the stack overflowed \(\d+ KiB\): .*"),
    ("wild", "SIGSEGV", r"SIGSEGV in wild at .*: used an address that no memory can have \(.*\)"),
    ("write_constant", "SIGSEGV", r".*: wrote to address 0x\w+ \(memory with the rights r-[-x] of /\S+/crasher\.so\)"),
    ("past_file", "SIGBUS", r"SIGBUS in past_file at .*: wrote to address 0x\w+, beyond the end of /.*"),
    ("divide", "SIGFPE", r"SIGFPE in divide at .*: divided an integer by zero"),
    ("trap", "SIGILL", r"SIGILL in trap at .*: ran an instruction that this machine does not have"),
    ("do_abort", "SIGABRT", r"SIGABRT in do_abort at .*: aborted itself: .*"),
    ("send_itself", "SIGBUS", r"SIGBUS in send_itself at .*: was sent the signal by itself"),
]


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="what was touched and how is in registers of x86-64")
@pytest.mark.parametrize(("function", "name", "headline"), ENDS, ids=[row[0] for row in ENDS])
def test_headlines(crash_host: Path, crasher: Path, function: str, name: str, headline: str) -> None:
    death = die(crash_host, crasher, function)
    assert death.status == -signal.Signals[name]
    report = report_of(death)
    assert re.fullmatch(headline, report.headline)
    assert (report.cause, report.signal) == ("signal", name)
    assert report.frames_complete is (function not in ("call_null", "overflow"))


def test_what_was_running(crash_host: Path, crasher: Path) -> None:
    headline = report_of(die(crash_host, crasher, "write_null"), "HELLOMODULE.RAND").headline
    assert headline.endswith(": wrote to address 0x0 (null pointer) while running HELLOMODULE.RAND")


def test_without_debug_information(crash_host: Path, tmp_path: Path) -> None:
    library = build_crasher(tmp_path, "-O2", "-s")
    headline = report_of(die(crash_host, library, "through_inline")).headline
    assert re.fullmatch(r"SIGSEGV at crasher\.so\+0x\w+: wrote to address 0x0 \(null pointer\)", headline)


def test_stack_overflow_of_a_thread(crash_host: Path, crasher: Path) -> None:
    death = die(crash_host, crasher, "overflow", "thread")
    report = report_of(death)
    assert "the stack overflowed" in report.headline
    assert report.pid != report.tid
    assert len(report.frames) >= 128


def test_forbidden_system_call(crash_host: Path, crasher: Path) -> None:
    death = die(crash_host, crasher, "forbidden", "jail")
    assert death.status == -signal.SIGSYS
    report = report_of(death)
    assert re.fullmatch(
        r"SIGSYS in forbidden at .*: made the system call ptrace, which its jail forbids", report.headline
    )


def test_crash_in_the_jail(crash_host: Path, crasher: Path) -> None:
    report = report_of(die(crash_host, crasher, "write_null", "jail"))
    assert report.headline.startswith(f"SIGSEGV in write_null at crasher.c:{NULL_LINE}")


def test_exit(crash_host: Path, crasher: Path) -> None:
    death = die(crash_host, crasher, "do_exit")
    assert death.status == 3
    report = report_of(death)
    assert re.fullmatch(r"exit in do_exit at crasher\.c:\d+: called exit\(3\)", report.headline)
    assert (report.cause, report.signal, report.address) == ("exit", None, None)


def test_ends_without_a_record(crash_host: Path, crasher: Path) -> None:
    report = report_of(die(crash_host, crasher, "be_killed"), "SLOW.COMMAND")
    assert report.headline.startswith("SIGKILL in module crasher: was killed from outside")
    assert report.headline.endswith(" while running SLOW.COMMAND")
    assert report.cause == "unrecorded"
    module = Module("m", "/m.so")
    ended = make_report(module, Surroundings(), None, (), 4)
    assert ended.headline == "exit in module m: the process ended itself with status 4 without leaving a record"
    told = make_report(module, Surroundings(last_words="protocol violation (...)"), None, (), -6)
    assert told.headline == "SIGABRT in module m: protocol violation (...)"
    jailed = make_report(module, Surroundings(), None, (), -signal.SIGSYS)
    assert jailed.headline == "SIGSYS in module m: made a system call that its jail forbids"
    assert to_text(ended).splitlines()[0] == ended.headline


def test_json(crash_host: Path, crasher: Path, tmp_path: Path) -> None:
    report = report_of(die(crash_host, crasher, "write_null"))
    path = tmp_path / "report.json"
    write_report(report, path)
    assert [one.name for one in tmp_path.iterdir()] == ["report.json"]
    data = json.loads(path.read_text())
    assert data == json.loads(json.dumps(to_json(report)))
    assert data["headline"] == report.headline
    assert data["module"] == {"name": "crasher", "path": str(crasher), "version": 3, "build_id": "abcd"}
    assert data["frames"][0]["function"] == "write_null"
    assert data["frames"][0]["place"] == f"crasher.c:{NULL_LINE}"
    assert int(data["frames"][0]["address"], 16) == report.frames[0].address
    assert data["address"] == "0x0"
    assert len(data["registers"]) == len(report.registers) > 16
    assert bytes.fromhex(data["stack"])
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", data["time"])


def test_nothing_is_left_when_the_disk_refuses(crash_host: Path, crasher: Path, tmp_path: Path) -> None:
    report = report_of(die(crash_host, crasher, "be_killed"))
    (tmp_path / "report.json").mkdir()
    with pytest.raises(OSError, match="report"):
        write_report(report, tmp_path / "report.json")
    assert [one.name for one in tmp_path.iterdir()] == ["report.json"]


def test_text_has_every_section(crash_host: Path, crasher: Path) -> None:
    report = report_of(die(crash_host, crasher, "through_inline"))
    known = Surroundings("A.COMMAND", ("OpenKey(k, 1) -> 0x0",), ("RedisModule_New",), ("no core dumps: on",))
    text = to_text(dataclasses.replace(report, surroundings=known))
    assert text.startswith(report.headline + "\n")
    assert f"Module   crasher version 3 ({crasher}, build abcd)" in text
    assert f"poke at crasher.c:{POKE_LINE} (inlined)" not in text.splitlines()[0]
    for line in (
        f"poke at crasher.c:{POKE_LINE} (inlined)",
        f"middle at crasher.c:{line_of('    poke(where)')}",
        "OpenKey(k, 1) -> 0x0",
        "RedisModule_New",
        "no core dumps: on",
    ):
        assert any(one.startswith("  ") and one.endswith(line) for one in text.splitlines()), line
    assert re.search(r"rip 0x[0-9a-f]{16}|pc 0x[0-9a-f]{16}", text)


def test_a_record_of_lies(crash_host: Path, crasher: Path) -> None:
    record = die(crash_host, crasher, "write_null").record
    assert record is not None
    lies = dataclasses.replace(record, time_ns=(1 << 64) - 1, signal=999, code=5, mappings=(), frames=())
    report = make_report(Module("m", "/m.so"), Surroundings(), lies, (), -11)
    assert report.headline == "signal 999: ended by the signal"
    assert report.time is None
    assert to_text(report)
