"""Aim: modules in a real server are loaded by command and by configuration, called, crashed, unloaded.

Method: the example modules, compiled here; a server in this process, or in its own where its start is the matter.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import pytest
import trio

import trioredis
from tests.modules._crashes import ROOT, run
from tests.server.kit import Process, until
from trioredis.inprocess import InProcessClient
from trioredis.modules.helper import LoadError, Stage
from trioredis.resp import ReplyError

pytestmark = pytest.mark.slow

EXAMPLES: Final = ("crash", "hello", "keys")
PATIENCE_S: Final = 15.0


@pytest.fixture(scope="session")
def examples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the compiled example modules."""
    folder = tmp_path_factory.mktemp("examples")
    for name in EXAMPLES:
        source = ROOT / "sandbox" / "examples" / f"{name}.c"
        include = f"-I{ROOT / 'sandbox' / 'include'}"
        run("cc", "-g", "-O1", "-fPIC", "-shared", include, "-o", folder / f"{name}.so", source, "-lpthread")
    return folder


@asynccontextmanager
async def client_of(
    folder: Path, *, patience_s: float = PATIENCE_S, **directives: object
) -> AsyncIterator[tuple[InProcessClient, trioredis.Server]]:
    """Run a server that permits MODULE, with a client in this process."""
    given = {"port": 0, "enable_module_command": "yes", "dir": str(folder), **directives}
    async with trioredis.open_server(None, **given) as server:
        with trio.fail_after(patience_s):
            async with server.open_client() as client:
                yield client, server


async def wait_for_reply(client: InProcessClient, reply: Any, *words: str) -> None:
    """Repeat a command until it is answered so; an error counts as another answer."""
    while True:
        [found] = await client.execute_many([words])
        if found == reply:
            return
        assert isinstance(found, ReplyError)
        assert "MODULEDOWN" in str(found)
        await trio.lowlevel.checkpoint()  # the module is being restarted


def pairs(row: list[Any]) -> dict[bytes, Any]:
    """Return a flat list of names and values as what it means."""
    return dict(zip(row[::2], row[1::2], strict=True))


async def test_load_call_unload(tmp_path: Path, examples: Path) -> None:
    path = str(examples / "hello.so")
    async with client_of(tmp_path) as (client, server):
        assert await client.execute("MODULE", "LIST") == []
        assert await client.execute("MODULE", "LOAD", path, "one", "two") == "OK"
        [row] = await client.execute("MODULE", "LIST")
        assert pairs(row) == {b"name": b"hellomodule", b"ver": 1, b"path": path.encode(), b"args": [b"one", b"two"]}
        assert isinstance(await client.execute("HELLOMODULE.RAND"), int)
        assert server.modules.lines() == [[path, "one", "two"]]
        with pytest.raises(ReplyError, match=r"Error loading the extension\. Please check the server logs\."):
            await client.execute("MODULE", "LOAD", path)
        assert await client.execute("MODULE", "UNLOAD", "hellomodule") == "OK"
        assert await client.execute("MODULE", "LIST") == []
        with pytest.raises(ReplyError, match="unknown command"):
            await client.execute("HELLOMODULE.RAND")
        assert await client.execute("MODULE", "LOAD", path) == "OK"


async def test_load_and_unload_again_and_again(tmp_path: Path, examples: Path) -> None:
    """More often than there may be modules at once; what waits for each other comes in every order."""
    path = str(examples / "hello.so")
    async with client_of(tmp_path, module_restart="never") as (client, _):
        for _ in range(300):
            assert await client.execute("MODULE", "LOAD", path) == "OK"
            assert isinstance(await client.execute("HELLOMODULE.RAND"), int)
            assert await client.execute("MODULE", "UNLOAD", "hellomodule") == "OK"
        assert await client.execute("MODULE", "LIST") == []


