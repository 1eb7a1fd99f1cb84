"""Aim: the comparison sees differences. Method: pairs of replies that are, or are not, the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.differential.compare import in_gap, same

if TYPE_CHECKING:
    from tests._resp import Reply

A, B = ("bulk", b"a"), ("bulk", b"b")


def array(*items: Reply) -> Reply:
    return ("array", items)


@pytest.mark.parametrize(
    ("line", "one", "two", "equal"),
    [
        ("GET k", A, A, True),
        ("GET k", A, B, False),
        ("GET k", ("nullbulk", None), ("null", None), False),
        ("GET k", ("simple", b"a"), A, False),
        ("KEYS *", array(A, B), array(B, A), True),
        ("KEYS *", array(A, A), array(B, A), False),
        ("MGET x y", array(A, B), array(B, A), False),
        ("SCAN 0", array(A, array(A, B)), array(A, array(B, A)), True),
        ("SCAN 0", array(A, array(A)), array(B, array(A)), False),
        ("TTL k", ("int", 100), ("int", 99), True),
        ("TTL k", ("int", 100), ("int", 90), False),
        ("TTL k", ("int", -1), ("int", -2), False),
        ("TTL k", ("int", 0), ("int", -2), False),
        ("pttl k", ("int", 100000), ("int", 99000), True),
        ("INCR k", ("int", 100), ("int", 99), False),
        ("RANDOMKEY", A, B, True),
        ("RANDOMKEY", A, ("nullbulk", None), False),
        ("HELLO", array(("bulk", b"id"), ("int", 1)), array(("bulk", b"id"), ("int", 2)), True),
        ("HELLO", array(("bulk", b"proto"), ("int", 2)), array(("bulk", b"proto"), ("int", 3)), False),
    ],
)
def test_same(line: str, one: Reply, two: Reply, equal: bool) -> None:
    assert same(tuple(line.encode().split()), one, two) is equal


def test_gaps_are_narrow() -> None:
    assert in_gap((b"getrange", b"k", b"0", b"-9"))
    assert not in_gap((b"GETRANGE", b"k", b"-9", b"0"))
    assert in_gap((b"SCAN", b"-1"))
    assert not in_gap((b"SCAN", b"0", b"COUNT", b"x"))
    assert not in_gap((b"HELLO", b"3", b"SETNAME", b"a b"))
