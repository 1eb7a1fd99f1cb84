"""Seeing inside: logs, INFO, and the figures behind them."""

from __future__ import annotations

from trioredis.observability.capture import CapturedEvent, LogCapture
from trioredis.observability.events import EVENTS
from trioredis.observability.faults import error_text, traceback_text
from trioredis.observability.formats import LogFormat, TimestampFormat
from trioredis.observability.levels import LogLevel, Role
from trioredis.observability.log import Log, LogContractError
from trioredis.observability.logging import LogOutput, LogSettings, LogStatistics, configure
from trioredis.observability.redact import Redacted

__all__ = [
    "EVENTS",
    "CapturedEvent",
    "Log",
    "LogCapture",
    "LogContractError",
    "LogFormat",
    "LogLevel",
    "LogOutput",
    "LogSettings",
    "LogStatistics",
    "Redacted",
    "Role",
    "TimestampFormat",
    "configure",
    "error_text",
    "traceback_text",
]
