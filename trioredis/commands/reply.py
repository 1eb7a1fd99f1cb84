"""Replies of commands that Python answers: values, and their RESP2 and RESP3 bytes.

A handler returns plain values where they say enough and one of the small types below where they do
not:

=================  ==============================  =========================
value              RESP3                           RESP2
=================  ==============================  =========================
``int``            ``:1``                          same
``bytes``, ``str`` bulk string                     same
``None``           ``_``                           ``$-1``
``NullArray``      ``_``                           ``*-1``
``float``          ``,1.5``                        bulk string
``bool``           ``#t``                          ``:1``
``list``,``tuple`` array                           same
``dict``           map                             flat array
``SetReply``       set                             array
``Push``           push                            array
``SimpleString``   ``+OK``                         same
``ErrorReply``     ``-ERR text``                   same
``Verbatim``       ``=`` with its format           bulk string
=================  ==============================  =========================

Nothing here does I/O or touches the engine.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, Literal, TypeAlias, final

Proto: TypeAlias = Literal[2, 3]

_INTEGER_MAX: Final = 2.0**62
_ZEROS_MAX: Final = 7  # beyond that many an exponent replaces them
_PLACES_MIN: Final = 4  # numbers this near to 1 never have an exponent
_LINE_BREAKS: Final = bytes.maketrans(b"\r\n", b"  ")


@final
@dataclass(frozen=True, slots=True)
class SimpleString:
    """A status line such as ``OK``. Line breaks become spaces on the wire."""

    text: str


@final
@dataclass(frozen=True, slots=True)
class ErrorReply:
    """An error reply; ``text`` begins with its code: ``ERR syntax error``.

    Line breaks become spaces.
    """

    text: str


@final
@dataclass(frozen=True, slots=True)
class Verbatim:
    """Text with a format of exactly three characters (``txt``, ``mkd``).

    Raises:
        ValueError: ``fmt`` has another length.
    """

    fmt: str
    text: str | bytes

    def __post_init__(self) -> None:
        if len(self.fmt.encode()) != 3:
            raise ValueError(f"a verbatim format has three bytes: {self.fmt!r}")


@final
@dataclass(frozen=True, slots=True)
class SetReply:
    """An unordered collection; sent in the order given."""

    items: Sequence[ReplyValue]


@final
@dataclass(frozen=True, slots=True)
class Push:
    """Out-of-band data; ``items[0]`` names its kind."""

    items: Sequence[ReplyValue]


@final
@dataclass(frozen=True, slots=True)
class NullArray:
    """The null where RESP2 clients expect an array."""


ReplyValue: TypeAlias = (
    "int | float | bool | bytes | str | SimpleString | ErrorReply | Verbatim | SetReply | Push"
    " | NullArray | Sequence[ReplyValue] | Mapping[str, ReplyValue] | Mapping[bytes, ReplyValue]"
    " | Mapping[int, ReplyValue] | None"
)

OK: Final = SimpleString("OK")


def encode(value: ReplyValue, proto: Proto) -> bytes:
    """Return ``value`` as one reply of protocol version ``proto``.

    Text that came from bytes with ``surrogateescape`` goes out as the same bytes.

    Raises:
        TypeError: ``value``, or something inside it, is no reply value.
    """
    out = bytearray()
    _append(out, value, proto)
    return bytes(out)


def format_double(value: float) -> str:
    """Return the shortest text that reads back as ``value``, in the form that Redis gives it.

    Integers up to 2**62 have no exponent; else a few zeros are written out and many become one:
    ``0.00001``, ``1e+20``, ``1.2345e-5``.
    """
    if math.isnan(value):
        return "nan"
    if math.isinf(value):
        return "inf" if value > 0 else "-inf"
    if value == 0:
        return "-0" if math.copysign(1, value) < 0 else "0"
    if value.is_integer() and abs(value) <= _INTEGER_MAX:
        return str(int(value))
    shortest = Decimal(repr(value)).normalize()
    _, digits, last_place = shortest.as_tuple()
    assert isinstance(last_place, int)
    first_place = shortest.adjusted()
    is_short_integer = last_place >= 0 and first_place < len(digits) + _ZEROS_MAX
    if is_short_integer or (last_place < 0 and (last_place > -_ZEROS_MAX or abs(first_place) < _PLACES_MIN)):
        return f"{shortest:f}"
    mantissa = shortest.scaleb(-first_place).normalize()
    return f"{mantissa:f}e{first_place:+d}"


def _append(out: bytearray, value: ReplyValue, proto: Proto) -> None:
    """Append ``value`` to ``out``; ``bool`` is looked at before the ``int`` that it also is."""
    match value:
        case None:
            out += b"_\r\n" if proto == 3 else b"$-1\r\n"
        case bool():
            out += (b"#t\r\n" if value else b"#f\r\n") if proto == 3 else b":%d\r\n" % value
        case int():
            out += b":%d\r\n" % value
        case float():
            text = format_double(value)
            out += b",%s\r\n" % text.encode() if proto == 3 else _bulk(text)
        case bytes() | str():
            out += _bulk(value)
        case SimpleString(text):
            out += b"+%s\r\n" % _line(text)
        case ErrorReply(text):
            out += b"-%s\r\n" % _line(text)
        case Verbatim(fmt, content):
            data = _to_bytes(content)
            out += b"=%d\r\n%s:%s\r\n" % (len(data) + 4, fmt.encode(), data) if proto == 3 else _bulk(data)
        case NullArray():
            out += b"_\r\n" if proto == 3 else b"*-1\r\n"
        case SetReply(items):
            _append_items(out, b"~" if proto == 3 else b"*", items, proto)
        case Push(items):
            _append_items(out, b">" if proto == 3 else b"*", items, proto)
        case Mapping():
            _append_map(out, value, proto)
        case list() | tuple():
            _append_items(out, b"*", value, proto)
        case _:
            raise TypeError(f"not a reply value: {value!r}")


def _append_items(out: bytearray, kind: bytes, items: Sequence[ReplyValue], proto: Proto) -> None:
    out += b"%s%d\r\n" % (kind, len(items))
    for item in items:
        _append(out, item, proto)


def _append_map(out: bytearray, pairs: Mapping[Any, ReplyValue], proto: Proto) -> None:
    out += b"%%%d\r\n" % len(pairs) if proto == 3 else b"*%d\r\n" % (2 * len(pairs))
    for key, item in pairs.items():
        _append(out, key, proto)
        _append(out, item, proto)


def _bulk(text: str | bytes) -> bytes:
    data = _to_bytes(text)
    return b"$%d\r\n%s\r\n" % (len(data), data)


def _line(text: str) -> bytes:
    return _to_bytes(text).translate(_LINE_BREAKS)


def _to_bytes(text: str | bytes) -> bytes:
    return text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text
