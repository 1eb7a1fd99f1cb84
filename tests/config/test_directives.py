"""The table is complete, consistent, and cheap to build.

Method: each row's default must be a value of its own kind; names, aliases and defaults are
compared with CONFIG GET of a stock server, every difference being listed here with its reason.
"""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.config.client import Client
from trioredis.config import Config
from trioredis.config.directive import Directive, Kind
from trioredis.config.directives import (
    DIRECTIVES,
    LINE_DIRECTIVES,
    NAMES,
    RETIRED,
    lookup,
    nearest,
)
from trioredis.config.values import parse, show, split_set_value

if TYPE_CHECKING:
    from tests._servers import Server

#: Names of a stock 7.0 server that we lack: none. A name that is added here needs a reason.
LACKING: dict[str, str] = {}
#: Visible names of ours that a stock 7.0 server lacks without being new rows.
NEW_SPELLINGS = {
    "server-cpulist": "7.2 added the spelling with a hyphen",
    "bio-cpulist": "7.2 added the spelling with a hyphen",
    "aof-rewrite-cpulist": "7.2 added the spelling with a hyphen",
    "bgsave-cpulist": "7.2 added the spelling with a hyphen",
}
#: Names that a stock 7.0 server shows to patterns and we do not.
HIDDEN_NOW = {"aof-disable-auto-gc": "hidden since 7.2"}
#: Defaults that depend on how the stock server of the tests is started.
STARTED_WITH = {"bind", "port", "dir", "save", "enable-debug-command"}

ROWS = [pytest.param(row, id=row.name) for row in DIRECTIVES.values()]


@pytest.mark.parametrize("row", ROWS)
def test_default_is_a_value(row: Directive) -> None:
    if row.kind is Kind.DIRECTORY:
        pytest.skip("its default is the current directory")
    words = split_set_value(row, show(row, row.default))
    if row.kind is Kind.UPSTREAM:
        words = ["no", "one"]
    assert parse(row, words, row.default) == row.default


@pytest.mark.parametrize("row", ROWS)
def test_row_is_consistent(row: Directive) -> None:
    assert all(name == name.lower() for name in row.names)
    assert row.about.endswith(".")
    assert not row.inert.endswith(".")
    assert bool(row.choices) == (row.kind in (Kind.ENUM, Kind.FLAGS))
    assert all(word in row.choices for pair in row.synonyms for word in pair)
    numeric = row.kind in (Kind.INTEGER, Kind.MEMORY, Kind.OCTAL, Kind.MEMORY_OR_PERCENT)
    assert numeric == (row.high != 0)
    assert row.clamp is None or numeric
    assert not (row.immutable and row.protected)


def test_names_are_unique() -> None:
    assert len(NAMES) == sum(len(row.names) for row in DIRECTIVES.values())
    assert not NAMES.keys() & (LINE_DIRECTIVES.keys() | RETIRED)


def test_lookup_ignores_case_and_knows_aliases() -> None:
    assert lookup("MaxMemory") is DIRECTIVES["maxmemory"]
    assert lookup("slave-priority") is DIRECTIVES["replica-priority"]
    assert lookup("nosuch") is None


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("maxmemry", "maxmemory"),
        ("MAXMEMORYY", "maxmemory"),
        ("loadmodules", "loadmodule"),
        ("slave-prio", "slave-priority"),
        ("qqqqqqqq", ""),
    ],
)
def test_nearest(typed: str, expected: str) -> None:
    assert nearest(typed) == expected


def test_secrets_are_marked() -> None:
    secret = {name for name, row in DIRECTIVES.items() if row.sensitive}
    assert secret == {
        "masterauth",
        "masteruser",
        "requirepass",
        "tls-client-key-file-pass",
        "tls-key-file-pass",
    }


def test_import_stays_light() -> None:
    """The server starts fast: the room must not pull in slow modules before they are needed."""
    code = "import sys, trioredis.config; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    slow = {"difflib", "tempfile", "glob", "argparse", "logging", "asyncio", "importlib.metadata"}
    assert not slow & set(loaded)


def test_names_and_defaults_of_a_stock_server(redis_server: Server) -> None:
    with Client(redis_server.address) as client:
        stock = client.config_get("*")
    ours = Config().get(["*"])
    assert {name for name in stock if name not in NAMES} == LACKING.keys()
    assert stock.keys() - ours.keys() == HIDDEN_NOW.keys()
    new = {name for name in ours.keys() - stock.keys() if NAMES[name].since_7_0}
    assert new == NEW_SPELLINGS.keys()
    compared = (stock.keys() & ours.keys()) - STARTED_WITH
    assert {name: ours[name] for name in compared} == {name: stock[name] for name in compared}


def test_no_row_mentions_what_a_reader_cannot_know() -> None:
    for row in DIRECTIVES.values():
        assert not re.search(r"#\d|TODO|FIXME", row.about + row.inert)
