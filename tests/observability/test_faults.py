"""Aim: a fault's log fields point at the place and quote nothing. Method: raise, and look for what must not show."""

from __future__ import annotations

import errno

import pytest

from trioredis.observability import LogContractError, error_text, traceback_text
from trioredis.observability.event import TRACEBACK_CHARS_MAX


def raise_deep(depth: int, error: BaseException) -> None:
    if depth == 0:
        raise error
    raise_deep(depth - 1, error)


def caught(error: Exception, depth: int = 0) -> Exception:
    with pytest.raises(type(error)) as info:
        raise_deep(depth, error)
    return info.value


@pytest.mark.parametrize(
    ("error", "shown"),
    [
        (KeyError(b"what the user stored"), "KeyError"),
        (ValueError("bad value: hunter2"), "ValueError"),
        (FileNotFoundError(errno.ENOENT, "x", "/secret/path"), "FileNotFoundError: No such file or directory"),
        (OSError("free text"), "OSError"),
        (LogContractError("server.ready: field x is missing"), "LogContractError: server.ready: field x is missing"),
        (
            ExceptionGroup("g", [KeyError("a"), OSError(errno.EPIPE, "b")]),
            "ExceptionGroup [KeyError; BrokenPipeError: Broken pipe]",
        ),
    ],
)
def test_error_text(error: BaseException, shown: str) -> None:
    assert error_text(error) == shown


def test_traceback_names_the_frames_outermost_first() -> None:
    frames = traceback_text(caught(KeyError("hunter2"), depth=2)).split(" > ")
    assert [frame.split()[1] for frame in frames] == ["caught", "raise_deep", "raise_deep", "raise_deep"]
    assert frames[0].startswith("observability/test_faults.py:")
    assert "hunter2" not in str(frames)


def test_a_long_traceback_keeps_the_innermost_frame() -> None:
    shown = traceback_text(caught(KeyError("x"), depth=200))
    assert len(shown) <= TRACEBACK_CHARS_MAX
    assert shown.startswith("... > ")
    assert shown.endswith(" raise_deep")


def test_the_cause_comes_before_what_it_led_to() -> None:
    cause = caught(KeyError("a"), depth=1)
    error = ValueError("b")
    error.__cause__ = cause
    frames = [frame.split()[-1] for frame in traceback_text(caught(error)).split(" > ")]
    assert frames == ["caught", "raise_deep", "raise_deep", "to)", "caught", "raise_deep"]


def test_a_group_shows_its_first_member() -> None:
    group = caught(ExceptionGroup("g", [caught(KeyError("a"), depth=1), KeyError("b")]))
    frames = [frame.split()[-1] for frame in traceback_text(group).split(" > ")]
    assert frames == ["caught", "raise_deep", "caught", "raise_deep", "raise_deep"]


def test_an_error_that_was_never_raised_has_no_place() -> None:
    assert traceback_text(KeyError("x")) == ""
