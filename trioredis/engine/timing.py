"""What took long: entries of the slow log and the delays of the latency monitor."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, final

from trioredis.engine._native import ffi, lib
from trioredis.engine.engine import Engine


@final
@dataclass(frozen=True, slots=True)
class SlowEntry:
    """A command of the slow log; its arguments are not for the log. ``argc`` counts its name too."""

    id: int
    client_id: int
    addr: str
    client_name: str
    command: str
    argc: int
    duration_us: int


@final
@dataclass(frozen=True, slots=True)
class Delays:
    """What is known of one latency event: pairs (seconds since 1970, milliseconds), the oldest first; never empty."""

    name: bytes
    samples: tuple[tuple[int, int], ...]
    max_ms: int


def slow_entries(engine: Engine, first: int) -> Iterator[SlowEntry]:
    """Yield the entries of the slow log from the id ``first`` on, the oldest first."""
    out = ffi.new("tr_api_slow *")
    while lib.tr_api_slow_from(engine._g, first, out):
        first = out.id + 1
        yield SlowEntry(
            id=out.id,
            client_id=out.client_id,
            addr=_text(out.addr, out.addr_len),
            client_name=_text(out.name, out.name_len),
            command=str(ffi.string(out.command), "utf-8", "surrogateescape"),
            argc=out.argc,
            duration_us=out.us,
        )


def delays_of(engine: Engine, event: bytes) -> Delays | None:
    """The delays of one event; None: there is no such event."""
    times, amounts = ffi.new("int64_t[]", lib.TR_DELAYS), ffi.new("int64_t[]", lib.TR_DELAYS)
    longest = ffi.new("int64_t *")
    count = lib.tr_api_latency_delays(engine._g, event, len(event), times, amounts, longest)
    if count <= 0:
        return None
    return Delays(event, tuple(zip(times[0:count], amounts[0:count], strict=True)), longest[0])


def all_delays(engine: Engine) -> list[Delays]:
    """The delays of every event, in the order in which the events came up."""
    found, index = [], 0
    while (name := lib.tr_api_latency_event(engine._g, index)) != ffi.NULL:
        delays = delays_of(engine, ffi.string(name))
        assert delays is not None
        found.append(delays)
        index += 1
    return found


def forget_delays(engine: Engine, event: bytes | None = None) -> int:
    """Forget one event, or all; returns how many went."""
    if event is None:
        return int(lib.tr_api_latency_reset(engine._g, ffi.NULL, 0))
    return int(lib.tr_api_latency_reset(engine._g, event, len(event)))


def _text(p: Any, size: int) -> str:
    return str(ffi.buffer(p, size)[:], "utf-8", "surrogateescape")
