"""Aim: redis-cli and redis-benchmark work. Method: run them as a user would and read their output."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests._resp import RespClient, encode

if TYPE_CHECKING:
    from tests._servers import Server

SECONDS_MAX = 60
needs_cli = pytest.mark.skipif(not shutil.which("redis-cli"), reason="redis-cli is not installed")
needs_benchmark = pytest.mark.skipif(not shutil.which("redis-benchmark"), reason="redis-benchmark is not installed")


def run(tool: str, server: Server, *args: str, stdin: bytes = b"") -> bytes:
    """Return what a tool prints; it must succeed."""
    command = [tool, "-h", server.host, "-p", str(server.port), *args]
    done = subprocess.run(command, input=stdin, capture_output=True, timeout=SECONDS_MAX, check=True)
    assert not done.stderr.replace(b"WARNING: Could not fetch server CONFIG\n", b""), done.stderr
    return done.stdout


@needs_cli
@pytest.mark.parametrize("protocol", [[], ["-3"]], ids=["resp2", "resp3"])
def test_one_shot(server: Server, protocol: list[str]) -> None:
    assert run("redis-cli", server, *protocol, "PING") == b"PONG\n"
    assert run("redis-cli", server, *protocol, "SET", "k", "v", "EX", "100") == b"OK\n"
    assert run("redis-cli", server, *protocol, "GET", "k") == b"v\n"
    assert run("redis-cli", server, *protocol, "INCR", "n") == b"1\n"
    assert run("redis-cli", server, *protocol, "MGET", "k", "n") == b"v\n1\n"
    assert run("redis-cli", server, *protocol, "GET", "nothing") == b"\n"


@needs_cli
@pytest.mark.parametrize("protocol", [[], ["-3"]], ids=["resp2", "resp3"])
def test_formatted_replies(server: Server, protocol: list[str]) -> None:
    args = [*protocol, "--no-raw"]
    run("redis-cli", server, "MSET", "k", "v\n\x01", "n", "1")
    assert run("redis-cli", server, *args, "GET", "k") == b'"v\\n\\x01"\n'
    assert run("redis-cli", server, *args, "INCR", "n") == b"(integer) 2\n"
    assert run("redis-cli", server, *args, "MGET", "n", "nothing") == b'1) "2"\n2) (nil)\n'
    assert run("redis-cli", server, *args, "KEYS", "nothing") == b"(empty array)\n"
    assert run("redis-cli", server, *args, "GET") == b"(error) ERR wrong number of arguments for 'get' command\n"


@needs_cli
def test_json_output(server: Server) -> None:
    run("redis-cli", server, "MSET", "a", "1", "b", "two")
    assert json.loads(run("redis-cli", server, "--json", "MGET", "a", "b", "c")) == ["1", "two", None]
    hello = json.loads(run("redis-cli", server, "--json", "HELLO", "3"))
    assert hello["proto"] == 3


@needs_cli
def test_last_argument_from_stdin_and_databases(server: Server) -> None:
    value = bytes(range(1, 256))
    run("redis-cli", server, "-n", "2", "-x", "SET", "blob", stdin=value)
    assert run("redis-cli", server, "-n", "2", "--raw", "GET", "blob") == value + b"\n"
    assert run("redis-cli", server, "EXISTS", "blob") == b"0\n"


@needs_cli
def test_commands_from_stdin(server: Server) -> None:
    out = run("redis-cli", server, stdin=b'SET k "a b"\nGET k\nNOSUCH\nSTRLEN k\n')
    assert out == b"OK\na b\nERR unknown command 'NOSUCH', with args beginning with: \n\n3\n"


@needs_cli
def test_repeat_and_scan(server: Server) -> None:
    assert run("redis-cli", server, "-r", "3", "INCR", "n") == b"1\n2\n3\n"
    with RespClient(server.address) as client:
        client.pipeline([("SET", f"key:{i}", "x") for i in range(300)])
    found = run("redis-cli", server, "--scan", "--pattern", "key:*").split()
    assert sorted(found) == sorted(b"key:%d" % i for i in range(300))


@needs_cli
def test_pipe_mode(server: Server) -> None:
    data = b"".join(encode(("SET", f"key:{i}", f"value {i}")) for i in range(5_000))
    out = run("redis-cli", server, "--pipe", stdin=data)
    assert b"errors: 0, replies: 5000" in out
    assert run("redis-cli", server, "DBSIZE") == b"5000\n"
    out = run("redis-cli", server, "--pipe", stdin=b"SET inline 1\r\nINCR inline\r\n")
    assert b"errors: 0, replies: 2" in out
    assert run("redis-cli", server, "GET", "inline") == b"2\n"


@needs_benchmark
def test_benchmark_smoke(server: Server) -> None:
    args = ["-t", "ping,set,get,incr,mset", "-n", "500", "-c", "5", "-P", "4", "-r", "100", "--csv"]
    lines = run("redis-benchmark", server, *args).decode().splitlines()
    named = [line.split('"')[1] for line in lines if line.startswith('"')][1:]
    assert named == ["PING_INLINE", "PING_MBULK", "SET", "GET", "INCR", "MSET (10 keys)"]
    assert run("redis-cli", server, "EXISTS", "counter:__rand_int__") == b"0\n"
