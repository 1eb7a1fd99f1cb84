"""Aim: one file describes all messages, and what was made of it is up to date, complete and alike on both ends.

Method: regenerate and compare; read the golden messages both ways; hurt them in every way.
"""

from __future__ import annotations

import ast
import json
import re
import sys
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from trioredis.modules import protocol, wire
from trioredis.modules.protocol import MESSAGES
from trioredis.modules.wire import HEADER_BYTES, Body, Role, Spec, WireError

if TYPE_CHECKING:
    from trioredis.modules.wire import Value

ROOT: Final = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tools"))

import gen_protocol  # noqa: E402
import protocol_file  # noqa: E402

PROTOCOL: Final = protocol_file.load(ROOT / "sandbox" / "protocol.toml")
GOLDEN: Final = ROOT / "tests" / "sandbox" / "golden"
FACTS: Final = ROOT.parent / "shared" / "facts" / "module_api.json"
GROUPS: Final = ROOT.parent / "shared" / "facts" / "module_api_groups.md"
UNSERVED: Final = frozenset({"ReplySetPushLength"})
"""Functions that need no message: pushes are built like any reply, and no context has one to build."""


@dataclass(frozen=True, slots=True)
class Golden:
    """A golden message."""

    spec: Spec
    request_id: int
    values: dict[str, Value]
    data: bytes


def read_value(text: str) -> Value:
    """Return what an entry's value means."""

    def plain(value: object) -> Value:
        if isinstance(value, str):
            return value.encode("latin-1")
        if isinstance(value, list):
            return tuple(plain(item) for item in value)  # type: ignore[return-value]
        assert isinstance(value, int | float)
        return value

    return plain(ast.literal_eval(text))


def read_entry(text: str) -> Golden:
    """Read one entry of a golden file."""
    name = text.split("\n", 1)[0]
    block = re.search(r"```text\n(.*?)```", text, re.DOTALL)
    assert block is not None
    values = {key: read_value(value) for key, value in re.findall(r"^(\w+) = (.*)$", block[1], re.MULTILINE)}
    request_id = values.pop("request_id")
    assert isinstance(request_id, int)
    data = bytes.fromhex("".join(re.findall(r"^\| `([0-9a-f ]+)` \|", text, re.MULTILINE)))
    return Golden(MESSAGES.by_name[name], request_id, values, data)


def golden(path: Path) -> list[Golden]:
    """Read a golden file."""
    return [read_entry(part) for part in path.read_text(encoding="utf-8").split("\n## ")[1:]]


FILES: Final = sorted(GOLDEN.glob("*.md"))


def judge(data: bytes, spec: Spec) -> bool:
    """Whether the bytes are accepted; then they come out as they came in. Anything but WireError is a defect."""
    try:
        header = MESSAGES.header(data, spec.channel, spec.sender)
        if header.length != len(data) - HEADER_BYTES:
            raise WireError("another length")
        values = MESSAGES.decode_values(header.spec, memoryview(data)[HEADER_BYTES:])
    except WireError:
        return False
    again = MESSAGES.encode_values(header.spec.name, values, header.request_id, header.flags)
    assert again[HEADER_BYTES:] == data[HEADER_BYTES:]
    return True


@pytest.mark.parametrize("name", gen_protocol.PAGES)
def test_what_is_generated_is_up_to_date(name: str) -> None:
    written = (ROOT / name).read_text(encoding="utf-8")
    assert written == gen_protocol.PAGES[name](PROTOCOL), "run tools/gen_protocol.py"


def test_both_tables_say_the_same() -> None:
    assert set(MESSAGES.by_name) == {message.name for message in PROTOCOL.messages}
    for message in PROTOCOL.messages:
        spec = MESSAGES.by_name[message.name]
        assert (spec.number, spec.channel, spec.sender) == (message.number, message.channel, message.sender)
        assert (spec.role.value, spec.max_bytes) == (message.role.value, message.max_bytes)
        assert spec.states == frozenset(message.states)
        assert [(field.name, field.kind) for field in spec.fields] == [(f.name, f.kind.value) for f in message.fields]


def test_every_message_is_golden() -> None:
    assert {one.spec.name for path in FILES for one in golden(path)} == set(MESSAGES.by_name)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_golden_both_ways(path: Path) -> None:
    for one in golden(path):
        assert MESSAGES.encode_values(one.spec.name, one.values, one.request_id) == one.data
        header = MESSAGES.header(one.data, one.spec.channel, one.spec.sender)
        assert (header.spec, header.request_id, header.flags) == (one.spec, one.request_id, 0)
        assert MESSAGES.decode_values(one.spec, one.data[HEADER_BYTES:]) == one.values


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_cut_is_refused(path: Path) -> None:
    for one in golden(path):
        assert not any(judge(one.data[:length], one.spec) for length in range(len(one.data)))
        assert not judge(one.data + b"\0", one.spec)
        for length in range(len(one.data) - HEADER_BYTES):
            with pytest.raises(WireError):
                MESSAGES.decode_values(one.spec, one.data[HEADER_BYTES : HEADER_BYTES + length])


