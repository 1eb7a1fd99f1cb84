"""Run the checks of ``make test``: all of them, or the sections that are named.

Usage: check.py [SECTION...] [-- PYTEST-ARGUMENTS]

Every section runs, also after one has failed; the summary at the end and the exit status tell. Builds go to build/.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
BUILD: Final = ROOT / "build"
PYTHON: Final = sys.executable
MESON: Final = (PYTHON, "-m", "mesonbuild.mesonmain")
PYTEST: Final = (Path(PYTHON).parent / "pytest", "-q", "--durations=10")
"""The program itself, because ``python -m`` would find the source folder before the installed package."""
JOBS: Final = str(min(2, os.cpu_count() or 1))
RULE_COLUMNS: Final = 100

SANITIZED_TESTS: Final = (
    "tests/engine",
    "tests/server",
    "tests/resp",
    "tests/test_cli.py",
    "tests/modules/test_in_server.py",
    "tests/modules/test_serving.py",
    "tests/modules/test_values.py",
    "tests/modules/test_checkpoints.py",
    "tests/modules/test_undone.py",
)
"""What of the Python tests drives the engine hard enough to be worth a second run under sanitizers."""
HOST_PROGRAM: Final = "trioredis-modhost"

SANITIZER_SETUP: Final = ("-Db_sanitize=address,undefined", "-Db_lundef=false", "-Dbuildtype=debugoptimized")
SANITIZER_ENVIRONMENT: Final = {
    "ASAN_OPTIONS": "detect_leaks=1:strict_string_checks=1:detect_stack_use_after_return=1",
    "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
}


class Failed(Exception):
    """A command of a section ended with an error; the text is the command."""


def run(command: Sequence[str | Path], extra: Mapping[str, str] | None = None) -> None:
    """Run a command to its end, its output on ours. Failed: its status is not 0."""
    words = [str(word) for word in command]
    path = os.pathsep.join([str(Path(PYTHON).parent), os.environ.get("PATH", "")])
    status = subprocess.run(words, cwd=ROOT, env={**os.environ, "PATH": path, **(extra or {})}, check=False).returncode
    if status != 0:
        raise Failed(f"{' '.join(words)} (status {status})")


def build(name: str, *options: str) -> Path:
    """Configure and compile the C side in a folder of its own; return the folder."""
    folder = BUILD / name
    if not (folder / "build.ninja").exists():
        run((*MESON, "setup", folder, "-Dctests=true", *options))
    run((*MESON, "compile", "-C", folder, "-j", JOBS))
    return folder


def lint() -> None:
    """Check style and form of the Python files."""
    run((PYTHON, "-m", "ruff", "check", "."))
    run((PYTHON, "-m", "ruff", "format", "--check", "."))


def types() -> None:
    """Check the types of the package, then of its tools and tests."""
    run((PYTHON, "-m", "mypy"))
    run((PYTHON, "-m", "mypy", "tools", "tests"))


def ctest() -> None:
    """Build the C unit tests as they are built for users and run them."""
    folder = build("ctest")
    run((*MESON, "test", "-C", folder, "--no-rebuild", "--print-errorlogs", "--num-processes", JOBS))


def asan() -> None:
    """Run the C unit tests under sanitizers, leaks included."""
    folder = build("asan", *SANITIZER_SETUP)
    command = (*MESON, "test", "-C", folder, "--no-rebuild", "--print-errorlogs", "--num-processes", JOBS)
    run((*command, "--timeout-multiplier", "5"), SANITIZER_ENVIRONMENT)


def asan_pytest() -> None:
    """Run the Python tests of the engine with an extension that was built with sanitizers.

    Leaks are not looked for: Python itself leaves memory behind at its end. Modules run in the host program as users
    have it: crashes in it are what these tests are about, and a sanitizer would end it before they come.
    """
    plain = build("ctest")
    folder = build("asan", *SANITIZER_SETUP)
    image = folder / "image"
    install = (*MESON, "install", "-C", folder, "--no-rebuild", "--quiet", "--tags", "python-runtime,runtime")
    run((*install, "--destdir", image))
    site = next(image.rglob("trioredis/engine/_native*.so")).parents[2]
    shutil.copy(next(plain.rglob(HOST_PROGRAM)), next(site.rglob(HOST_PROGRAM)))
    runtime = subprocess.run(
        ("gcc", "-print-file-name=libasan.so"), check=True, capture_output=True, text=True
    ).stdout.strip()
    options = SANITIZER_ENVIRONMENT["ASAN_OPTIONS"].replace("detect_leaks=1", "detect_leaks=0")
    tests = [one for one in SANITIZED_TESTS if (ROOT / one).exists()]
    run(
        (*PYTEST, "-p", "no:cacheprovider", *tests),
        {**SANITIZER_ENVIRONMENT, "LD_PRELOAD": runtime, "ASAN_OPTIONS": options, "PYTHONPATH": str(site)},
    )


def pytest() -> None:
    """Run all Python tests."""
    arguments = sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else []
    run((*PYTEST, *arguments))


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the checks: its name on the command line, its heading, what it does."""

    name: str
    heading: str
    do: Callable[[], None]


SECTIONS: Final = (
    Section("lint", "ruff", lint),
    Section("types", "mypy", types),
    Section("ctest", "C unit tests", ctest),
    Section("asan", "C unit tests under sanitizers", asan),
    Section("asan-pytest", "Python tests of the engine under sanitizers", asan_pytest),
    Section("pytest", "Python tests", pytest),
)


def main(names: Sequence[str]) -> int:
    """Run the named sections, or all, and sum up; return the exit status."""
    known = {section.name: section for section in SECTIONS}
    unknown = [name for name in names if name not in known]
    if unknown:
        print(f"no such section: {' '.join(unknown)}; there are: {' '.join(known)}", file=sys.stderr)
        return 2
    summary = []
    failed = False
    for section in [known[name] for name in names] or SECTIONS:
        print(f"\n== {section.heading} ".ljust(RULE_COLUMNS, "="), flush=True)
        began = time.monotonic()
        try:
            section.do()
            result = "ok"
        except Failed as error:
            failed = True
            result = f"FAILED: {error}"
        summary.append(f"{section.heading:<45} {time.monotonic() - began:6.1f} s  {result}")
    print("\n== summary ".ljust(RULE_COLUMNS, "="), *summary, sep="\n", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    arguments = sys.argv[1:]
    sys.exit(main(arguments[: arguments.index("--")] if "--" in arguments else arguments))
