"""The C engine behind plain Python values; the only room that touches the extension module."""

from __future__ import annotations

from trioredis.engine.engine import Engine, RunningCommand, compiler, error_codes
from trioredis.engine.helpers import (
    FailKind,
    HelperEvent,
    HelperFiles,
    HelperInfo,
    Helpers,
    HelperState,
    RuntimeCommand,
    ServerEvent,
)
from trioredis.engine.process import disable_huge_pages, set_title
from trioredis.engine.timing import Delays, SlowEntry, all_delays, delays_of, forget_delays, slow_entries
from trioredis.engine.types import (
    ClientInfo,
    CloseReason,
    CommandStats,
    DatabaseStats,
    EngineError,
    EngineStats,
    Event,
    EventKind,
    Polled,
    Settings,
)
from trioredis.engine.watch import EngineWatch, Obituary, WatchNotes, rename_command, take_obituary

__all__ = [
    "ClientInfo",
    "CloseReason",
    "CommandStats",
    "DatabaseStats",
    "Delays",
    "Engine",
    "EngineError",
    "EngineStats",
    "EngineWatch",
    "Event",
    "EventKind",
    "FailKind",
    "HelperEvent",
    "HelperFiles",
    "HelperInfo",
    "HelperState",
    "Helpers",
    "Obituary",
    "Polled",
    "RunningCommand",
    "RuntimeCommand",
    "ServerEvent",
    "Settings",
    "SlowEntry",
    "WatchNotes",
    "all_delays",
    "compiler",
    "delays_of",
    "disable_huge_pages",
    "error_codes",
    "forget_delays",
    "rename_command",
    "set_title",
    "slow_entries",
    "take_obituary",
]
