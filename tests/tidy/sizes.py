"""Lengths of files and functions, in lines."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FILE_LINES_MAX: Final = {".py": 600, ".c": 800, ".h": 800}
FUNCTION_LINES_MAX: Final = {".py": 50, ".c": 60, ".h": 60}

# A definition begins in the first column with a name and a parenthesis; tables and records have none or an "=".
C_HEAD: Final = re.compile(r"^[A-Za-z_][^=;{}]*?\b(\w+)\s*\([^=;{}]*\)\s*\{$", re.MULTILINE)


def python_functions(source: str) -> Iterator[tuple[str, int]]:
    """Yield name and length of every function."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno is not None:
            yield node.name, node.end_lineno - node.lineno + 1


def c_functions(source: str) -> Iterator[tuple[str, int]]:
    """Yield name and length of every function of a file in the house layout, whose last line is a lone brace."""
    for head in C_HEAD.finditer(source):
        end = source.find("\n}\n", head.end() - 1)
        if end >= 0:
            yield head[1], source.count("\n", head.start(), end) + 2


def functions(path: Path, source: str) -> Iterator[tuple[str, int]]:
    """Yield name and length of every function in a C or Python file."""
    return python_functions(source) if path.suffix == ".py" else c_functions(source)