LOADEX: Final = [
    ((), True),
    (("ARGS",), True),
    (("ARGS", "a", "CONFIG", "b", "c"), True),
    (("CONFIG", "sandbox.memory", "1gb", "ARGS", "a"), True),
    (("CONFIG", "sandbox.memory"), False),
    (("CONFIG", "sandbox.nothing", "1"), False),
    (("CONFIG", "sandbox.memory", "lots"), False),
    (("CONFIG", "hellomodule.entry", "1"), False),
    (("SOMETHING",), False),
]


@pytest.mark.parametrize(("words", "ok"), LOADEX)
async def test_loadex(tmp_path: Path, examples: Path, words: tuple[str, ...], ok: bool) -> None:
    async with client_of(tmp_path) as (client, _):
        load = ("MODULE", "LOADEX", str(examples / "hello.so"), *words)
        if ok:
            assert await client.execute(*load) == "OK"
        else:
            with pytest.raises(ReplyError, match="Error loading the extension"):
                await client.execute(*load)
        assert bool(await client.execute("MODULE", "LIST")) is ok


async def test_what_cannot_be_loaded(tmp_path: Path) -> None:
    (tmp_path / "text.so").write_text("no library")
    async with client_of(tmp_path) as (client, _):
        for path in ("/no/such/file.so", "text.so", str(tmp_path)):
            with pytest.raises(ReplyError, match="Error loading the extension"):
                await client.execute("MODULE", "LOAD", path)
        with pytest.raises(ReplyError, match="Error unloading module: no such module with that name"):
            await client.execute("MODULE", "UNLOAD", "text")


@pytest.mark.parametrize("who", ["no", "local"])
async def test_who_may(tmp_path: Path, who: str) -> None:
    """To look is allowed to all."""
    async with client_of(tmp_path, enable_module_command=who) as (client, _):
        assert await client.execute("MODULE", "LIST") == []
        expected = "no such module" if who == "local" else r"^ERR MODULE command not allowed\. If the enable-module-"
        with pytest.raises(ReplyError, match=expected):
            await client.execute("MODULE", "UNLOAD", "nobody")
        with pytest.raises(ReplyError, match="no such report"):
            await client.execute("MODULE", "CRASH", "none-1")


async def test_no_module_command_in_a_transaction(tmp_path: Path, examples: Path) -> None:
    async with client_of(tmp_path) as (client, _):
        await client.execute("MULTI")
        with pytest.raises(ReplyError, match="not allowed inside a transaction"):
            await client.execute("MODULE", "LOAD", str(examples / "hello.so"))


WAYS: Final = {
    "read-null": r"SIGSEGV in read_null at crash\.c:\d+: read from address 0x0 \(null pointer\) while running crash",
    "write-null": r"SIGSEGV in write_null at crash\.c:\d+: wrote to address 0x0",
    "write-wild": r"SIGSEGV in write_wild at crash\.c:\d+: ",
    "write-code": r"SIGSEGV in write_code at crash\.c:\d+: ",
    "jump-wild": r"SIGSEGV in jump_wild at crash\.c:\d+: ",
    "abort": r"SIGABRT in crash_now at crash\.c:\d+: aborted itself",
    "assert": r"SIGABRT in assert_false at crash\.c:\d+: .*zero != 0",
    "exit": r"exit in end_normally at crash\.c:\d+: ",
    "exit-now": r"_exit in end_at_once at crash\.c:\d+: ",
    "kill": r"SIGKILL in module crash: was killed",
    "stack": r"SIGSEGV in (recurse|overflow_stack) at crash\.c:\d+: the stack overflowed",
    "divide": r"SIGFPE in divide at crash\.c:\d+: divided an integer by zero",
    "illegal": r"SIGILL in illegal_instruction at crash\.c:\d+: ",
    "loop": r"timeout in loop at crash\.c:\d+: was still at work after \d+ ms while running crash\.now",
    "hog": r"SIG(ABRT|SEGV) in hog_memory at crash\.c:\d+: ",
    "double-free": r"SIGABRT in free_twice at crash\.c:\d+: ",
    "overrun": r"SIG(ABRT|SEGV) in overrun_heap at crash\.c:\d+: ",
    "wait": r"timeout in wait_forever at crash\.c:\d+: was still at work after ",
}


