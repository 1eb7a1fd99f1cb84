"""Aim: what Python believes about the C side is what the C side says.

Method: names and numbers of api.h, api.cdef and the engine room are read and compared; the compiler checks the types.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from tests.tidy.tree import files, text
from trioredis.engine import types

if TYPE_CHECKING:
    from enum import Enum

API: Final = Path("csrc/engine/api.h")
CDEF: Final = Path("trioredis/engine/api.cdef")
FUNCTION: Final = re.compile(r"^(?!extern)[a-z][\w \t]*?[\s*](tr_\w+)\(", re.MULTILINE)
COMMENT: Final = re.compile(r"/\*.*?\*/", re.DOTALL)
HANDWRITTEN: Final = frozenset({"trioredis_call_python", "trioredis_authenticate"})


def code(path: Path) -> str:
    """Return a C text without its comments."""
    return COMMENT.sub("", text(path))


def declared() -> set[str]:
    """Return the functions and constants that cffi knows."""
    return set(FUNCTION.findall(code(CDEF))) | set(re.findall(r"^#define (\w+) \.\.\.", code(CDEF), re.MULTILINE))


def used() -> set[str]:
    """Return the names that the engine room takes from the extension."""
    trees = [ast.parse(text(path)) for path in files("trioredis/engine", ".py")]
    nodes = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
    return {node.attr for node in nodes if isinstance(node.value, ast.Name) and node.value.id == "lib"}


def test_every_api_function_is_declared() -> None:
    api = set(FUNCTION.findall(code(API)))
    assert api
    assert {name for name in declared() if name.startswith("tr_api_")} == api


def test_every_name_that_python_uses_is_declared() -> None:
    assert used() - HANDWRITTEN <= declared()


def test_every_declared_function_is_used() -> None:
    assert {name for name in declared() if name.startswith("tr_")} <= used()


def constants(header: str, prefix: str) -> dict[str, int]:
    """Return the values of an enumeration in a header, counted on where none is written."""
    body = re.search(rf"enum\b[^{{;]*\{{([^}}]*\b{prefix}[^}}]*)\}}", code(Path("csrc/engine") / header))
    assert body is not None
    values: dict[str, int] = {}
    following = 0
    for entry in filter(None, map(str.strip, body[1].split(","))):
        name, _, written = (part.strip() for part in entry.partition("="))
        following = int(written, 0) if written else following
        values[name.removeprefix(prefix)] = following
        following += 1
    return values


@pytest.mark.parametrize(
    ("enum", "header", "prefix"),
    [(types.EventKind, "engine.h", "TR_EVENT_"), (types.CloseReason, "conn.h", "TR_CLOSE_")],
)
def test_python_has_the_numbers_of_c(enum: type[Enum], header: str, prefix: str) -> None:
    assert {one.name: one.value for one in enum} == constants(header, prefix)


def test_policies_have_the_bits_of_c() -> None:
    source = code(Path("csrc/store/store.h"))
    bits = {name: int(value) for name, value in re.findall(r"\bTR_POLICY_(\w+) = (\d+)", source)}
    assert bits
    for name, value in types.POLICY_BITS.items():
        where, _, what = name.partition("-")
        expected = bits.get(what.upper(), 0) | (bits["ALLKEYS"] if where == "allkeys" else 0)
        assert value == expected, name
