"""Aim: each public name has one home, which type checkers see as well.

Method: read the lists of names, import each.
"""

from __future__ import annotations

import ast
import importlib
from pathlib import Path
from typing import Final

import trioredis
from tests.tidy.tree import text

ROOMS: Final = ("trioredis", "trioredis.config", "trioredis.engine", "trioredis.observability")


def typed_homes() -> dict[str, str]:
    """Return where the package says that its names come from, for type checkers."""
    tree = ast.parse(text(Path("trioredis/__init__.py")))
    blocks = [node for node in tree.body if isinstance(node, ast.If)]
    return {
        alias.name: str(node.module)
        for block in blocks
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


def test_names_have_one_home() -> None:
    homes = trioredis._HOMES
    assert set(homes) | {"__version__"} == set(trioredis.__all__)
    assert homes == {name: module for name, module in typed_homes().items() if name in homes}
    for name, module in homes.items():
        assert getattr(trioredis, name) is getattr(importlib.import_module(module), name)


def test_no_room_exports_the_name_of_another() -> None:
    homes: dict[str, object] = {}
    for room in ROOMS:
        module = importlib.import_module(room)
        for name in module.__all__:
            thing = getattr(module, name)
            assert homes.setdefault(name, thing) is thing, f"{room} and another room both have a {name}"


def test_unknown_names_are_refused() -> None:
    assert not hasattr(trioredis, "no_such_name")
