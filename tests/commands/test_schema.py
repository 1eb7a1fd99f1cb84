"""Aim: commands.json is complete and consistent, and the C header, the Python view and the facts
agree with it.

Method: the checker over the real file and over copies with one fault each; words read out of
command.h.
"""

from __future__ import annotations

import copy
import dataclasses
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from trioredis.commands import schema

ROOT = Path(__file__).parent.parent.parent
DATA = ROOT / "trioredis" / "commands" / "commands.json"
HEADER = (ROOT / "csrc" / "exec" / "command.h").read_text()
FACTS = ROOT.parent / "shared" / "facts" / "commands.json"

sys.path.insert(0, str(ROOT / "tools"))

import check_commands  # noqa: E402
import command_file  # noqa: E402

Entry = dict[str, Any]


@pytest.fixture
def data() -> dict[str, Entry]:
    """A copy that a test may spoil."""
    return command_file.read(DATA)


def test_the_file_has_no_faults(data: dict[str, Entry]) -> None:
    assert check_commands.check(data) == []


def test_the_file_is_formatted(data: dict[str, Entry]) -> None:
    assert command_file.format_commands(data) == DATA.read_text(encoding="utf-8")


def _set(*path: str | int, value: object) -> Callable[[dict[str, Entry]], None]:
    def spoil(data: dict[str, Entry]) -> None:
        place: Any = data
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = value

    return spoil


FAULTS = {
    "no summary": _set("get", "summary", value=""),
    "not one sentence": _set("get", "summary", value="returns a string"),
    "no complexity": _set("get", "complexity", value=""),
    "names no class": _set("get", "complexity", value="fast"),
    "unknown flag 'quick'": _set("get", "flags", value=["readonly", "fast", "quick"]),
    "a flag twice": _set("get", "flags", value=["readonly", "fast", "fast"]),
    "both write and readonly": _set("set", "flags", value=["write", "readonly", "denyoom"]),
    "writes without @write": _set("set", "acl_categories", value=["@string", "@slow"]),
    "unknown category '@odd'": _set("get", "acl_categories", value=["@read", "@string", "@fast", "@odd"]),
    "neither or both of @fast and @slow": _set("get", "acl_categories", value=["@read", "@string"]),
    "flag fast and category @fast disagree": _set("get", "flags", value=["readonly"]),
    "unknown group 'odd'": _set("get", "group", value="odd"),
    "since is no version": _set("get", "since", value="1"),
    "no handler": _set("get", "handler", value=None),
    "should be called tr_cmd_get": _set("get", "handler", value={"c": "get"}),
    "unknown handler": _set("info", "handler", value={"python": "later"}),
    "has a handler": _set("client", "handler", value={"c": "tr_cmd_client"}),
    "is called 'got' inside": _set("get", "name", value="got"),
    "subcommand list is called": _set("client", "subcommands", "list", "name", value="list"),
    "does not count the name": _set("client", "subcommands", "list", "arity", value=-1),
    "contradict each other": _set("get", "key_step", value=0),
    "keys past the last argument": _set("get", "last_key", value=2),
    "key positions without key specs": _set("strlen", "key_specs", value=[]),
    "needs one of RO, RW, OW and RM": _set("get", "key_specs", 0, "flags", value=["access"]),
    "unknown begin_search": _set("get", "key_specs", 0, "begin_search", "type", value="odd"),
    "index out of range": _set("get", "key_specs", 0, "begin_search", "spec", "index", value=0),
    "keystep or limit out of range": _set("get", "key_specs", 0, "find_keys", "spec", "keystep", value=0),
    "get_keys is needed exactly": _set("get", "get_keys", value="tr_getkeys_set"),
    "get_keys should be called": _set("set", "get_keys", value="getkeys"),
    "argument value: unknown type 'odd'": _set("set", "arguments", 1, "type", value="odd"),
    "points to no key spec": _set("get", "arguments", 0, "key_spec_index", value=1),
    "a pure token without token": _set("set", "arguments", 3, value={"name": "get", "type": "pure-token"}),
    "oneof and block have arguments": _set("set", "arguments", 2, value={"name": "c", "type": "oneof"}),
    "unknown keys ['colour']": _set("get", "colour", value="red"),
    "unknown tip": _set("get", "tips", value=["odd"]),
    "deprecated_since disagree": _set("get", "doc_flags", value=["deprecated"]),
}


@pytest.mark.parametrize("complaint", FAULTS)
def test_each_fault_is_named(complaint: str, data: dict[str, Entry]) -> None:
    FAULTS[complaint](data)
    wrong = check_commands.check(data)
    assert any(complaint in sentence for sentence in wrong), wrong


def test_a_missing_field_is_named(data: dict[str, Entry]) -> None:
    del data["get"]["arity"]
    assert check_commands.check(data) == ["get: lacks arity"]


