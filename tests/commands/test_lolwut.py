"""LOLWUT: a picture of the wanted size, and the version.

Method: the drawing with a fixed seed; the command on a server.
"""

from __future__ import annotations

import random
import re
from typing import TYPE_CHECKING

import pytest

from tests._resp import RespClient
from trioredis.commands.lolwut import maze

if TYPE_CHECKING:
    from tests._servers import Server


def test_a_maze_has_its_size_and_only_walls() -> None:
    picture = maze(7, 3, random.Random(1))
    assert re.fullmatch(r"([/\\]{7}\n){3}", picture)
    assert maze(7, 3, random.Random(1)) == picture != maze(7, 3, random.Random(2))


@pytest.mark.parametrize(
    ("arguments", "columns", "rows"),
    [
        ((), 66, 9),
        (("VERSION", "5"), 66, 9),
        (("version", "6", "4", "2"), 4, 2),
        (("10",), 10, 9),
        (("0", "-5"), 1, 1),
        (("5000", "5000"), 1000, 200),
        (("5", "1", "1", "more"), 5, 1),
    ],
)
def test_sizes(trioredis_server: Server, arguments: tuple[str, ...], columns: int, rows: int) -> None:
    with RespClient(trioredis_server.address) as one:
        kind, text = one.call("LOLWUT", *arguments)
        assert kind == "bulk"
        assert re.fullmatch(rb"([/\\]{%d}\n){%d}\nRedis ver\. 7\.4\.0\n" % (columns, rows), text)
        one.call("HELLO", "3")
        assert one.call("LOLWUT", *arguments)[0] == "verbatim"


@pytest.mark.parametrize("arguments", [("VERSION", "x"), ("x",), ("VERSION",), ("1", "2.5")])
def test_what_is_no_number(trioredis_server: Server, arguments: tuple[str, ...]) -> None:
    with RespClient(trioredis_server.address) as one:
        assert one.call("LOLWUT", *arguments) == ("err", b"ERR value is not an integer or out of range")
