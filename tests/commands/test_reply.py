"""Aim: every reply value becomes the bytes that Redis sends in both protocols.

Method: a table of values and bytes.
"""

from __future__ import annotations

import math
from typing import Any, cast

import pytest

from trioredis.commands.reply import (
    OK,
    ErrorReply,
    NullArray,
    Push,
    ReplyValue,
    SetReply,
    SimpleString,
    Verbatim,
    encode,
    format_double,
)

CASES: list[tuple[ReplyValue, bytes, bytes]] = [
    (0, b":0\r\n", b":0\r\n"),
    (-42, b":-42\r\n", b":-42\r\n"),
    (True, b":1\r\n", b"#t\r\n"),
    (False, b":0\r\n", b"#f\r\n"),
    (None, b"$-1\r\n", b"_\r\n"),
    (NullArray(), b"*-1\r\n", b"_\r\n"),
    (b"a\r\nb", b"$4\r\na\r\nb\r\n", b"$4\r\na\r\nb\r\n"),
    (b"", b"$0\r\n\r\n", b"$0\r\n\r\n"),
    ("é", "$2\r\né\r\n".encode(), "$2\r\né\r\n".encode()),
    ("\udcff", b"$1\r\n\xff\r\n", b"$1\r\n\xff\r\n"),
    (1.5, b"$3\r\n1.5\r\n", b",1.5\r\n"),
    (3.0, b"$1\r\n3\r\n", b",3\r\n"),
    (-math.inf, b"$4\r\n-inf\r\n", b",-inf\r\n"),
    (OK, b"+OK\r\n", b"+OK\r\n"),
    (SimpleString("a\r\nb"), b"+a  b\r\n", b"+a  b\r\n"),
    (ErrorReply("ERR no\nway"), b"-ERR no way\r\n", b"-ERR no way\r\n"),
    (Verbatim("txt", "hi"), b"$2\r\nhi\r\n", b"=6\r\ntxt:hi\r\n"),
    (Verbatim("mkd", b"\xff"), b"$1\r\n\xff\r\n", b"=5\r\nmkd:\xff\r\n"),
    ([], b"*0\r\n", b"*0\r\n"),
    ([1, [b"a"]], b"*2\r\n:1\r\n*1\r\n$1\r\na\r\n", b"*2\r\n:1\r\n*1\r\n$1\r\na\r\n"),
    ((1, None), b"*2\r\n:1\r\n$-1\r\n", b"*2\r\n:1\r\n_\r\n"),
    (
        {"a": 1, "b": {}},
        b"*4\r\n$1\r\na\r\n:1\r\n$1\r\nb\r\n*0\r\n",
        b"%2\r\n$1\r\na\r\n:1\r\n$1\r\nb\r\n%0\r\n",
    ),
    ({b"\xff": 1.0}, b"*2\r\n$1\r\n\xff\r\n$1\r\n1\r\n", b"%1\r\n$1\r\n\xff\r\n,1\r\n"),
    (SetReply([1, OK]), b"*2\r\n:1\r\n+OK\r\n", b"~2\r\n:1\r\n+OK\r\n"),
    (Push(["message", 1]), b"*2\r\n$7\r\nmessage\r\n:1\r\n", b">2\r\n$7\r\nmessage\r\n:1\r\n"),
]


@pytest.mark.parametrize(("value", "resp2", "resp3"), CASES)
def test_encode(value: ReplyValue, resp2: bytes, resp3: bytes) -> None:
    assert encode(value, 2) == resp2
    assert encode(value, 3) == resp3


DOUBLES = [
    (0.0, "0"),
    (-0.0, "-0"),
    (0.1, "0.1"),
    (-1e17, "-100000000000000000"),
    (1e20, "1e+20"),
    (-1.5e300, "-1.5e+300"),
    (5e-324, "5e-324"),
    (0.00001, "0.00001"),
    (1e-7, "1e-7"),
    (0.000012345, "1.2345e-5"),
    (123.456789012345, "123.456789012345"),
    (3.5, "3.5"),
    (math.nan, "nan"),
    (math.inf, "inf"),
]


@pytest.mark.parametrize(("value", "text"), DOUBLES)
def test_doubles_are_short_and_exact(value: float, text: str) -> None:
    assert format_double(value) == text
    assert math.isnan(value) or float(text) == value


@pytest.mark.parametrize("stranger", [object(), {1}, [object()], {"a": object()}])
def test_what_is_no_reply_is_refused(stranger: object) -> None:
    with pytest.raises(TypeError, match="not a reply value"):
        encode(cast(Any, stranger), 2)


def test_a_verbatim_format_has_three_bytes() -> None:
    with pytest.raises(ValueError, match="three bytes"):
        Verbatim("text", "x")