@pytest.mark.slow
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_flipped_bit_is_judged(path: Path) -> None:
    accepted = 0
    for one in golden(path):
        for bit in range(len(one.data) * 8):
            hurt = bytearray(one.data)
            hurt[bit // 8] ^= 1 << bit % 8
            accepted += judge(bytes(hurt), one.spec)
    assert accepted > 0


def test_control_messages_are_classes() -> None:
    control = [spec for spec in MESSAGES.by_name.values() if spec.channel == "control"]
    life = {one.spec.name: one for one in golden(GOLDEN / "life.md")}
    assert {spec.name for spec in control} == set(life)
    for spec in control:
        header, body = MESSAGES.decode(life[spec.name].data, spec.sender)
        assert isinstance(body, Body)
        assert type(body).__name__ == "".join(part.capitalize() for part in spec.name.split("_"))
        assert [field.name for field in fields(body)] == [field.name for field in spec.fields]  # type: ignore[arg-type]
        assert MESSAGES.encode(body, header.request_id) == life[spec.name].data
        with pytest.raises(WireError, match="length"):
            MESSAGES.decode(life[spec.name].data + b"\0", spec.sender)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"standing": (1,)}, "wrong count"),
        ({"step": 3}, "out of its bounds"),
        ({"step": -1}, "step"),
        ({"step": b"1"}, "step"),
        ({"names": (1, 2)}, "another type"),
        ({"names": b"ab"}, "another type"),
        ({"standing": (1, 1 << 64)}, "standing"),
        ({"details": (b"x" * 40000, b"y" * 40000)}, "longer than its type"),
    ],
)
def test_what_is_sent_is_held_to_the_bounds(changes: dict[str, Value], why: str) -> None:
    values: dict[str, Value] = {"step": 1, "names": (b"a", b"b"), "standing": (1, 0), "details": (b"", b"")}
    assert MESSAGES.encode_values("walls", values)
    with pytest.raises(WireError, match=why):
        MESSAGES.encode_values("walls", {**values, **changes})
    with pytest.raises(WireError, match="request id"):
        MESSAGES.encode_values("walls", values, request_id=3)


@pytest.mark.parametrize(
    ("at", "value", "why"),
    [
        (0, 0, "begins"),
        (4, 9, "version"),
        (6, 1, "unknown type"),
        (6, 2, "other channel or side"),
        (8, 0, "request id"),
        (16, 1, "flag"),
        (23, 1, "longer"),
        (24, 1, "reserved"),
    ],
)
def test_headers(at: int, value: int, why: str) -> None:
    data = bytearray(MESSAGES.encode(protocol.Ping(token=1), request_id=5))
    assert MESSAGES.header(bytes(data), "control", "engine").request_id == 5
    data[at] = value
    with pytest.raises(WireError, match=why):
        MESSAGES.header(bytes(data), "control", "engine")


def test_only_the_engine_s_requests_may_queue() -> None:
    for one in (one for path in FILES for one in golden(path)):
        queued = bytearray(one.data)
        queued[16] = wire.QUEUED
        may = one.spec.role is Role.REQUEST and (one.spec.channel, one.spec.sender) == ("data", "engine")
        assert judge(bytes(queued), one.spec) == may


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (("id = 14", "id = 15"), "odd"),
        (("id = 14", "id = 12"), "taken"),
        (('name = "ping"', 'name = "log"'), "twice"),
        (('states = ["ready"]', 'states = ["nowhere"]'), "no state"),
        (('"token u64 comes back"', '"token u63 comes back"'), "u63"),
        (('"token u64 comes back"', '"token [u64]=1*tokens x"'), "no list"),
        (('section = "life"', 'section = "death"'), "section"),
    ],
)
def test_the_file_is_checked(change: tuple[str, str], why: str, tmp_path: Path) -> None:
    text = (ROOT / "sandbox" / "protocol.toml").read_text(encoding="utf-8")
    assert change[0] in text
    broken = tmp_path / "protocol.toml"
    broken.write_text(text.replace(*change, 1), encoding="utf-8")
    with pytest.raises(ValueError, match=why):
        protocol_file.load(broken)


def test_every_function_that_needs_the_engine_is_served() -> None:
    if not FACTS.is_file() or not GROUPS.is_file():
        pytest.skip("the facts on the module API are not beside the repository")
    served = {name for message in PROTOCOL.messages for name in message.serves}
    known = {entry["name"].removeprefix("RedisModule_") for entry in json.loads(FACTS.read_text())["functions"]}
    assert served <= known
    members = GROUPS.read_text().split("## Members")[1].split("## Conditions")[0]
    rows = re.findall(r"^\|[^|]*\|[^|]*\| ([ORCX]) \| (.*) \|$", members, re.MULTILINE)
    remote = {name.strip() for _, names in rows for name in names.split(",")}
    assert len(remote) > 100
    assert remote - served == UNSERVED
