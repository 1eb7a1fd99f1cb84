"""Aim: level names and marks are those that log readers know. Method: the tables, and parsing of every name."""

from __future__ import annotations

import pytest

from trioredis.observability.levels import LogLevel, Role

LEVELS = [
    (LogLevel.DEBUG, "debug", ".", "debug", 7),
    (LogLevel.VERBOSE, "verbose", "-", "info", 6),
    (LogLevel.NOTICE, "notice", "*", "notice", 5),
    (LogLevel.WARNING, "warning", "#", "warning", 4),
]


@pytest.mark.parametrize(("level", "name", "char", "structured", "severity"), LEVELS)
def test_levels(level: LogLevel, name: str, char: str, structured: str, severity: int) -> None:
    assert LogLevel.parse(name) is LogLevel.parse(name.upper()) is level
    assert (level.char, level.structured_name, level.syslog_severity) == (char, structured, severity)


def test_nothing_is_above_every_level_that_events_have() -> None:
    assert all(level < LogLevel.parse("nothing") for level, *_ in LEVELS)


@pytest.mark.parametrize("name", ["", "warn", "notice ", "3"])
def test_other_words_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="unknown log level"):
        LogLevel.parse(name)


def test_roles() -> None:
    assert [(role.char, role.structured_name) for role in Role] == [
        ("M", "primary"),
        ("S", "replica"),
        ("C", "RDB/AOF"),
        ("X", "sentinel"),
    ]
