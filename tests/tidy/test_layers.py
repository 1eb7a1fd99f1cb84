"""Aim: imports only point down, and one door leads from C to Python.

Method: every ``#include`` and every ``import`` is compared with layers.toml.
"""

from __future__ import annotations

import ast
import re
import tomllib
from graphlib import TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.tidy.tree import ROOT, files, text

if TYPE_CHECKING:
    from collections.abc import Iterator

LAYERS: Final[dict[str, Any]] = tomllib.loads((ROOT / "tests" / "tidy" / "layers.toml").read_text())
INCLUDE: Final = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)
PACKAGE: Final = "trioredis"
BINDING: Final = "_native"
EXAMPLES: Final = Path("sandbox/examples")
"""Modules as their authors write them: they know one header and no room."""

C_FILES: Final = tuple(
    path for folder in ("csrc", "sandbox") for path in files(folder, ".c", ".h") if not path.is_relative_to(EXAMPLES)
)
GENERATED_HEADERS: Final = frozenset({"api_functions.h", "command_table.h", "sandbox/host/api_functions.h"})


def room_of(path: Path) -> str:
    """Return the room of a file of the package: its folder, or its own name."""
    inner = path.relative_to(PACKAGE)
    return inner.parts[0] if len(inner.parts) > 1 else inner.stem


def c_room_of(path: Path) -> str:
    """Return the room of a C file."""
    return path.parts[1] if path.parts[0] == "csrc" else path.parts[0]


def imports(tree: ast.AST, *, typing_only: bool = False) -> Iterator[tuple[str, bool]]:
    """Yield every module or name that is imported, dotted, and whether only type checkers see it."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            for inner in node.body:
                yield from imports(ast.Module([inner], []), typing_only=True)
            for inner in node.orelse:
                yield from imports(ast.Module([inner], []), typing_only=typing_only)
        elif isinstance(node, ast.Import):
            yield from ((alias.name, typing_only) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield from ((f"{node.module}.{alias.name}", typing_only) for alias in node.names)
        else:
            yield from imports(node, typing_only=typing_only)


def used_rooms(path: Path) -> Iterator[tuple[str, bool]]:
    """Yield each room of the package that a Python file uses, and whether only type checkers see it."""
    for name, typing_only in imports(ast.parse(text(path))):
        parts = name.split(".")
        if parts[0] == PACKAGE:
            yield parts[1] if (ROOT / PACKAGE / parts[1]).is_dir() or is_module(parts[1]) else "__init__", typing_only


def is_module(name: str) -> bool:
    """Whether this is a file of the package."""
    return (ROOT / PACKAGE / f"{name}.py").is_file()


@pytest.mark.parametrize("path", C_FILES, ids=str)
def test_c_rooms(path: Path) -> None:
    room = c_room_of(path)
    allowed = {room, *LAYERS["c"][room]}
    for header in INCLUDE.findall(text(path)):
        if header in GENERATED_HEADERS:
            continue
        assert "/" in header, f"{header}: quoted includes name the room"
        assert header.split("/")[0] in allowed, f"{room} may not use {header}"
        home = ROOT if header.startswith("sandbox/") else ROOT / "csrc"
        assert (home / header).is_file(), f"{header} is not there"


def test_c_knows_nothing_of_python() -> None:
    for path in C_FILES:
        assert "Python.h" not in text(path), path


def test_one_header_is_the_door() -> None:
    generator = text(Path("tools/gen_native.py"))
    found = re.findall(r'#include "([^"]+)"', generator)
    assert found == LAYERS["boundary"]["trioredis"]


@pytest.mark.parametrize("path", files(PACKAGE, ".py"), ids=str)
def test_python_rooms(path: Path) -> None:
    room = room_of(path)
    at_run_time = {room, *LAYERS["python"][room]}
    for_types = at_run_time | set(LAYERS["python-types"].get(room, ()))
    for used, typing_only in used_rooms(path):
        assert used in (for_types if typing_only else at_run_time), f"{room} may not use {used}"


def test_only_the_engine_room_touches_the_extension() -> None:
    for folder in (PACKAGE, "tests", "tools"):
        for path in files(folder, ".py"):
            names = {part for name, _ in imports(ast.parse(text(path))) for part in name.split(".")}
            if path.is_relative_to("trioredis/engine"):
                continue
            assert BINDING not in names, path
            assert "cffi" not in names or path == Path("tools/gen_native.py"), path


@pytest.mark.parametrize("table", ["c", "python"])
def test_the_table_has_no_circles(table: str) -> None:
    assert list(TopologicalSorter(LAYERS[table]).static_order())


def test_the_table_names_what_is_there() -> None:
    assert set(LAYERS["c"]) == {c_room_of(path) for path in C_FILES}
    rooms = {room_of(path) for path in files(PACKAGE, ".py")}
    assert rooms <= set(LAYERS["python"])


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import a.b", [("a.b", False)]),
        ("from a import b, c", [("a.b", False), ("a.c", False)]),
        ("def f():\n    import a", [("a", False)]),
        ("if TYPE_CHECKING:\n    import a\nelse:\n    import b", [("a", True), ("b", False)]),
    ],
)
def test_imports_are_found(source: str, expected: list[tuple[str, bool]]) -> None:
    assert list(imports(ast.parse(source))) == expected
