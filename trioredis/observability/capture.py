"""A log that remembers instead of writing: the fake for tests of everything that logs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from trioredis.observability.formats import clean_fields, render_message
from trioredis.observability.levels import LogLevel
from trioredis.observability.log import Log

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trioredis.observability.event import Event
    from trioredis.observability.redact import Clean


@dataclass(frozen=True, slots=True)
class CapturedEvent:
    """One event as it would have been written: cleaned fields, bound context included."""

    event: Event
    message: str
    fields: dict[str, Clean]


@final
class LogCapture:
    """Collects events in ``events``; strict, so that misuse of the catalogue fails the test.

    ``log`` is the `Log` to hand to the code under test.
    """

    def __init__(self, level: LogLevel = LogLevel.DEBUG, *, strict: bool = True) -> None:
        self.level = level
        self.strict = strict
        self.events: list[CapturedEvent] = []
        self.problems: list[str] = []
        self.log = Log(self)

    def write(self, event: Event, fields: Mapping[str, object]) -> None:
        """Remember one event. Called by `Log.emit`."""
        cleaned = clean_fields(event, fields)
        self.events.append(CapturedEvent(event, render_message(event, cleaned), cleaned))

    def report(self, problem: str, event_id: str) -> None:
        """Remember a misuse; called when ``strict`` is off."""
        self.problems.append(f"{event_id}: {problem}")

    def ids(self) -> list[str]:
        """Ids of the events so far, in order."""
        return [one.event.id for one in self.events]

    def of(self, event: Event) -> list[CapturedEvent]:
        """All captured events of one kind."""
        return [one for one in self.events if one.event is event]
