"""Aim: no call of the log breaks the catalogue, also where no test runs it.

Method: the syntax trees of all modules of the server: every ``emit(EVENTS.X, ...)`` and ``log.bind(...)`` is compared
with the catalogue; broken samples prove that the comparison can fail.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from trioredis.observability.event import Event
from trioredis.observability.events import CONTEXT_FIELDS, EVENTS

PACKAGE = Path(__file__).parents[2] / "trioredis"


def event_named(node: ast.expr) -> Event | str | None:
    """The event of ``EVENTS.NAME``, the name if there is no such event, None for another expression."""
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "EVENTS":
        event = getattr(EVENTS, node.attr, None)
        return event if isinstance(event, Event) else node.attr
    return None


def problems_of_emit(call: ast.Call) -> list[str]:
    event = event_named(call.args[0]) if call.args else None
    if event is None:
        return []
    if isinstance(event, str):
        return [f"there is no event EVENTS.{event}"]
    given = {keyword.arg for keyword in call.keywords}
    described = {field.name for field in event.fields}
    problems = [
        f"{event.id} has no field {name}" for name in given if name and name not in described | CONTEXT_FIELDS.keys()
    ]
    if None not in given:  # no ** that could bring more
        required = {field.name for field in event.fields if field.required} - CONTEXT_FIELDS.keys()
        problems += [f"{event.id} needs field {name}" for name in sorted(required - given)]
    return problems


def problems_of_bind(call: ast.Call) -> list[str]:
    receiver = ast.unparse(call.func)
    if not receiver.endswith("log.bind"):
        return []
    names = [keyword.arg for keyword in call.keywords if keyword.arg]
    return [f"{name} is no context field" for name in names if name not in CONTEXT_FIELDS]


def problems_in(source: str) -> list[str]:
    found: list[str] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            check = {"emit": problems_of_emit, "bind": problems_of_bind}.get(node.func.attr)
            found += [f"line {node.lineno}: {problem}" for problem in (check(node) if check else [])]
    return found


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("log.emit(EVENTS.NO_SUCH)", ["line 1: there is no event EVENTS.NO_SUCH"]),
        ("self.log.emit(EVENTS.DB_SWAPPED, first=1, times=1)", ["line 1: db.swapped needs field second"]),
        ("log.emit(EVENTS.DB_SWAPPED, first=1, second=2, times=1, third=3)", ["line 1: db.swapped has no field third"]),
        ("log.emit(EVENTS.DB_SWAPPED, first=1, third=3, **more)", ["line 1: db.swapped has no field third"]),
        ("self._log.bind(reason=1)", ["line 1: reason is no context field"]),
        ("log.emit(EVENTS.DB_SWAPPED, first=1, second=2, times=1, client_id=3)", []),
        ("log.emit(EVENTS.CLIENT_CLOSED, reason='eof')", []),
        ("log.bind(client_id=1, user='x')", []),
        ("sock.bind(('', 0))", []),
        ("signal.emit(other, 1)", []),
    ],
)
def test_the_check_itself(source: str, expected: list[str]) -> None:
    assert problems_in(source) == expected


def test_all_calls_keep_to_the_catalogue() -> None:
    problems = {
        str(path.relative_to(PACKAGE)): found
        for path in sorted(PACKAGE.rglob("*.py"))
        if (found := problems_in(path.read_text()))
    }
    assert problems == {}
