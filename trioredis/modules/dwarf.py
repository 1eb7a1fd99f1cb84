"""Debug information (DWARF 2 to 5): which functions and which line an address belongs to.

A walk from the unit that holds the address down through the functions that hold it, inlined ones included. Errors of
damaged information are raised as pyelftools raises them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from elftools.dwarf.ranges import BaseAddressEntry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from elftools.dwarf.compileunit import CompileUnit
    from elftools.dwarf.die import DIE
    from elftools.dwarf.dwarfinfo import DWARFInfo
    from elftools.dwarf.lineprogram import LineProgram

FUNCTION: Final = "DW_TAG_subprogram"
INLINED: Final = "DW_TAG_inlined_subroutine"
ORIGINS: Final = ("DW_AT_abstract_origin", "DW_AT_specification")
DEPTH_MAX: Final = 64
"""Functions nested or inlined in one another; more is damage."""


@dataclass(frozen=True, slots=True)
class Place:
    """A function and the line in it; ``inlined`` into the next place."""

    function: str | None
    file: str | None
    line: int | None
    inlined: bool


def places_of(dwarf: DWARFInfo, address: int) -> tuple[Place, ...]:
    """Return the places of an address of the library, innermost first; none when no unit knows it."""
    for unit in dwarf.iter_CUs():
        if _holds(dwarf, unit.get_top_DIE(), unit, address):
            return _places_in(dwarf, unit, address)
    return ()


def _places_in(dwarf: DWARFInfo, unit: CompileUnit, address: int) -> tuple[Place, ...]:
    program = dwarf.line_program_for_CU(unit)
    file, line = _line_of(program, address) if program is not None else (None, None)
    chain = list(_functions_of(dwarf, unit, address))
    found = []
    for die in reversed(chain):
        inlined = die.tag == INLINED
        found.append(Place(_name(die), _full_name(unit, file), line, inlined))
        if inlined and program is not None:
            file = _file_name(program, _number(die, "DW_AT_call_file"))
            line = _number(die, "DW_AT_call_line")
    if not found and file is not None:
        found.append(Place(None, _full_name(unit, file), line, False))
    return tuple(found)


def _functions_of(dwarf: DWARFInfo, unit: CompileUnit, address: int) -> Iterator[DIE]:
    """Yield the functions that hold the address, outermost first."""
    die = unit.get_top_DIE()
    for _ in range(DEPTH_MAX):
        inner = next(_inner(dwarf, unit, die, address), None)
        if inner is None:
            return
        if inner.tag in (FUNCTION, INLINED):
            yield inner
        die = inner


def _inner(dwarf: DWARFInfo, unit: CompileUnit, die: DIE, address: int) -> Iterator[DIE]:
    for child in die.iter_children():
        if child.tag == "DW_TAG_namespace":
            yield from _inner(dwarf, unit, child, address)
        elif child.tag in (FUNCTION, INLINED, "DW_TAG_lexical_block") and _holds(dwarf, child, unit, address):
            yield child


def _number(die: DIE, name: str) -> int | None:
    attribute = die.attributes.get(name)
    return int(attribute.value) if attribute is not None else None


def _holds(dwarf: DWARFInfo, die: DIE, unit: CompileUnit, address: int) -> bool:
    return any(low <= address < high for low, high in _ranges(dwarf, die, unit))


def _ranges(dwarf: DWARFInfo, die: DIE, unit: CompileUnit) -> Iterator[tuple[int, int]]:
    low = _number(die, "DW_AT_low_pc")
    high = die.attributes.get("DW_AT_high_pc")
    ranges = _number(die, "DW_AT_ranges")
    if ranges is not None:
        yield from _listed_ranges(dwarf, ranges, unit)
    elif low is not None and high is not None:
        yield low, high.value if high.form == "DW_FORM_addr" else low + high.value


def _listed_ranges(dwarf: DWARFInfo, offset: int, unit: CompileUnit) -> Iterator[tuple[int, int]]:
    lists = dwarf.range_lists()
    if lists is None:
        return
    base = _number(unit.get_top_DIE(), "DW_AT_low_pc") or 0
    for entry in lists.get_range_list_at_offset(offset, cu=unit):
        if isinstance(entry, BaseAddressEntry):
            base = entry.base_address
        elif entry.is_absolute:
            yield entry.begin_offset, entry.end_offset
        else:
            yield base + entry.begin_offset, base + entry.end_offset


def _name(die: DIE) -> str | None:
    """Return the name of a function; inlined ones and definitions of declared ones refer to another entry."""
    for _ in range(DEPTH_MAX):
        if "DW_AT_name" in die.attributes:
            return _text(die.attributes["DW_AT_name"].value)
        origin = next((name for name in ORIGINS if name in die.attributes), None)
        if origin is None:
            return None
        die = die.get_DIE_from_attribute(origin)
    return None


def _text(raw: bytes | str) -> str:
    return raw if isinstance(raw, str) else raw.decode("utf-8", "replace")


def _line_of(program: LineProgram, address: int) -> tuple[str | None, int | None]:
    """Return file and line of an address from the unit's table of lines."""
    previous = None
    for entry in program.get_entries():
        state = entry.state
        if state is None:
            continue
        if previous is not None and previous.address <= address < state.address:
            return _file_name(program, previous.file), previous.line or None
        previous = None if state.end_sequence else state
    return None, None


def _file_name(program: LineProgram, number: int | None) -> str | None:
    """Return the name of a file by its number, which counts from 1 up to DWARF 4 and from 0 in DWARF 5."""
    header = program.header
    modern = header["version"] >= 5
    index = number if modern or number is None else number - 1
    files = header["file_entry"]
    if index is None or not 0 <= index < len(files):
        return None
    entry = files[index]
    folders = header["include_directory"]
    folder = entry.dir_index if modern else entry.dir_index - 1
    name = PurePosixPath(_text(entry.name))
    return str(PurePosixPath(_text(folders[folder])) / name) if 0 <= folder < len(folders) else str(name)


def _full_name(unit: CompileUnit, name: str | None) -> str | None:
    """Return the name with the folder of the compilation before it, unless it is absolute."""
    folder = unit.get_top_DIE().attributes.get("DW_AT_comp_dir")
    if name is None or folder is None:
        return name
    return str(PurePosixPath(_text(folder.value)) / name)
