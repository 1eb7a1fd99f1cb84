"""The files of the project, as git knows them."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]


@cache
def tracked() -> tuple[Path, ...]:
    """Return all tracked files that are there, relative to the root; without git, all files outside hidden folders."""
    done = subprocess.run(("git", "ls-files", "-z"), cwd=ROOT, capture_output=True, check=False)
    if done.returncode == 0:
        names = done.stdout.decode().rstrip("\0").split("\0")
    else:
        found = (path.relative_to(ROOT) for path in ROOT.rglob("*") if path.is_file())
        names = [str(path) for path in found if not any(part.startswith((".", "__pycache__")) for part in path.parts)]
    return tuple(sorted(Path(name) for name in names if (ROOT / name).is_file()))


def files(folder: str, *suffixes: str) -> tuple[Path, ...]:
    """Return the tracked files below a folder with one of these suffixes, relative to the root."""
    return tuple(path for path in tracked() if path.is_relative_to(folder) and path.suffix in suffixes)


def text(path: Path) -> str:
    """Return what a tracked file holds."""
    return (ROOT / path).read_text(encoding="utf-8")
