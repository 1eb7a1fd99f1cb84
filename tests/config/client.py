"""A client for tests: one command, one reply, over a loopback connection."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Self, TypeAlias

if TYPE_CHECKING:
    from types import TracebackType

REPLY_SECONDS = 10.0

Reply: TypeAlias = "bytes | int | list[Reply] | ErrorReply | None"


class ErrorReply(str):
    """The text of an error reply."""

    __slots__ = ()


class Client:
    """A connection; use it as a context manager."""

    def __init__(self, address: tuple[str, int]) -> None:
        self._socket = socket.create_connection(address, timeout=REPLY_SECONDS)
        self._file = self._socket.makefile("rb")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()
        self._socket.close()

    def call(self, *words: str | bytes) -> Reply:
        """Send a command and return its reply; simple strings and bulks are both bytes."""
        raw = [word if isinstance(word, bytes) else word.encode() for word in words]
        parts = [b"*%d\r\n" % len(raw), *(b"$%d\r\n%b\r\n" % (len(word), word) for word in raw)]
        self._socket.sendall(b"".join(parts))
        return self._read()

    def config_get(self, *patterns: str) -> dict[str, str]:
        """Return the reply of CONFIG GET."""
        reply = self.call("CONFIG", "GET", *patterns)
        assert isinstance(reply, list), reply
        words = [word.decode() for word in reply if isinstance(word, bytes)]
        return dict(zip(words[::2], words[1::2], strict=True))

    def _read(self) -> Reply:
        line = self._file.readline()
        assert line.endswith(b"\r\n"), "the server has closed the connection"
        kind, rest = line[:1], line[1:-2]
        if kind == b"+":
            return rest
        if kind == b"-":
            return ErrorReply(rest.decode())
        if kind == b":":
            return int(rest)
        if int(rest) < 0:
            return None
        if kind == b"$":
            return self._file.read(int(rest) + 2)[:-2]
        assert kind == b"*", line
        return [self._read() for _ in range(int(rest))]
