"""The object that the server logs with: `Log.emit` one event, `Log.bind` context to many.

    log = output.log.bind(client_id=7, addr="127.0.0.1:52100")
    log.emit(EVENTS.CLIENT_CLOSED, reason="eof", age_ms=1250, commands=12)

The catalogue is the contract: an event that is not in it, a field that its event does not have, one that is missing
or of the wrong kind is a `LogContractError` when the output is strict (tests are). Otherwise nothing is ever raised:
the line is written with what there is, and a ``log.bad_event`` line, once per event, says what was wrong.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, final

from trioredis.observability.events import CONTEXT_FIELDS, is_known

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trioredis.observability.event import Event
    from trioredis.observability.levels import LogLevel


class LogContractError(Exception):
    """The caller used the log against the catalogue. Raised in strict mode only."""


class Destination(Protocol):
    """Where checked events go. ``write`` never raises and never waits."""

    @property
    def level(self) -> LogLevel:
        """Less important events are not written."""

    @property
    def strict(self) -> bool:
        """Whether misuse of the catalogue is raised instead of reported."""

    def write(self, event: Event, fields: Mapping[str, object]) -> None:
        """Take one event with all its fields, bound ones first."""

    def report(self, problem: str, event_id: str) -> None:
        """Take note that ``event_id`` was logged wrongly."""


@final
class Log:
    """Context and a destination. Immutable: `bind` makes another one, so it may be shared and kept."""

    __slots__ = ("_context", "_destination")

    def __init__(self, destination: Destination, context: Mapping[str, object] | None = None) -> None:
        self._destination = destination
        self._context = dict(context or {})

    def bind(self, **context: object) -> Log:
        """A log that adds ``context`` to every event; a name given twice has the newer value.

        Raises LogContractError in strict mode for a name that is no context field.
        """
        known: dict[str, object] = {}
        for name, value in context.items():
            spec = CONTEXT_FIELDS.get(name)
            if spec is None or not spec.type.accepts(value):
                self._complain(f"context {name} is unknown or of type {type(value).__name__}", "bind")
            else:
                known[name] = value
        return Log(self._destination, self._context | known)

    def is_enabled(self, event: Event) -> bool:
        """Whether `emit` would write the event now; for callers whose fields are dear to compute."""
        return event.level >= self._destination.level

    def emit(self, event: Event, /, **fields: object) -> None:
        """Log ``event`` with ``fields`` and the bound context. Never waits.

        Raises LogContractError in strict mode when the call does not keep to the catalogue.
        """
        destination = self._destination
        if not is_known(event):
            self._complain("the event is not in the catalogue", str(getattr(event, "id", "unknown")))
            return
        if destination.strict or event.level >= destination.level:
            given = self._context | fields
            for problem in check_fields(event, fields, given):
                self._complain(problem, event.id)
            if event.level >= destination.level:
                destination.write(event, given)

    def _complain(self, problem: str, event_id: str) -> None:
        if self._destination.strict:
            raise LogContractError(f"{event_id}: {problem}")
        self._destination.report(problem, event_id)


def check_fields(event: Event, fields: Mapping[str, object], given: Mapping[str, object]) -> list[str]:
    """What is wrong with ``fields``; ``given`` has the bound context too, which may supply required fields."""
    problems = [f"field {one.name} is missing" for one in event.fields if one.required and one.name not in given]
    for name, value in fields.items():
        spec = event.field(name) or CONTEXT_FIELDS.get(name)
        if spec is None:
            problems.append(f"field {name} is unknown")
        elif not spec.type.accepts(value):
            problems.append(f"field {name} is of type {type(value).__name__}, not {spec.type.value}")
    return problems
