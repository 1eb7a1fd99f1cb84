"""Hypothesis strategies for command lines, made from the arguments in the command table.

Every command of the table that a stock 7.0 server also has is generated with all its options; a
share of the lines is then damaged (arguments lost, doubled, swapped, replaced), for the errors.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Iterable

Line = tuple[bytes, ...]
Words = st.SearchStrategy[list[bytes]]

TABLE: Final = Path(__file__).resolve().parents[2] / "trioredis/commands/commands.json"
GROUPS: Final = {"string", "generic", "connection"}
ALSO: Final = {"dbsize", "flushall", "flushdb", "swapdb"}
STOCK_VERSION: Final = (7, 0, 15)
REPEATS_MAX: Final = 3
DAMAGED_SHARE: Final = 12  # one line in so many

# Not sent: they wait, end or silence the connection, or tell about the server rather than the data.
UNSUITABLE: Final = {
    *("quit", "wait", "waitaof", "migrate", "lolwut", "dump", "restore", "restore-asking"),
    *("client|help", "client|id", "client|info", "client|kill", "client|list", "client|pause"),
    *("client|reply", "client|unpause", "object|help", "object|freq"),
}

KEYS: Final = (b"a", b"b", b"n:1", b"n:2", b"f:1", b"", b"\x00\xff\r\n", b"missing")
VALUES: Final = (
    *(b"", b"0", b"10", b"-7", b"3.5", b"hello", b"Hello World", b"\x00\xff\r\n", b"1e3", b" 1"),
    *(b"9223372036854775807", b"-9223372036854775808", b"0.1", b"x" * 44, b"x" * 45, b"y" * 300),
)
INTEGERS: Final = (b"0", b"1", b"-1", b"2", b"3", b"5", b"-2", b"-3", b"10", b"44", b"100")
ODD_INTEGERS: Final = (
    *(b"9223372036854775807", b"-9223372036854775808", b"9223372036854775808", b"536870912", b""),
    *(b"abc", b"1.5", b" 1", b"+1", b"01", b"-0", b"1e3", b"4294967296", b"0x10"),
)
DOUBLES: Final = (
    *(b"0", b"1", b"-1", b"0.1", b"1.5", b"-2.25", b"1e3", b"3.0e-5", b"1e17", b"100.10", b"5e-324"),
    *(b"inf", b"-inf", b"nan", b"1e308", b"1e400", b"abc", b"", b" 1", b"0x1p3", b"1.5e"),
)
PATTERNS: Final = (b"*", b"?", b"n:*", b"[ab]", b"[^a]", b"\\a", b"*:[0-1]", b"", b"[a", b"missing", b"**1")
DATABASES: Final = (b"0", b"0", b"1", b"2", b"15", b"16", b"-1", b"abc", b"")
# A day or more away, so that nothing expires while a test runs; or long past.
SECONDS: Final = (b"100000", b"5000000", b"100000000", b"0", b"-1", b"-100000")
MILLISECONDS: Final = (b"100000000", b"5000000123", b"0", b"-1", b"-100000")
UNIX_SECONDS: Final = (b"4102444800", b"4202444800", b"1", b"0", b"-1", b"1000000000")
UNIX_MILLISECONDS: Final = (b"4102444800123", b"4202444800000", b"1", b"0", b"-1", b"1000000000000")
INTEGER_POOLS: Final = {
    "seconds": SECONDS,
    "milliseconds": MILLISECONDS,
    "unix-time-seconds": UNIX_SECONDS,
    "unix-time-milliseconds": UNIX_MILLISECONDS,
    "index": DATABASES,
    "index1": DATABASES,
    "index2": DATABASES,
    "db": DATABASES,
    "destination-db": DATABASES,
}
STRING_POOLS: Final = {
    "type": (b"string", b"STRING", b"list", b"hash", b"nosuch", b""),
    "username": (b"default", b"nobody"),
    "password": (b"", b"wrong"),
    "clientname": (b"me", b"two words", b"", b"caf\xc3\xa9"),
    "connection-name": (b"me", b"two words", b"", b"caf\xc3\xa9"),
}
GARBAGE: Final = (b"", b"NOSUCH", b"GET", b"NX", b"-1", b"\xff", b"a")


def _known_to_stock(entry: dict[str, Any]) -> bool:
    since = tuple(int(part) for part in entry.get("since", "1.0.0").split("."))
    return since <= STOCK_VERSION


def _seldom(usual: Words, odd: Words, one_in: int) -> Words:
    return st.integers(1, one_in).flatmap(lambda n: odd if n == 1 else usual)


def _one(pool: tuple[bytes, ...]) -> Words:
    return st.sampled_from(pool).map(lambda word: [word])


def _integer(name: str) -> Words:
    return _seldom(_one(INTEGER_POOLS.get(name, INTEGERS)), _one(ODD_INTEGERS), 8)


def _leaf(node: dict[str, Any]) -> Words:
    kind, name = node["type"], node["name"]
    if kind == "pure-token":
        return st.just([])
    if kind == "key":
        return _one(KEYS)
    if kind in ("integer", "unix-time"):
        return _integer(name)
    if kind == "double":
        return _one(DOUBLES)
    if kind == "pattern":
        return _one(PATTERNS)
    return _one(STRING_POOLS.get(name, VALUES))


def _flat(groups: Iterable[list[bytes]]) -> list[bytes]:
    return [word for group in groups for word in group]


def _join(parts: list[Words]) -> Words:
    return st.tuples(*parts).map(_flat)


def _node(node: dict[str, Any]) -> Words:
    """Return the words of one argument: its token, its value, repeated or left out as it may be."""
    flags = node.get("flags", [])
    children = [child for child in node.get("arguments", []) if _known_to_stock(child)]
    if node["type"] == "oneof":
        words = st.one_of([_node(child) for child in children])
    elif node["type"] == "block":
        words = _join([_node(child) for child in children])
    else:
        words = _leaf(node)
    token = [node["token"].encode()] if node.get("token") else []
    if "multiple_token" in flags:
        words = _join([st.just(token), words])
        token = []
    if "multiple" in flags:
        words = st.lists(words, min_size=1, max_size=REPEATS_MAX).map(_flat)
    if token:
        words = _join([st.just(token), words])
    if "optional" in flags:
        words = st.one_of(st.just([]), words)
    return words


def _arguments(entry: dict[str, Any]) -> Words:
    return _join([_node(node) for node in entry.get("arguments", []) if _known_to_stock(node)])


def _damage(words: list[bytes]) -> Words:
    """Return damaged versions of a line; its first word stays."""
    at = st.integers(1, max(1, len(words) - 1))
    lost = at.map(lambda i: words[:i] + words[i + 1 :])
    cut = at.map(lambda i: words[:i])
    doubled = at.map(lambda i: words[: i + 1] + words[i:])
    replaced = st.tuples(at, st.sampled_from(GARBAGE)).map(lambda p: [*words[: p[0]], p[1], *words[p[0] + 1 :]])
    return st.one_of(lost, cut, doubled, replaced)


def _lines(name: bytes, entry: dict[str, Any]) -> Words:
    head = name.upper().split(b"|")
    spelled = st.sampled_from([head, head, head, [word.lower() for word in head]])
    line = _join([spelled, _arguments(entry)])
    return _seldom(line, line.flatmap(_damage), DAMAGED_SHARE)


# Commands whose useful arguments the table cannot tell.
SCAN: Final = st.tuples(
    st.sampled_from([[], [b"MATCH", b"n:*"], [b"TYPE", b"string"], [b"MATCH"], [b"TYPE", b"list"]]),
    st.sampled_from([[b"COUNT", b"1000"], [b"COUNT", b"1000"], [b"COUNT", b"0"], [b"COUNT", b"x"]]),
).map(lambda options: [b"SCAN", b"0", *options[0], *options[1]])
HELLO: Final = st.tuples(
    st.sampled_from([[], [b"2"], [b"3"], [b"1"], [b"4"], [b"abc"]]),
    st.sampled_from([[], [b"SETNAME", b"me"], [b"SETNAME", b"a b"], [b"AUTH", b"default", b""], [b"AUTH", b"x"]]),
).map(lambda options: [b"HELLO", *options[0], *(options[1] if options[0] else [])])
BY_HAND: Final[dict[str, Words]] = {"scan": SCAN, "hello": HELLO}


def load_lines() -> st.SearchStrategy[Line]:
    """Return a strategy for command lines of all suitable commands in our table."""
    table = json.loads(TABLE.read_text(encoding="utf-8"))
    entries: dict[str, dict[str, Any]] = {}
    for name, entry in table.items():
        entries[name] = entry
        entries.update((f"{name}|{sub}", e) for sub, e in entry.get("subcommands", {}).items())
    lines = []
    for name, entry in entries.items():
        wanted = entry["group"] in GROUPS or name in ALSO
        if wanted and name not in UNSUITABLE and "subcommands" not in entry and _known_to_stock(entry):
            lines.append(BY_HAND[name] if name in BY_HAND else _lines(name.encode(), entry))
    return st.one_of(lines).map(tuple)
