"""DEBUG on a server: who may use it, and digests that are those of a stock server.

Method: the same random data in both servers. Each subcommand is tested in C (tests/csrc/test_cmd_debug.c).
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from tests._resp import RespClient

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests._servers import Server


@pytest.mark.parametrize(("allowed", "works"), [("no", False), ("local", True), ("yes", True)])
def test_who_may_use_it(start_trioredis: Callable[..., Server], allowed: str, works: bool) -> None:
    server = start_trioredis("--enable-debug-command", allowed)
    with RespClient(server.address) as one:
        kind, text = one.call("DEBUG", "SLEEP", "0")
        assert (kind, text[:29]) == (("simple", b"OK") if works else ("err", b"ERR DEBUG command not allowed"))


@pytest.mark.parametrize("seed", range(3))
def test_digests_are_those_of_a_stock_server(
    start_trioredis: Callable[..., Server], redis_server: Server, seed: int
) -> None:
    chance = random.Random(seed)
    lines: list[tuple[bytes, ...]] = [(b"FLUSHALL",)]
    keys = [chance.randbytes(chance.randrange(1, 60)) for _ in range(200)]
    for key in keys:
        value = chance.choice([b"%d" % chance.randrange(-(10**12), 10**12), chance.randbytes(chance.randrange(200))])
        lines.append((b"SELECT", b"%d" % chance.randrange(4)))
        lines.append((b"SET", key, value, *chance.choice([(), (b"EX", b"1000")])))
    lines.append((b"DEBUG", b"POPULATE", b"50", b"p", b"100"))
    lines.append((b"APPEND", b"p:1", b"more"))
    server = start_trioredis("--enable-debug-command", "yes")
    with RespClient(server.address) as ours, RespClient(redis_server.address) as theirs:
        assert ours.pipeline(lines) == theirs.pipeline(lines)
        for line in ((b"DEBUG", b"DIGEST"), (b"DEBUG", b"DIGEST-VALUE", *keys), (b"DEBUG", b"DIGEST-VALUE")):
            assert ours.call(*line) == theirs.call(*line)
        assert ours.call("DEBUG", "DIGEST")[1] != b"0" * 40
