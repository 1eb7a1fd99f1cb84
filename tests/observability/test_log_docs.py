"""Aim: the pages about logs tell the truth. Method: generate the reference again, render the examples of the guide."""

from __future__ import annotations

import importlib.util
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from trioredis.observability.events import CATALOGUE, EVENTS
from trioredis.observability.formats import (
    JsonRenderer,
    Pipeline,
    Renderer,
    Stamp,
    TimestampFormat,
    format_time,
    render_legacy,
    render_logfmt,
)
from trioredis.observability.levels import LogLevel, Role

if TYPE_CHECKING:
    from types import ModuleType

    from trioredis.observability.event import Event

pytestmark = pytest.mark.usefixtures("utc")

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs/how-to/read-the-logs.md"
NOW_NS = 1_700_000_000_123_000_000
EXAMPLE = re.compile(r"<!-- example: (\w+) -->\n```text\n(.*?)```", re.DOTALL)
SHOWN: list[tuple[Event, dict[str, Any]]] = [
    (EVENTS.SERVER_READY, {"listeners": ["127.0.0.1:6379"], "startup_ms": 41}),
    (
        EVENTS.CLIENT_CLOSED,
        {
            "client_name": "nightly report",
            "client_id": 7,
            "addr": "127.0.0.1:52100",
            "reason": "eof",
            "age_ms": 1250,
        },
    ),
    (EVENTS.LISTENER_FAILED, {"listener": "127.0.0.1:6379", "error": "Address already in use"}),
]
LOST: list[tuple[Event, dict[str, Any]]] = [
    (EVENTS.LOG_LOST, {"lines": 12, "error": "No space left on device", "output": "file"})
]
EXAMPLES: dict[str, tuple[Renderer, list[tuple[Event, dict[str, Any]]]]] = {
    "legacy": (render_legacy, SHOWN),
    "logfmt": (render_logfmt, SHOWN),
    "json": (JsonRenderer(TimestampFormat.LEGACY), SHOWN),
    "lost": (render_legacy, LOST),
}


@pytest.fixture
def generator() -> ModuleType:
    """tools/gen_log_docs.py as a module."""
    spec = importlib.util.spec_from_file_location("gen_log_docs", ROOT / "tools/gen_log_docs.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_reference_is_up_to_date(generator: ModuleType) -> None:
    assert generator.PAGE.read_text() == generator.page()
    assert generator.main(["--check"]) == 0


def test_an_outdated_reference_is_found(generator: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(generator, "PAGE", tmp_path / "reference" / "log-events.md")
    assert generator.main(["--check"]) == 1
    assert generator.main([]) == 0
    assert generator.main(["--check"]) == 0
    (tmp_path / "reference" / "log-events.md").write_text("old")
    assert generator.main(["--check"]) == 1


def test_the_reference_has_every_event_once(generator: ModuleType) -> None:
    headings = re.findall(r"^### (\S+)$", generator.page(), re.MULTILINE)
    assert headings == [event.id for event in CATALOGUE]


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_guides_examples_are_what_is_printed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getpid", lambda: 4711)
    renderer, events = EXAMPLES[name]
    pipeline = Pipeline(Stamp(TimestampFormat.LEGACY, lambda: Role.MASTER, lambda: NOW_NS), renderer)
    printed = [pipeline.render(event, fields) for event, fields in events]
    assert dict(EXAMPLE.findall(GUIDE.read_text()))[name].splitlines() == printed


def test_the_guide_has_all_levels_and_time_stamps() -> None:
    guide = GUIDE.read_text()
    for level in list(LogLevel)[:-1]:
        assert f"| `{level.name.lower()}` | `{level.char}` | `{level.structured_name}` |" in guide
    for how in TimestampFormat:
        assert f"| `{how.value}` | `{format_time(NOW_NS, how)}`" in guide
