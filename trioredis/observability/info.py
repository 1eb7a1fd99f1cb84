"""INFO as a pure function: records in, sections out, bytes at the end.

`select` turns the command's arguments into a `Selection`, `build_sections` turns an `InfoInput` and a selection into
sections, `format_info` writes them. The order of sections and fields is fixed, whatever order the caller asked in,
and equals Redis 7.4's; fields of our own are ``server_name`` and ``trioredis_version``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from trioredis.observability.info_sections import ALL_SECTIONS, BUILDERS, DEFAULT_SECTIONS, Line

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from trioredis.observability.info_input import InfoInput


@dataclass(frozen=True, slots=True)
class Section:
    """One block of INFO: ``# title`` and its ``name:value`` lines."""

    title: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Selection:
    """Which sections an INFO call wants.

    ``names`` are lower-case names of built-in sections. ``module_sections`` tells whether all sections that modules
    add are wanted; ``others`` are arguments that may name a module or one of its sections.
    """

    names: frozenset[str]
    module_sections: bool = False
    others: frozenset[str] = field(default=frozenset())


def format_info(sections: Sequence[Section]) -> bytes:
    """The reply's text: every line ends with CR LF, sections are parted by an empty line."""
    blocks = []
    for section in sections:
        lines = [f"# {section.title}\r\n"]
        lines += [f"{name}:{value}\r\n" for name, value in section.lines]
        blocks.append("".join(lines))
    return "\r\n".join(blocks).encode("utf-8", "surrogateescape")


def select(arguments: Iterable[bytes | str]) -> Selection:
    """Interpret the arguments of INFO; none at all means ``default``. Case does not matter, repeats neither."""
    wanted = {_text(argument).lower() for argument in arguments} or {"default"}
    names: set[str] = set()
    module_sections = False
    others: set[str] = set()
    for name in wanted:
        if name == "default":
            names |= DEFAULT_SECTIONS
        elif name in ("all", "everything"):
            names |= ALL_SECTIONS
            module_sections |= name == "everything"
        elif name in BUILDERS:
            names.add(name)
            module_sections |= name == "modules"
        else:
            others.add(name)
    return Selection(frozenset(names), module_sections, frozenset(others))


def build_sections(data: InfoInput, selection: Selection) -> list[Section]:
    """The selected sections in their fixed order. Names that mean nothing select nothing."""
    sections = [
        Section(title, tuple(build(data))) for name, (title, build) in BUILDERS.items() if name in selection.names
    ]
    for extra in data.module_sections:
        title = f"{extra.module}_{extra.section}" if extra.section else extra.module
        named = {extra.module.lower(), title.lower()} & selection.others
        if selection.module_sections or named:
            sections.append(Section(title, extra.fields))
    return sections


def info_reply(data: InfoInput, arguments: Iterable[bytes | str]) -> bytes:
    """What INFO with ``arguments`` answers, without protocol framing."""
    return format_info(build_sections(data, select(arguments)))


def _text(value: bytes | str) -> str:
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else value
