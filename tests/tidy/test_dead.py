"""Aim: nothing lies around that nobody uses.

Method: every file and every public C function must be named by another file.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Final

import pytest

from tests.tidy.tree import ROOT, files, text, tracked

ROOTS: Final = frozenset({"__init__", "__main__", "conftest", "cli"})
"""Python files that are used by being there, or that pyproject.toml names."""

DECLARED: Final = re.compile(
    r"^(?!typedef)[a-z][\w\s*]*?\b(tr_\w+)\([^;{]*\)(?: __attribute__\(\(.*\)\))?;", re.MULTILINE
)
WORDS: Final = re.compile(r"\w+")


@cache
def words(path: Path) -> frozenset[str]:
    """Return the words of a file."""
    return frozenset(WORDS.findall(text(path)))


def named_elsewhere(word: str, *home: Path) -> bool:
    """Whether another file than these has the word."""
    return any(word in words(path) for path in tracked() if path not in home and path.suffix != ".json")


def python_files() -> list[Path]:
    """Return the Python files that somebody must import or run."""
    found = [path for folder in ("trioredis", "tests", "tools") for path in files(folder, ".py")]
    return [path for path in found if path.stem not in ROOTS and not path.name.startswith("test_")]


@pytest.mark.parametrize("path", python_files(), ids=str)
def test_python_file_is_used(path: Path) -> None:
    assert named_elsewhere(path.stem, path)


@pytest.mark.parametrize("path", [*files("csrc", ".h"), *files("sandbox", ".h"), *files("tests", ".h")], ids=str)
def test_header_is_included(path: Path) -> None:
    wanted = re.compile(rf'#include "(?:[\w.]+/)*{re.escape(path.name)}"')
    assert any(wanted.search(text(other)) for other in tracked() if other.suffix in (".c", ".h", ".py"))


@pytest.mark.parametrize("path", files("docs", ".md"), ids=str)
def test_page_is_linked(path: Path) -> None:
    pages = [Path("README.md"), *files("docs", ".md")]
    links = {
        (ROOT / page.parent / link.split("#")[0]).resolve()
        for page in pages
        for link in re.findall(r"\]\(([^)\s]+)\)", text(page))
    }
    assert (ROOT / path).resolve() in links


@pytest.mark.parametrize("page", [Path("README.md"), *files("docs", ".md")], ids=str)
def test_links_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", text(page)):
        target = link.split("#")[0]
        if target and "://" not in target:
            assert (ROOT / page.parent / target).exists(), link


@pytest.mark.parametrize("path", files("csrc", ".h"), ids=str)
def test_public_function_is_called(path: Path) -> None:
    for name in DECLARED.findall(text(path)):
        if name.startswith("tr_cmd_"):
            continue  # the generated table names the handlers
        assert named_elsewhere(name, path, path.with_suffix(".c")) or words_twice(name, path), name


def words_twice(name: str, header: Path) -> bool:
    """Whether its own unit calls the function, besides declaring and defining it."""
    home = header.with_suffix(".c")
    unit = text(header) + (text(home) if (ROOT / home).is_file() else "")
    return len(re.findall(rf"\b{name}\(", unit)) > 2
