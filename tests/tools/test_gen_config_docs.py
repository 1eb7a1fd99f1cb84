"""The reference page of the directives is what the table says today."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from trioredis.config.directives import NAMES

ROOT = Path(__file__).parent.parent.parent


def test_page_is_up_to_date() -> None:
    done = subprocess.run(
        [sys.executable, "tools/gen_config_docs.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.returncode) == ("directives.md is up to date\n", 0)


def test_page_names_every_directive() -> None:
    page = (ROOT / "docs" / "reference" / "directives.md").read_text(encoding="utf-8")
    assert all(f"`{name}`" in page for name in NAMES)
