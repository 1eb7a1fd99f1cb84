"""Aim: whatever bytes a module's helper takes for a reply, nothing outside of them is read, under sanitizers.

Method: the fuzz target with its standalone driver, from replies of every type. Longer runs are for hand.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
RUNS: Final = 200_000
SECONDS: Final = 300.0
SOURCES: Final = (
    *(ROOT / "tests" / "fuzz" / name for name in ("fuzz_call_reply.c", "mutator.c", "standalone.c")),
    *(ROOT / "sandbox" / "host" / name for name in ("call_reply.c", "need.c")),
    *(ROOT / "csrc" / "base" / name for name in ("assert.c", "digits.c", "num.c")),
)
FLAGS: Final = ("-std=gnu11", "-D_GNU_SOURCE", "-O1", "-g", "-fno-strict-aliasing", "-fsanitize=address,undefined")
FOLDERS: Final = (".", "csrc", "tests/csrc")
SEEDS: Final = (
    b"+OK\r\n",
    b"-ERR what\r\n",
    b":-42\r\n",
    b"$5\r\na\r\nb\n\r\n",
    b"$-1\r\n",
    b"*-1\r\n",
    b"_\r\n",
    b"#t\r\n",
    b",1.5e3\r\n",
    b"(12345678901234567890\r\n",
    b"=8\r\nmkd:text\r\n",
    b"*2\r\n:1\r\n*1\r\n$1\r\na\r\n",
    b"%2\r\n+a\r\n:1\r\n+b\r\n~1\r\n_\r\n",
    b"|1\r\n+ttl\r\n:60\r\n$1\r\nv\r\n",
    b"*3\r\n|1\r\n+a\r\n,1\r\n%1\r\n$2\r\nab\r\n~2\r\n#t\r\n_\r\n*1\r\n*1\r\n*0\r\n-E x\r\n",
)

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


def test_hurt_replies(tmp_path: Path) -> None:
    compiler = shutil.which(os.environ.get("CC", "cc"))
    if compiler is None:
        pytest.skip("a C compiler is not installed")
    made = tmp_path / "sandbox" / "host"
    made.mkdir(parents=True)
    sandbox = ROOT / "sandbox"
    outputs = (made / "api_functions.h", made / "api_functions.c")
    run(sys.executable, ROOT / "tools" / "gen_host_api.py", sandbox / "api.json", sandbox / "status.json", *outputs)
    includes = [f"-I{ROOT / folder}" for folder in FOLDERS]
    target = tmp_path / "fuzz_call_reply"
    built = run(compiler, *FLAGS, f"-I{tmp_path}", *includes, *SOURCES, "-lm", "-o", target)
    assert built.returncode == 0, built.stdout
    seeds = tmp_path / "seeds"
    seeds.mkdir()
    for number, seed in enumerate(SEEDS):
        (seeds / f"{number}").write_bytes(seed)
    done = run(target, f"-runs={RUNS}", "-seed=1", f"-artifact_prefix={tmp_path}/", seeds)
    assert done.returncode == 0, done.stdout
    assert f"{RUNS} executions" in done.stdout
