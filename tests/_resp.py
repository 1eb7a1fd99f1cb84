"""A small client for tests: typed replies, RESP2 and RESP3, nothing interpreted.

A reply is a tuple of its type and its value: ``("int", 3)``, ``("bulk", b"x")``, ``("null", None)``,
``("array", (...))``, ``("map", ((key, value), ...))``. Errors are replies too: ``("err", b"ERR ...")``.
"""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any, Final, Self

if TYPE_CHECKING:
    from collections.abc import Iterable

Reply = tuple[str, Any]
Word = str | bytes

TIMEOUT_SECONDS: Final = 30.0
LINES: Final = {b"+": "simple", b"-": "err", b",": "double", b"(": "bignum"}
BLOBS: Final = {b"$": "bulk", b"!": "bulkerr", b"=": "verbatim"}
ARRAYS: Final = {b"*": "array", b"~": "set", b">": "push"}
PAIRS: Final = {b"%": "map", b"|": "attr"}


class ClosedError(Exception):
    """The server closed the connection where a reply should begin or go on."""


def encode(words: Iterable[Word]) -> bytes:
    """Encode one command as an array of bulk strings."""
    parts = [word.encode() if isinstance(word, str) else word for word in words]
    body = b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)
    return b"*%d\r\n%s" % (len(parts), body)


class RespClient:
    """One connection. ``call`` sends a command and reads its reply; ``send`` and ``read`` do half of it."""

    def __init__(self, address: tuple[str, int], seconds: float = TIMEOUT_SECONDS) -> None:
        self._sock = socket.create_connection(address, timeout=seconds)
        self._file = self._sock.makefile("rb")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._file.close()
        self._sock.close()

    def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        self._sock.sendall(data)

    def call(self, *words: Word) -> Reply:
        """Send one command and return its reply."""
        self.send(encode(words))
        return self.read()

    def pipeline(self, commands: Iterable[Iterable[Word]]) -> list[Reply]:
        """Send many commands at once and return their replies."""
        batch = [encode(words) for words in commands]
        self.send(b"".join(batch))
        return [self.read() for _ in batch]

    def exchange(self, data: bytes) -> bytes:
        """Send bytes and the end of the stream; return all that comes back until the server closes."""
        self.send(data)
        self._sock.shutdown(socket.SHUT_WR)
        return self._file.read()

    def read(self) -> Reply:
        """Read one reply. Raises ClosedError, or ValueError for bytes that are not the protocol."""
        line = self._file.readline()
        if not line.endswith(b"\r\n"):
            raise ClosedError(line)
        kind, rest = line[:1], line[1:-2]
        if kind in LINES:
            return (LINES[kind], rest)
        if kind == b":":
            return ("int", int(rest))
        if kind == b"#":
            return ("bool", {b"t": True, b"f": False}[rest])
        if kind == b"_":
            return ("null", None)
        count = int(rest)
        if kind in BLOBS:
            return ("nullbulk", None) if count < 0 else (BLOBS[kind], self._blob(count))
        if kind in ARRAYS:
            return ("nullarray", None) if count < 0 else (ARRAYS[kind], self._many(count))
        if kind in PAIRS:
            return (PAIRS[kind], tuple((self.read(), self.read()) for _ in range(count)))
        raise ValueError(f"not a reply: {line!r}")

    def _many(self, count: int) -> tuple[Reply, ...]:
        return tuple(self.read() for _ in range(count))

    def _blob(self, count: int) -> bytes:
        data = self._file.read(count + 2)
        if len(data) != count + 2:
            raise ClosedError(data)
        return data[:-2]
