"""Aim: files and functions that have grown too long are looked at, and the exceptions only shrink.

Method: measure all of them, compare with limits.toml.
"""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.tidy import sizes
from tests.tidy.tree import ROOT, files, text

if TYPE_CHECKING:
    from pathlib import Path

ALLOWED: Final[dict[str, dict[str, Any]]] = tomllib.loads((ROOT / "tests" / "tidy" / "limits.toml").read_text())
HEAD_CHARS: Final = 400
FOLDERS: Final = ("csrc", "sandbox", "trioredis", "tools", "tests")


def is_generated(path: Path) -> bool:
    """Whether a tool has written the file, as its first lines say."""
    return re.search(r"(?s)Generated\b.{0,80}? by\s[\s*]*tools/", text(path)[:HEAD_CHARS]) is not None


SOURCES: Final = tuple(
    path for folder in FOLDERS for path in files(folder, ".py", ".c", ".h") if not is_generated(path)
)


def too_long_files() -> dict[str, int]:
    """Return the length of each file over its limit."""
    lengths = {path: text(path).count("\n") for path in SOURCES}
    return {str(path): size for path, size in lengths.items() if size > sizes.FILE_LINES_MAX[path.suffix]}


def too_long_functions() -> dict[str, int]:
    """Return the length of each function over its limit, by ``file:name``."""
    return {
        f"{path}:{name}": size
        for path in SOURCES
        for name, size in sizes.functions(path, text(path))
        if size > sizes.FUNCTION_LINES_MAX[path.suffix]
    }


@pytest.mark.parametrize(("found", "table"), [(too_long_files(), "files"), (too_long_functions(), "functions")])
def test_lengths(found: dict[str, int], table: str) -> None:
    allowed = ALLOWED[table]
    assert found.keys() <= allowed.keys(), "look twice, then shorten it or add it to limits.toml"
    assert allowed.keys() <= found.keys(), "within the limits now: take it out of limits.toml"
    assert all(size <= allowed[name] for name, size in found.items()), f"longer than it was: {found}"


def test_functions_are_found() -> None:
    source = "static int f(int a,\n             int b) {\n    return a;\n}\n\nstatic const int t[] = {\n    1,\n};\n"
    assert list(sizes.c_functions(source)) == [("f", 4)]
    assert dict(sizes.python_functions("class A:\n    async def f(self):\n        def g(): ...\n")) == {"f": 2, "g": 1}
    assert sum(1 for path in SOURCES for _ in sizes.functions(path, text(path))) > 1000
