"""Aim: ``trioredis-module check`` tells what a module brings, or in one line why it can't be loaded.

Method: the example modules, compiled; the command in a process of its own.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.modules.test_in_server import build, examples  # noqa: F401 - a fixture

pytestmark = pytest.mark.slow

CODE = "import sys; from trioredis.module_cli import main; sys.exit(main())"


def run(*args: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the command."""
    words = [str(one) for one in args]
    return subprocess.run(
        [sys.executable, "-P", "-c", CODE, *words], capture_output=True, text=True, check=False, timeout=60
    )


def test_a_good_module(examples: Path) -> None:  # noqa: F811
    done = run("check", examples / "keys.so")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("keys version 1, API 1, loaded in ")
    assert "\n  keys.set  arity -1, write denyoom module, keys 1 to 1 step 1\n" in done.stdout
    assert "\n  CreateCommand\n" in done.stdout


def test_json(examples: Path) -> None:  # noqa: F811
    facts = json.loads(run("check", "--json", examples / "hello.so", "an argument").stdout)
    assert facts["name"] == "hellomodule"
    assert [one["name"] for one in facts["commands"]] == ["hellomodule.rand"]


def test_a_crash(examples: Path) -> None:  # noqa: F811
    done = run("check", examples / "crash.so", "load", "read-null")
    assert done.returncode == 1
    assert done.stdout == ""
    assert "SIGSEGV in read_null at crash.c:" in done.stderr
    assert done.stderr.count("\n") == 1


def test_no_module() -> None:
    done = run("check", "--json", "/no/such/file.so")
    assert done.returncode == 1
    assert "No such file" in json.loads(done.stdout)["error"]


@pytest.mark.parametrize("args", [(), ("check",), ("try", "x.so"), ("check", "--what", "x.so")])
def test_mistakes(args: tuple[str, ...]) -> None:
    done = run(*args)
    assert done.returncode == 2
    assert done.stderr.startswith("usage: ")


TALKER = """
#include <stdio.h>
#include "redismodule.h"
int RedisModule_OnLoad(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    if (RedisModule_Init(ctx, "talker", 1, 1) == REDISMODULE_ERR) return REDISMODULE_ERR;
    printf("one line\\n");
    fflush(stdout);
    fprintf(stderr, "a complaint");
    RedisModule_Log(ctx, "debug", "a detail");
    return argc > 0 ? REDISMODULE_ERR : REDISMODULE_OK;
}
"""


@pytest.mark.parametrize("refuses", [False, True])
def test_what_it_says(tmp_path: Path, refuses: bool) -> None:
    """Also when it is not loaded: there it helps most."""
    args = ["refuse"] if refuses else []
    path = build(tmp_path, "talker", TALKER)
    said = json.loads(run("check", "--json", path, *args).stdout)["said"]
    assert {(one["where"], one["line"]) for one in said} == {
        ("stdout", "one line"), ("stderr", "a complaint"), ("log", "<talker> a detail"),
    }  # fmt: skip
    done = run("check", path, *args)
    assert done.returncode == int(refuses)
    assert "\n  stderr: a complaint\n" in done.stdout
    assert done.stderr.count("\n") == int(refuses)
