"""LOLWUT: a picture, and the version under it.

The picture is a maze: a wall leans to the left or to the right in each field, by chance. It is never the same twice.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Final

from trioredis.commands.arguments import integer
from trioredis.commands.context import CommandView
from trioredis.commands.registry import command
from trioredis.commands.reply import ReplyValue, Verbatim
from trioredis.version import REDIS_VERSION

COLUMNS_DEFAULT: Final = 66
COLUMNS_MAX: Final = 1000
ROWS_DEFAULT: Final = 9
ROWS_MAX: Final = 200
WALLS: Final = "/\\"


@command("lolwut")
def lolwut(ctx: CommandView, argv: Sequence[bytes]) -> ReplyValue:
    """LOLWUT [VERSION number] [columns [rows]]: there is one picture for all versions."""
    words = list(argv[1:])
    if len(words) >= 2 and words[0].lower() == b"version":
        integer(words[1])
        del words[:2]
    sizes = [integer(word) for word in words[:2]]
    columns, rows = (*sizes, *(COLUMNS_DEFAULT, ROWS_DEFAULT)[len(sizes) :])
    picture = maze(_within(columns, COLUMNS_MAX), _within(rows, ROWS_MAX), random.Random())
    return Verbatim("txt", f"{picture}\nRedis ver. {REDIS_VERSION}\n")


def maze(columns: int, rows: int, chance: random.Random) -> str:
    """Return ``rows`` lines of ``columns`` walls each, every line with its end."""
    return "".join("".join(chance.choices(WALLS, k=columns)) + "\n" for _ in range(rows))


def _within(size: int, most: int) -> int:
    return min(max(size, 1), most)
