"""Replies out of bytes: RESP2 and RESP3 as the server writes them, without I/O.

Values: ``+OK`` becomes ``str``, a bulk ``bytes``, numbers ``int`` or ``float``, ``_``, ``$-1`` and ``*-1`` ``None``,
``#t`` ``bool``, a verbatim string its bytes, arrays and sets ``list``, maps ``dict`` where all keys can be keys
and else a list of pairs. An error is a :class:`ReplyError`, returned and not raised; pushes are :class:`PushMessage`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, final

_END: Final = b"\r\n"
_NEED_MORE: Final = object()


class ReplyError(Exception):
    """An error reply; the text begins with its code."""


@final
@dataclass(frozen=True, slots=True)
class PushMessage:
    """An out-of-band message of RESP3."""

    items: list[Any]


@final
class ReplyReader:
    """Gathers bytes and gives whole replies. Attributes (``|``) are read and dropped.

    Not for foreign servers: it trusts the peer, which is this very process.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> None:
        """Take more bytes."""
        self._buffer += data

    def next(self) -> tuple[bool, Any]:
        """Return ``(True, reply)``, or ``(False, None)`` while no reply is complete."""
        value, end = self._value(0)
        if value is _NEED_MORE:
            return False, None
        del self._buffer[:end]
        return True, value

    def _line(self, at: int) -> tuple[bytes | None, int]:
        end = self._buffer.find(_END, at)
        return (None, at) if end < 0 else (bytes(self._buffer[at:end]), end + 2)

    def _value(self, at: int) -> tuple[Any, int]:
        line, after = self._line(at)
        if line is None:
            return _NEED_MORE, at
        kind, rest = line[:1], line[1:]
        if kind in b"$=!":
            return self._blob(kind, int(rest), after)
        if kind in b"*~>%|":
            return self._items(kind, int(rest), after)
        return _SCALARS[kind](rest), after

    def _blob(self, kind: bytes, size: int, at: int) -> tuple[Any, int]:
        if size < 0:
            return None, at
        if len(self._buffer) < at + size + 2:
            return _NEED_MORE, at
        data = bytes(self._buffer[at : at + size])
        after = at + size + 2
        if kind == b"!":
            return ReplyError(data.decode("utf-8", "replace")), after
        return (data[4:] if kind == b"=" else data), after

    def _items(self, kind: bytes, count: int, at: int) -> tuple[Any, int]:
        if count < 0:
            return None, at
        items = []
        for _ in range(count * 2 if kind in b"%|" else count):
            value, at = self._value(at)
            if value is _NEED_MORE:
                return _NEED_MORE, at
            items.append(value)
        if kind == b"|":
            return self._value(at)
        if kind == b">":
            return PushMessage(items), at
        if kind == b"%":
            return _pairs(items), at
        return items, at


def _pairs(items: list[Any]) -> Any:
    pairs = list(zip(items[::2], items[1::2], strict=True))
    try:
        return dict(pairs)
    except TypeError:
        return pairs


_SCALARS: Final[dict[bytes, Callable[[bytes], Any]]] = {
    b"+": lambda rest: rest.decode("utf-8", "replace"),
    b"-": lambda rest: ReplyError(rest.decode("utf-8", "replace")),
    b":": int,
    b"(": int,
    b",": float,
    b"#": lambda rest: rest == b"t",
    b"_": lambda rest: None,
}


def encode_command(args: Sequence[str | bytes | int | float]) -> bytes:
    """The command as a RESP request. Text goes as UTF-8, numbers as Python writes them.

    Raises:
        ValueError: there are no arguments.
    """
    if not args:
        raise ValueError("a command needs a name")
    words = [a if isinstance(a, bytes) else str(a).encode() for a in args]
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%b\r\n" % (len(w), w) for w in words)
