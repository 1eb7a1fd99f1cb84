"""Fixtures of the replay tests: the recordings and the facts that belong to them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.golden.facts import Table, load_table
from tests.golden.replay import load_differ

if TYPE_CHECKING:
    from types import ModuleType

SHARED = Path(__file__).resolve().parents[3] / "shared"


@pytest.fixture(scope="session")
def shared() -> Path:
    """Return the folder with recordings and facts; skip when this machine has none."""
    if not (SHARED / "golden/differ.py").exists():
        pytest.skip("the recordings (../shared/golden) are not on this machine")
    return SHARED


@pytest.fixture(scope="session")
def facts(shared: Path) -> Table:
    """Return the facts about every command of the reference server."""
    return load_table(shared / "facts/commands.json")


@pytest.fixture(scope="session")
def differ(shared: Path) -> ModuleType:
    """Return the tester that made the recordings."""
    return load_differ(shared / "golden")
