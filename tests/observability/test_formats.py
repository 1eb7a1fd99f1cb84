"""Aim: each format is exactly what its readers expect, and one event is one line whatever a client put into it.

Method: exact lines on a fixed clock, then hostile text through every renderer, read back with a parser of the format.
"""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trioredis.observability.events import EVENTS
from trioredis.observability.formats import (
    LINE_BYTES_MAX,
    ConsoleRenderer,
    JsonRenderer,
    Pipeline,
    Renderer,
    Stamp,
    TimestampFormat,
    format_time,
    render_legacy,
    render_logfmt,
)
from trioredis.observability.levels import Role
from trioredis.observability.redact import Redacted

if TYPE_CHECKING:
    from collections.abc import Callable

    from trioredis.observability.event import Event

pytestmark = pytest.mark.usefixtures("utc")

NOW_NS = 1_700_000_000_123_999_999  # 14 November 2023, 22:13:20 UTC
PID = os.getpid()
ANSI = re.compile(r"\x1b\[[0-9;]*m")
LEGACY_LINE = re.compile(r"(\d+):([XCSM]) (\d\d \w{3} \d{4} \d\d:\d\d:\d\d\.\d{3}) ([.*#-]) (.*)")
FORGED = 'evil"\n1:M 14 Nov 2023 22:13:20.123 * Ready\r\n\x1b[2J\x1b]0;title\x07 level=debug \\" x=1\u2028\u202e'
RENDERERS: dict[str, Renderer] = {
    "legacy": render_legacy,
    "logfmt": render_logfmt,
    "json": JsonRenderer(TimestampFormat.LEGACY),
    "console": ConsoleRenderer(),
}
each_renderer = pytest.mark.parametrize("renderer", RENDERERS.values(), ids=RENDERERS.keys())


def render(
    renderer: Renderer,
    event: Event,
    timestamps: TimestampFormat = TimestampFormat.LEGACY,
    role: Role = Role.MASTER,
    **fields: Any,
) -> str:
    return Pipeline(Stamp(timestamps, lambda: role, lambda: NOW_NS), renderer).render(event, fields)


def parse_logfmt(line: str) -> dict[str, str]:
    """A strict reader of logfmt: fails on anything that does not belong there."""
    pair = re.compile(r'([a-z_]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s"=]+))(?: |$)')
    fields: dict[str, str] = {}
    at = 0
    while at < len(line):
        match = pair.match(line, at)
        assert match is not None, line[at:]
        name, in_quotes, bare = match.groups()
        assert name not in fields
        fields[name] = bare if in_quotes is None else re.sub(r"\\(.)", r"\1", in_quotes)
        at = match.end()
    return fields


def test_legacy_line() -> None:
    line = render(render_legacy, EVENTS.CLIENT_CLOSED, client_id=7, addr="127.0.0.1:5", reason="eof", age_ms=12)
    assert line == f"{PID}:M 14 Nov 2023 22:13:20.123 - Client 7 disconnected: eof addr=127.0.0.1:5 age_ms=12"


def test_logfmt_line() -> None:
    line = render(
        render_logfmt,
        EVENTS.CLIENT_CLOSED,
        role=Role.REPLICA,
        client_id=7,
        addr="127.0.0.1:5",
        client_name="my app",
        reason="eof",
    )
    assert line == (
        f'pid={PID} role=replica timestamp="14 Nov 2023 22:13:20.123" level=info '
        'message="Client 7 disconnected: eof" event=client.closed client_id=7 addr=127.0.0.1:5 '
        'client_name="my app" reason=eof'
    )


def test_json_line() -> None:
    line = render(RENDERERS["json"], EVENTS.DB_FLUSHED, scope="all", keys=3, lazy=False)
    assert json.loads(line) == {
        "pid": PID,
        "role": "primary",
        "timestamp": "14 Nov 2023 22:13:20.123",
        "level": "notice",
        "message": "Removed all keys of all",
        "event": "db.flushed",
        "scope": "all",
        "keys": 3,
        "lazy": False,
    }
    assert list(json.loads(line))[:6] == ["pid", "role", "timestamp", "level", "message", "event"]


def test_console_line_is_the_legacy_line_in_colours() -> None:
    fields: dict[str, Any] = {"client_id": 7, "addr": "127.0.0.1:5", "reason": "eof", "client_name": "my app"}
    plain = render(render_legacy, EVENTS.CLIENT_CLOSED, **fields)
    coloured = render(RENDERERS["console"], EVENTS.CLIENT_CLOSED, **fields)
    assert ANSI.search(coloured)
    assert ANSI.sub("", coloured) == plain


@pytest.mark.parametrize(
    ("how", "shown"),
    [
        (TimestampFormat.LEGACY, "14 Nov 2023 22:13:20.123"),
        (TimestampFormat.ISO8601, "2023-11-14T22:13:20.123+00:00"),
        (TimestampFormat.MILLISECONDS, "1700000000123"),
    ],
)
def test_timestamps(how: TimestampFormat, shown: str) -> None:
    assert format_time(NOW_NS, how) == shown
    assert f" {shown} " in render(render_legacy, EVENTS.LISTENER_CLOSED, how, listener="x")
    assert f' timestamp="{shown}" ' in render(render_logfmt, EVENTS.LISTENER_CLOSED, how, listener="x")
    in_json = json.loads(render(JsonRenderer(how), EVENTS.LISTENER_CLOSED, how, listener="x"))["timestamp"]
    assert in_json == (int(shown) if how is TimestampFormat.MILLISECONDS else shown)


