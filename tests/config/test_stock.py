"""Whole files and command lines mean what they mean to a stock server.

Method: a stock server that is given each wrong file must end with the reason that we give; each
right one must give the values that we get.
"""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from tests._servers import redis_command, running
from tests.config.client import Client
from trioredis.config import ConfigError, load, parse_command_line

if TYPE_CHECKING:
    from pathlib import Path

STOCK_SECONDS = 20.0


@pytest.fixture
def stock() -> str:
    """Return the stock server's program."""
    command = redis_command()
    if command is None:
        pytest.skip("redis-server is not installed")
    return command[0]


WRONG = [
    "hz 10 20",
    "hz",
    "hz x",
    "maxmemory 1 # not a comment",
    'requirepass "a',
    "requirepass 'a",
    'requirepass "a"b',
    "timeout -1",
    "unixsocketperm 1000",
    "unixsocketperm 9",
    "unixsocketperm 7 7",
    "oom-score-adj-values 1 2",
    "save 10",
    "save 60 1 ''  x",
    "maxmemory-policy wrong",
    "slaveof 127.0.0.1 xx",
    "slaveof 127.0.0.1",
    "sentinel monitor a b",
    "nosuch 1",
    "user",
    "include",
    "include a b",
    "rename-command a",
    "loadmodule",
    "list-max-ziplist-entries 1 2",
    "lua-replicate-commands",
    "my.setting",
    "dir /nonexistent",
    "dir /dev/null",
    "client-output-buffer-limit normal 1 1",
    "client-output-buffer-limit nosuch 1 1 1",
    "notify-keyspace-events Q",
    "notify-keyspace-events K E",
    "latency-tracking-info-percentiles 101",
    "shutdown-on-sigint save nosave",
    "shutdown-on-sigint",
    "appendfilename a/b",
    "dbfilename a/b",
    "appendonly maybe",
    "bind " + "127.0.0.1 " * 17,
    "cluster-announce-hostname a_b",
    "proto-max-bulk-len 5",
    "replicaof h 1\ncluster-enabled yes",
]


@pytest.mark.parametrize("text", WRONG)
def test_same_reason(stock: str, text: str, tmp_path: Path) -> None:
    file = tmp_path / "redis.conf"
    file.write_text(f"# first\n{text}\n")
    ended = subprocess.run(
        [stock, str(file)], cwd=tmp_path, capture_output=True, text=True, timeout=STOCK_SECONDS, check=False
    )
    assert ended.returncode == 1
    with pytest.raises(ConfigError) as caught:
        load(parse_command_line([str(file)]))
    lines = ended.stderr.splitlines()
    assert lines[-1] == caught.value.reason
    if caught.value.reason.startswith("replicaof"):
        return  # a stock server says no line for it
    assert f"at line {caught.value.number}" in lines[-3]
    assert lines[-2] == f">>> '{caught.value.raw}'"


RIGHT = {
    "quotes": ('maxmemory "1\\x30\\x30"\nsyslog-ident \'a\\\'b\'\ndbfilename "\\"x\\""', []),
    "blanks": ("  MaxMemory\t1mb  \r\n\r\n \t# x\nHZ 20", []),
    "last wins": ("maxmemory 1\nmaxmemory 2mb\nhz 1000", []),
    "save": ("save 60 1\nsave 30 2", ["--save", "5", "5"]),
    "save off": ("save 60 1", ["--save"]),
    "save reset": ('save 60 1\nsave ""\nsave 5 5', []),
    "bare save": ("save", []),
    "limits": (
        "client-output-buffer-limit pubsub 1mb 1mb 1\nclient-output-buffer-limit slave 2mb 1k 1",
        [],
    ),
    "flags": ("shutdown-on-sigint force now\nshutdown-on-sigterm default", []),
    "retired": ("list-max-ziplist-entries 5\nlua-replicate-commands yes", []),
    "include nothing": ("include /nonexistent*.conf", []),
    "nobody": ("replicaof no one", []),
    "events": ("notify-keyspace-events KEAn", []),
    "new events": ("notify-keyspace-events Kn", []),
    "mode": ("unixsocketperm 0700", []),
    "percentiles": ("latency-tracking-info-percentiles 50 99.95", []),
    "no percentiles": ("latency-tracking-info-percentiles", []),
    "options": ("hz 20", ["--hz", "30", "--proc-title-template", "--x", "--tcp-keepalive 7"]),
    "empty option": ("", ["--masterauth", "", "--hz", "7"]),
    "upper case": ('appendonly "NO"\nLOGLEVEL Debug', []),
}
COMPARED = [
    *("maxmemory", "hz", "save", "client-output-buffer-limit", "shutdown-on-sigint", "replicaof"),
    *("notify-keyspace-events", "unixsocketperm", "latency-tracking-info-percentiles", "loglevel"),
    *("proc-title-template", "tcp-keepalive", "masterauth", "appendonly", "list-max-ziplist-size"),
    *("syslog-ident", "dbfilename", "shutdown-on-sigterm"),
]


@pytest.mark.parametrize("name", RIGHT)
def test_same_values(stock: str, name: str, tmp_path: Path) -> None:
    text, options = RIGHT[name]
    file = tmp_path / "redis.conf"
    file.write_bytes(text.encode() + b"\n")
    ours = load(parse_command_line([str(file), *options])).get(COMPARED)
    command = [stock, str(file), "--bind", "127.0.0.1", *options]
    with running("redis", command, tmp_path) as server, Client(server.address) as client:
        theirs = client.config_get(*COMPARED)
        client.call("CONFIG", "SET", "save", "")
    assert ours == theirs
