"""Listening: which sockets the configuration asks for, and what is said when one can't be had."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Final, final

from trioredis.config import Config
from trioredis.engine import Engine, EngineError, error_codes
from trioredis.observability import EVENTS, Log

_CODES: Final = error_codes(["TR_EADDRINUSE", "TR_EACCES", "TR_ENOTSUP", "TR_EIO", "TR_EEXIST", "TR_EINVAL"])
_ABSENT_ERRNOS: Final = frozenset({"EADDRNOTAVAIL", "EAFNOSUPPORT", "EPROTONOSUPPORT", "ESOCKTNOSUPPORT", "EPFNOSUPPORT"})


class ListenError(Exception):
    """An address can't be listened on; the text is one clear line."""


@final
@dataclass(frozen=True, slots=True)
class Listener:
    """An open listening socket: a host and port, or a path."""

    host: str
    port: int
    path: str

    @property
    def name(self) -> str:
        """As shown in logs: ``127.0.0.1:6379``, ``[::1]:6379`` or the path."""
        if self.path:
            return self.path
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def open_listeners(engine: Engine, config: Config, log: Log, *, any_port: bool) -> tuple[Listener, ...]:
    """Open all sockets that the configuration asks for.

    Args:
        any_port: with ``port 0`` the kernel picks one, the same for all addresses; otherwise it means no TCP.

    Raises:
        ListenError: one can't be opened; those that were are closed with the engine.
    """
    found = []
    port = config.port
    for address in config.bind if port or any_port else ():
        optional, host = address.startswith("-"), address.removeprefix("-")
        listener = _listen_tcp(engine, host, port, config.tcp_backlog, optional=optional)
        if listener is not None:
            found.append(listener)
            port = listener.port
    if config.unixsocket:
        found.append(_listen_unix(engine, config))
    for listener in found:
        log.emit(EVENTS.LISTENER_OPEN, listener=listener.name, kind="unix" if listener.path else "tcp")
    return tuple(found)


def _listen_tcp(engine: Engine, host: str, port: int, backlog: int, *, optional: bool) -> Listener | None:
    try:
        return Listener(host, engine.listen_tcp(host, port, backlog), "")
    except EngineError as error:
        if optional and _is_absent(error):
            return None
        raise ListenError(f"cannot listen on {host} port {port}: {_reason(error)}") from error


def _listen_unix(engine: Engine, config: Config) -> Listener:
    path = config.unixsocket
    try:
        engine.listen_unix(path, config.unixsocketperm, config.tcp_backlog)
    except EngineError as error:
        raise ListenError(f"cannot listen on Unix socket {path}: {_reason(error)}") from error
    return Listener("", 0, path)


def _is_absent(error: EngineError) -> bool:
    import errno

    return errno.errorcode.get(error.errno) in _ABSENT_ERRNOS or error.code == _CODES["TR_ENOTSUP"]


def _reason(error: EngineError) -> str:
    if error.code == _CODES["TR_EADDRINUSE"]:
        return "the address is in use by another process"
    if error.code == _CODES["TR_EIO"] and error.errno:
        return os.strerror(error.errno)
    return str(error)
