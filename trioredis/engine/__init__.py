"""The C engine behind plain Python values; the only room that touches the extension module."""

from __future__ import annotations

from trioredis.engine.engine import Engine, RunningCommand, compiler, error_codes
from trioredis.engine.types import (
    ClientInfo,
    CloseReason,
    CommandStats,
    DatabaseStats,
    EngineError,
    EngineStats,
    Event,
    EventKind,
    OutputLimit,
    Polled,
    Settings,
)

__all__ = [
    "ClientInfo",
    "CloseReason",
    "CommandStats",
    "DatabaseStats",
    "Engine",
    "EngineError",
    "EngineStats",
    "Event",
    "EventKind",
    "OutputLimit",
    "Polled",
    "RunningCommand",
    "Settings",
    "compiler",
    "error_codes",
]
