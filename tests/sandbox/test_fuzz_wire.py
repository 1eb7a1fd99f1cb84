"""Aim: mutated messages are values or reasons on the C end, under sanitizers.

Method: the fuzz target with its standalone driver, from the golden messages and their bodies. Longer runs are for hand.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest

from tests.sandbox.test_protocol import FILES, golden
from trioredis.modules.protocol import MESSAGES
from trioredis.modules.wire import HEADER_BYTES

ROOT: Final = Path(__file__).parents[2]
RUNS: Final = 200_000
SECONDS: Final = 300.0
SOURCES: Final = (
    *(ROOT / "tests" / "fuzz" / name for name in ("fuzz_wire.c", "mutator.c", "standalone.c")),
    *(ROOT / "sandbox" / "wire" / name for name in ("codec.c", "protocol.c")),
    *(ROOT / "csrc" / "base" / name for name in ("assert.c", "buf.c", "err.c", "mem.c")),
)
FLAGS: Final = ("-std=gnu11", "-D_GNU_SOURCE", "-O1", "-g", "-fno-strict-aliasing", "-fsanitize=address,undefined")
FOLDERS: Final = (".", "csrc", "tests/csrc")

pytestmark = pytest.mark.slow


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    """Run to the end; a finding of a sanitizer ends the program, whatever the environment says."""
    sanitizers = {"ASAN_OPTIONS": "detect_leaks=1", "UBSAN_OPTIONS": "halt_on_error=1"}
    return subprocess.run(
        [str(word) for word in command],
        env={**os.environ, **sanitizers},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        timeout=SECONDS,
        check=False,
    )


def test_hurt_messages(tmp_path: Path) -> None:
    compiler = shutil.which(os.environ.get("CC", "cc"))
    if compiler is None:
        pytest.skip("a C compiler is not installed")
    includes = [f"-I{ROOT / folder}" for folder in FOLDERS]
    built = run(compiler, *FLAGS, *includes, *SOURCES, "-lm", "-o", tmp_path / "fuzz_wire")
    assert built.returncode == 0, built.stdout
    seeds = tmp_path / "seeds"
    seeds.mkdir()
    order = sorted(MESSAGES.by_number)
    for one in (one for path in FILES for one in golden(path)):
        (seeds / one.spec.name).write_bytes(one.data)
        picked = order.index(one.spec.number).to_bytes(2, "little")
        (seeds / f"{one.spec.name}-body").write_bytes(picked + one.data[HEADER_BYTES:])
    done = run(tmp_path / "fuzz_wire", f"-runs={RUNS}", "-seed=1", f"-artifact_prefix={tmp_path}/", seeds)
    assert done.returncode == 0, done.stdout
    assert f"{RUNS} executions" in done.stdout
