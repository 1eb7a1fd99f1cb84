"""Aim: COMMAND's replies have Redis' shapes in both protocols. Method: bytes that a stock server
sends for facts that never changed between versions, and values for the rest; the engine's key
finder is a fake with a fixed answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from trioredis.commands import command
from trioredis.commands.registry import CommandError
from trioredis.commands.reply import Proto, ReplyValue, SetReply, SimpleString, encode
from trioredis.commands.schema import Schema, load

GET_RESP2 = (
    b"*10\r\n$3\r\nget\r\n:2\r\n*2\r\n+readonly\r\n+fast\r\n:1\r\n:1\r\n:1\r\n*3\r\n+@read\r\n+@string\r\n+@fast\r\n"
    b"*0\r\n*1\r\n*6\r\n$5\r\nflags\r\n*2\r\n+RO\r\n+access\r\n$12\r\nbegin_search\r\n*4\r\n$4\r\ntype\r\n$5\r\nindex"
    b"\r\n$4\r\nspec\r\n*2\r\n$5\r\nindex\r\n:1\r\n$9\r\nfind_keys\r\n*4\r\n$4\r\ntype\r\n$5\r\nrange\r\n$4\r\nspec\r\n"
    b"*6\r\n$7\r\nlastkey\r\n:0\r\n$7\r\nkeystep\r\n:1\r\n$5\r\nlimit\r\n:0\r\n*0\r\n"
)
GET_RESP3 = (
    b"*10\r\n$3\r\nget\r\n:2\r\n~2\r\n+readonly\r\n+fast\r\n:1\r\n:1\r\n:1\r\n~3\r\n+@read\r\n+@string\r\n+@fast\r\n"
    b"~0\r\n~1\r\n%3\r\n$5\r\nflags\r\n~2\r\n+RO\r\n+access\r\n$12\r\nbegin_search\r\n%2\r\n$4\r\ntype\r\n$5\r\nindex"
    b"\r\n$4\r\nspec\r\n%1\r\n$5\r\nindex\r\n:1\r\n$9\r\nfind_keys\r\n%2\r\n$4\r\ntype\r\n$5\r\nrange\r\n$4\r\nspec\r\n"
    b"%3\r\n$7\r\nlastkey\r\n:0\r\n$7\r\nkeystep\r\n:1\r\n$5\r\nlimit\r\n:0\r\n~0\r\n"
)


@dataclass
class FakeEngine:
    """Finds ``keys`` in every command line, or finds the line faulty."""

    keys: list[tuple[int, int]] | None = None
    asked: list[list[bytes]] = field(default_factory=list)

    def get_keys(self, argv: Sequence[bytes]) -> list[tuple[int, int]]:
        self.asked.append(list(argv))
        if self.keys is None:
            raise ValueError
        return self.keys


class NoModules:
    def command_names(self, module: str) -> frozenset[str]:
        return frozenset()


@dataclass
class FakeServer:
    engine: FakeEngine
    schema: Schema = field(default_factory=load)
    modules: NoModules = field(default_factory=NoModules)


@dataclass
class FakeClient:
    id: int = 1


@dataclass
class FakeContext:
    server: FakeServer
    client: FakeClient
    proto: Proto


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def ctx(engine: FakeEngine) -> FakeContext:
    return FakeContext(FakeServer(engine), FakeClient(), 2)


def argv(line: str) -> list[bytes]:
    return line.encode().split()


def items(reply: ReplyValue) -> list[ReplyValue]:
    assert isinstance(reply, list)
    return reply


def mapping(reply: ReplyValue) -> dict[str, ReplyValue]:
    assert isinstance(reply, dict)
    return reply


def test_info_in_both_protocols(ctx: FakeContext) -> None:
    reply = command.command_info(ctx, argv("COMMAND INFO Get"))
    assert encode(reply, 2) == b"*1\r\n" + GET_RESP2
    assert encode(reply, 3) == b"*1\r\n" + GET_RESP3


def test_info_of_names_that_no_command_has(ctx: FakeContext) -> None:
    reply = command.command_info(ctx, argv("COMMAND INFO nosuch client|nosuch get|x get"))
    assert items(reply)[:3] == [None, None, None]
    assert encode(items(reply)[3], 2) == GET_RESP2


def test_info_of_a_container_and_a_subcommand(ctx: FakeContext) -> None:
    container, subcommand = items(command.command_info(ctx, argv("COMMAND INFO object object|freq")))
    names = [items(entry)[0] for entry in items(items(container)[9])]
    assert names == [
        "object|encoding",
        "object|freq",
        "object|help",
        "object|idletime",
        "object|refcount",
    ]
    assert subcommand in items(items(container)[9])
    assert items(subcommand)[7] == SetReply(["nondeterministic_output"])


def test_info_of_everything(ctx: FakeContext) -> None:
    everything = command.command_all(ctx, argv("COMMAND"))
    assert command.command_info(ctx, argv("COMMAND INFO")) == everything
    assert command.command_count(ctx, argv("COMMAND COUNT")) == len(items(everything)) == len(load().commands)
    assert all(len(items(entry)) == 10 for entry in items(everything))


def test_docs(ctx: FakeContext) -> None:
    docs = mapping(command.command_docs(ctx, argv("COMMAND DOCS nosuch GETSET")))
    assert docs == {
        "getset": {
            "summary": load().commands["getset"].summary,
            "since": "1.0.0",
            "group": "string",
            "complexity": "O(1)",
            "doc_flags": SetReply([SimpleString("deprecated")]),
            "deprecated_since": "6.2.0",
            "replaced_by": "`SET` with the `GET` argument",
            "arguments": [
                {"name": "key", "type": "key", "display_text": "key", "key_spec_index": 0},
                {"name": "value", "type": "string", "display_text": "value"},
            ],
        }
    }


def test_docs_of_arguments_with_everything(ctx: FakeContext) -> None:
    docs = mapping(command.command_docs(ctx, argv("COMMAND DOCS set")))["set"]
    condition = items(mapping(docs)["arguments"])[2]
    assert condition == {
        "name": "condition",
        "type": "oneof",
        "since": "2.6.12",
        "flags": SetReply([SimpleString("optional")]),
        "arguments": [
            {"name": "nx", "type": "pure-token", "display_text": "nx", "token": "NX"},
            {"name": "xx", "type": "pure-token", "display_text": "xx", "token": "XX"},
        ],
    }


def test_docs_of_subcommands(ctx: FakeContext) -> None:
    docs = mapping(command.command_docs(ctx, argv("COMMAND DOCS config config|get")))
    assert list(docs) == ["config", "config|get"]
    assert mapping(mapping(docs["config"])["subcommands"])["config|get"] == docs["config|get"]
    assert command.command_docs(ctx, argv("COMMAND DOCS nosuch")) == {}
    assert len(mapping(command.command_docs(ctx, argv("COMMAND DOCS")))) == len(load().commands)


def test_list(ctx: FakeContext) -> None:
    names = items(command.command_list(ctx, argv("COMMAND LIST")))
    assert names == [entry.fullname for entry in load().walk()]
    assert "client" in names
    assert "client|list" in names


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("COMMAND LIST FILTERBY PATTERN GET?*", ["getdel", "getex", "getrange", "getset"]),
        ("COMMAND LIST filterby pattern *|freq", ["object|freq"]),
        ("COMMAND LIST FILTERBY ACLCAT nosuch", []),
        ("COMMAND LIST FILTERBY ACLCAT @string", []),
        ("COMMAND LIST FILTERBY MODULE any", []),
    ],
)
def test_list_filters(line: str, names: list[str], ctx: FakeContext) -> None:
    assert command.command_list(ctx, argv(line)) == names


def test_list_by_category_in_any_case(ctx: FakeContext) -> None:
    names = items(command.command_list(ctx, argv("COMMAND LIST FILTERBY aclcat String")))
    assert "get" in names
    assert "del" not in names


@pytest.mark.parametrize(
    "tail", ["x", "FILTERBY", "FILTERBY PATTERN", "FILTERBY PATTERN a b", "FILTERBY BAD x", "x y z"]
)
def test_list_refuses_other_arguments(tail: str, ctx: FakeContext) -> None:
    with pytest.raises(CommandError, match="ERR syntax error"):
        command.command_list(ctx, argv("COMMAND LIST " + tail))


def test_getkeys(ctx: FakeContext, engine: FakeEngine) -> None:
    engine.keys = [(1, 0b100), (3, 0b100)]
    assert command.command_getkeys(ctx, argv("COMMAND GETKEYS MSET a 1 b 2")) == [b"a", b"b"]
    assert engine.asked == [[b"MSET", b"a", b"1", b"b", b"2"]]


def test_getkeysandflags(ctx: FakeContext, engine: FakeEngine) -> None:
    engine.keys = [(1, 1 << 1 | 1 << 4 | 1 << 5)]
    reply = command.command_getkeysandflags(ctx, argv("COMMAND GETKEYSANDFLAGS SET a b GET"))
    assert encode(reply, 2) == b"*1\r\n*2\r\n$1\r\na\r\n*3\r\n+RW\r\n+access\r\n+update\r\n"
    assert encode(reply, 3) == b"*1\r\n*2\r\n$1\r\na\r\n~3\r\n+RW\r\n+access\r\n+update\r\n"


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("NOSUCH a", "ERR Invalid command specified"),
        ("OBJECT NOSUCH a", "ERR Invalid command specified"),
        ("PING", "ERR The command has no key arguments"),
        ("CLIENT LIST", "ERR The command has no key arguments"),
        ("GET", "ERR Invalid number of arguments specified for command"),
        ("OBJECT ENCODING", "ERR Invalid number of arguments specified for command"),
        ("GET a", "ERR Invalid arguments specified for command"),
    ],
)
@pytest.mark.parametrize("subcommand", ["GETKEYS", "GETKEYSANDFLAGS"])
def test_getkeys_refuses(subcommand: str, line: str, error: str, ctx: FakeContext) -> None:
    handler = command.command_getkeys if subcommand == "GETKEYS" else command.command_getkeysandflags
    with pytest.raises(CommandError) as caught:
        handler(ctx, argv(f"COMMAND {subcommand} {line}"))
    assert str(caught.value) == error


def test_no_keys_found_is_an_error_where_there_must_be_some(ctx: FakeContext, engine: FakeEngine) -> None:
    engine.keys = []
    with pytest.raises(CommandError, match="ERR Invalid arguments"):
        command.command_getkeys(ctx, argv("COMMAND GETKEYS GET a"))
