"""The reference page tells the truth about what has an effect.

Method: a directive that claims to have one must be named by code outside the configuration's room;
one that is listed as not connected must not be.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from trioredis.config import WALL_PREFIX
from trioredis.config._pending import PENDING
from trioredis.config.directives import DIRECTIVES, LINE_DIRECTIVES

ROOM = Path(__file__).parent.parent.parent / "trioredis"
#: What the configuration's own room acts upon.
AT_HOME = {"enable-protected-configs", "include"}


@pytest.fixture(scope="module")
def connected() -> set[str]:
    """Return the names that the rest of the server mentions."""
    files = [path for path in ROOM.rglob("*.py") if path.parent.name != "config"]
    code = "\n".join(path.read_text(encoding="utf-8") for path in files)
    attributes = {"dir" if name == "directory" else name for name in re.findall(r"config\.([a-z_]+)", code)}
    lines = set(re.findall(r"lines\[\"([a-z-]+)\"\]", code))
    walls = {name for name in DIRECTIVES if name.startswith(WALL_PREFIX)} if "WALL_PREFIX + one" in code else set()
    return lines | walls | {name for name in DIRECTIVES if f'"{name}"' in code or name.replace("-", "_") in attributes}


def test_pending_names_exist() -> None:
    assert DIRECTIVES.keys() | LINE_DIRECTIVES.keys() >= PENDING


def test_pending_names_are_not_connected(connected: set[str]) -> None:
    assert not PENDING & connected, "take these out of trioredis/config/_pending.py"


def test_other_names_are_connected(connected: set[str]) -> None:
    live = {name for name, row in DIRECTIVES.items() if not row.inert} | LINE_DIRECTIVES.keys()
    assert live - PENDING - connected <= AT_HOME, "put these into trioredis/config/_pending.py"
