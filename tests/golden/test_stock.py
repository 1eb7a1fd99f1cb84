"""Aim: the replay tool accuses nobody falsely. Method: a stock server, complete and crippled.

Crippled: commands picked at random are hidden from a stock server by sending an unknown name in
their place, and from the tool by taking them out of its table. Whatever the tool then still
compares must match as before.
"""

from __future__ import annotations

import copy
import random
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.golden.differences import load
from tests.golden.facts import Table, missing
from tests.golden.replay import Replay
from tests.golden.taint import words

if TYPE_CHECKING:
    from types import ModuleType

    from tests._servers import Server

pytestmark = pytest.mark.slow

GROUPS: Final = ("string", "generic", "connection", "transactions", "errors")
DIFFERENCES: Final = Path(__file__).with_name("stock_7_0.md")
NEVER_HIDDEN: Final = {"flushall", "hello", "reset", "select"}
HIDDEN_SHARE: Final = (0.05, 0.3)
COMPARED_MIN: Final = 100  # a tool that compares nothing proves nothing


class Crippled(Replay):
    """Replays against a stock server that seems not to have the commands missing in ``ours``."""

    def session(self, address: tuple[str, int]) -> Any:
        facts, ours = self._facts, self._ours
        base: Any = self._differ.Session

        class Session(base):  # type: ignore[misc]
            def args(self, argv: list[Any]) -> list[bytes]:
                out: list[bytes] = super().args(argv)
                if missing(facts, ours, words({"argv": argv})):
                    out[0] = b"hidden"
                return out

        return Session(*address, 2.0)


def ask(differ: ModuleType, server: Server, *argv: str) -> Any:
    """Return the value of one reply."""
    session = differ.Session(*server.address)
    reply = session.step({"c": 0, "argv": list(argv)})
    session.conns[0].drop()
    return reply["v"]


def known_to(differ: ModuleType, server: Server, facts: Table) -> Table:
    """Return the part of ``facts`` that a running server knows."""
    names = {item["v"] for item in ask(differ, server, "COMMAND", "LIST")}
    out = {name: copy.deepcopy(entry) for name, entry in facts.items() if name in names}
    for name, entry in out.items():
        for sub in set(entry.get("subcommands", {})):
            if f"{name}|{sub}" not in names:
                del entry["subcommands"][sub]
    return out


def hide_some(table: Table, rng: random.Random, share: float) -> Table:
    """Return a copy without about ``share`` of its commands and subcommands."""
    out = {}
    for name, entry in table.items():
        if name not in NEVER_HIDDEN and rng.random() < share:
            continue
        out[name] = entry = copy.deepcopy(entry)
        subs = entry.get("subcommands", {})
        for sub in [sub for sub in subs if rng.random() < share]:
            del subs[sub]
    return out


@pytest.fixture(scope="module")
def stock_table(redis_server: Server, differ: ModuleType, facts: Table) -> Table:
    if "redis_version:7.0." not in ask(differ, redis_server, "INFO", "server"):
        pytest.skip("the known differences are those of redis-server 7.0")
    return known_to(differ, redis_server, facts)


@pytest.mark.parametrize("group", GROUPS)
def test_a_stock_server_differs_only_as_listed(
    group: str,
    shared: Path,
    differ: ModuleType,
    facts: Table,
    stock_table: Table,
    redis_server: Server,
) -> None:
    path = shared / f"golden/dev/{group}.1.jsonl.gz"
    replay = Crippled(differ, facts, stock_table, load(DIFFERENCES))
    report = replay.run(path, redis_server.address)
    assert report.compared.total() > 0.9 * (report.compared.total() + report.excluded.total())
    assert not report.mismatches, "\n".join(report.lines(5))


@pytest.mark.parametrize("share", HIDDEN_SHARE)
@pytest.mark.parametrize("group", GROUPS)
def test_hidden_commands_cause_no_mismatch(
    group: str,
    share: float,
    shared: Path,
    differ: ModuleType,
    facts: Table,
    stock_table: Table,
    redis_server: Server,
) -> None:
    ours = hide_some(stock_table, random.Random(f"{group}/{share}"), share)
    path = shared / f"golden/dev/{group}.1.jsonl.gz"
    report = Crippled(differ, facts, ours, load(DIFFERENCES)).run(path, redis_server.address)
    assert report.compared.total() > COMPARED_MIN
    assert report.excluded.total() > 0
    assert not report.mismatches, "\n".join(report.lines(5))


def test_a_wrong_table_is_noticed(
    shared: Path, differ: ModuleType, facts: Table, stock_table: Table, redis_server: Server
) -> None:
    """A command that answers although the table lacks it, and one that is listed but missing."""
    path = shared / "golden/dev/string.1.jsonl.gz"
    without = {name: entry for name, entry in stock_table.items() if name != "append"}
    report = Replay(differ, facts, without, load(DIFFERENCES)).run(path, redis_server.address)
    assert {m.step["argv"][0].upper() for m in report.mismatches} == {"APPEND"}
    path = shared / "golden/dev/generic.1.jsonl.gz"
    report = Replay(differ, facts, facts, load(DIFFERENCES)).run(path, redis_server.address)
    assert "WAITAOF" in {m.step["argv"][0].upper() for m in report.mismatches}
