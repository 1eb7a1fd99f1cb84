"""Aim: a crash in a library leads to the line that caused it, or as close to it as the library's build allows.

Method: libraries compiled in each way crash for real; their records are symbolised.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.modules._crashes import build_crasher, die, line_of, run
from trioredis.modules.crash_record import Mapping
from trioredis.modules.symbolize import Frame, Symbolizer

NULL_LINE = line_of("*nowhere = 1")
POKE_LINE = line_of("*where = 7")
INLINE_LINE = line_of("    poke(where)")
MIDDLE_LINE = line_of("    middle(nowhere)")
CALL_LINE = line_of("    missing()")

pytestmark = pytest.mark.slow


def frames(host: Path, library: Path, function: str, symbolizer: Symbolizer | None = None) -> tuple[Frame, ...]:
    """Crash and return the frames."""
    record = die(host, library, function).record
    assert record is not None
    return (symbolizer or Symbolizer()).frames_of(record)


def own(found: tuple[Frame, ...]) -> list[tuple[str | None, int | None, bool]]:
    """Return function, line and whether inlined, of the frames in the library."""
    return [
        (one.function, one.line, one.inlined) for one in found if one.library and one.library.endswith("crasher.so")
    ]


@pytest.mark.parametrize(
    "flags",
    [("-O0", "-g"), ("-O2", "-g"), ("-O2", "-g", "-gdwarf-4"), ("-O2", "-g", "-fomit-frame-pointer")],
    ids=" ".join,
)
def test_lines_and_inlined_functions(crash_host: Path, tmp_path: Path, flags: tuple[str, ...]) -> None:
    library = build_crasher(tmp_path, *flags)
    first = frames(crash_host, library, "write_null")[0]
    assert (first.function, first.line, first.file) == ("write_null", NULL_LINE, str(tmp_path / "crasher.c"))
    assert first.text() == f"write_null at crasher.c:{NULL_LINE}"
    assert own(frames(crash_host, library, "through_inline")) == [
        ("poke", POKE_LINE, True),
        ("middle", INLINE_LINE, False),
        ("through_inline", MIDDLE_LINE, False),
    ]


def test_caller_of_a_null_pointer(crash_host: Path, crasher: Path) -> None:
    found = frames(crash_host, crasher, "call_null")
    assert found[0] == Frame(0)
    assert found[0].text() == "0x0"
    assert own(found)[0] == ("call_null", CALL_LINE, False)


def test_without_debug_information(crash_host: Path, tmp_path: Path) -> None:
    library = build_crasher(tmp_path, "-O2")
    first = frames(crash_host, library, "write_null")[0]
    assert (first.function, first.file, first.line) == ("write_null", None, None)
    assert first.text().startswith("write_null at crasher.so+0x")
    listed = subprocess.run(["nm", library], check=True, capture_output=True, text=True).stdout
    start = next(int(line.split()[0], 16) for line in listed.splitlines() if line.endswith(" T write_null"))
    assert first.offset is not None
    assert start <= first.offset < start + 64


def test_stripped(crash_host: Path, tmp_path: Path) -> None:
    library = build_crasher(tmp_path, "-O2", "-s")
    found = frames(crash_host, library, "through_inline")
    assert found[0].function is None  # it is static: no table names it
    assert found[0].text().startswith("crasher.so+0x")
    assert found[1].function == "through_inline"  # exported


def split(folder: Path, *, build_id: bool) -> tuple[Path, Path]:
    """Build a library and take its debug information out; return both files."""
    library = build_crasher(folder, "-g", "-O2", "-Wl,--build-id=sha1" if build_id else "-Wl,--build-id=none")
    debug = folder / "crasher.debug"
    run("objcopy", "--only-keep-debug", library, debug)
    run("objcopy", "--strip-all", f"--add-gnu-debuglink={debug}", library)
    return library, debug


def test_debug_link(crash_host: Path, tmp_path: Path) -> None:
    library, debug = split(tmp_path, build_id=False)
    assert frames(crash_host, library, "write_null")[0].line == NULL_LINE
    (tmp_path / ".debug").mkdir()
    hidden = Path(shutil.move(debug, tmp_path / ".debug"))
    assert frames(crash_host, library, "write_null")[0].line == NULL_LINE
    hidden.write_bytes(hidden.read_bytes() + b"!")  # another check sum: it belongs to another build
    assert frames(crash_host, library, "write_null")[0].line is None


def test_debug_folder_by_build_id(crash_host: Path, tmp_path: Path) -> None:
    library, debug = split(tmp_path / "lib", build_id=True)
    notes = subprocess.run(["readelf", "-n", library], check=True, capture_output=True, text=True).stdout
    build_id = notes.split("Build ID: ")[1].split()[0]
    home = tmp_path / "debug" / ".build-id" / build_id[:2]
    home.mkdir(parents=True)
    shutil.move(debug, home / f"{build_id[2:]}.debug")
    assert frames(crash_host, library, "write_null")[0].line is None
    known = Symbolizer([tmp_path / "debug"], {str(library): build_id})
    assert frames(crash_host, library, "write_null", known)[0].line == NULL_LINE
    other = Symbolizer([tmp_path / "debug"], {str(library): "00" * 20})
    first = frames(crash_host, library, "write_null", other)[0]
    assert (first.function, first.line) == (None, None)  # another build lies there now
    assert first.place().startswith("crasher.so+0x")


def test_files_that_are_gone_or_damaged(crash_host: Path, crasher: Path, tmp_path: Path) -> None:
    record = die(crash_host, crasher, "write_null").record
    assert record is not None
    mapping = record.mapping_of(record.pc)
    assert mapping is not None
    whole = crasher.read_bytes()
    damaged = tmp_path / "damaged.so"
    for step in range(0, len(whole), max(1, len(whole) // 40)):
        damaged.write_bytes(whole[:step] + bytes(len(whole) - step if step % 2 else 0))
        moved = Mapping(mapping.low, mapping.high, mapping.permissions, mapping.offset, str(damaged))
        found = Symbolizer().frames_at(record.pc, moved, is_return=False)
        assert found[0].address == record.pc
    gone = Mapping(mapping.low, mapping.high, mapping.permissions, mapping.offset, "/no/such/library.so (deleted)")
    (frame,) = Symbolizer().frames_at(record.pc, gone, is_return=False)
    assert frame.place() == f"library.so+{record.pc - mapping.low + mapping.offset:#x}"


def test_memory_of_nobody() -> None:
    anonymous = Mapping(0x1000, 0x2000, "rwxp", 0, "")
    assert Symbolizer().frames_at(0x1234, anonymous, is_return=False) == (Frame(0x1234),)
    kernel = Mapping(0x1000, 0x2000, "r-xp", 0, "[vdso]")
    assert Symbolizer().frames_at(0x1234, kernel, is_return=False) == (Frame(0x1234, "[vdso]"),)
