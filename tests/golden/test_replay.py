"""Aim: our server answers as recorded. Method: replay each file; leave out what needs a missing command."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from tests.golden.conftest import SHARED
from tests.golden.differences import load
from tests.golden.facts import Table, load_table
from tests.golden.replay import Replay

if TYPE_CHECKING:
    from types import ModuleType

    from tests._servers import Server

ROOT: Final = Path(__file__).resolve().parents[2]
OURS: Final = ROOT / "trioredis/commands/commands.json"
FILES: Final = sorted((SHARED / "golden/dev").glob("*.jsonl.gz"))
# Groups of recordings that are not named after a group of commands, with a command they are about.
ABOUT: Final = {"expiry": "expire", "encoding": "debug", "errors": "set", "mixed": "set"}
MISMATCHES_SHOWN: Final = 10


def exists(group: str, ours: Table) -> bool:
    """Whether our server has a command that the recordings of ``group`` are about."""
    if group in ABOUT:
        return ABOUT[group] in ours
    return any(entry["group"] == group for entry in ours.values())


@pytest.mark.slow
@pytest.mark.parametrize("path", FILES or [None], ids=lambda p: p.name.split(".jsonl")[0] if p else "none")
def test_replies_are_as_recorded(path: Path | None, differ: ModuleType, facts: Table, trioredis_server: Server) -> None:
    assert path is not None
    ours = load_table(OURS)
    if not exists(path.name.split(".")[0], ours):
        pytest.skip("none of its commands exist yet")
    replay = Replay(differ, facts, ours, load(ROOT / "docs/differences.md"))
    report = replay.run(path, trioredis_server.address)
    text = "\n".join(report.lines(MISMATCHES_SHOWN))
    print(text)
    assert not report.mismatches, text
    assert report.compared.total() > 0
