"""Aim: committed reference pages are what the data gives.

Method: make each page anew and compare.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
sys.path.insert(0, str(ROOT / "tools"))

import gen_docs  # noqa: E402

from trioredis.commands.schema import load  # noqa: E402


@pytest.mark.parametrize("name", gen_docs.PAGES)
def test_the_committed_page_is_up_to_date(name: str) -> None:
    assert (ROOT / name).read_text(encoding="utf-8") == gen_docs.PAGES[name](), "run tools/gen_docs.py"


def test_every_command_has_a_section() -> None:
    lines = gen_docs.commands_page(load()).splitlines()
    for entry in load().walk():
        depth = "####" if "|" in entry.fullname else "###"
        assert f"{depth} {entry.fullname.upper().replace('|', ' ')}" in lines
        assert entry.summary in lines
