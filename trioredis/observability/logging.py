"""Logging of the server: `configure` makes a `LogOutput` from settings, ``output.log`` is what the server logs with.

Nothing here is global: several servers in one process have an output each, and structlog's own configuration and the
standard library's loggers are left to the program around us. An output belongs to one thread.
"""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, final

from trioredis.observability.events import EVENTS
from trioredis.observability.formats import (
    ConsoleRenderer,
    JsonRenderer,
    LogFormat,
    Pipeline,
    Renderer,
    Stamp,
    TimestampFormat,
    legacy_rest,
    render_legacy,
    render_logfmt,
)
from trioredis.observability.levels import LogLevel, Role
from trioredis.observability.log import Log
from trioredis.observability.sink import (
    FACILITIES,
    SYSLOG_PATH,
    FileSink,
    Sink,
    SinkStatistics,
    SyslogSink,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from trioredis.observability.event import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSettings:
    """The directives about logging, in the configuration's words.

    ``strict`` makes misuse of the catalogue an error: for tests. ``colours`` None means: in colours when the output is
    a terminal and the environment variable NO_COLOR is not set.
    """

    level: LogLevel = LogLevel.NOTICE
    logfile: str = ""
    format: LogFormat = LogFormat.LEGACY
    timestamps: TimestampFormat = TimestampFormat.LEGACY
    syslog_enabled: bool = False
    syslog_ident: str = "redis"
    syslog_facility: str = "local0"
    syslog_path: str = SYSLOG_PATH
    strict: bool = False
    colours: bool | None = None

    def __post_init__(self) -> None:
        if self.syslog_facility.lower() not in FACILITIES:
            raise ValueError(f"unknown syslog facility {self.syslog_facility!r}")


@dataclass(frozen=True, slots=True)
class LogStatistics:
    """What happened to the log lines. ``syslog`` is None when syslog is off; ``bad_events`` counts misuse."""

    file: SinkStatistics
    syslog: SinkStatistics | None
    bad_events: int


def configure(
    settings: LogSettings,
    *,
    stdout_fd: int | None = 1,
    clock_ns: Callable[[], int] = time.time_ns,
) -> LogOutput:
    """Open the log as ``settings`` say. The caller closes what it gets.

    Call it after the process has gone to the background: standard output is looked at here.

    Args:
        settings: what, where and how to log.
        stdout_fd: the descriptor used for an empty ``logfile``; None when there is none.
        clock_ns: gives nanoseconds since 1970.

    Raises:
        OSError: the log file cannot be opened.
    """
    if stdout_fd == 1 and sys.__stdout__ is None:
        stdout_fd = None  # closed when Python started; number 1 may be any file now
    return LogOutput(settings, FileSink(settings.logfile, stdout_fd), clock_ns)


@final
class LogOutput:
    """An open log: renders events and hands the lines to a file or standard output, and to syslog.

    ``log`` is the root `Log`. ``level`` and ``role`` may be set at any time.
    """

    def __init__(self, settings: LogSettings, file: FileSink, clock_ns: Callable[[], int] = time.time_ns) -> None:
        self.level = settings.level
        self.role = Role.MASTER
        self.strict: Final = settings.strict
        self.log: Final = Log(self)
        self._settings = settings
        self._file: Final = file
        self._syslog: Final = (
            SyslogSink(settings.syslog_ident, settings.syslog_facility, settings.syslog_path)
            if settings.syslog_enabled
            else None
        )
        self._clock_ns: Final = clock_ns
        self._bad_events = 0
        self._complained: Final[set[str]] = set()
        self._to_file = self._file_pipeline()
        self._to_syslog = self._syslog_pipeline()

    def write(self, event: Event, fields: Mapping[str, object]) -> None:
        """Render ``event`` and write it. Never raises, never waits for a reader. Normally called by `Log.emit`."""
        self._write_to(self._file, self._to_file, event, fields)
        if self._syslog is not None:
            self._write_to(self._syslog, self._to_syslog, event, fields)

    def report(self, problem: str, event_id: str) -> None:
        """Log, once for each event, that ``event_id`` was emitted against the catalogue."""
        self._bad_events += 1
        if event_id not in self._complained:
            self._complained.add(event_id)
            if EVENTS.LOG_BAD_EVENT.level >= self.level:
                self.write(EVENTS.LOG_BAD_EVENT, {"bad_event": event_id, "problem": problem})

    def set_format(self, format: LogFormat | None = None, timestamps: TimestampFormat | None = None) -> None:
        """Change how lines look from now on; None keeps what is."""
        self._settings = replace(
            self._settings,
            format=format or self._settings.format,
            timestamps=timestamps or self._settings.timestamps,
        )
        self._to_file = self._file_pipeline()
        self._to_syslog = self._syslog_pipeline()

    def reopen(self) -> bool:
        """Open the log file again, for SIGHUP. Logs the outcome and tells whether it worked; never raises."""
        try:
            self._file.reopen()
        except OSError as error:
            self.log.emit(
                EVENTS.LOG_REOPEN_FAILED,
                file=self._settings.logfile,
                error=error.strerror or str(error),
            )
            return False
        self._to_file = self._file_pipeline()
        self.log.emit(EVENTS.LOG_REOPENED, file=self._settings.logfile)
        return True

    def statistics(self) -> LogStatistics:
        """Lines written and lost."""
        syslog = None if self._syslog is None else self._syslog.statistics()
        return LogStatistics(self._file.statistics(), syslog, self._bad_events)

    def close(self) -> None:
        """Tell what was lost if that is possible now, and close all outputs. Later lines are dropped."""
        _tell_lost(self._file, self._to_file)
        self._file.close()
        if self._syslog is not None:
            _tell_lost(self._syslog, self._to_syslog)
            self._syslog.close()

    @staticmethod
    def _write_to(sink: Sink, pipeline: Pipeline, event: Event, fields: Mapping[str, object]) -> None:
        # The line about lost ones stands where they are missing, or nothing follows them.
        if _tell_lost(sink, pipeline):
            sink.write(event.level, pipeline.render(event, fields))
        else:
            sink.drop(sink.last_error)

    def _file_pipeline(self) -> Pipeline:
        return self._pipeline(self._file_renderer())

    def _syslog_pipeline(self) -> Pipeline:
        # Syslog has its own head, so a legacy line goes there without one.
        if self._settings.format is LogFormat.LEGACY:
            return self._pipeline(lambda _logger, _method, fields: legacy_rest(fields))
        return self._pipeline(self._plain_renderer())

    def _pipeline(self, renderer: Renderer) -> Pipeline:
        return Pipeline(Stamp(self._settings.timestamps, lambda: self.role, self._clock_ns), renderer)

    def _file_renderer(self) -> Renderer:
        colours = self._settings.colours
        if colours is None:
            colours = self._file.is_tty and not os.environ.get("NO_COLOR")
        if colours and self._settings.format is LogFormat.LEGACY:
            return ConsoleRenderer()
        return self._plain_renderer()

    def _plain_renderer(self) -> Renderer:
        match self._settings.format:
            case LogFormat.LEGACY:
                return render_legacy
            case LogFormat.LOGFMT:
                return render_logfmt
            case LogFormat.JSON:
                return JsonRenderer(self._settings.timestamps)


def _tell_lost(sink: Sink, pipeline: Pipeline) -> bool:
    """Write the line about lost lines if there are any. False when it could not be written."""
    if sink.pending_lost == 0:
        return True
    event = EVENTS.LOG_LOST
    fields = {"lines": sink.pending_lost, "error": sink.last_error, "output": sink.name}
    return sink.tell_lost(event.level, pipeline.render(event, fields))
