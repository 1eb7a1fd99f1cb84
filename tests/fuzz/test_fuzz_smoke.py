"""Aim: the fuzz targets build, hold for some ten thousand inputs, and can fail.

Method: the standalone driver in a sanitizer build of its own, from generated seeds. Longer runs are for hand or
nightly use: ``fuzz_engine_standalone -runs=1000000 FOLDER``, or libFuzzer's ``fuzz_engine``.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.fuzz import make_seeds

ROOT: Final = Path(__file__).parents[2]
RUNS: Final = {"parser": 40_000, "engine": 12_000, "engine_oom": 6_000, "modhost": 20_000}
CANARY_RUNS: Final = 50_000
BUILD_SECONDS: Final = 600.0
RUN_SECONDS: Final = 300.0
SETUP: Final = (
    "-Dfuzzers=true",
    "-Dbuildtype=debugoptimized",
    "-Db_sanitize=address,undefined",
    "-Db_lundef=false",
)
# A finding must end the program, whatever the environment says.
SANITIZERS: Final = {
    "ASAN_OPTIONS": "abort_on_error=0:detect_leaks=1",
    "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
}

pytestmark = pytest.mark.slow


def run(*command: str | Path, seconds: float = RUN_SECONDS) -> subprocess.CompletedProcess[str]:
    """Run to the end with this interpreter's tools first in the path; stdout and stderr in one text."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    return subprocess.run(
        [str(word) for word in command],
        env={**os.environ, **SANITIZERS, "PATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        timeout=seconds,
        check=False,
    )


@pytest.fixture(scope="module")
def targets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the built targets; skip without the tools to build them."""
    if importlib.util.find_spec("mesonbuild") is None or shutil.which("cc") is None:
        pytest.skip("meson or a C compiler is not installed")
    build = tmp_path_factory.mktemp("fuzz-build")
    meson = (sys.executable, "-m", "mesonbuild.mesonmain")
    names = [f"fuzz_{name}_standalone" for name in ("canary", *RUNS)]
    setup = ("setup", str(build), str(ROOT), *SETUP)
    for command in (setup, ("compile", "-C", str(build), "-j", "2", *names)):
        done = run(*meson, *command, seconds=BUILD_SECONDS)
        assert done.returncode == 0, done.stdout
    return build / "tests" / "fuzz"


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the generated seeds."""
    folder = tmp_path_factory.mktemp("seeds")
    make_seeds.write(folder, make_seeds.COMMANDS)
    return folder


def test_seeds_cover_every_command(seeds: Path) -> None:
    written = {file.read_bytes() for file in seeds.iterdir()}
    assert make_seeds.request(b"get", b"key") in written
    assert make_seeds.request(b"client", b"id") in written
    assert set(make_seeds.SHAPES) <= written


@pytest.mark.parametrize("target", RUNS)
def test_target_holds(target: str, targets: Path, seeds: Path, tmp_path: Path) -> None:
    program = targets / f"fuzz_{target}_standalone"
    done = run(program, f"-runs={RUNS[target]}", "-seed=1", f"-artifact_prefix={tmp_path}/", seeds)
    assert done.returncode == 0, done.stdout
    assert f"{RUNS[target]} executions" in done.stdout


def test_canary_is_found_and_replays(targets: Path, seeds: Path, tmp_path: Path) -> None:
    canary = targets / "fuzz_canary_standalone"
    done = run(canary, f"-runs={CANARY_RUNS}", "-seed=1", f"-artifact_prefix={tmp_path}/", seeds)
    assert done.returncode != 0, "the planted defect was not found"
    found = list(tmp_path.glob("crash-1-*"))
    assert len(found) == 1, done.stdout
    again = run(canary, found[0])
    assert again.returncode != 0
    assert "assertion failed" in again.stdout
    assert run(targets / "fuzz_parser_standalone", found[0]).returncode == 0


def test_wrong_options_are_refused(targets: Path) -> None:
    for word in ("-runs=x", "-unknown=1", "no-such-file"):
        assert run(targets / "fuzz_parser_standalone", word).returncode == 2
