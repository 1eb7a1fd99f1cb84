"""What may stand in a log line: no secrets, no control characters, no endless text.

Every context value passes `clean_value`. A client decides what its name, its user name or its first bytes are,
so all text is treated as hostile: a line break or a terminal sequence in it must not start a line of its own or
colour the operator's screen.
"""

from __future__ import annotations

import math
from enum import Enum
from pathlib import PurePath
from typing import TYPE_CHECKING, Final, final

if TYPE_CHECKING:
    from collections.abc import Iterable

REDACTED_TEXT: Final = "(redacted)"
VALUE_CHARS_MAX: Final = 512  # longer text is cut; a client name may be as long as a query
SECRET_WORDS: Final = ("password", "passwd", "passphrase", "secret", "token", "credential")
SECRET_NAMES: Final = frozenset({"requirepass", "masterauth", "primaryauth", "auth", "pass", "hash"})
SHORT_ESCAPES: Final = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\\": "\\\\"}
SURROGATE_FIRST: Final = 0xDC80  # the surrogates that stand for bytes 0x80 to 0xff
SURROGATE_LAST: Final = 0xDCFF

Clean = str | int | float | bool | tuple[str, ...] | None


@final
class Redacted:
    """A value that never appears in a log line, a repr or an error text.

    Wrap a secret as soon as it is read; only ``reveal()`` gives it back.
    """

    __slots__ = ("_value",)

    def __init__(self, value: object) -> None:
        self._value = value

    def reveal(self) -> object:
        """The value itself."""
        return self._value

    def __repr__(self) -> str:
        return REDACTED_TEXT

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return REDACTED_TEXT

    def __reduce__(self) -> str:
        raise TypeError("a redacted value is not pickled")


def is_secret_name(name: str) -> bool:
    """Whether a field of this name is taken for a secret whatever it holds."""
    flat = name.lower().replace("-", "_")
    return flat in SECRET_NAMES or any(word in flat for word in SECRET_WORDS)


def escape_text(text: str) -> str:
    """``text`` with everything that does not print as itself written as an escape, so it stays on its line.

    Line breaks, tabs and backslashes get their usual two characters, bytes that are no UTF-8 ``\\xNN``, other
    control, format and unassigned characters ``\\xNN``, ``\\uNNNN`` or ``\\UNNNNNNNN``.
    """
    if text.isprintable() and "\\" not in text:
        return text
    return "".join(map(_escape_char, text))


def clean_text(text: str | bytes, chars_max: int = VALUE_CHARS_MAX) -> str:
    """Hostile text made fit for a log line: decoded, cut to ``chars_max`` characters, escaped."""
    if isinstance(text, bytes):
        # A UTF-8 character has four bytes at most: no need to decode a megabyte to show a line.
        more = max(0, len(text) - 4 * chars_max)
        decoded = text[: 4 * chars_max].decode("utf-8", "surrogateescape")
    else:
        more, decoded = 0, text
    if len(decoded) > chars_max:
        more += len(decoded) - chars_max
        decoded = decoded[:chars_max]
    return escape_text(decoded) + (f"...({more} more)" if more else "")


def clean_value(name: str, value: object, chars_max: int = VALUE_CHARS_MAX) -> Clean:
    """The value of field ``name`` as it may be logged.

    Numbers, truth values and None stay what they are, text and bytes are cleaned, of sequences all items as
    text; an object of another kind is shown as its type's name only, for its repr might show anything.
    """
    if isinstance(value, Redacted) or (value is not None and is_secret_name(name)):
        return REDACTED_TEXT
    if isinstance(value, Enum):
        return clean_value(name, value.value if isinstance(value.value, str) else value.name)
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)  # JSON has no such numbers
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, (str, bytes)):
        return clean_text(value, chars_max)
    if isinstance(value, (bytearray, memoryview)):
        return clean_text(bytes(value[: 4 * chars_max + 1]), chars_max)
    if isinstance(value, PurePath):
        return clean_text(str(value), chars_max)
    if isinstance(value, (tuple, list)):
        return _clean_items(name, value, chars_max)
    return f"<{type(value).__name__}>"


def _clean_items(name: str, items: Iterable[object], chars_max: int) -> tuple[str, ...]:
    parts: list[str] = []
    room = chars_max
    for item in items:
        if room <= 0:
            parts.append("...")
            break
        part = str(clean_value(name, item, room))
        room -= len(part) + 1
        parts.append(part)
    return tuple(parts)


def _escape_char(char: str) -> str:
    short = SHORT_ESCAPES.get(char)
    if short is not None:
        return short
    if char.isprintable():
        return char
    code = ord(char)
    if SURROGATE_FIRST <= code <= SURROGATE_LAST:
        return f"\\x{code - 0xDC00:02x}"
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
