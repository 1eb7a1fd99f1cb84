"""What the engine noticed for the log: connections that ended badly, floods, slow turns, limits."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any, Final, final

from trioredis.engine._native import ffi, lib
from trioredis.engine.engine import Engine, check

CLIENT_CLASSES: Final = ("normal", "replica", "pubsub")


@final
@dataclass(frozen=True, slots=True)
class Obituary:
    """A connection that ended badly. Sizes are bytes, times microseconds.

    ``pending_bytes`` and ``limit_bytes`` belong to the limit that it broke, if it was one; ``detail`` says what was
    wrong with what it sent.
    """

    addr: str
    commands: int
    age_us: int
    idle_us: int
    client_class: str
    pending_bytes: int
    limit_bytes: int
    soft: bool
    detail: str


@final
@dataclass(frozen=True, slots=True)
class WatchNotes:
    """What happened since the last time. Sizes are bytes, times nanoseconds.

    ``rejected`` and ``denied`` count connections turned away (too many clients, protected mode), with the address of
    the last one; ``cross_...`` is about those of browsers, with the word that gave the last away. ``turn_...`` is about
    the longest turn of the loop. ``flush_db`` -1 means all databases. ``slow_next`` is the id that the next entry of
    the slow log gets; ``busy_...`` is about commands that took longer than busy-reply-threshold, and the last of them.
    """

    rejected: int
    rejected_addr: str
    denied: int
    denied_addr: str
    cross_protocol: int
    cross_client: int
    cross_addr: str
    cross_sign: str
    turn_ns: int
    turn_commands: int
    slowest: str
    slowest_ns: int
    evicted_keys: int
    evicted_bytes: int
    flushes: int
    flushed_keys: int
    flush_client: int
    flush_db: int
    flush_lazy: bool
    swaps: int
    swap_client: int
    swapped: tuple[int, int]
    slow_next: int = 0
    busy: int = 0
    busy_client: int = 0
    busy_command: str = ""
    busy_ns: int = 0


def take_obituary(engine: Engine, ident: int) -> Obituary | None:
    """Take what is known of a client whose CLOSED event was taken just now; None: it ended well."""
    out = ffi.new("tr_obituary *")
    if not lib.tr_obituary_take(engine._g, ident, out):
        return None
    return Obituary(
        addr=_text(out.addr),
        commands=out.commands,
        age_us=out.age_us,
        idle_us=out.idle_us,
        client_class=CLIENT_CLASSES[out.out_class],
        pending_bytes=out.pending_bytes,
        limit_bytes=out.limit_bytes,
        soft=bool(out.soft),
        detail=_text(out.detail),
    )


@final
class EngineWatch:
    """Asks one engine what happened. Cheap enough for every run of the regular work."""

    __slots__ = ("_engine", "_out")

    def __init__(self, engine: Engine) -> None:
        self._engine: Final = engine
        self._out: Final = ffi.new("tr_watch *")

    def take(self) -> WatchNotes:
        """What happened since the last call."""
        out = self._out
        lib.tr_watch_take(self._engine._g, out)
        did = out.notes
        return WatchNotes(
            rejected=out.rejected,
            rejected_addr=_text(out.rejected_addr),
            denied=out.denied,
            denied_addr=_text(out.denied_addr),
            cross_protocol=out.cross_protocol,
            cross_client=out.cross_client,
            cross_addr=_text(out.cross_addr),
            cross_sign=_text(out.cross_sign),
            turn_ns=out.turn_ns,
            turn_commands=out.turn_commands,
            slowest="" if out.slowest == ffi.NULL else _text(out.slowest),
            slowest_ns=out.slowest_ns,
            evicted_keys=out.evicted_keys,
            evicted_bytes=out.evicted_bytes,
            flushes=did.flushes,
            flushed_keys=did.flushed_keys,
            flush_client=did.flush_client,
            flush_db=did.flush_db,
            flush_lazy=bool(did.flush_lazy),
            swaps=did.swaps,
            swap_client=did.swap_client,
            swapped=(did.swap_first, did.swap_second),
            slow_next=out.slow_next,
            busy=did.busy,
            busy_client=did.busy_client,
            busy_command="" if did.busy_command == ffi.NULL else _text(did.busy_command),
            busy_ns=did.busy_ns,
        )

    def counted_memory(self) -> int:
        """Bytes that count against maxmemory."""
        return int(lib.tr_api_counted_memory(self._engine._g))

    def is_over_limit(self) -> bool:
        """Whether memory is above maxmemory and evicting does not help."""
        return bool(lib.tr_api_is_over_limit(self._engine._g))

    def listener_trouble(self, ident: int) -> str:
        """Why a listener cannot accept, in the system's words; empty: it can."""
        number = lib.tr_engine_listener_trouble(self._engine._g, ident)
        return os.strerror(number) if number else ""


def rename_command(engine: Engine, old: bytes, new: bytes) -> None:
    """Give a command another name, or with an empty one none.

    Raises:
        EngineError: there is no command ``old``, ``new`` is one already, no memory, or too many names.
    """
    check(lib.tr_api_rename(engine._g, old, len(old), new, len(new)))


def _text(p: Any) -> str:
    return str(ffi.string(p), "utf-8", "surrogateescape")
