"""Aim: the log holds its callers to the catalogue, loudly in tests and quietly in production.

Method: a capture, strict and not, and every way to get a call wrong.
"""

from __future__ import annotations

from typing import Any

import pytest

from trioredis.observability import EVENTS, LogCapture, LogContractError, LogLevel, Redacted
from trioredis.observability.event import Event

STRANGER = Event("made.up", LogLevel.NOTICE, "Made up", (), "Nothing.")
OPENED: dict[str, Any] = {"client_id": 7, "addr": "127.0.0.1:5"}


def test_emit() -> None:
    capture = LogCapture()
    capture.log.emit(EVENTS.CLIENT_OPENED, **OPENED)
    assert capture.ids() == ["client.opened"]
    assert capture.events[0].message == "Client 7 connected from 127.0.0.1:5"
    assert capture.events[0].fields == OPENED


def test_bound_context_comes_first_and_supplies_required_fields() -> None:
    capture = LogCapture()
    log = capture.log.bind(client_id=7, user="default").bind(addr="::1:9", user="ann")
    log.emit(EVENTS.CLIENT_CLOSED, reason="eof")
    assert list(capture.events[0].fields.items()) == [
        ("client_id", 7),
        ("user", "ann"),
        ("addr", "::1:9"),
        ("reason", "eof"),
    ]


def test_bind_leaves_the_other_log_alone() -> None:
    capture = LogCapture()
    capture.log.bind(db=3)
    capture.log.emit(EVENTS.LISTENER_CLOSED, listener="x")
    assert "db" not in capture.events[0].fields


def test_level_is_the_destinations_and_may_change() -> None:
    capture = LogCapture(LogLevel.NOTICE)
    assert not capture.log.is_enabled(EVENTS.CLIENT_OPENED)
    capture.log.emit(EVENTS.CLIENT_OPENED, **OPENED)
    capture.level = LogLevel.VERBOSE
    assert capture.log.is_enabled(EVENTS.CLIENT_OPENED)
    capture.log.emit(EVENTS.CLIENT_OPENED, **OPENED)
    capture.level = LogLevel.NOTHING
    capture.log.emit(EVENTS.LISTENER_FAILED, listener="x", error="y")
    assert capture.ids() == ["client.opened"]


MISUSES: list[tuple[object, dict[str, object], str]] = [
    (STRANGER, {}, "made.up: the event is not in the catalogue"),
    ("server.ready", {}, "unknown: the event is not in the catalogue"),
    (EVENTS.CLIENT_OPENED, {"client_id": 7}, "client.opened: field addr is missing"),
    (EVENTS.CLIENT_OPENED, OPENED | {"key": "k"}, "client.opened: field key is unknown"),
    (EVENTS.CLIENT_OPENED, OPENED | {"client_id": "7"}, "client.opened: field client_id is of type str, not integer"),
    (EVENTS.CLIENT_OPENED, OPENED | {"client_id": True}, "client.opened: field client_id is of type bool, not integer"),
]


@pytest.mark.parametrize(("event", "fields", "problem"), MISUSES)
def test_misuse_is_an_error_in_strict_mode(event: Any, fields: dict[str, Any], problem: str) -> None:
    capture = LogCapture()
    with pytest.raises(LogContractError) as caught:
        capture.log.emit(event, **fields)
    assert str(caught.value) == problem
    assert capture.events == []


@pytest.mark.parametrize(("event", "fields", "problem"), MISUSES)
def test_misuse_is_reported_otherwise(event: Any, fields: dict[str, Any], problem: str) -> None:
    capture = LogCapture(strict=False)
    capture.log.emit(event, **fields)
    assert capture.problems == [problem]
    assert capture.ids() == (["client.opened"] if event is EVENTS.CLIENT_OPENED else [])
    assert all("key" not in one.fields for one in capture.events)


def test_strict_mode_checks_events_below_the_level_too() -> None:
    capture = LogCapture(LogLevel.NOTHING)
    with pytest.raises(LogContractError):
        capture.log.emit(EVENTS.CLIENT_OPENED)


def test_bind_takes_context_fields_only() -> None:
    with pytest.raises(LogContractError, match="bind: context reason is unknown"):
        LogCapture().log.bind(reason="x")
    with pytest.raises(LogContractError, match="bind: context client_id is unknown or of type str"):
        LogCapture().log.bind(client_id="7")
    lenient = LogCapture(strict=False)
    lenient.log.bind(reason="x", db=1).emit(EVENTS.LISTENER_CLOSED, listener="l")
    assert lenient.events[0].fields == {"db": 1, "listener": "l"}
    assert lenient.problems == ["bind: context reason is unknown or of type str"]


def test_a_missing_field_shows_as_a_question_mark() -> None:
    capture = LogCapture(strict=False)
    capture.log.emit(EVENTS.CLIENT_OPENED, client_id=7)
    assert capture.events[0].message == "Client 7 connected from ?"


def test_secrets_do_not_reach_the_destination() -> None:
    capture = LogCapture()
    capture.log.emit(EVENTS.CLIENT_AUTH_FAILED, user=Redacted("hunter2"), **OPENED)
    assert "hunter2" not in str(capture.events)


def test_none_is_as_good_as_not_known() -> None:
    capture = LogCapture()
    capture.log.emit(EVENTS.CLIENT_OPENED, laddr=None, **OPENED)
    assert capture.events[0].fields["laddr"] is None


def test_find_events_of_a_kind() -> None:
    capture = LogCapture()
    capture.log.emit(EVENTS.LISTENER_CLOSED, listener="a")
    capture.log.emit(EVENTS.CLIENT_OPENED, **OPENED)
    capture.log.emit(EVENTS.LISTENER_CLOSED, listener="b")
    assert [one.fields["listener"] for one in capture.of(EVENTS.LISTENER_CLOSED)] == ["a", "b"]
