"""Aim: a module that can't be loaded is refused with a reason that helps, and leaves nothing behind.

Method: the example modules and small ones compiled here, in a server in this process; what it logs is read.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
import trio

import trioredis
from tests.modules.test_in_server import build, client_of, examples  # noqa: F401 - a fixture
from tests.server.kit import Process
from trioredis.config import Config, load, parse_command_line
from trioredis.modules.api_names import NAMES
from trioredis.modules.helper import LoadError
from trioredis.modules.policy import Policy
from trioredis.resp import ReplyError

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow

LOADS: Final = 20
CRASHES: Final = 3
"""Fewer: each waits for its report."""
SILENT: Final = "int nothing;"
UNWILLING: Final = """
#include "redismodule.h"
int RedisModule_OnLoad(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    return RedisModule_Init(ctx, "unwilling", 1, 1) == REDISMODULE_ERR ? REDISMODULE_ERR : REDISMODULE_ERR;
}
"""
NAMESAKE: Final = """
#include "redismodule.h"
int RedisModule_OnLoad(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    return RedisModule_Init(ctx, "HelloModule", 1, 1);
}
"""


def logged(folder: Path, event: str) -> Iterator[dict[str, Any]]:
    """Yield what a server has logged of an event, as it stands in a log of JSON lines."""
    for line in (folder / "log").read_text().splitlines():
        fields = json.loads(line)
        if fields["event"] == event:
            yield fields


def logging(folder: Path) -> dict[str, Any]:
    """Return the directives that make a log of JSON lines."""
    return {"logfile": str(folder / "log"), "log_format": "json", "loglevel": "verbose"}


def failing(kind: str, folder: Path, examples: Path) -> list[str]:  # noqa: F811
    """Return the words after MODULE LOAD of a load that fails."""
    if kind == "no load function":
        return [build(folder, "silent", SILENT)]
    if kind == "a load function that refuses":
        return [build(folder, "unwilling", UNWILLING)]
    if kind == "a crash":
        return [str(examples / "crash.so"), "load", "read-null"]
    if kind == "a missing file":
        return [str(folder / "none.so")]
    assert kind == "a name that is taken"
    return [build(folder, "namesake", NAMESAKE)]


REASONS: Final = {
    "no load function": r"does not export .*RedisModule_OnLoad",
    "a load function that refuses": r"initialization failed",
    "a crash": r"^SIGSEGV in read_null at crash\.c:\d+: read from address 0x0 \(null pointer\)",
    "a missing file": r"No such file",
    "a name that is taken": r"^its name is taken: another module is called HelloModule$",
}


@pytest.mark.parametrize("kind", REASONS)
async def test_failed_loads(tmp_path: Path, examples: Path, kind: str) -> None:  # noqa: F811
    """The log has the reason, and all descriptors come back."""
    words = failing(kind, tmp_path, examples)
    async with client_of(tmp_path, patience_s=120, **logging(tmp_path)) as (client, server):  # a report takes its time
        await client.execute("MODULE", "LOAD", str(examples / "hello.so"))

        async def fail() -> None:
            with pytest.raises(ReplyError, match="Error loading the extension"):
                await client.execute("MODULE", "LOAD", *words)

        await fail()
        [said] = logged(tmp_path, "module.load_failed")
        assert re.search(REASONS[kind], said["reason"]), said["reason"]
        await server.modules.reports.wait_for_all()
        before = len(os.listdir("/proc/self/fd"))
        for _ in range(LOADS if kind != "a crash" else CRASHES):
            await fail()
        await server.modules.reports.wait_for_all()
        with trio.fail_after(10):
            while len(os.listdir("/proc/self/fd")) > before:
                await trio.lowlevel.checkpoint()  # processes are still ending


BAD_ENTRIES: Final = {
    "sandbox.nope": "1",
    "sandbox.memory": "abc",
    "sandbox.restart": "never",
    "sandbox.require": "bogus",
}


@pytest.mark.parametrize("name", BAD_ENTRIES)
async def test_bad_entries_of_loadex(tmp_path: Path, examples: Path, name: str) -> None:  # noqa: F811
    """One line says which entry is bad and why."""
    async with client_of(tmp_path, **logging(tmp_path)) as (client, _):
        with pytest.raises(ReplyError, match="Error loading the extension"):
            await client.execute("MODULE", "LOADEX", str(examples / "hello.so"), "CONFIG", name, BAD_ENTRIES[name])
        [said] = logged(tmp_path, "module.load_failed")
        assert name in said["reason"]


async def test_names_in_any_case(tmp_path: Path, examples: Path) -> None:  # noqa: F811
    async with client_of(tmp_path) as (client, _):
        assert await client.execute("MODULE", "LOAD", str(examples / "hello.so")) == "OK"
        assert await client.execute("COMMAND", "LIST", "FILTERBY", "MODULE", "HELLOmodule")
        assert await client.execute("MODULE", "UNLOAD", "HELLOMODULE") == "OK"
        assert await client.execute("MODULE", "LIST") == []


async def test_a_wall_that_is_missing(tmp_path: Path, examples: Path) -> None:  # noqa: F811
    """The reason names the wall, and not the function in which the process ended itself."""
    if os.geteuid() != 0:
        pytest.skip("only for root the limit of tasks is no wall")
    async with client_of(tmp_path) as (_, server):
        with pytest.raises(LoadError, match=r"^the walls can't be put up: required, but missing: "):
            await server.modules.load(str(examples / "hello.so"), overrides=[("sandbox.require", "tasks")])


def test_a_crash_at_start(tmp_path: Path, examples: Path) -> None:  # noqa: F811
    """The line that says why the server does not start names function and line."""
    with Process(tmp_path, "--loadmodule", f"{examples}/crash.so", "load", "read-null") as process:
        status, _, err = process.ended()
    assert status == 1
    assert re.search(r"can't load module .*crash\.so: SIGSEGV in read_null at crash\.c:\d+: ", err), err


async def test_durability_at_run_time(tmp_path: Path) -> None:
    """Turned off, values end with the process; turned on, those that are there are kept from then on."""
    from tests.bench.modules import build_from
    from tests.modules._crashes import ROOT
    from tests.modules.test_in_server import wait_for_reply

    library = build_from(ROOT / "sandbox" / "examples" / "tally.c", tmp_path)
    async with client_of(tmp_path, module_restart_backoff_ms=0) as (client, server):
        await client.execute("MODULE", "LOAD", str(library))
        [helper] = server.modules.loaded

        async def crash() -> None:
            restarts = helper.restarts
            os.kill(helper.pid, 9)
            with trio.fail_after(10):
                while helper.restarts == restarts or helper.stage.value != "serving":
                    await trio.lowlevel.checkpoint()

        await client.execute("TALLY.ADD", "old", "item")
        await client.execute("CONFIG", "SET", "module-durability", "off")
        await client.execute("TALLY.ADD", "new", "item")
        await crash()
        assert await client.execute("EXISTS", "old", "new") == 0
        await client.execute("TALLY.ADD", "later", "item")
        await client.execute("CONFIG", "SET", "module-durability", "on")
        with trio.fail_after(10):
            while not next(iter(server.helpers)).checkpoints:
                await trio.lowlevel.checkpoint()
        await crash()
        await wait_for_reply(client, 1, "EXISTS", "later")


def curious(names: list[str]) -> str:
    """Return the source of a module that asks for functions by name."""
    asked = " ".join(f'RedisModule_GetApi("RedisModule_{name}", &got);' for name in names)
    return f"""