@pytest.mark.parametrize("way", WAYS)
async def test_crashes(tmp_path: Path, examples: Path, way: str) -> None:
    """One error for the client; the module serves again; the report names the line."""
    timeout = "300" if way in ("loop", "wait") else "10000"
    limits: dict[str, Any] = {
        "module_command_timeout": timeout,
        "module_sandbox_memory": "1gb",
        "module_restart": "always",
    }
    async with client_of(tmp_path, **limits) as (client, _):
        await client.execute("MODULE", "LOAD", str(examples / "crash.so"))
        await client.execute("SET", "key", "value")
        with pytest.raises(ReplyError, match=r"^MODULECRASH crash: .* while running crash\.now; report ") as caught:
            await client.execute("CRASH.NOW", way)
        assert await client.execute("GET", "key") == b"value"
        await wait_for_reply(client, "OK", "CRASH.NOW", "none")
        ident = str(caught.value).rpartition("report ")[2]
        text = (await client.execute("MODULE", "CRASH", ident)).decode()
        headline = text.partition("\n")[0]
        [row] = await client.execute("MODULE", "CRASHES")
        assert pairs(row)[b"headline"].decode() == headline
        assert re.match(WAYS[way], headline), headline
        assert f"Running  crash.now '{way}'" in text


async def test_info(tmp_path: Path, examples: Path) -> None:
    async with client_of(tmp_path) as (client, server):
        assert b"trioredis_modules" not in await client.execute("INFO", "everything")
        await client.execute("MODULE", "LOAD", str(examples / "crash.so"))
        await client.execute("MODULE", "LOAD", str(examples / "hello.so"))
        await client.execute("HELLOMODULE.RAND")
        text = (await client.execute("INFO", "modules")).decode()
        assert "module:name=crash,ver=1,api=1,filters=0,usedby=[],using=[],options=[]\r\n" in text
        assert "module:name=hellomodule,ver=1,api=1,filters=0,usedby=[],using=[],options=[]\r\n" in text
        [_, hello] = server.modules.loaded
        health = (await client.execute("INFO", "trioredis_modules")).decode()
        assert f"hellomodule:state=serving,pid={hello.pid},crashes=0,restarts=0," in health
        assert ",commands=1," in health


INFORMANT: Final = """
#include "redismodule.h"
static void tell(RedisModuleInfoCtx *ctx, int for_crash) {
    RedisModule_InfoAddSection(ctx, "first");
    RedisModule_InfoAddFieldLongLong(ctx, "number", 7);
    RedisModule_InfoAddSection(ctx, "");
    RedisModule_InfoAddFieldCString(ctx, "word", "a:b");
}
int RedisModule_OnLoad(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    if (RedisModule_Init(ctx, "informant", 1, 1) == REDISMODULE_ERR) return REDISMODULE_ERR;
    return RedisModule_RegisterInfoFunc(ctx, tell);
}
"""


async def test_sections_of_a_module(tmp_path: Path) -> None:
    (tmp_path / "informant.c").write_text(INFORMANT)
    include = f"-I{ROOT / 'sandbox' / 'include'}"
    run("cc", "-fPIC", "-shared", include, "-o", tmp_path / "informant.so", tmp_path / "informant.c")
    async with client_of(tmp_path) as (client, _):
        await client.execute("MODULE", "LOAD", "informant.so")
        text = (await client.execute("INFO", "modules")).decode()
        assert "# informant_first\r\ninformant_number:7\r\n" in text
        assert "# informant\r\ninformant_word:a:b\r\n" in text
        assert "informant" not in (await client.execute("INFO", "server")).decode()
        assert (
            await client.execute("INFO", "informant_first")
        ).decode() == "# informant_first\r\ninformant_number:7\r\n"


NAMELESS: Final = """
#include "redismodule.h"
int RedisModule_OnLoad(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) { return REDISMODULE_OK; }
"""


