"""Aim: a module that nobody here wrote runs: RediSearch, as Debian packages it (redis-redisearch).

Method: index, search, kill its process, search again. What it needs of values that this server does not have yet
(hashes) it is told by a name that resolves to NULL, and the load line names it.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from tests._resp import RespClient
from tests._servers import running, trioredis_command
from tests.modules.test_torture import CRASHED, Value, ask, hosts, is_error, settled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests._servers import Server

LIBRARY: Final = Path("/usr/lib/redis/modules/redisearch.so")
ASKED: Final = "Module ft asked for functions that this server does not have yet: "
DOCUMENTS: Final = {
    "one": ("hello world", "some text of no length"),
    "two": ("hello there", "other words"),
    "three": ("goodbye", "a word of three"),
}

pytestmark = pytest.mark.skipif(not LIBRARY.exists(), reason="the package redis-redisearch is not installed")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Run a server with the module and an index of the documents."""
    folder = tmp_path_factory.mktemp("redisearch")
    command = [*trioredis_command(), "--loadmodule", str(LIBRARY), "--module-report-dir", str(folder / "reports")]
    with running("ours", command, folder) as process, RespClient(process.address) as client:
        assert ask(client, "FT.CREATE", "idx", "SCHEMA", "title", "TEXT", "body", "TEXT") == "OK"
        for name, (title, body) in DOCUMENTS.items():
            words = ("FT.ADD", "idx", name, "1.0", "NOSAVE", "FIELDS", "title", title, "body", body)
            assert ask(client, *words) == "OK"
        yield process


@pytest.fixture
def client(server: Server) -> Iterator[RespClient]:
    """Connect."""
    with RespClient(server.address) as one:
        yield one


def missing_of(library: Path) -> set[str]:
    """Return the functions that a module asks for and does not get, as the checking program has them."""
    code = "import sys; from trioredis.module_cli import main; sys.exit(main())"
    command = [sys.executable, "-P", "-c", code, "check", "--json", str(library)]
    return set(json.loads(subprocess.run(command, capture_output=True, check=True).stdout)["missing"])


def served(client: RespClient, *words: str) -> Value:
    """Call until the module is there again: its process may die amid the first call."""
    while is_error(value := settled(client, *words), CRASHED):
        pass
    return value


def search(client: RespClient, query: str) -> set[bytes]:
    """Return the documents that match."""
    reply = served(client, "FT.SEARCH", "idx", query, "NOCONTENT")
    assert isinstance(reply, tuple)
    count, *found = reply
    assert count == len(found)
    return {name for name in found if isinstance(name, bytes)}


def test_it_searches(client: RespClient) -> None:
    assert search(client, "hello") == {b"one", b"two"}
    assert search(client, "word*") == {b"two", b"three"}
    assert search(client, "@title:goodbye") == {b"three"}
    assert search(client, "nothing") == set()


def test_its_index_survives_its_process(server: Server, client: RespClient) -> None:
    assert ask(client, "FT.SUGADD", "names", "hello world", "1") == 1
    for pid in hosts(server.pid):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    assert search(client, "hello") == {b"one", b"two"}
    assert served(client, "FT.SUGGET", "names", "he") == (b"hello world",)


def test_the_log_names_what_is_missing(server: Server) -> None:
    """Whole, and nothing else: what it asked for that is not marked as there."""
    lines = server.log_path.read_text().splitlines()
    loaded = next(line for line in lines if "loaded from" in line)
    named = [name for line in lines if ASKED in line for name in line.partition(ASKED)[2].split(", ")]
    assert f" missing={len(named)}" in loaded
    assert set(named) == missing_of(LIBRARY)
