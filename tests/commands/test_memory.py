"""MEMORY STATS and MEMORY DOCTOR.

Method: the doctor's sentences from made-up figures; the map on a server, beside a stock one's.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests._resp import RespClient
from tests.observability._info import INFO
from trioredis.commands.memory import findings, report

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests._resp import Reply
    from tests._servers import Server
    from trioredis.observability.info_input import InfoInput

MIB = 1 << 20


def figures(*, used: int, peak: int = 0, rss: int = 0, clients_bytes: int = 0, clients: int = 1) -> InfoInput:
    memory = replace(INFO.memory, used_bytes=used, peak_bytes=max(peak, used), clients_normal_bytes=clients_bytes)
    return replace(
        INFO,
        memory=memory,
        process=replace(INFO.process, rss_bytes=rss or used),
        clients=replace(INFO.clients, connected=clients),
    )


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (figures(used=100 * MIB), []),
        (figures(used=100 * MIB, peak=150 * MIB), []),
        (figures(used=100 * MIB, peak=151 * MIB), ["Peak"]),
        (figures(used=100 * MIB, rss=140 * MIB), []),
        (figures(used=100 * MIB, rss=141 * MIB), ["Fragmentation"]),
        (figures(used=10 * MIB, rss=20 * MIB), []),
        (figures(used=100 * MIB, clients=10, clients_bytes=10 * 200 * 1024), []),
        (figures(used=100 * MIB, clients=10, clients_bytes=10 * 200 * 1024 + 1), ["Clients"]),
        (figures(used=100 * MIB, clients=0, clients_bytes=0), []),
        (
            figures(used=100 * MIB, peak=200 * MIB, rss=200 * MIB, clients_bytes=MIB),
            ["Peak", "Fragmentation", "Clients"],
        ),
    ],
)
def test_findings(data: InfoInput, words: list[str]) -> None:
    assert [one.split(":")[0] for one in findings(data)] == words
    said = report(data)
    assert said.count("\n * ") == len(words)
    assert said.startswith("What stands out:\n * " if words else "Nothing stands out")


def test_little_data_is_not_judged() -> None:
    assert report(figures(used=5 * MIB - 1, rss=500 * MIB)) == (
        "There is too little data for a judgement: 5.00M in use.\n"
    )
    assert report(figures(used=5 * MIB, rss=500 * MIB)).startswith("What stands out")


def pairs(reply: Reply) -> dict[bytes, Reply]:
    """A map, or an array of names and values, as a dictionary."""
    kind, items = reply
    if kind == "array":
        items = zip(items[::2], items[1::2], strict=True)
    return {name: value for (_, name), value in items}


def test_stats_have_the_fields_of_a_stock_server(start_trioredis: Callable[..., Server], redis_server: Server) -> None:
    server = start_trioredis()
    lines = [("FLUSHALL",), ("SET", "a", "v"), ("EXPIRE", "a", "1000"), ("SELECT", "2"), ("SET", "b", "v")]
    with RespClient(server.address) as ours, RespClient(redis_server.address) as theirs:
        for client in (ours, theirs):
            client.call("HELLO", "3")
            client.pipeline(lines)
        mine, stock = pairs(ours.call("MEMORY", "STATS")), pairs(theirs.call("MEMORY", "STATS"))
        assert [name for name in mine if name in stock] == [name for name in stock if name in mine]
        assert stock.keys() - mine.keys() == set()
        # Since 7.4.
        assert mine.keys() - stock.keys() == {
            b"overhead.db.hashtable.lut",
            b"overhead.db.hashtable.rehashing",
            b"db.dict.rehashing.count",
            b"allocator.muzzy",
        }
        # Ratios may be whole numbers here and not there, their type is the same.
        assert {name: value[0] for name, value in mine.items() if name in stock} == {
            name: value[0] for name, value in stock.items() if name in mine
        }
        assert mine[b"keys.count"] == ("int", 2)
        first, second = pairs(mine[b"db.0"]), pairs(mine[b"db.2"])
        assert list(first) == [b"overhead.hashtable.main", b"overhead.hashtable.expires"]
        assert first[b"overhead.hashtable.main"][1] >= 24
        assert first[b"overhead.hashtable.expires"][1] > 0
        assert second[b"overhead.hashtable.expires"] == ("int", 0)
        assert b"db.1" not in mine


def test_the_others_answer(trioredis_server: Server) -> None:
    with RespClient(trioredis_server.address) as one:
        assert one.call("MEMORY", "PURGE") == ("simple", b"OK")
        assert one.call("MEMORY", "DOCTOR")[0] == "bulk"
        assert one.call("MEMORY", "STATS")[0] == "array"
        assert one.call("MEMORY", "MALLOC-STATS")[0] == "bulk"
        one.call("HELLO", "3")
        assert one.call("MEMORY", "DOCTOR")[0] == "verbatim"
        assert one.call("MEMORY", "MALLOC-STATS")[0] == "verbatim"
