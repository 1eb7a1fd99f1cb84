"""Aim: modules made with redismodule.h do in a stock redis-server what they say.

Method: each example is compiled in the two usual ways and loaded; a client looks at what its commands do. What the
server is too old for must be NULL, which a module can see.
"""

from __future__ import annotations

import json
import signal
import socket
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests._servers import Server, redis_command, running
from tests.sandbox._facts import API, ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Client = Any
"""A redis.Redis; its commands have no types."""

EXAMPLES: Final = ROOT / "sandbox" / "examples"
INCLUDE: Final = ROOT / "sandbox" / "include"
MODULES: Final = ("crash", "hello", "keys", "tally", "threads")
WARNINGS: Final = ("-Wall", "-Wextra", "-Wshadow", "-Werror")
SECONDS: Final = 20.0
TURNS: Final = 50_000
MEMORY_BYTES: Final = 500_000_000
MORTAL: Final = {
    "read-null": signal.SIGSEGV,
    "write-null": signal.SIGSEGV,
    "write-wild": signal.SIGSEGV,
    "write-code": signal.SIGSEGV,
    "jump-wild": signal.SIGSEGV,
    "stack": signal.SIGSEGV,
    "abort": signal.SIGABRT,
    "divide": signal.SIGFPE,
    "illegal": signal.SIGILL,
    "kill": signal.SIGKILL,
    "exit": 0,
    "exit-now": 0,
}
"""Ways of crash.c that end a stock server for certain, and the signal or status that it ends with."""


def build(name: str, folder: Path, *, linker: bool) -> Path:
    """Compile an example: with one command, or with the compiler first and the linker then."""
    source, result = EXAMPLES / f"{name}.c", folder / f"{name}{'-ld' if linker else ''}.so"
    common = ("gcc", "-O2", "-fPIC", f"-I{INCLUDE}", *WARNINGS)
    if linker:
        subprocess.run((*common, "-c", source, "-o", folder / f"{name}.o"), check=True)
        subprocess.run(("ld", "-shared", "-o", result, folder / f"{name}.o", "-lc"), check=True)
    else:
        subprocess.run((*common, "-shared", "-o", result, source), check=True)
    return result


