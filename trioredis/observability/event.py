"""What a log event is: a stable id, a level, a text and typed fields."""

from __future__ import annotations

import string
from dataclasses import dataclass
from enum import Enum, unique
from pathlib import PurePath
from typing import TYPE_CHECKING, Final

from trioredis.observability.redact import VALUE_CHARS_MAX, Redacted

if TYPE_CHECKING:
    from trioredis.observability.levels import LogLevel

TRACEBACK_CHARS_MAX: Final = 2400  # with its context a line stays below the limit of one pipe write
RESERVED_NAMES: Final = frozenset({"pid", "role", "timestamp", "level", "message", "event"})


@unique
class FieldType(Enum):
    """What kind of value a field takes; the value is how the documentation calls it."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    FLAG = "true or false"
    LIST = "list of text"

    def accepts(self, value: object) -> bool:
        """Whether ``value`` is of this kind. None and a redacted value fit every kind."""
        if value is None or isinstance(value, Redacted):
            return True
        return isinstance(value, _PYTHON_TYPES[self]) and (self is FieldType.FLAG or not isinstance(value, bool))


_PYTHON_TYPES: Final[dict[FieldType, tuple[type, ...]]] = {
    FieldType.TEXT: (str, bytes, Enum, PurePath),
    FieldType.INTEGER: (int,),
    FieldType.NUMBER: (int, float),
    FieldType.FLAG: (bool,),
    FieldType.LIST: (tuple, list),
}


@dataclass(frozen=True, slots=True)
class EventField:
    """One field of an event.

    ``unit`` is what a number counts (``bytes``, ``ms``, ``us``; empty for plain counts and text). An optional field
    may be left out of ``emit``. Text longer than ``chars_max`` characters is cut.
    """

    name: str
    type: FieldType
    about: str
    unit: str = ""
    required: bool = True
    chars_max: int = VALUE_CHARS_MAX


@dataclass(frozen=True, slots=True)
class Event:
    """One kind of log line.

    ``message`` is a template: ``{name}`` stands for a field of the event. ``action`` tells the operator what to do.
    """

    id: str
    level: LogLevel
    message: str
    fields: tuple[EventField, ...]
    action: str

    def field(self, name: str) -> EventField | None:
        """The field of that name, None when the event has no such field."""
        return next((one for one in self.fields if one.name == name), None)

    def names_in_message(self) -> frozenset[str]:
        """Names of the fields that the message spells out."""
        return frozenset(name for _, name, _, _ in string.Formatter().parse(self.message) if name is not None)


def text(name: str, about: str, *, required: bool = True, chars_max: int = VALUE_CHARS_MAX) -> EventField:
    """A text field; bytes, enum members and paths are text too."""
    return EventField(name, FieldType.TEXT, about, "", required, chars_max)


def integer(name: str, about: str, unit: str = "", *, required: bool = True) -> EventField:
    """A whole number, counted in ``unit``."""
    return EventField(name, FieldType.INTEGER, about, unit, required)


def number(name: str, about: str, unit: str = "", *, required: bool = True) -> EventField:
    """A number with decimals, measured in ``unit``."""
    return EventField(name, FieldType.NUMBER, about, unit, required)


def flag(name: str, about: str, *, required: bool = True) -> EventField:
    """True or false."""
    return EventField(name, FieldType.FLAG, about, "", required)


def items(name: str, about: str, *, required: bool = True, chars_max: int = VALUE_CHARS_MAX) -> EventField:
    """Several texts: a list in JSON, else joined by commas; all together have ``chars_max`` characters at most."""
    return EventField(name, FieldType.LIST, about, "", required, chars_max)
