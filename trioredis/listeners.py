"""Listening: which sockets the configuration asks for, and what is said when one can't be had."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, final

from trioredis.config import Config
from trioredis.engine import Engine, EngineError, error_codes
from trioredis.observability import EVENTS, Log

_CODES: Final = error_codes(["TR_EADDRINUSE", "TR_EACCES", "TR_ENOTSUP", "TR_EIO", "TR_EEXIST", "TR_EINVAL"])
_ABSENT_ERRNOS: Final = frozenset(
    {"EADDRNOTAVAIL", "EAFNOSUPPORT", "EPROTONOSUPPORT", "ESOCKTNOSUPPORT", "EPFNOSUPPORT"}
)


class ListenError(Exception):
    """An address can't be listened on; the text is one clear line.

    Args:
        what: the address in words.
        name: the address as logs show it.
        reason: what the system said.
    """

    def __init__(self, what: str, name: str, reason: str) -> None:
        super().__init__(f"cannot listen on {what}: {reason}")
        self.name = name
        self.reason = reason


@final
@dataclass(frozen=True, slots=True)
class Listener:
    """An open listening socket: a host and port, or a path. ``ident`` is the engine's number for it."""

    host: str
    port: int
    path: str
    ident: int

    @property
    def kind(self) -> str:
        """``tcp`` or ``unix``."""
        return "unix" if self.path else "tcp"

    @property
    def name(self) -> str:
        """As shown in logs: ``127.0.0.1:6379``, ``[::1]:6379`` or the path."""
        return self.path or _tcp_name(self.host, self.port)


def _tcp_name(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


@final
class Listeners:
    """The listening sockets of one server, kept as the configuration has them.

    Args:
        any_port: with ``port 0`` the kernel picks one, the same for all addresses; otherwise it means no TCP.
    """

    def __init__(self, engine: Engine, config: Config, log: Log, *, any_port: bool) -> None:
        self._engine: Final = engine
        self._config: Final = config
        self._log: Final = log
        self._any_port: Final = any_port
        self._picked_port = 0
        self.open: tuple[Listener, ...] = ()

    def follow(self) -> None:
        """Close what the configuration no longer asks for, then open what is missing. Never waits.

        Raises:
            ListenError: an address can't be had; whatever else is wanted and could be opened before is open.
        """
        port = self._config.port or self._picked_port
        hosts = self._config.bind if port or self._any_port else ()
        names = {host.removeprefix("-") for host in hosts}
        for one in self.open:
            wanted = one.path == self._config.unixsocket if one.path else one.port == port and one.host in names
            if not wanted:
                self._close(one)
        for host in hosts:
            self._open_tcp(host.removeprefix("-"), optional=host.startswith("-"))
        if self._config.unixsocket and not any(one.path for one in self.open):
            self._open_unix()

    def close(self) -> None:
        """Close all of them."""
        for one in self.open:
            self._close(one)

    def _close(self, one: Listener) -> None:
        self._engine.unlisten(one.ident)
        if one.path:
            _remove(one.path)
        if one.path:
            Path(one.path).unlink(missing_ok=True)
        self.open = tuple(other for other in self.open if other is not one)
        self._log.emit(EVENTS.LISTENER_CLOSED, listener=one.name)

    def _add(self, one: Listener) -> None:
        self.open = (*self.open, one)
        self._log.emit(EVENTS.LISTENER_OPEN, listener=one.name, kind=one.kind)

    def _open_tcp(self, host: str, *, optional: bool) -> None:
        port = self._config.port or self._picked_port
        if any(one.host == host and not one.path for one in self.open):
            return
        try:
            ident, port = self._engine.listen_tcp(host, port, self._config.tcp_backlog)
        except EngineError as error:
            if optional and _is_absent(error):
                return
            raise ListenError(f"{host} port {port}", _tcp_name(host, port), _reason(error)) from error
        if not self._config.port:
            self._picked_port = port
        self._add(Listener(host, port, "", ident))

    def _open_unix(self) -> None:
        path = self._config.unixsocket
        try:
            ident = self._engine.listen_unix(path, self._config.unixsocketperm, self._config.tcp_backlog)
        except EngineError as error:
            raise ListenError(f"Unix socket {path}", path, _reason(error)) from error
        self._add(Listener("", 0, path, ident))


def _remove(path: str) -> None:
    """Remove the file of a Unix socket that nobody listens at any more, if nobody else has."""
    with suppress(OSError):
        os.unlink(path)


def _is_absent(error: EngineError) -> bool:
    return errno.errorcode.get(error.errno) in _ABSENT_ERRNOS or error.code == _CODES["TR_ENOTSUP"]


def _reason(error: EngineError) -> str:
    if error.code == _CODES["TR_EADDRINUSE"]:
        return "the address is in use by another process"
    if error.code == _CODES["TR_EIO"] and error.errno:
        return os.strerror(error.errno)
    return str(error)
