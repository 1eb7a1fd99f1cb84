"""Aim: whatever a client sends, a log value is short, printable, on one line, and no secret.

Method: named cases, then Hypothesis with arbitrary text and bytes.
"""

from __future__ import annotations

import enum
import pickle
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trioredis.observability.redact import (
    REDACTED_TEXT,
    Redacted,
    clean_text,
    clean_value,
    escape_text,
    is_secret_name,
)

if TYPE_CHECKING:
    from collections.abc import Callable


class Colour(enum.Enum):
    RED = "red"
    NUMBER = 7


class Rude:
    """An object whose repr must not be called."""

    def __repr__(self) -> str:
        raise AssertionError("the log looked into an object")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain text, é and 漢字", "plain text, é and 漢字"),
        ("a\nb\rc\td", "a\\nb\\rc\\td"),
        ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
        ("back\\slash", "back\\\\slash"),
        ("\\n", "\\\\n"),
        ("\x00\x7f\x85", "\\x00\\x7f\\x85"),
        ("left\u202eright", "left\\u202eright"),
        ("line\u2028break", "line\\u2028break"),
        ("\U000e0041", "\\U000e0041"),
        ("\ud800", "\\ud800"),
    ],
)
def test_escapes(text: str, shown: str) -> None:
    assert escape_text(text) == shown


def test_bytes_that_are_no_utf8_are_shown_as_bytes() -> None:
    assert clean_text(b"caf\xc3\xa9 \xff\x80 end\xc3") == "café \\xff\\x80 end\\xc3"


@given(st.text(), st.text())
def test_escaping_tells_texts_apart(one: str, other: str) -> None:
    assert (escape_text(one) == escape_text(other)) == (one == other)


@given(st.one_of(st.text(), st.binary()))
def test_cleaned_text_is_printable(text: str | bytes) -> None:
    assert clean_text(text).isprintable()


def test_long_text_is_cut_and_says_by_how_much() -> None:
    assert clean_text("x" * 100, 10) == "x" * 10 + "...(90 more)"
    assert clean_text(b"x" * 100, 10) == "x" * 10 + "...(90 more)"
    assert clean_text(b"x" * 10, 10) == "x" * 10


def test_a_cut_within_a_character_does_not_fail() -> None:
    assert clean_text("é".encode() * 50, 10).startswith("é" * 10 + "...(")


@pytest.mark.parametrize("wrap", [bytes, bytearray, memoryview])
def test_buffers_are_text(wrap: Callable[[bytes], object]) -> None:
    assert clean_value("sign", wrap(b"POST\r")) == "POST\\r"


@pytest.mark.parametrize("value", [True, False, None, 0, -3, 2.5])
def test_plain_values_stay(value: object) -> None:
    assert clean_value("n", value) is value


def test_numbers_that_json_lacks_become_text() -> None:
    assert clean_value("n", float("nan")) == "nan"
    assert clean_value("n", float("-inf")) == "-inf"


def test_enums_paths_and_sequences() -> None:
    assert clean_value("c", Colour.RED) == "red"
    assert clean_value("c", Colour.NUMBER) == "NUMBER"
    assert clean_value("p", PurePosixPath("/a b/\n")) == "/a b/\\n"
    assert clean_value("l", ["a", 1, b"\xff"]) == ("a", "1", "\\xff")
    assert clean_value("l", ()) == ()


def test_long_sequences_are_cut() -> None:
    shown = clean_value("l", ["abcdefghi"] * 1000, 40)
    assert shown == ("abcdefghi",) * 4 + ("...",)


def test_other_objects_show_their_type_only() -> None:
    assert clean_value("o", Rude()) == "<Rude>"
    assert clean_value("o", {"a": "secret"}) == "<dict>"


@pytest.mark.parametrize(
    "name",
    ["password", "new_password", "requirepass", "masterauth", "tls-key-file-passphrase", "API_TOKEN", "client_secret"],
)
def test_values_under_secret_names_never_show(name: str) -> None:
    assert is_secret_name(name)
    assert clean_value(name, "hunter2") == REDACTED_TEXT


@pytest.mark.parametrize("name", ["user", "addr", "command", "bypass", "compass"])
def test_other_names_are_no_secrets(name: str) -> None:
    assert not is_secret_name(name)
    assert clean_value(name, "hunter2") == "hunter2"


def test_redacted_values_never_show() -> None:
    secret = Redacted("hunter2")
    shown = [repr(secret), str(secret), f"{secret}", f"{secret!r:>20}", f"{[secret]}", clean_value("x", secret)]
    assert not any("hunter2" in str(text) for text in shown)
    assert clean_value("x", [secret]) == (REDACTED_TEXT,)
    assert secret.reveal() == "hunter2"
    with pytest.raises(TypeError):
        pickle.dumps(secret)
