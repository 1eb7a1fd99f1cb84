"""How a log line looks: structlog processors that turn an event's fields into one line of text.

The pipeline is `Stamp`, then one renderer. `Stamp` puts the head (process id, role, time, level, message, event id)
in front of the cleaned fields; the renderers only write. A rendered line has no line break.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass
from enum import Enum, unique
from typing import TYPE_CHECKING, Any, Final, final

import structlog

from trioredis.observability.events import CONTEXT_FIELDS
from trioredis.observability.levels import LogLevel, Role
from trioredis.observability.redact import Clean, clean_value

if TYPE_CHECKING:
    from trioredis.observability.event import Event

MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
BARE_VALUE: Final = re.compile(r"[A-Za-z0-9_.:/@%+*,|<>()\[\]-]+")
HEAD_NAMES: Final = ("pid", "role", "timestamp", "level", "message", "event")
SPEC_KEY: Final = "_spec"  # where the pipeline carries the Event; no field name starts with _

LINE_BYTES_MAX: Final = 4096  # PIPE_BUF of Linux: a write up to this size to a pipe is never torn
# Characters that a field may have: tried one after the other until the line fits.
SHORTER_FIELDS: Final = (sys.maxsize, 1024, 256, 64, 16)

EventDict = MutableMapping[str, Any]
Renderer = Callable[[object, str, EventDict], str]


@unique
class LogFormat(Enum):
    """Values of ``log-format``."""

    LEGACY = "legacy"
    LOGFMT = "logfmt"
    JSON = "json"


@unique
class TimestampFormat(Enum):
    """Values of ``log-timestamp-format``."""

    LEGACY = "legacy"
    ISO8601 = "iso8601"
    MILLISECONDS = "milliseconds"


def format_time(unix_ns: int, how: TimestampFormat) -> str:
    """The moment ``unix_ns`` (nanoseconds since 1970) in local time, or as milliseconds since 1970."""
    seconds, rest_ns = divmod(unix_ns, 1_000_000_000)
    ms = rest_ns // 1_000_000
    if how is TimestampFormat.MILLISECONDS:
        return str(seconds * 1000 + ms)
    at = time.localtime(seconds)
    clock = f"{at.tm_hour:02d}:{at.tm_min:02d}:{at.tm_sec:02d}.{ms:03d}"
    if how is TimestampFormat.LEGACY:
        # strftime would use the locale's month names.
        return f"{at.tm_mday:02d} {MONTHS[at.tm_mon - 1]} {at.tm_year:04d} {clock}"
    sign, offset_min = ("-" if at.tm_gmtoff < 0 else "+"), abs(at.tm_gmtoff) // 60
    zone = f"{sign}{offset_min // 60:02d}:{offset_min % 60:02d}"
    return f"{at.tm_year:04d}-{at.tm_mon:02d}-{at.tm_mday:02d}T{clock}{zone}"


def to_text(value: Clean) -> str:
    """A cleaned value as text; truth values are ``true`` and ``false``, items are joined by commas."""
    if isinstance(value, tuple):
        return ",".join(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def quoted(plain: str) -> str:
    """``plain`` in double quotes, with quotes and backslashes escaped."""
    return '"' + plain.replace("\\", "\\\\").replace('"', '\\"') + '"'


def logfmt_value(value: Clean) -> str:
    """What stands behind ``key=`` in logfmt: bare where that is unambiguous, else in double quotes."""
    plain = to_text(value)
    return plain if BARE_VALUE.fullmatch(plain) else quoted(plain)


def legacy_value(value: Clean) -> str:
    """What stands behind ``key=`` in a legacy line: cleaned text has its backslashes doubled already."""
    plain = to_text(value)
    return plain if BARE_VALUE.fullmatch(plain) else '"' + plain.replace('"', '\\"') + '"'


def clean_fields(event: Event, fields: Mapping[str, object], chars_max: int = sys.maxsize) -> dict[str, Clean]:
    """``fields`` with every value fit for the log, each cut to the length that its description allows.

    Args:
        event: says which fields there are.
        fields: what was given.
        chars_max: a tighter limit for every field.

    What neither the event nor the context knows is left out: nobody has said that it may be logged.
    """
    cleaned: dict[str, Clean] = {}
    for name, value in fields.items():
        spec = event.field(name) or CONTEXT_FIELDS.get(name)
        if spec is not None:
            cleaned[name] = clean_value(name, value, min(spec.chars_max, chars_max))
    return cleaned


class _Shown(dict[str, Any]):
    """Values for a message template; a field that was not given shows as a question mark."""

    def __missing__(self, name: str) -> str:
        return "?"


def render_message(event: Event, cleaned: Mapping[str, Clean]) -> str:
    """The text of ``event`` with its placeholders filled."""
    shown = {name: ", ".join(value) if isinstance(value, tuple) else value for name, value in cleaned.items()}
    return event.message.format_map(_Shown(shown))


@final
@dataclass(slots=True)
class Stamp:
    """First processor: head and cleaned fields.

    ``clock_ns`` gives nanoseconds since 1970; ``chars_max`` may be lowered to get shorter lines.
    """

    timestamps: TimestampFormat
    role: Callable[[], Role]
    clock_ns: Callable[[], int] = time.time_ns
    chars_max: int = sys.maxsize

    def __call__(self, logger: object, method: str, fields: EventDict) -> EventDict:
        """Called by structlog; the `Event` is in ``fields`` under `SPEC_KEY`."""
        event: Event = fields.pop(SPEC_KEY)
        fields.pop("event", None)
        cleaned = clean_fields(event, fields, self.chars_max)
        return {
            SPEC_KEY: event,
            "pid": os.getpid(),
            "role": self.role(),
            "timestamp": format_time(self.clock_ns(), self.timestamps),
            "level": event.level,
            "message": render_message(event, cleaned),
            "event": event.id,
            **cleaned,
        }


def context_of(fields: EventDict) -> dict[str, Clean]:
    """The fields that are not part of the head and have a value."""
    return {
        name: value
        for name, value in fields.items()
        if name not in HEAD_NAMES and name != SPEC_KEY and value is not None
    }


def legacy_rest(fields: EventDict) -> str:
    """Message and context of a legacy line: fields that the message spells out are not repeated."""
    spelled = fields[SPEC_KEY].names_in_message()
    pairs = [f" {name}={legacy_value(value)}" for name, value in context_of(fields).items() if name not in spelled]
    return "".join([fields["message"], *pairs])


def render_legacy(logger: object, method: str, fields: EventDict) -> str:
    """Redis' line: ``pid:role time mark message``, then the context."""
    role: Role = fields["role"]
    level: LogLevel = fields["level"]
    head = f"{fields['pid']}:{role.char} {fields['timestamp']} {level.char}"
    return f"{head} {legacy_rest(fields)}"


