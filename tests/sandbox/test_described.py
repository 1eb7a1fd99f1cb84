"""Aim: what COMMAND and HELLO say of modules is what a stock server says.

Method: a module that describes its commands with every field is loaded into both servers; the replies are compared as
values, since stock gives subcommands in an order of its own. Categories of ACL are 7.4's, which 7.0 has no call for.
"""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests._resp import RespClient
from tests._servers import HOST, Server, redis_command, running, trioredis_command
from tests.sandbox._facts import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

INCLUDE: Final = ROOT / "sandbox" / "include"
SOURCE: Final = ROOT / "tests" / "sandbox" / "modules" / "described.c"
ARGUMENTS: Final = ("some", "more words", "")
COMMANDS: Final = (
    "command info described.read",
    "command info described.pairs",
    "command info described.own",
    "command info described.full",
    "command info described.box",
    "command info described.box|one",
    "command info described.box|two",
    "command info described.empty",
    *(f"command info described.place{place}" for place in range(7)),
    "command docs described.read",
    "command docs described.full",
    "command docs described.box",
    "command docs described.box|two",
    "command getkeysandflags described.read a",
    "command getkeysandflags described.pairs a 1 b 2",
    "command getkeys described.own a b c",
    "command list filterby aclcat slow",
    "command list filterby aclcat write",
    "command list filterby module described",
    "module list",
    "described.box",
    "described.box one",
    "described.box one k",
    "described.box two",
    "described.box|one",
    "described.empty",
    "described.full 1",
    "described.read",
)
GROUPED: Final = "filterby aclcat"
HAS_CATEGORIES: Final = ("bulk", b"described.acl")
"""Whoever has the function to set them."""
DISPLAYED: Final = ("bulk", b"display_text")
"""Of an argument; 7.0 shows none."""


def plain(reply: Any) -> Any:
    """Return a reply as a value: maps as dictionaries, arrays and sets in an order that doesn't depend on theirs."""
    kind, value = reply
    if kind == "map":
        return {plain(key): plain(one) for key, one in value if key != DISPLAYED}
    if kind in ("array", "set"):
        return (kind, sorted((plain(one) for one in value), key=repr))
    return (kind, value)


def ask(server: Server, command: str) -> Any:
    """Return the reply of RESP3 as a value."""
    with RespClient((HOST, server.port)) as client:
        client.call("hello", "3")
        return plain(client.call(*command.split(" ")))


@pytest.fixture(scope="module")
def options(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ...]:
    """Return options of a server that loads the module."""
    library = tmp_path_factory.mktemp("modules") / "described.so"
    flags = ("-O2", "-fPIC", "-shared", "-Wall", "-Wextra", "-Wshadow", "-Werror")
    subprocess.run((os.environ.get("CC", "gcc"), *flags, f"-I{INCLUDE}", "-o", library, SOURCE), check=True)
    return ("--loadmodule", str(library), *ARGUMENTS)


@pytest.fixture(scope="module")
def stock(options: tuple[str, ...], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Yield a stock server with the module."""
    command = redis_command()
    if command is None:
        pytest.skip("redis-server is not installed")
    with running("redis", [*command, *options], tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture(scope="module")
def ours(options: tuple[str, ...], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Yield our server with the module."""
    with running("trioredis", [*trioredis_command(), *options], tmp_path_factory.mktemp("trioredis")) as server:
        yield server


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_are_described_as_in_stock(command: str, stock: Server, ours: Server) -> None:
    theirs, mine = ask(stock, command), ask(ours, command)
    if GROUPED in command:
        theirs, mine = (
            [one for one in found[1] if b"described" in one[1] and one != HAS_CATEGORIES] for found in (theirs, mine)
        )
    assert mine == theirs


@pytest.mark.parametrize("proto", ["2", "3"])
def test_hello_lists_the_modules(proto: str, stock: Server, ours: Server) -> None:
    listed = []
    for server in (stock, ours):
        with RespClient((HOST, server.port)) as client:
            listed.append(client.call("hello", proto)[1][-2 if proto == "2" else -1 :])
    assert listed[1] == listed[0]


def test_categories_are_those_that_the_module_set(ours: Server) -> None:
    _, (command,) = ask(ours, "command info described.acl")
    assert ("set", [("simple", b"@read"), ("simple", b"@slow")]) in command[1]


def test_errors_amid_hello_leave_it_alone(ours: Server) -> None:
    with RespClient((HOST, ours.port)) as client:
        client.send(b"*1\r\n$5\r\nhello\r\n*2\r\n$5\r\nhello\r\n$1\r\n9\r\n*1\r\n$4\r\nping\r\n")
        assert [client.read()[0] for _ in range(3)] == ["array", "err", "simple"]
