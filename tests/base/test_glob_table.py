"""The Python matcher and a stock server agree with the table that the C matcher is tested with.

Method: every row; for the server, rows with the same pattern in one question.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from tests.base.glob_table import Row, ask_commands, ask_set, read_table
from tests.config.client import Client
from trioredis.glob import matches

if TYPE_CHECKING:
    from tests._servers import Server


def test_python_matches_as_the_table_says() -> None:
    rows = read_table()
    assert len(rows) > 2000
    wrong = [row for row in rows if matches(row.pattern, row.text, ignore_case=row.ignore_case) is not row.match]
    assert not wrong


def test_a_stock_server_matches_as_the_table_says(redis_server: Server) -> None:
    groups: dict[tuple[bool, bytes], list[Row]] = defaultdict(list)
    for row in read_table():
        groups[row.ignore_case, row.pattern].append(row)
    with Client(redis_server.address) as client:
        for (ignore_case, pattern), rows in groups.items():
            texts = [row.text for row in rows]
            found = ask_commands(client, pattern) if ignore_case else ask_set(client, pattern, texts)
            assert {row.text for row in rows if row.match} == found & set(texts), pattern
        client.call("DEL", "globs")
