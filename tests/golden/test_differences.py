"""Aim: the table of allowed differences means what it says. Method: small tables, and our own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.golden.differences import allowed, load, parse

ROOT = Path(__file__).resolve().parents[2]
ROW = r"| `x` | `CLIENT\|KILL` | `\"v\": (1\|2)` | `syntax` | because |"


def test_a_row_covers_its_command_and_both_replies() -> None:
    table = parse("# Title\n\n| id | command |\n|---|---|\n" + ROW.replace('\\"', '"'))
    one, two, error = {"t": "int", "v": 1}, {"t": "int", "v": 3}, {"t": "err", "v": "ERR syntax"}
    found = allowed(table, "CLIENT|KILL", one, error)
    assert found is not None
    assert found.name == "x"
    assert found.reason == "because"
    assert allowed(table, "CLIENT|KILL", two, error) is None
    assert allowed(table, "CLIENT|KILL", one, two) is None
    assert allowed(table, "CLIENT", one, error) is None


@pytest.mark.parametrize("text", ["| `x` | `GET` | `a` | why |", f"{ROW}\n{ROW}", "| `x` | a | b | c | d |"])
def test_broken_tables_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"cells|twice|no `code`"):
        parse(text)


def test_our_own_tables_are_well_formed() -> None:
    load(ROOT / "docs/differences.md")
    assert load(ROOT / "tests/golden/stock_7_0.md")