@pytest.fixture(scope="session")
def modules(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Return a function that compiles an example once."""
    folder = tmp_path_factory.mktemp("modules")
    done: dict[tuple[str, bool], Path] = {}

    def get(name: str, *, linker: bool = False) -> Path:
        if (name, linker) not in done:
            done[name, linker] = build(name, folder, linker=linker)
        return done[name, linker]

    return get


def server_command(*arguments: str | Path) -> list[str]:
    """Return the stock server's command with modules; skip when it is not installed."""
    command = redis_command()
    if command is None:
        pytest.skip("redis-server is not installed")
    options = ("--enable-debug-command", "yes", "--enable-module-command", "yes", "--crash-log-enabled", "no")
    return [*command, *options, *map(str, arguments)]


def connect(server: Server, **options: Any) -> Client:
    """Return a client of the server that waits for answers, but not for ever."""
    options = {"protocol": 2, "decode_responses": True, **options}
    return redis.Redis(port=server.port, socket_timeout=SECONDS, retry=Retry(NoBackoff(), 0), **options)


@pytest.fixture(scope="module")
def server(modules: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Yield a server with all examples, compiled in one step and in two by turns."""
    loads: list[str | Path] = []
    for number, name in enumerate(MODULES):
        loads += ["--loadmodule", modules(name, linker=number % 2 == 1)]
    with running("redis", server_command(*loads), tmp_path_factory.mktemp("redis")) as started:
        yield started


@pytest.fixture
def client(server: Server) -> Iterator[Client]:
    """Yield a client of an empty server."""
    with connect(server) as one:
        one.flushall()
        yield one


def until(client: Client, condition: Callable[[], object]) -> None:
    """Give the server turns until a condition holds; fail when it never does."""
    for _ in range(TURNS):
        if condition():
            return
        client.ping()
    pytest.fail("the server never came to it")


@pytest.mark.parametrize("linker", [False, True])
def test_examples_load_and_unload(modules: Callable[..., Path], tmp_path: Path, *, linker: bool) -> None:
    with running("redis", server_command(), tmp_path) as empty, connect(empty) as one:
        for name in MODULES:
            assert one.module_load(str(modules(name, linker=linker)))
        for module in one.module_list():
            if module["name"] == "tally":
                with pytest.raises(redis.ResponseError, match="exports one or more module-side data types"):
                    one.module_unload(module["name"])
            else:
                assert one.module_unload(module["name"])
        assert [module["name"] for module in one.module_list()] == ["tally"]


def test_make_builds_them_all(tmp_path: Path) -> None:
    subprocess.run(("make", "-s", "-C", EXAMPLES, f"OUT={tmp_path}"), check=True)
    assert {path.name for path in tmp_path.iterdir()} == {f"{name}.so" for name in MODULES}


def test_hello(client: Client) -> None:
    numbers = {client.execute_command("HELLOMODULE.RAND") for _ in range(5)}
    assert len(numbers) > 1
    assert all(isinstance(one, int) and one >= 0 for one in numbers)
    with pytest.raises(redis.ResponseError, match="wrong number of arguments"):
        client.execute_command("HELLOMODULE.RAND", "x")


def test_names_and_versions(client: Client) -> None:
    assert {(one["name"], one["ver"]) for one in client.module_list()} == {
        ("crash", 1),
        ("hellomodule", 1),
        ("keys", 1),
        ("tally", 1),
        ("threads", 1),
    }


def test_keys_write_read_and_delete(client: Client) -> None:
    run = client.execute_command
    assert run("KEYS.SET", "a", "Text \0 x") == "OK"
    assert run("KEYS.GET", "a") == client.get("a") == "Text \0 x"
    assert run("KEYS.UPPER", "a") == 8
    assert client.get("a") == "TEXT \0 X"
    assert run("KEYS.UPPER", "absent") == 0
    assert run("KEYS.GET", "absent") is None
    assert run("KEYS.DEL", "a", "absent", "a") == 1
    assert client.exists("a", "absent") == 0


def test_keys_expire(client: Client) -> None:
    run = client.execute_command
    run("KEYS.SET", "a", "x", "100000")
    assert 0 < run("KEYS.TTL", "a") <= 100000
    assert 0 < client.pttl("a") <= 100000
    run("KEYS.SET", "a", "y")
    assert (run("KEYS.TTL", "a"), run("KEYS.TTL", "absent")) == (-1, -2)
    assert client.pttl("a") == -1
    for wrong in ("0", "-5", "x"):
        with pytest.raises(redis.ResponseError, match="positive number"):
            run("KEYS.SET", "a", "x", wrong)


def test_keys_types(client: Client) -> None:
    run = client.execute_command
    client.rpush("list", "x")
    client.hset("hash", "f", "v")
    client.sadd("set", "x")
    client.zadd("sorted set", {"x": 1})
    client.xadd("stream", {"f": "v"})
    client.set("string", "x")
    run("TALLY.ADD", "module", "x")
    for word in ("list", "hash", "set", "sorted set", "stream", "string", "module"):
        assert run("KEYS.TYPE", word) == word
    assert run("KEYS.TYPE", "absent") == "none"
    for command in (
        ("KEYS.GET", "list"),
        ("KEYS.UPPER", "list"),
        ("KEYS.SET", "list", "x"),
        ("TALLY.ADD", "list", "x"),
    ):
        with pytest.raises(redis.ResponseError, match="wrong kind of value"):
            run(*command)


def test_keys_call(client: Client) -> None:
    run = client.execute_command
    assert run("KEYS.CALL", "rpush", "l", "a", "b") == 2
    assert run("KEYS.CALL", "lrange", "l", "0", "-1") == ["a", "b"]
    assert run("KEYS.CALL", "ping") in ("PONG", True)
    with pytest.raises(redis.ResponseError, match="wrong kind of value"):
        run("KEYS.CALL", "incr", "l")
    with pytest.raises(redis.ResponseError, match="no such command"):
        run("KEYS.CALL", "nonsense")
    with pytest.raises(redis.ResponseError, match="other arguments"):
        run("KEYS.CALL", "get")
    client.mset({"a": 5, "b": -7, "text": "x"})
    assert run("KEYS.SUM", "a", "absent", "b") == -2
    with pytest.raises(redis.ResponseError, match="wrong kind of value"):
        run("KEYS.SUM", "a", "l")
    with pytest.raises(redis.ResponseError, match="not a number"):
        run("KEYS.SUM", "a", "text")


def test_tally_counts(client: Client) -> None:
    run = client.execute_command
    assert [run("TALLY.ADD", "t", *words) for words in (("b",), ("a", "5"), ("b", "-3"))] == [1, 5, -2]
    assert [run("TALLY.GET", "t", word) for word in ("a", "b", "c")] == [5, -2, 0]
    assert run("TALLY.GET", "absent", "a") == 0
    assert run("TALLY.ALL", "t") == ["a", 5, "b", -2]
    assert run("TALLY.ALL", "absent") == []
    assert client.type("t") == "tally-typ"
    with pytest.raises(redis.ResponseError, match="must be a number"):
        run("TALLY.ADD", "t", "a", "x")


def test_tally_answers_with_a_map(server: Server, client: Client) -> None:
    client.execute_command("TALLY.ADD", "t", "a")
    with connect(server, protocol=3) as modern:
        assert modern.execute_command("TALLY.ALL", "t") == {"a": 1}


def test_tally_is_saved_copied_compared_and_measured(client: Client) -> None:
    run = client.execute_command
    for word, number in (("a", 5), ("b", -2), ("\0", 1 << 40)):
        run("TALLY.ADD", "t", word, number)
    whole = run("TALLY.ALL", "t")
    digest = run("DEBUG", "DIGEST-VALUE", "t")
    run("DEBUG", "RELOAD")
    assert (run("TALLY.ALL", "t"), run("DEBUG", "DIGEST-VALUE", "t")) == (whole, digest)
    assert client.copy("t", "u")
    assert (run("TALLY.ALL", "u"), run("DEBUG", "DIGEST-VALUE", "u")) == (whole, digest)
    before = client.memory_usage("u")
    run("TALLY.ADD", "u", "a much longer word than those before")
    assert client.memory_usage("u") > before
    assert run("DEBUG", "DIGEST-VALUE", "u") != digest
    assert run("TALLY.ALL", "t") == whole


def test_tally_survives_dump_and_restore(server: Server, client: Client) -> None:
    with connect(server, decode_responses=False) as raw:
        raw.execute_command("TALLY.ADD", "t", "a", 7)
        bytes_ = raw.dump("t")
        assert bytes_ is not None
        raw.restore("u", 0, bytes_)
        with pytest.raises(redis.ResponseError):
            raw.restore("v", 0, bytes_[:-12] + bytes_[-10:])
    assert client.execute_command("TALLY.ALL", "u") == ["a", 7]


def test_tally_is_freed_in_the_background(client: Client) -> None:
    for number in range(200):
        client.execute_command("TALLY.ADD", "t", number)
    before = client.info("memory")["lazyfreed_objects"]
    client.unlink("t")
    until(client, lambda: client.info("memory")["lazyfreed_objects"] > before)
    assert client.exists("t") == 0


def test_tally_is_rewritten_to_the_append_only_file(modules: Callable[..., Path], tmp_path: Path) -> None:
    options = ("--appendonly", "yes", "--aof-use-rdb-preamble", "no", "--loadmodule", modules("tally"))
    with running("redis", server_command(*options), tmp_path) as first, connect(first) as one:
        one.execute_command("TALLY.ADD", "t", "a", 5)
        one.execute_command("TALLY.ADD", "t", "b")
        one.bgrewriteaof()
        until(one, lambda: one.info("persistence")["aof_rewrites"] == 1)
        until(one, lambda: not one.info("persistence")["aof_rewrite_in_progress"])
        assert one.info("persistence")["aof_last_bgrewrite_status"] == "ok"
        digest = one.execute_command("DEBUG", "DIGEST")
    written = next((tmp_path / "appendonlydir").glob("*.base.aof")).read_bytes()
    assert b"TALLY.ADD\r\n$1\r\nt\r\n$1\r\na\r\n$1\r\n5" in written
    with running("redis", server_command(*options), tmp_path) as second, connect(second) as one:
        assert one.execute_command("TALLY.ALL", "t") == ["a", 5, "b", 1]
        assert one.execute_command("DEBUG", "DIGEST") == digest


def test_threads(client: Client) -> None:
    run = client.execute_command
    assert run("THREADS.SUM", "100000") == 5000050000
    assert run("THREADS.INCR", "n", "300") == 300
    assert client.get("n") == "300"
    with pytest.raises(redis.ResponseError, match="positive number"):
        run("THREADS.SUM", "x")


def test_threads_take_turns(server: Server, client: Client) -> None:
    others = [connect(server).connection_pool.get_connection() for _ in range(4)]
    for one in others:
        one.send_command("THREADS.INCR", "n", "50")
    for one in others:
        one.read_response()
        one.disconnect()
    assert client.get("n") == "200"


def test_timers_and_time_limits(server: Server, client: Client) -> None:
    run = client.execute_command
    fired = run("THREADS.TICKS")
    assert [run("THREADS.TIMER", "1"), run("THREADS.TIMER", "2")] == [fired + 1, fired + 2]
    assert run("THREADS.TICKS") == fired + 2
    assert run("THREADS.WAIT", "1") == "time is up"
    with connect(server) as other:
        waiting = other.connection_pool.get_connection()
        waiting.send_command("CLIENT", "ID")
        number = waiting.read_response()
        waiting.send_command("THREADS.WAIT", "1000000")
        until(client, lambda: run("CLIENT", "UNBLOCK", number))
        assert waiting.read_response() == "time is up"
        waiting.disconnect()


def test_crash_is_harmless_until_asked(client: Client) -> None:
    run = client.execute_command
    ways = run("CRASH.WAYS")
    assert set(MORTAL) | {"none", "loop", "hog", "wait", "garbage", "close-files", "double-free", "overrun"} <= set(
        ways
    )
    assert run("CRASH.NOW", "none") == "OK"
    assert run("CRASH.THREAD", "none") == "OK"
    with pytest.raises(redis.ResponseError, match="no such way"):
        run("CRASH.NOW", "nonsense")
    assert client.ping()


def ended(server: Server) -> int:
    """Return the status that a server ends with, negative for a signal."""
    return server.process.wait(SECONDS)


@pytest.mark.parametrize("way", MORTAL)
def test_crash_ends_a_server_without_walls(modules: Callable[..., Path], tmp_path: Path, way: str) -> None:
    command = server_command("--loadmodule", modules("crash"))
    with running("redis", command, tmp_path) as victim, connect(victim) as one:
        with pytest.raises(redis.ConnectionError):
            one.execute_command("CRASH.NOW", way)
        assert ended(victim) == -MORTAL[way]


@pytest.mark.parametrize("way", ["assert", "double-free", "overrun", "hog"])
def test_crash_ends_a_server_sooner_or_later(modules: Callable[..., Path], tmp_path: Path, way: str) -> None:
    """How exactly these end depends on the allocator and on the system's limits."""
    command = ["prlimit", f"--as={MEMORY_BYTES}", *server_command("--loadmodule", modules("crash"))]
    with running("redis", command, tmp_path) as victim, connect(victim) as one:
        with pytest.raises(redis.ConnectionError):
            one.execute_command("CRASH.NOW", way)
        assert ended(victim) < 0


def test_crash_writes_garbage_to_others(modules: Callable[..., Path], tmp_path: Path) -> None:
    command = server_command("--loadmodule", modules("crash"))
    with running("redis", command, tmp_path) as victim, socket.create_connection(victim.address, SECONDS) as stranger:
        stranger.sendall(b"PING\r\n")
        assert stranger.recv(64) == b"+PONG\r\n"
        with socket.create_connection(victim.address, SECONDS) as sender:
            sender.sendall(b"CRASH.NOW garbage\r\n")
            assert stranger.recv(4096)


def test_crash_closes_files(modules: Callable[..., Path], tmp_path: Path) -> None:
    command = server_command("--loadmodule", modules("crash"))
    with running("redis", command, tmp_path) as victim, socket.create_connection(victim.address, SECONDS) as sender:
        sender.sendall(b"CRASH.NOW close-files\r\n")
        assert sender.recv(64) == b""
        victim.process.kill()


def test_crash_in_a_thread_and_while_unloading(modules: Callable[..., Path], tmp_path: Path) -> None:
    command = server_command("--loadmodule", f"{modules('crash')}", "unload", "abort")
    with running("redis", command, tmp_path) as victim, connect(victim) as one:
        with pytest.raises(redis.ConnectionError):
            one.execute_command("MODULE", "UNLOAD", "crash")
        assert ended(victim) == -signal.SIGABRT
    command = server_command("--loadmodule", modules("crash"))
    with running("redis", command, tmp_path) as victim, connect(victim) as one:
        assert one.execute_command("CRASH.THREAD", "write-null") == "OK"
        assert ended(victim) == -signal.SIGSEGV


PROBE: Final = """\
#include "redismodule.h"
static int probe(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    REDISMODULE_NOT_USED(argv);
    REDISMODULE_NOT_USED(argc);
    RedisModule_ReplyWithArray(ctx, REDISMODULE_POSTPONED_LEN);
    long missing = 0;
@LINES@
    RedisModule_ReplySetArrayLength(ctx, missing);
    return REDISMODULE_OK;
}
int RedisModule_OnLoad(RedisModuleCtx *ctx, RedisModuleString **argv, int argc) {
    REDISMODULE_NOT_USED(argv);
    REDISMODULE_NOT_USED(argc);
    if (RedisModule_Init(ctx, "probe", 1, REDISMODULE_APIVER_1) == REDISMODULE_ERR)
        return REDISMODULE_ERR;
    return RedisModule_CreateCommand(ctx, "probe", probe, "", 0, 0, 0);
}
"""


def test_functions_that_a_server_lacks_are_null(tmp_path: Path) -> None:
    """A server of release 7.0.15 has exactly the functions that were there then."""
    groups = json.loads(API.read_text(encoding="utf-8"))["groups"]
    since = {one["name"]: one["since"] for group in groups for one in group["functions"]}
    form = '    if (!RMAPI_FUNC_SUPPORTED(RedisModule_{0})) RedisModule_ReplyWithCString(ctx, "{0}"), missing++;'
    source = tmp_path / "probe.c"
    source.write_text(PROBE.replace("@LINES@", "\n".join(form.format(name) for name in since)))
    library = tmp_path / "probe.so"
    subprocess.run(("gcc", "-fPIC", "-shared", f"-I{INCLUDE}", source, "-o", library), check=True)
    with running("redis", server_command("--loadmodule", library), tmp_path) as started, connect(started) as one:
        version = [int(part) for part in one.info("server")["redis_version"].split(".")]
        missing = set(one.execute_command("PROBE"))
    newer = {name for name, text in since.items() if text is None or [int(part) for part in text.split(".")] > version}
    assert missing == newer
    assert "AddPostNotificationJob" in missing


def test_the_page_shows_the_example() -> None:
    page = (ROOT / "docs" / "modules.md").read_text(encoding="utf-8")
    source = (EXAMPLES / "hello.c").read_text(encoding="utf-8")
    assert source[source.index("#include") :] in page