@pytest.mark.parametrize(
    ("zone", "legacy", "offset"),
    [
        ("NST3:30", "14 Nov 2023 18:43:20.123", "-03:30"),
        ("NPT-5:45", "15 Nov 2023 03:58:20.123", "+05:45"),
    ],
)
def test_local_time(zone: str, legacy: str, offset: str, set_timezone: Callable[[str], None]) -> None:
    set_timezone(zone)
    assert format_time(NOW_NS, TimestampFormat.LEGACY) == legacy
    assert format_time(NOW_NS, TimestampFormat.ISO8601).endswith(offset)


@each_renderer
@pytest.mark.parametrize("field", ["client_name", "reason", "addr"])
@pytest.mark.parametrize("hostile", [FORGED, FORGED.encode() + b"\xff\xfe\x80"])
def test_hostile_text_stays_on_its_line(renderer: Renderer, field: str, hostile: str | bytes) -> None:
    fields: dict[str, Any] = {"client_id": 7, "addr": "a", "reason": "r"} | {field: hostile}
    line = render(renderer, EVENTS.CLIENT_CLOSED, **fields)
    without_own_colours = ANSI.sub("", line) if renderer is RENDERERS["console"] else line
    assert without_own_colours.isprintable()
    assert "\\x1b[2J" in line.replace("\\\\", "\\")


def test_hostile_text_adds_no_fields() -> None:
    for field in ("client_name", "reason"):
        fields: dict[str, Any] = {"client_id": 7, "addr": "a", "reason": "r"} | {field: FORGED}
        logfmt = parse_logfmt(render(render_logfmt, EVENTS.CLIENT_CLOSED, **fields))
        decoded = json.loads(render(RENDERERS["json"], EVENTS.CLIENT_CLOSED, **fields))
        assert list(logfmt) == list(decoded)
        assert logfmt["level"] == decoded["level"] == "info"
        assert logfmt["message"] == decoded["message"]
        assert logfmt[field] == decoded[field]


@given(st.one_of(st.text(), st.binary()), st.one_of(st.text(), st.binary()))
def test_structured_lines_are_read_back(name: str | bytes, reason: str | bytes) -> None:
    fields: dict[str, Any] = {"client_name": name, "client_id": 1, "addr": "", "reason": reason}
    logfmt_line = render(render_logfmt, EVENTS.CLIENT_CLOSED, **fields)
    json_line = render(RENDERERS["json"], EVENTS.CLIENT_CLOSED, **fields)
    assert logfmt_line.isprintable()
    assert json_line.isascii()
    assert json_line.isprintable()
    logfmt, decoded = parse_logfmt(logfmt_line), json.loads(json_line)
    assert {key: str(value) for key, value in decoded.items()} == logfmt


@given(st.one_of(st.text(), st.binary()))
def test_legacy_lines_keep_their_form(name: str | bytes) -> None:
    line = render(render_legacy, EVENTS.LISTENER_CLOSED, listener="x", client_name=name)
    match = LEGACY_LINE.fullmatch(line)
    assert match is not None
    assert match[5].startswith("No longer listening on x client_name=")
    assert line.isprintable()


@each_renderer
def test_secrets_do_not_show(renderer: Renderer) -> None:
    line = render(renderer, EVENTS.CLIENT_AUTH_FAILED, client_id=1, addr="a", user=Redacted("hunter2"))
    assert "hunter2" not in line
    assert "(redacted)" in line


@each_renderer
def test_fields_that_nobody_described_do_not_show(renderer: Renderer) -> None:
    assert "hunter2" not in render(renderer, EVENTS.LISTENER_CLOSED, listener="x", extra="hunter2")


def test_unknown_values_show_only_in_json() -> None:
    fields: dict[str, Any] = {"client_id": 1, "addr": "a", "laddr": None}
    assert "laddr" not in render(render_legacy, EVENTS.CLIENT_OPENED, **fields)
    assert "laddr" not in render(render_logfmt, EVENTS.CLIENT_OPENED, **fields)
    assert json.loads(render(RENDERERS["json"], EVENTS.CLIENT_OPENED, **fields))["laddr"] is None


@each_renderer
def test_long_lines_are_cut_where_it_does_not_hurt(renderer: Renderer) -> None:
    fields: dict[str, Any] = {"client_id": 7, "addr": "a", "error": "\x1b" * 5000, "traceback": "\u202e" * 9000}
    line = render(renderer, EVENTS.CLIENT_TASK_FAILED, **fields)
    assert len(line.encode()) < LINE_BYTES_MAX
    assert "more)" in line
    if renderer is RENDERERS["json"]:
        assert json.loads(line)["client_id"] == 7


def test_a_long_line_does_not_shorten_the_next() -> None:
    pipeline = Pipeline(Stamp(TimestampFormat.LEGACY, lambda: Role.MASTER, lambda: NOW_NS), render_legacy)
    pipeline.render(EVENTS.LISTENER_FAILED, {"listener": "x" * 9000, "error": "\x1b" * 9000})
    listener = "y" * 400
    assert listener in pipeline.render(EVENTS.LISTENER_CLOSED, {"listener": listener})


def test_lists_are_lists_for_programs() -> None:
    """For people they are words with commas between."""
    names = ["one", "two words"]
    line = json.loads(render(JsonRenderer(TimestampFormat.LEGACY), EVENTS.CONFIG_CHANGED, directives=names))
    assert line["directives"] == names
    assert 'directives="one,two words"' in render(render_logfmt, EVENTS.CONFIG_CHANGED, directives=names)