async def test_a_module_without_a_name(tmp_path: Path) -> None:
    (tmp_path / "nameless.c").write_text(NAMELESS)
    include = f"-I{ROOT / 'sandbox' / 'include'}"
    run("cc", "-fPIC", "-shared", include, "-o", tmp_path / "nameless.so", tmp_path / "nameless.c")
    async with client_of(tmp_path) as (client, server):
        with pytest.raises(LoadError, match=r"has no name.*RedisModule_Init"):
            await server.modules.load("nameless.so")
        assert await client.execute("MODULE", "LIST") == []


async def test_commands_are_described(tmp_path: Path, examples: Path) -> None:
    async with client_of(tmp_path) as (client, _):
        count = await client.execute("COMMAND", "COUNT")
        await client.execute("MODULE", "LOAD", str(examples / "keys.so"))
        [none, info] = await client.execute("COMMAND", "INFO", "no.such", "keys.upper")
        assert none is None
        assert info[:2] == [b"keys.upper", -1]
        assert {"write", "module"} <= set(info[2])
        assert info[3:6] == [1, 1, 1]
        assert await client.execute("COMMAND", "GETKEYS", "keys.upper", "a") == [b"a"]
        names = await client.execute("COMMAND", "LIST", "FILTERBY", "MODULE", "keys")
        assert b"keys.upper" in names
        assert await client.execute("COMMAND", "COUNT") == count + len(names)
        assert await client.execute("COMMAND", "DOCS", "keys.upper") == [
            b"keys.upper", [b"group", b"module", b"module", b"keys"],
        ]  # fmt: skip
        await client.execute("MODULE", "UNLOAD", "keys")
        assert await client.execute("COMMAND", "COUNT") == count
        assert await client.execute("COMMAND", "LIST", "FILTERBY", "MODULE", "keys") == []


async def test_reports_are_bounded(tmp_path: Path, examples: Path) -> None:
    limits: dict[str, Any] = {"module_reports_max": "2", "module_restart_backoff_ms": "0"}
    async with client_of(tmp_path, **limits) as (client, _):
        await client.execute("MODULE", "LOAD", str(examples / "crash.so"))
        last = ""
        for _ in range(3):
            with pytest.raises(ReplyError, match="MODULECRASH") as caught:
                await client.execute("CRASH.NOW", "divide")
            last = str(caught.value).rpartition("report ")[2]
            await wait_for_reply(client, "OK", "CRASH.NOW", "none")
            await client.execute("MODULE", "CRASH", last)
        rows = await client.execute("MODULE", "CRASHES", "COUNT", "10")
        assert len(rows) == 2
        assert pairs(rows[0])[b"id"].decode() == last
        with pytest.raises(ReplyError, match="no such report"):
            await client.execute("MODULE", "CRASH", "nothing")


async def test_a_crash_while_loading(tmp_path: Path, examples: Path) -> None:
    async with client_of(tmp_path) as (client, _):
        with pytest.raises(ReplyError, match="Error loading the extension"):
            await client.execute("MODULE", "LOAD", str(examples / "crash.so"), "load", "read-null")
        assert await client.execute("MODULE", "LIST") == []
        with pytest.raises(ReplyError, match="unknown command"):
            await client.execute("CRASH.NOW", "none")
        rows: list[Any] = []
        while not rows:
            rows = await client.execute("MODULE", "CRASHES")
        assert b"read_null at crash.c" in pairs(rows[0])[b"headline"]
        assert await client.execute("MODULE", "LOAD", str(examples / "crash.so")) == "OK"


async def test_a_crash_while_unloading(tmp_path: Path, examples: Path) -> None:
    async with client_of(tmp_path) as (client, _):
        await client.execute("MODULE", "LOAD", str(examples / "crash.so"), "unload", "divide")
        with pytest.raises(ReplyError, match="Error unloading module: "):
            await client.execute("MODULE", "UNLOAD", "crash")
        await wait_for_reply(client, "OK", "CRASH.NOW", "none")


