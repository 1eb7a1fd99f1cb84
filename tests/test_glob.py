"""Patterns match what they match in Redis.

Method: examples of each item of the language, a stupid recursive matcher as the truth for random
patterns, and a stock server's KEYS for patterns made of nothing but special characters.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.config.client import Client
from trioredis.glob import has_magic, matches

if TYPE_CHECKING:
    from tests._servers import Server

EXAMPLES = [
    (b"", b"", True),
    (b"", b"a", False),
    (b"a", b"a", True),
    (b"a", b"b", False),
    (b"a", b"", False),
    (b"ab", b"a", False),
    (b"*", b"anything", True),
    (b"*", b"", False),
    (b"a*", b"a", True),
    (b"a**", b"a", True),
    (b"*a", b"banana", True),
    (b"*ab*c", b"xabyabzc", True),
    (b"*ab*c", b"xabyabz", False),
    (b"?", b"a", True),
    (b"?", b"ab", False),
    (b"h[ae]llo", b"hello", True),
    (b"h[ae]llo", b"hillo", False),
    (b"h[^e]llo", b"hallo", True),
    (b"h[^e]llo", b"hello", False),
    (b"[a-c]", b"b", True),
    (b"[c-a]", b"b", True),
    (b"[a-c]", b"d", False),
    (b"[^a-c]", b"b", False),
    (b"[a-]", b"^", True),
    (b"[a-]", b"-", False),
    (b"[]", b"a", False),
    (b"[^]", b"a", True),
    (b"[\\]]", b"]", True),
    (b"[\\-a]", b"-", True),
    (b"[a", b"a", True),
    (b"[", b"[", False),
    (b"[^", b"a", True),
    (b"[a-", b"-", True),
    (b"\\*", b"*", True),
    (b"\\*", b"a", False),
    (b"\\", b"\\", True),
    (b"a\\", b"a\\", True),
    (b"\\a", b"a", True),
    (b"\xff*", b"\xff\x00", True),
]


@pytest.mark.parametrize(("pattern", "text", "expected"), EXAMPLES)
def test_examples(pattern: bytes, text: bytes, expected: bool) -> None:
    assert matches(pattern, text) is expected


def test_case_is_ignored_only_on_request() -> None:
    assert matches(b"MAX[m-n]EMORY", b"maxMemory", ignore_case=True)
    assert matches(b"MAX[m-n]*", b"maxMemory", ignore_case=True)
    assert matches(b"max[M]\\EMORY", b"MAXmemory", ignore_case=True)
    assert not matches(b"MAX*", b"maxmemory")
    assert not matches(b"\xc4", b"\xe4", ignore_case=True)


def test_many_stars_end_soon() -> None:
    assert not matches(b"a*" * 400 + b"b", b"a" * 4000)


@pytest.mark.parametrize(
    ("pattern", "magic"),
    [(b"plain", False), (b"a\\b", False), (b"a*", True), (b"?", True), (b"[", True), (b"]", False)],
)
def test_magic(pattern: bytes, magic: bool) -> None:
    assert has_magic(pattern) is magic


def slow_match(pattern: bytes, text: bytes) -> bool:
    """Match patterns of letters, ``*`` and ``?`` by trying everything."""
    if not pattern:
        return not text
    if pattern[:1] == b"*":
        return any(slow_match(pattern[1:], text[at:]) for at in range(len(text) + 1))
    return bool(text) and pattern[:1] in (b"?", text[:1]) and slow_match(pattern[1:], text[1:])


@settings(deadline=None)
@given(
    st.lists(st.sampled_from([b"a", b"b", b"*", b"?"]), max_size=8).map(b"".join),
    st.lists(st.sampled_from([b"a", b"b"]), min_size=1, max_size=8).map(b"".join),
)
def test_agrees_with_a_slow_matcher(pattern: bytes, text: bytes) -> None:
    assert matches(pattern, text) == slow_match(pattern, text)


def test_agrees_with_a_stock_server(redis_server: Server) -> None:
    seed = random.Random(7)
    letters = b"abC[]^-\\*?"
    keys = {bytes(seed.choices(letters, k=seed.randint(1, 3))) for _ in range(200)}
    patterns = {bytes(seed.choices(letters, k=seed.randint(1, 6))) for _ in range(1500)} - {b"*"}
    with Client(redis_server.address) as client:
        client.call("SELECT", "9")
        client.call("MSET", *(part for key in keys for part in (key, b"1")))
        for pattern in sorted(patterns):
            found = client.call("KEYS", pattern)
            assert isinstance(found, list)
            assert set(found) == {key for key in keys if matches(pattern, key)}, pattern
        client.call("FLUSHDB")
