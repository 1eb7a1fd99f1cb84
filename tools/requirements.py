"""Print what pyproject.toml requires, a line each, for pip.

Usage: requirements.py GROUP...   GROUP: build, run, or the name of an extra such as test
"""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]


def requirements(project: dict[str, Any], group: str) -> list[str]:
    """Return the requirements of one group. KeyError: there is no such extra."""
    if group == "build":
        return list(project["build-system"]["requires"])
    if group == "run":
        return list(project["project"]["dependencies"])
    return list(project["project"]["optional-dependencies"][group])


def main(groups: list[str]) -> None:
    """Print the requirements of these groups."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    for group in groups:
        print(*requirements(project, group), sep="\n")


if __name__ == "__main__":
    main(sys.argv[1:])
