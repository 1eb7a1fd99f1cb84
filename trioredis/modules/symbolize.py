"""Addresses of a dead process become functions, files and lines.

A :class:`Symbolizer` reads the libraries that were mapped, or the separate files with their debug information: by
build id and by debug link, in the library's folder, its ``.debug`` folder and the folders for debug files. Whatever
is missing or damaged costs detail only: without debug information a frame has its function's name from the symbol
table, and without that the address within the library. A file that is not the one that was loaded (another build id)
is not asked.

Reading is plain and slow (some 10 ms for a small library): call it in a thread, for reports only.
"""

from __future__ import annotations

import struct
import zlib
from bisect import bisect_right
from contextlib import suppress
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, final

from elftools.common.exceptions import DWARFError, ELFError
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import NoteSection, SymbolTableSection

from trioredis.modules.dwarf import Place, places_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from trioredis.modules.crash_record import CrashRecord
    from trioredis.modules.crash_record import Mapping as MemoryMapping

DEBUG_FOLDERS: Final = (Path("/usr/lib/debug"),)
FILE_BYTES_MAX: Final = 1 << 30
"""Larger libraries are not read: a report is not worth that much memory."""

UNREADABLE: Final = (OSError, ELFError, DWARFError, ValueError, KeyError, IndexError, AttributeError, TypeError)
"""What pyelftools raises for files that are gone, damaged or of a kind that it does not know."""

DELETED: Final = " (deleted)"

SYMBOL_TYPE_BITS: Final = 0xF
STT_FUNC: Final = 2


@dataclass(frozen=True, slots=True)
class Frame:
    """A function on the stack. What is not known is None; ``inlined`` ones share the address of their caller."""

    address: int
    library: str | None = None
    offset: int | None = None
    """Address within the library, as its own tools show it."""
    function: str | None = None
    file: str | None = None
    line: int | None = None
    inlined: bool = False

    def place(self) -> str:
        """Return where it is: ``file:line``, ``library+0xoffset`` or the bare address."""
        if self.file is not None:
            return f"{Path(self.file).name}:{self.line}" if self.line else Path(self.file).name
        if self.library is not None and self.offset is not None:
            return f"{Path(self.library).name}+{self.offset:#x}"
        return f"{self.address:#x}"

    def text(self) -> str:
        """Return function and place in one piece."""
        return f"{self.function} at {self.place()}" if self.function else self.place()


@final
@dataclass(slots=True)
class _Library:
    """A library as far as it could be read."""

    segments: list[tuple[int, int, int]] = field(default_factory=list)
    """Place in the file, bytes, address."""
    functions: list[tuple[int, int, str]] = field(default_factory=list)
    """Address, bytes (0: unknown), name; sorted."""
    build_id: str = ""
    debug: Any = None

    def address_at(self, place: int) -> int | None:
        """Return the library's own address of a place in its file."""
        for start, size, address in self.segments:
            if start <= place < start + size:
                return address + place - start
        return None

    def function_at(self, address: int) -> str | None:
        """Return the name that the symbol table has for an address."""
        index = bisect_right(self.functions, (address, 1 << 64, "")) - 1
        if index < 0:
            return None
        start, size, name = self.functions[index]
        return name if address < start + size or size == 0 else None


def _open(path: Path) -> ELFFile:
    if path.stat().st_size > FILE_BYTES_MAX:
        raise ValueError(f"{path} is too large")
    return ELFFile(BytesIO(path.read_bytes()))  # no descriptor stays open, and the file may change


def _build_id(elf: ELFFile) -> str:
    for section in elf.iter_sections():
        if isinstance(section, NoteSection):
            for note in section.iter_notes():
                if note["n_type"] == "NT_GNU_BUILD_ID":
                    return str(note["n_desc"])
    return ""


def _functions(elf: ELFFile) -> list[tuple[int, int, str]]:
    """Return address, bytes and name of all functions, sorted."""
    found: set[tuple[int, int, str]] = set()
    for section in elf.iter_sections():
        if isinstance(section, SymbolTableSection):
            names = section.stringtable.data()
            for name, info, address, size in _symbols(elf, section.data()):
                if info & SYMBOL_TYPE_BITS == STT_FUNC and address != 0:
                    found.add((address, size, names[name : names.find(b"\0", name)].decode("utf-8", "replace")))
    return sorted(found)


