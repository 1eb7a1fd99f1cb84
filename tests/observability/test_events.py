"""Aim: the catalogue is sound and documented. Method: every rule about events, applied to every event."""

from __future__ import annotations

import re

import pytest

from trioredis.observability.event import RESERVED_NAMES, Event, FieldType
from trioredis.observability.events import CATALOGUE, CONTEXT_FIELDS, EVENTS, find_event, is_known
from trioredis.observability.formats import Pipeline, Stamp, TimestampFormat, render_logfmt
from trioredis.observability.levels import LogLevel, Role
from trioredis.observability.redact import is_secret_name

ID = re.compile(r"[a-z]+\.[a-z]+(_[a-z]+)*")
FIELD_NAME = re.compile(r"[a-z]+(_[a-z]+)*")
UNITS = {"", "bytes", "ms", "us", "s", "bits"}
SAMPLES = {
    FieldType.TEXT: "some text",
    FieldType.INTEGER: 7,
    FieldType.NUMBER: 1.5,
    FieldType.FLAG: True,
    FieldType.LIST: ["a", "b"],
}
each_event = pytest.mark.parametrize("event", CATALOGUE, ids=lambda event: event.id)


def test_ids_are_unique() -> None:
    assert len({event.id for event in CATALOGUE}) == len(CATALOGUE)


def test_messages_are_unique() -> None:
    assert len({event.message for event in CATALOGUE}) == len(CATALOGUE)


@each_event
def test_the_attribute_is_the_id_in_capitals(event: Event) -> None:
    assert ID.fullmatch(event.id)
    assert getattr(EVENTS, event.id.replace(".", "_").upper()) is event
    assert find_event(event.id) is event


@each_event
def test_levels_are_those_that_lines_can_have(event: Event) -> None:
    assert event.level is not LogLevel.NOTHING


@each_event
def test_placeholders_are_required_fields(event: Event) -> None:
    required = {field.name for field in event.fields if field.required}
    assert event.names_in_message() <= required


@each_event
def test_texts_read_well(event: Event) -> None:
    assert event.message == event.message.strip()
    assert not event.message.endswith(".")
    assert event.action.endswith(".")


@each_event
def test_fields_are_well_named_and_described(event: Event) -> None:
    names = [field.name for field in event.fields]
    assert len(set(names)) == len(names)
    for field in event.fields:
        assert FIELD_NAME.fullmatch(field.name)
        assert field.name not in RESERVED_NAMES
        assert not is_secret_name(field.name)
        assert field.about
        assert field.unit in UNITS
        unit_in_name = field.name.rpartition("_")[2]
        assert unit_in_name == field.unit or unit_in_name not in UNITS


@each_event
def test_fields_agree_with_the_context_of_the_same_name(event: Event) -> None:
    for field in event.fields:
        context = CONTEXT_FIELDS.get(field.name)
        assert context is None or context.type is field.type


@each_event
def test_a_full_line_fits_one_write(event: Event) -> None:
    """With every field at its longest, escaped to the utmost, the head and all the context."""
    worst = {name: "\U000e0041" * 9000 for name in CONTEXT_FIELDS}
    worst |= {field.name: "\x1b" * 9000 for field in event.fields}
    pipeline = Pipeline(Stamp(TimestampFormat.ISO8601, lambda: Role.CHILD), render_logfmt)
    assert len(pipeline.render(event, worst).encode()) < 4096


def test_fields_that_clients_fill_are_never_keys_or_values() -> None:
    names = {field.name for event in CATALOGUE for field in event.fields} | CONTEXT_FIELDS.keys()
    assert names.isdisjoint({"key", "value", "args", "argv", "arguments", "query", "payload"})


def test_an_equal_event_from_elsewhere_is_unknown() -> None:
    twin = Event("server.ready", LogLevel.NOTICE, "x", (), "Nothing.")
    assert not is_known(twin)
    assert not is_known("server.ready")
    assert find_event("no.such") is None


@pytest.mark.parametrize("kind", list(FieldType))
def test_field_types_accept_their_own_kind_only(kind: FieldType) -> None:
    accepted = {other for other, sample in SAMPLES.items() if kind.accepts(sample)}
    assert accepted == ({kind, FieldType.INTEGER} if kind is FieldType.NUMBER else {kind})
    assert kind.accepts(None)