async def test_parked(tmp_path: Path, examples: Path) -> None:
    async with client_of(tmp_path, module_restart="never") as (client, _):
        await client.execute("MODULE", "LOAD", str(examples / "crash.so"))
        with pytest.raises(ReplyError, match="MODULECRASH"):
            await client.execute("CRASH.NOW", "abort")
        while True:
            with pytest.raises(ReplyError, match=r"^MODULEDOWN") as caught:
                await client.execute("CRASH.NOW", "none")
            if "not started again" in str(caught.value):
                break
        assert await client.execute("MODULE", "UNLOAD", "crash") == "OK"
        assert await client.execute("MODULE", "LOAD", str(examples / "crash.so")) == "OK"
        assert await client.execute("CRASH.NOW", "none") == "OK"


RETIRING: Final = """
#include <signal.h>
#include <stdlib.h>
#include "redismodule.h"
static void leave(int number) { exit(0); }
static int stop(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) { exit(0); }
int RedisModule_OnLoad(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    signal(SIGUSR2, leave);
    if (RedisModule_Init(ctx, "retiring", 1, 1) == REDISMODULE_ERR) return REDISMODULE_ERR;
    return RedisModule_CreateCommand(ctx, "retiring.now", stop, "", 0, 0, 0);
}
"""


def build(folder: Path, name: str, source: str) -> str:
    """Compile a module; returns its file."""
    (folder / f"{name}.c").write_text(source)
    include = f"-I{ROOT / 'sandbox' / 'include'}"
    run("cc", "-g", "-fPIC", "-shared", include, "-o", folder / f"{name}.so", folder / f"{name}.c", "-lpthread")
    return str(folder / f"{name}.so")


async def test_an_exit_amid_a_command_is_a_crash(tmp_path: Path) -> None:
    """By on-crash, the default, only a module that ends itself with status 0 while it is idle stays down."""
    path = build(tmp_path, "retiring", RETIRING)
    async with client_of(tmp_path) as (client, server):
        await client.execute("MODULE", "LOAD", path)
        with pytest.raises(ReplyError, match="MODULECRASH"):
            await client.execute("RETIRING.NOW")
        [helper] = server.modules.loaded
        await until(lambda: helper.restarts == 1 and helper.stage is Stage.SERVING)
        os.kill(helper.pid, signal.SIGUSR2)
        await until(lambda: helper.stage is Stage.PARKED)
        assert helper.restarts == 1


async def test_wrapper(tmp_path: Path, examples: Path) -> None:
    """What module-sandbox-wrapper names starts the process; the module works under it."""
    seen = tmp_path / "seen"
    wrapper = tmp_path / "wrapper"
    wrapper.write_text(f'#!/bin/sh\necho "$0" > {seen}\n"$@"\n')
    wrapper.chmod(0o755)
    async with client_of(tmp_path, module_sandbox_wrapper=str(wrapper)) as (client, server):
        assert await client.execute("MODULE", "LOAD", str(examples / "hello.so")) == "OK"
        assert isinstance(await client.execute("HELLOMODULE.RAND"), int)
        assert seen.read_text() == f"{wrapper}\n"
        [helper] = server.modules.loaded
        assert helper.host is not None
        assert helper.pid != helper.host._spawned.process.pid


def test_loadmodule(tmp_path: Path, examples: Path) -> None:
    file = tmp_path / "redis.conf"
    file.write_text(f"loadmodule {examples}/hello.so one\nenable-module-command local\n")
    with Process(tmp_path, str(file), "--loadmodule", f"{examples}/crash.so") as process:
        process.wait_for("Ready to accept")
        done = subprocess.run(
            [sys.executable, "-c", QUESTION, str(process.port)], check=True, capture_output=True, text=True
        )
    assert done.stdout.split() == ["hellomodule", "one", "crash"]


QUESTION: Final = """
import sys
import redis

for row in redis.Redis(port=int(sys.argv[1])).module_list():
    print(*(word.decode() for word in (row[b"name"], *row[b"args"])))
"""


def test_loadmodule_that_fails(tmp_path: Path) -> None:
    with Process(tmp_path, "--loadmodule", "/no/such/module.so") as process:
        status, _, err = process.ended()
    assert status == 1
    assert err.count("\n") == 1
    assert "can't load module /no/such/module.so: " in err