def _symbols(elf: ELFFile, table: bytes) -> Iterator[tuple[int, int, int, int]]:
    """Yield place of the name, info, address and size of each symbol; by the library it would take most of a second."""
    order = "<" if elf.little_endian else ">"
    wide = elf.elfclass == 64
    entry = struct.Struct(order + ("IBBHQQ" if wide else "IIIBBH"))
    for values in entry.iter_unpack(table[: len(table) // entry.size * entry.size]):
        if wide:
            name, info, _, _, address, size = values
        else:
            name, address, size, info, _, _ = values
        yield name, info, address, size


def _debug_link(elf: ELFFile) -> tuple[str, int] | None:
    """Return the name and the check sum of the file with the debug information."""
    section = elf.get_section_by_name(".gnu_debuglink")
    if section is None:
        return None
    data = section.data()
    name = data.split(b"\0", 1)[0]
    return name.decode("utf-8", "surrogateescape"), int.from_bytes(data[-4:], "little")


@final
class Symbolizer:
    """Finds names and lines; keeps what it has read, so use one for one report.

    Args:
        debug_folders: where separate debug files may lie, besides the libraries' own folders.
        build_ids: the build ids, in hexadecimal, of libraries at the time when they were loaded, by path.
    """

    def __init__(
        self, debug_folders: Sequence[Path] = DEBUG_FOLDERS, build_ids: Mapping[str, str] | None = None
    ) -> None:
        self._debug_folders = tuple(debug_folders)
        self._build_ids = dict(build_ids or {})
        self._libraries: dict[str, _Library] = {}

    def frames_of(self, record: CrashRecord) -> tuple[Frame, ...]:
        """Return the frames of a crash, innermost first, inlined functions among them."""
        found: list[Frame] = []
        for index, address in enumerate(record.frames):
            found += self.frames_at(address, record.mapping_of(address), is_return=index > 0)
        return tuple(found)

    def frames_at(self, address: int, mapping: MemoryMapping | None, *, is_return: bool) -> tuple[Frame, ...]:
        """Return the frames of one address: at least one, more where functions were inlined.

        A return address may be the next line's, or the next function's: with ``is_return`` the call before it counts.
        """
        if mapping is None or not mapping.path.startswith("/"):
            return (Frame(address, library=mapping.path or None if mapping else None),)
        path = mapping.path.removesuffix(DELETED)
        library = self._library(path)
        offset = library.address_at(address - mapping.low + mapping.offset)
        if offset is None:
            return (Frame(address, path, address - mapping.low + mapping.offset),)
        looked_up = offset - 1 if is_return else offset
        places: Iterable[Place] = ()
        with suppress(*UNREADABLE):
            places = places_of(library.debug, looked_up) if library.debug is not None else ()
        frames = [
            Frame(
                address, path, offset, one.function or library.function_at(looked_up), one.file, one.line, one.inlined
            )
            for one in places
        ]
        return tuple(frames) or (Frame(address, path, offset, library.function_at(looked_up)),)

    def _library(self, path: str) -> _Library:
        if path not in self._libraries:
            self._libraries[path] = library = _Library()
            with suppress(*UNREADABLE):
                self._read(Path(path), library)
        return self._libraries[path]

    def _read(self, path: Path, library: _Library) -> None:
        elf = _open(path)
        library.segments = [
            (segment["p_offset"], segment["p_filesz"], segment["p_vaddr"])
            for segment in elf.iter_segments()
            if segment["p_type"] == "PT_LOAD"
        ]
        library.build_id = _build_id(elf)
        expected = self._build_ids.get(str(path))
        if expected is not None and expected != library.build_id:
            return
        library.functions = _functions(elf)
        source = elf if elf.has_dwarf_info(strict=True) else self._separate(path, elf, library.build_id)
        if source is not None:
            library.functions = sorted({*library.functions, *_functions(source)})
            library.debug = source.get_dwarf_info()

    def _separate(self, path: Path, elf: ELFFile, build_id: str) -> ELFFile | None:
        """Return the file with the debug information, if there is one that belongs to the library."""
        for folder in self._debug_folders if build_id else ():
            with suppress(*UNREADABLE):
                found = _open(folder / ".build-id" / build_id[:2] / f"{build_id[2:]}.debug")
                if _build_id(found) == build_id:
                    return found
        link = _debug_link(elf)
        if link is None or "/" in link[0] or not link[0]:
            return None
        name, check_sum = link
        homes = (
            path.parent,
            path.parent / ".debug",
            *(root / path.parent.relative_to("/") for root in self._debug_folders),
        )
        for home in homes:
            with suppress(*UNREADABLE):
                found = _open(home / name)
                if zlib.crc32((home / name).read_bytes()) == check_sum:
                    return found
        return None
