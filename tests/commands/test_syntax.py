"""Aim: syntax lines show what may be left out, repeated and chosen.

Method: commands that use each form.
"""

from __future__ import annotations

from typing import Any

import pytest

from trioredis.commands.schema import load, parse
from trioredis.commands.syntax import arguments_of, syntax_of


@pytest.mark.parametrize(
    "line",
    [
        "RANDOMKEY",
        "GET key",
        "DEL key [key ...]",
        "MSET key value [key value ...]",
        "AUTH [username] password",
        "EXPIRE key seconds [NX | XX | GT | LT]",
        "COPY source destination [DB destination-db] [REPLACE]",
        "CLIENT NO-EVICT <ON | OFF>",
        "CLIENT LIST [TYPE <NORMAL | MASTER | REPLICA | PUBSUB>] [ID client-id [client-id ...]]",
        "HELLO [protover [AUTH username password] [SETNAME clientname]]",
    ],
)
def test_lines(line: str) -> None:
    words = line.split()
    entry = load().resolve(word.encode() for word in words)
    assert entry is not None
    assert syntax_of(entry) == line


@pytest.mark.parametrize(
    ("argument", "line"),
    [
        (
            {
                "name": "get",
                "type": "pattern",
                "token": "GET",
                "flags": ["multiple", "multiple_token"],
            },
            "GET get [GET get ...]",
        ),
        (
            {"name": "get", "type": "pattern", "token": "GET", "flags": ["multiple"]},
            "GET get [get ...]",
        ),
        ({"name": "a", "type": "string", "display_text": "ip:port"}, "ip:port"),
        ({"name": "e", "type": "pure-token", "token": ""}, '""'),
        (
            {
                "name": "o",
                "type": "oneof",
                "flags": ["multiple"],
                "arguments": [{"name": "x", "type": "string"}] * 2,
            },
            "<x | x> [...]",
        ),
    ],
)
def test_forms(argument: dict[str, Any], line: str) -> None:
    entry = {
        "name": "x", "summary": "X.", "complexity": "O(1)", "group": "generic", "since": "1.0.0",
        "arity": -1, "flags": [], "acl_categories": [], "first_key": 0, "last_key": 0, "key_step":
        0, "arguments": [argument],
    }  # fmt: skip
    assert arguments_of(parse({"x": entry}).commands["x"]) == line
