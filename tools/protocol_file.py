"""sandbox/protocol.toml, read and checked."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from pathlib import Path

NAME: Final = re.compile(r"[a-z][a-z0-9_]*")
TYPE: Final = re.compile(r"(\w+|\[\w+\])(?:<=(\d+)|=(\d+)\*(\w+))?")
FIELDS_MAX: Final = 32
KEYS: Final = frozenset(
    {"id", "name", "section", "channel", "from", "states", "once", "max", "groups", "serves", "doc", "fields"}
    | {"answer", "answer_max", "detached"}
)


class Kind(Enum):
    """Types of fields, as they are written."""

    U8 = "u8"
    U16 = "u16"
    U32 = "u32"
    U64 = "u64"
    I64 = "i64"
    F64 = "f64"
    BYTES = "bytes"
    TEXTS = "[bytes]"
    U64S = "[u64]"
    I64S = "[i64]"
    F64S = "[f64]"


LISTS: Final = frozenset({Kind.TEXTS, Kind.U64S, Kind.I64S, Kind.F64S})
TOP: Final = {Kind.U8: (1 << 8) - 1, Kind.U16: (1 << 16) - 1, Kind.U32: (1 << 32) - 1}
UNBOUNDED: Final = {Kind.U64: (1 << 64) - 1, Kind.I64: (1 << 64) - 1, Kind.F64: (1 << 64) - 1}


class Role(Enum):
    """What a message is in a conversation."""

    REQUEST = "request"
    ANSWER = "answer"
    ONE_WAY = "one_way"


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a body; ``per`` items for each one of the list at index ``of``, or at most ``bound``."""

    name: str
    kind: Kind
    written: str
    doc: str
    bound: int
    per: int
    of: int


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it is on the wire; an answer is one of its own."""

    number: int
    name: str
    section: str
    channel: str
    sender: str
    role: Role
    states: tuple[str, ...]
    once: bool
    detached: bool
    max_bytes: int
    groups: tuple[int, ...]
    serves: tuple[str, ...]
    doc: str
    fields: tuple[Field, ...]

    @property
    def class_name(self) -> str:
        """Name of a class for it."""
        return "".join(part.capitalize() for part in self.name.split("_"))


@dataclass(frozen=True, slots=True)
class Protocol:
    """The whole file; ``messages`` in the order of their numbers."""

    magic: int
    version_min: int
    version_max: int
    limits: dict[str, int]
    limits_why: dict[str, str]
    states: dict[str, str]
    sections: dict[str, str]
    messages: tuple[Message, ...]


class ProtocolFileError(ValueError):
    """The file breaks its own rules."""


def need(fact: bool, where: str, why: str) -> None:
    """ProtocolFileError: the fact is none."""
    if not fact:
        raise ProtocolFileError(f"{where}: {why}")


def parse_field(line: str, before: list[Field], where: str) -> Field:
    """Read one field."""
    name, written, doc = line.split(" ", 2)
    matched = TYPE.fullmatch(written)
    need(NAME.fullmatch(name) is not None and matched is not None, where, f"not a field: {line}")
    assert matched is not None
    kind = Kind(matched[1])
    need(all(other.name != name for other in before), where, f"two fields {name}")
    per, of = 0, 0
    if matched[3]:
        names = [other.name for other in before]
        need(matched[4] in names, where, f"no list {matched[4]} before {name}")
        per, of = int(matched[3]), names.index(matched[4])
        need(kind in LISTS and before[of].kind in LISTS and 0 < per < 256, where, f"{name} counts what is no list")
    top = UNBOUNDED.get(kind, TOP.get(kind, (1 << 32) - 1))
    bound = int(matched[2]) if matched[2] else top
    need(bound <= top and (kind not in (Kind.I64, Kind.F64) or bound == top), where, f"{name} has no such bound")
    return Field(name, kind, written, doc, bound, per, of)


def parse_fields(lines: list[str], where: str) -> tuple[Field, ...]:
    """Read the fields of a body."""
    fields: list[Field] = []
    for line in lines:
        fields.append(parse_field(line, fields, where))
    need(len(fields) <= FIELDS_MAX, where, "too many fields")
    return tuple(fields)


def parse_states(names: list[str], data: dict[str, Any], where: str) -> tuple[str, ...]:
    """Return the states that are meant, in the order of the file."""
    meant: set[str] = set()
    for name in names:
        need(name in data["states"] or name in data["state_sets"], where, f"no state {name}")
        meant.update(data["state_sets"].get(name, [name]))
    need(bool(meant), where, "allowed in no state")
    return tuple(name for name in data["states"] if name in meant)


def parse_message(entry: dict[str, Any], data: dict[str, Any]) -> list[Message]:
    """Return the message and its answer."""
    where = str(entry.get("name"))
    need(set(entry) <= KEYS, where, f"unknown keys {set(entry) - KEYS}")
    need(entry["id"] % 2 == 0 and entry["id"] > 0, where, "its number is odd")
    need(entry["from"] in ("host", "engine") and entry["channel"] in ("control", "data"), where, "from or channel")
    need(entry["section"] in data["sections"], where, "its section is not there")
    need(NAME.fullmatch(where) is not None and not where.endswith("_answer"), where, "not a name")
    need(("answer" in entry) == ("answer_max" in entry), where, "answer and answer_max go together")
    asked = "answer" in entry
    need(asked or not entry.get("detached"), where, "nothing to be detached")
    common: dict[str, Any] = {
        "section": entry["section"],
        "channel": entry["channel"],
        "states": parse_states(entry["states"], data, where),
        "groups": tuple(entry["groups"]),
        "serves": tuple(entry.get("serves", ())),
    }
    request = Message(
        number=entry["id"],
        name=where,
        sender=entry["from"],
        role=Role.REQUEST if asked else Role.ONE_WAY,
        once=entry.get("once", False),
        detached=asked and (entry["channel"] == "control" or entry.get("detached", False)),
        max_bytes=data["lengths"][entry["max"]],
        doc=entry["doc"],
        fields=parse_fields(entry["fields"], where),
        **common,
    )
    if not asked:
        return [request]
    answer = Message(
        number=entry["id"] + 1,
        name=f"{where}_answer",
        sender="host" if entry["from"] == "engine" else "engine",
        role=Role.ANSWER,
        once=False,
        detached=False,
        max_bytes=data["lengths"][entry["answer_max"]],
        doc=f"Answer to {where}.",
        fields=parse_fields(entry["answer"], f"{where}_answer"),
        **common,
    )
    return [request, answer]


def load(path: Path) -> Protocol:
    """Read the file. ProtocolFileError: it breaks its own rules."""
    data = tomllib.loads(path.read_text(encoding="utf-8"))
    messages: list[Message] = []
    numbers: set[int] = set()
    for entry in data["message"]:
        need(entry["id"] not in numbers, str(entry["id"]), "the number is taken")
        numbers.add(entry["id"])
        if not str(entry["name"]).startswith("deprecated_"):
            messages += parse_message(entry, data)
    need(len({message.name for message in messages}) == len(messages), "names", "one is taken twice")
    messages.sort(key=lambda message: message.number)
    wire = data["wire"]
    return Protocol(
        magic=wire["magic"],
        version_min=wire["version_min"],
        version_max=wire["version_max"],
        limits=data["limits"],
        limits_why=data["limits_why"],
        states=data["states"],
        sections=data["sections"],
        messages=tuple(messages),
    )
