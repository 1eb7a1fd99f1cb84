"""Aim: small rots that nobody sees are seen here.

Method: read every tracked file.
"""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.tidy.tree import ROOT, files, text, tracked

FILE_BYTES_MAX: Final = 512 * 1024
COLUMNS_MAX: Final = 120
C_FOLDERS: Final = ("csrc", "sandbox", "tests/csrc", "tests/fuzz", "tests/sandbox")
DEFERRED: Final = re.compile(r"\b(TO" + r"DO|FIX" + r"ME)\b")
MACHINE: Final = re.compile(
    r"(?<![\w.])/wo" + r"rk/|/tmp/" + r"b/|pypi\.o" + r"rg|pythonhos" + r"ted|deb\.deb" + r"ian|npm" + r"js"
)
"""Paths and hosts of somebody's machine: what is in the tree works anywhere."""

DEFERRED_ALLOWED: Final = frozenset({Path("tests/config/test_directives.py")})
"""Files that search others for these words."""

FRAGMENTS: Final = frozenset({Path("tests/csrc/siphash_vectors.h")})
"""Headers that are included in the middle of a table."""

SLEEPERS: Final = frozenset({"time.sleep", "trio.sleep", "trio.sleep_until", "asyncio.sleep", "anyio.sleep"})
HEADER_FLAGS: Final = ("-std=gnu11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-Wno-unused-function")
MESON_NAME: Final = re.compile(r"'((?:\.\./)*\w[\w./]*)'")


@pytest.mark.parametrize("path", tracked(), ids=str)
def test_text(path: Path) -> None:
    data = (ROOT / path).read_bytes()
    assert len(data) <= FILE_BYTES_MAX, "too large for a source file"
    assert b"\0" not in data, "binary files do not belong here"
    written = data.decode("utf-8")
    assert not written or written.endswith("\n"), "the last line is not ended"
    assert "\r\n" not in written, "line ends of another system"
    assert path in DEFERRED_ALLOWED or not DEFERRED.search(written), "what is left to do belongs elsewhere"
    assert not MACHINE.search(written), "a path or host of one machine"


@pytest.mark.parametrize("path", [path for folder in C_FOLDERS for path in files(folder, ".c", ".h")], ids=str)
def test_c_lines(path: Path) -> None:
    for number, line in enumerate(text(path).splitlines(), 1):
        assert len(line) <= COLUMNS_MAX, f"line {number} is too long"
        assert "\t" not in line, f"line {number} has a tab"
        assert line == line.rstrip(), f"line {number} ends with spaces"


def headers() -> list[Path]:
    """Return the C headers that stand alone."""
    found = [path for folder in C_FOLDERS for path in files(folder, ".h")]
    return [path for path in found if path not in FRAGMENTS]


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the headers that the build generates."""
    folder = tmp_path_factory.mktemp("generated")
    table = (sys.executable, "tools/gen_commands.py", "trioredis/commands/commands.json")
    subprocess.run((*table, folder / "command_table.c", folder / "command_table.h"), cwd=ROOT, check=True)
    host = folder / "sandbox" / "host"
    host.mkdir(parents=True)
    functions = (sys.executable, "tools/gen_host_api.py", "sandbox/api.json", "sandbox/status.json")
    subprocess.run((*functions, host / "api_functions.h", host / "api_functions.c"), cwd=ROOT, check=True)
    return folder


@pytest.mark.parametrize("path", headers(), ids=str)
def test_header_compiles_alone(path: Path, generated: Path) -> None:
    folders = (
        f"-I{ROOT}",
        f"-I{ROOT / 'csrc'}",
        f"-I{ROOT / 'tests/csrc'}",
        f"-I{ROOT / path.parent}",
        f"-I{generated}",
    )
    command = (os.environ.get("CC", "cc"), *HEADER_FLAGS, *folders, "-fsyntax-only", "-x", "c", "-")
    source = f'#include "{ROOT / path}"\n#include "{ROOT / path}"\n'  # twice: the guard works
    done = subprocess.run(command, input=source, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("path", files("tests", ".py"), ids=str)
def test_tests_do_not_sleep(path: Path) -> None:
    tree = ast.parse(text(path))
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    jumping = [node for node in functions if any(arg.arg == "autojump_clock" for arg in node.args.args)]
    allowed = {id(inner) for node in jumping for inner in ast.walk(node)}  # there a sleep takes no time
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and id(node) not in allowed:
            assert ast.unparse(node.func) not in SLEEPERS, f"line {node.lineno}: wait for what you mean instead"


@pytest.mark.parametrize("folder", ["csrc", "sandbox"])
def test_build_lists_every_c_file(folder: str) -> None:
    lists = [path for path in tracked() if path.name == "meson.build" and path.parts[0] in {"csrc", "sandbox"}]
    listed = {
        Path(os.path.normpath(path.parent / name))
        for path in lists
        for name in MESON_NAME.findall(text(path))
        if name.endswith(".c")
    }
    made = {Path("csrc/command_table.c"), Path("sandbox/host/api_functions.c")}
    assert set(files(folder, ".c")) <= listed
    assert all((ROOT / path).exists() for path in listed - made)


@pytest.mark.parametrize("folder", ["tests/csrc", "tests/sandbox"])
def test_build_lists_every_c_test(folder: str) -> None:
    listed = set(MESON_NAME.findall(text(Path(folder) / "meson.build")))
    there = {path.stem.removeprefix("test_") for path in files(folder, ".c") if path.stem.startswith("test_")}
    assert there
    assert there <= listed


def test_every_test_folder_is_a_package() -> None:
    folders = {path.parent for path in files("tests", ".py")}
    assert all((ROOT / folder / "__init__.py").is_file() for folder in folders)