def _bits(prefix: str) -> list[str]:
    """The enumerators of command.h with this prefix, lowest bit first."""
    found = re.findall(rf"\b{prefix}(\w+) = 1 << (\d+)", HEADER)
    assert [int(bit) for _, bit in found] == list(range(len(found)))
    return [name for name, _ in found]


@pytest.mark.parametrize(
    ("prefix", "words"),
    [
        ("TR_CMD_", check_commands.FLAGS),
        ("TR_CAT_", check_commands.CATEGORIES),
        ("TR_KEY_", check_commands.KEY_FLAGS),
        ("TR_KEY_", schema.KEY_FLAGS),
    ],
)
def test_words_are_those_of_the_header(prefix: str, words: tuple[str, ...]) -> None:
    assert _bits(prefix) == [word.upper() for word in words]


def test_groups_are_those_of_the_header() -> None:
    assert re.findall(r"\bTR_GROUP_(\w+)", HEADER) == [
        group.upper().replace("-", "_") for group in check_commands.GROUPS
    ]


OURS_ALONE: Final = frozenset({"module|crash", "module|crashes"})
"""Subcommands that Redis does not have."""


def test_structure_agrees_with_the_recorded_facts(data: dict[str, Entry]) -> None:
    if not FACTS.exists():
        pytest.skip("no recorded facts beside this checkout")
    facts = json.loads(FACTS.read_text())
    for entry in data.values():
        source = facts[entry["name"]]
        for own, recorded in [(entry, source)] + [
            (sub, source["subcommands"][name])
            for name, sub in entry.get("subcommands", {}).items()
            if sub["name"] not in OURS_ALONE
        ]:
            assert {key: own.get(key) for key in recorded if key != "subcommands"} == {
                key: value for key, value in recorded.items() if key != "subcommands"
            }


def test_the_view_shows_every_command(data: dict[str, Entry]) -> None:
    names = [
        name for c in data.values() for name in (c["name"], *(s["name"] for s in c.get("subcommands", {}).values()))
    ]
    assert [entry.fullname for entry in schema.load().walk()] == names


def test_the_view_is_read_once_and_frozen() -> None:
    loaded = schema.load()
    assert schema.load() is loaded
    with pytest.raises(dataclasses.FrozenInstanceError):
        loaded.commands["get"].arity = 3  # type: ignore[misc]
    with pytest.raises(TypeError):
        loaded.commands["got"] = loaded.commands["get"]  # type: ignore[index]


def test_find_and_resolve() -> None:
    loaded = schema.load()
    client_list = loaded.find("Client|LIST")
    assert client_list is not None
    assert client_list.fullname == "client|list"
    assert loaded.find("client|nosuch") is loaded.find("nosuch") is loaded.find("get|x") is None
    assert loaded.resolve([b"CLIENT", b"list", b"x"]) is client_list
    assert loaded.resolve([b"CLIENT"]) is loaded.find("client")
    assert loaded.resolve([b"CLIENT", b"nosuch"]) is loaded.resolve([b"nosuch"]) is loaded.resolve([]) is None
    assert loaded.resolve([b"GET", b"list"]) is loaded.find("get")


def test_handler_kinds_and_keys() -> None:
    commands = schema.load().commands
    assert commands["get"].handler_kind is schema.HandlerKind.C
    assert commands["client"].handler_kind is schema.HandlerKind.CONTAINER
    assert commands["command"].handler_kind is schema.HandlerKind.PYTHON_SYNC
    assert commands["shutdown"].handler_kind is schema.HandlerKind.PYTHON_ASYNC
    assert commands["get"].has_keys
    assert not commands["ping"].has_keys
    assert commands["debug"].internal_flags == ("protected",)


def test_arity() -> None:
    commands = schema.load().commands
    assert [commands["get"].accepts(n) for n in (1, 2, 3)] == [False, True, False]
    assert [commands["set"].accepts(n) for n in (2, 3, 9)] == [False, True, True]


def test_replacements_read_as_text(data: dict[str, Entry]) -> None:
    commands = schema.load().commands
    assert commands["psetex"].replaced_by == "`SET` with the `PX` argument"
    assert commands["substr"].replaced_by == "`GETRANGE`"
    assert commands["quit"].replaced_by is None
    both = copy.deepcopy(data["psetex"]) | {"replaced_by": {"commands": ["A", "B"], "arguments": ["X", "Y"]}}
    parsed = schema.parse({"psetex": both}).commands["psetex"]
    assert parsed.replaced_by == "`A` or `B` with the `X` and `Y` arguments"


def test_key_flag_names() -> None:
    assert schema.key_flag_names(0) == []
    assert schema.key_flag_names(1 << 1 | 1 << 4 | 1 << 5) == ["RW", "access", "update"]