def render_logfmt(logger: object, method: str, fields: EventDict) -> str:
    """Valkey's logfmt line, then the event's id and the context."""
    role: Role = fields["role"]
    level: LogLevel = fields["level"]
    parts = [
        f"pid={fields['pid']}",
        f"role={role.structured_name}",
        f"timestamp={quoted(fields['timestamp'])}",
        f"level={level.structured_name}",
        f"message={quoted(fields['message'])}",
        f"event={fields['event']}",
    ]
    parts += [f"{name}={logfmt_value(value)}" for name, value in context_of(fields).items()]
    return " ".join(parts)


@final
class JsonRenderer:
    """One JSON object per line, ASCII only; a time in milliseconds is a number."""

    def __init__(self, timestamps: TimestampFormat) -> None:
        self._numeric_time: Final = timestamps is TimestampFormat.MILLISECONDS
        self._render: Final = structlog.processors.JSONRenderer(
            serializer=json.dumps, separators=(",", ":"), ensure_ascii=True
        )

    def __call__(self, logger: object, method: str, fields: EventDict) -> str:
        """Called by structlog as the last processor."""
        out = {name: value for name, value in fields.items() if name != SPEC_KEY}
        out["role"] = fields["role"].structured_name
        out["level"] = fields["level"].structured_name
        if self._numeric_time:
            out["timestamp"] = int(fields["timestamp"])
        line = self._render(logger, method, out)
        return line if isinstance(line, str) else line.decode("ascii")


@final
class ConsoleRenderer:
    """The legacy line in colours, for people at a terminal."""

    LEVEL_COLOURS: Final = {
        LogLevel.DEBUG: structlog.dev.DIM,
        LogLevel.VERBOSE: structlog.dev.BLUE,
        LogLevel.NOTICE: structlog.dev.GREEN,
        LogLevel.WARNING: structlog.dev.BRIGHT + structlog.dev.RED,
    }

    def __init__(self) -> None:
        dev = structlog.dev
        context = dev.KeyValueColumnFormatter(
            key_style=dev.CYAN, value_style="", reset_style=dev.RESET_ALL, value_repr=str
        )
        columns = [
            dev.Column("head", dev.KeyValueColumnFormatter(None, dev.DIM, dev.RESET_ALL, str)),
            dev.Column("mark", self._mark),
            dev.Column("message", self._message),
            dev.Column("", context),
        ]
        self._render: Final = dev.ConsoleRenderer(columns=columns, sort_keys=False)

    def __call__(self, logger: object, method: str, fields: EventDict) -> str:
        """Called by structlog as the last processor."""
        spelled = fields[SPEC_KEY].names_in_message()
        shown: EventDict = {
            "head": f"{fields['pid']}:{fields['role'].char} {fields['timestamp']}",
            "mark": fields["level"],
            "message": (fields["level"], fields["message"]),
        }
        for name, value in context_of(fields).items():
            if name not in spelled:
                shown[name] = legacy_value(value)
        return self._render(logger, method, shown)

    def _mark(self, key: str, value: object) -> str:
        assert isinstance(value, LogLevel)
        return f"{self.LEVEL_COLOURS[value]}{value.char}{structlog.dev.RESET_ALL}"

    def _message(self, key: str, value: object) -> str:
        assert isinstance(value, tuple)
        level, message = value
        strong = structlog.dev.BRIGHT if level is LogLevel.WARNING else ""
        return f"{strong}{message}{structlog.dev.RESET_ALL if strong else ''}"


@final
class Pipeline:
    """Stamp and renderer, run by structlog: an event and its fields in, one line out."""

    def __init__(self, stamp: Stamp, renderer: Renderer) -> None:
        self._stamp: Final = stamp
        self._bound: Final = _Bound(structlog.ReturnLogger(), [stamp, renderer], {})

    def render(self, event: Event, fields: Mapping[str, object]) -> str:
        """The line for ``event``, without a line break.

        A line that would exceed `LINE_BYTES_MAX` has its longest fields cut, so that it stays well-formed.
        """
        line = ""
        for self._stamp.chars_max in SHORTER_FIELDS:
            line = self._bound.render(event, fields)
            if len(line.encode("utf-8", "backslashreplace")) < LINE_BYTES_MAX:
                break
        return line


@final
class _Bound(structlog.BoundLoggerBase):
    """A structlog logger whose only method runs the processors and gives the line back."""

    def render(self, event: Event, fields: Mapping[str, object]) -> str:
        """Run the processors."""
        line = self._proxy_to_logger("msg", event.id, **{SPEC_KEY: event}, **fields)
        assert isinstance(line, str)
        return line