#include "redismodule.h"
int RedisModule_OnLoad(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {{
    void *got;
    if (RedisModule_Init(ctx, "curious", 1, 1) == REDISMODULE_ERR) return REDISMODULE_ERR;
    {asked}
    return REDISMODULE_OK;
}}
"""


async def test_missing_functions_are_all_named(tmp_path: Path) -> None:
    """Those of no API come first, and the list is whole, over as many lines as it takes."""
    unknown = [f"DoTheImpossibleAsOftenAsPossibleNumber{number}" for number in range(60)]
    path = build(tmp_path, "curious", curious(unknown))
    async with client_of(tmp_path, **logging(tmp_path)) as (client, server):
        assert await client.execute("MODULE", "LOAD", path) == "OK"
        [helper] = server.modules.loaded
        assert helper.info is not None
        asked = [one.decode().removeprefix("RedisModule_") for one in helper.info.missing]
    [loaded] = logged(tmp_path, "module.loaded")
    assert loaded["missing"] == len(asked)
    lines = list(logged(tmp_path, "module.functions_unknown"))
    assert len(lines) > 1
    assert [name for line in lines for name in line["functions"]] == unknown
    known = [name for line in logged(tmp_path, "module.functions_missing") for name in line["functions"]]
    assert sorted(known + unknown) == sorted(asked)
    assert set(known) <= set(NAMES)


def read_config(file: Path) -> Config:
    """Return the configuration that a server started with this file has."""
    return load(parse_command_line([str(file)]))


async def test_rewrite_keeps_what_loadex_granted(tmp_path: Path, examples: Path) -> None:  # noqa: F811
    """A server that reads the rewritten file loads the module with the same policy; others' lines stay."""
    file, path = tmp_path / "redis.conf", str(examples / "hello.so")
    file.write_text(
        f"module-sandbox-policy {path} NETWORK none\nmodule-sandbox-policy hello threads 7\nenable-module-command yes\n"
    )
    granted = {"network": "tcp", "read-paths": "/usr/share /etc"}
    words = [word for name, value in granted.items() for word in ("CONFIG", f"sandbox.{name}", value)]
    async with trioredis.open_server(read_config(file), port=0) as server, server.open_client() as client:
        assert await client.execute("MODULE", "LOADEX", path, *words) == "OK"
        policy = server.modules.loaded[0].policy
        for _ in range(2):
            assert await client.execute("CONFIG", "REWRITE") == "OK"
    lines = file.read_text().splitlines()
    assert [line for line in lines if "policy" in line] == [
        "module-sandbox-policy hello threads 7",
        f"module-sandbox-policy {path} network tcp",
        f'module-sandbox-policy {path} read-paths "/usr/share /etc"',
    ]
    assert Policy.of(read_config(file), path) == policy
    assert (policy.network, policy.read_paths, policy.threads) == ("tcp", "/usr/share /etc", 7)
