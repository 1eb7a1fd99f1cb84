"""Messages between engine and host as bytes, and back.

A header of 32 bytes (magic, version, type, request id, flags, length, reserved) and a body whose fields follow each
other; all of it little-endian. The tables are in ``protocol.py``. Nothing that a peer sends is trusted: whatever breaks
a bound is a ``WireError``, and the caller hangs up.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass, fields
from enum import Enum
from typing import TYPE_CHECKING, ClassVar, Final, Self, TypeAlias, final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Value: TypeAlias = int | float | bytes | tuple[bytes, ...] | tuple[int, ...] | tuple[float, ...]

HEADER: Final = struct.Struct("<IHHQIIQ")
HEADER_BYTES: Final = HEADER.size
QUEUED: Final = 1
"""Header flag: the request is served after those before it, not amid the question being answered."""

U32: Final = struct.Struct("<I")
SCALARS: Final = {"u8": "B", "u16": "H", "u32": "I", "u64": "Q", "i64": "q", "f64": "d"}
LISTS: Final = {"[bytes]": "", "[u64]": "Q", "[i64]": "q", "[f64]": "d"}
WRITTEN: Final = re.compile(r"(\w+):(\w+|\[\w+\])(?:<=(\d+)|=(\d+)\*(\w+))?")
UNBOUNDED: Final = (1 << 64) - 1


class WireError(ValueError):
    """Bytes are no valid message, or a message can't be sent; the text says why."""


class Role(Enum):
    """What a message is in a conversation."""

    REQUEST = "request"
    ANSWER = "answer"
    ONE_WAY = "one_way"


@final
@dataclass(frozen=True, slots=True)
class Field:
    """A field of a body: at most ``bound`` (value, length or count), or ``per`` items for each of the list ``of``."""

    name: str
    kind: str
    bound: int
    per: int
    of: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``name:type``."""
        matched = WRITTEN.fullmatch(text)
        if matched is None:
            raise ValueError(text)
        name, kind, bound, per, of = matched.groups()
        return cls(name, kind, int(bound) if bound else UNBOUNDED, int(per or 0), of or "")


@final
@dataclass(frozen=True, slots=True)
class Spec:
    """All that is known of a type of messages. ``max_bytes`` bounds the body."""

    number: int
    name: str
    channel: str
    sender: str
    role: Role
    max_bytes: int
    states: frozenset[str]
    marks: frozenset[str]
    fields: tuple[Field, ...]

    @classmethod
    def parse(cls, row: str) -> Self:
        """Read a row of the table."""
        number, name, channel, sender, role, longest, states, marks, *written = row.split()
        parsed = tuple(Field.parse(text) for text in written)
        return cls(
            number=int(number),
            name=name,
            channel=channel,
            sender=sender,
            role=Role(role),
            max_bytes=int(longest),
            states=frozenset(states.split(",")),
            marks=frozenset(marks.split(",")) - {"-"},
            fields=parsed,
        )


@final
@dataclass(frozen=True, slots=True)
class Header:
    """A header that was judged; ``length`` is that of the body, in bytes."""

    spec: Spec
    request_id: int
    flags: int
    length: int


class Body:
    """What is in a message of the control channel; the classes are in ``protocol.py``."""

    __slots__ = ()
    TYPE: ClassVar[str]


@final
@dataclass(slots=True)
class Reader:
    """Takes values off the front of a body."""

    data: memoryview
    at: int = 0

    def take(self, count: int) -> memoryview:
        """Return the next bytes. WireError: there are not so many."""
        if count > len(self.data) - self.at:
            raise WireError("the body ends within a field")
        self.at += count
        return self.data[self.at - count : self.at]

    def length(self) -> int:
        """Return a length or count."""
        return int(U32.unpack(self.take(4))[0])

    def value(self, field: Field, before: Mapping[str, Value]) -> Value:
        """Return the value of a field."""
        if field.kind in SCALARS:
            code = struct.Struct("<" + SCALARS[field.kind])
            return checked(field, code.unpack(self.take(code.size))[0], before)
        count = self.length()
        if field.kind == "bytes":
            check_bound(field, count)
            return bytes(self.take(count))
        check_count(field, count, before)
        if field.kind == "[bytes]":
            return tuple(bytes(self.take(self.length())) for _ in range(count))
        data = self.take(8 * count)
        return struct.unpack(f"<{count}{LISTS[field.kind]}", data)


def check_bound(field: Field, size: int) -> None:
    """WireError: it is over the field's bound."""
    if size > field.bound:
        raise WireError(f"{field.name} is out of its bounds")


def check_count(field: Field, count: int, before: Mapping[str, Value]) -> None:
    """WireError: the list has more items than it may, or not as many as it must."""
    if not field.per:
        check_bound(field, count)
        return
    other = before[field.of]
    if not isinstance(other, tuple) or count != field.per * len(other):
        raise WireError(f"{field.name} has a wrong count")


def checked(field: Field, value: Value, before: Mapping[str, Value]) -> Value:
    """Return the value. WireError: it is out of the bounds of its field."""
    if isinstance(value, tuple):
        check_count(field, len(value), before)
    elif isinstance(value, bytes):
        check_bound(field, len(value))
    elif isinstance(value, int) and field.kind != "i64":
        check_bound(field, value)
    return value


def packed(field: Field, value: Value) -> bytes:
    """Return the bytes of a value. WireError: it has another type."""
    try:
        if field.kind in SCALARS:
            return struct.pack("<" + SCALARS[field.kind], value)
        if isinstance(value, bytes) and field.kind == "bytes":
            return U32.pack(len(value)) + value
        if isinstance(value, tuple) and field.kind == "[bytes]":
            return U32.pack(len(value)) + b"".join(U32.pack(len(item)) + item for item in map(bytes_of, value))
        if isinstance(value, tuple) and field.kind in LISTS:
            return U32.pack(len(value)) + struct.pack(f"<{len(value)}{LISTS[field.kind]}", *value)
    except struct.error as error:
        raise WireError(f"{field.name}: {error}") from None
    raise WireError(f"{field.name} has another type")


def bytes_of(item: object) -> bytes:
    """Return the item of a list of bytes. WireError: it is none."""
    if not isinstance(item, bytes):
        raise WireError("an item of a list has another type")
    return item


@final
class Table:
    """All messages of a protocol, by name and by number."""

    def __init__(
        self, magic: int, versions: tuple[int, int], specs: Sequence[Spec], bodies: Sequence[type[Body]]
    ) -> None:
        self.magic: Final = magic
        self.versions: Final = versions
        self.by_name: Final = {spec.name: spec for spec in specs}
        self.by_number: Final = {spec.number: spec for spec in specs}
        self._bodies: Final = {body.TYPE: body for body in bodies}

    @classmethod
    def parse(cls, magic: int, versions: tuple[int, int], rows: str, bodies: Sequence[type[Body]]) -> Self:
        """Read the table; a row goes on in lines that begin with spaces."""
        joined = rows.strip().replace("\n  ", " ")
        return cls(magic, versions, [Spec.parse(row) for row in joined.splitlines()], bodies)

    def header(self, data: bytes | memoryview, channel: str, sender: str) -> Header:
        """Judge the first 32 bytes of a message. WireError: they are no header that may come there."""
        if len(data) < HEADER_BYTES:
            raise WireError("the header is cut short")
        magic, version, number, request_id, flags, length, reserved = HEADER.unpack(data[:HEADER_BYTES])
        spec = self.by_number.get(number)
        if magic != self.magic:
            raise WireError("no message begins like this")
        if not self.versions[0] <= version <= self.versions[1]:
            raise WireError("a version that is not spoken")
        if spec is None:
            raise WireError("an unknown type")
        if (spec.channel, spec.sender) != (channel, sender):
            raise WireError("a message of the other channel or side")
        if reserved != 0:
            raise WireError("a reserved field is not 0")
        may_queue = spec.role is Role.REQUEST and (channel, sender) == ("data", "engine")
        if flags & ~(QUEUED if may_queue else 0):
            raise WireError("an unknown flag")
        if (request_id == 0) != (spec.role is Role.ONE_WAY):
            raise WireError("a wrong request id")
        if length > spec.max_bytes:
            raise WireError("longer than its type permits")
        return Header(spec, request_id, flags, length)

    def decode_values(self, spec: Spec, body: bytes | memoryview) -> dict[str, Value]:
        """Read a body. WireError: it breaks a bound, ends too early or is too long."""
        if len(body) > spec.max_bytes:
            raise WireError("longer than its type permits")
        reader = Reader(memoryview(body))
        values: dict[str, Value] = {}
        for field in spec.fields:
            values[field.name] = reader.value(field, values)
        if reader.at != len(body):
            raise WireError("bytes are left over")
        return values

    def encode_values(self, name: str, values: Mapping[str, Value], request_id: int = 0, flags: int = 0) -> bytes:
        """Return header and body. WireError: a value has another type or is out of bounds."""
        spec = self.by_name[name]
        body = b"".join(packed(field, checked(field, values[field.name], values)) for field in spec.fields)
        if len(body) > spec.max_bytes:
            raise WireError("longer than its type permits")
        if (request_id == 0) != (spec.role is Role.ONE_WAY):
            raise WireError("a wrong request id")
        return HEADER.pack(self.magic, self.versions[1], spec.number, request_id, flags, len(body), 0) + body

    def encode(self, body: Body, request_id: int = 0) -> bytes:
        """Return a message of the control channel. WireError: as ``encode_values()``."""
        names = [field.name for field in fields(body)]  # type: ignore[arg-type]
        return self.encode_values(body.TYPE, {name: getattr(body, name) for name in names}, request_id)

    def decode(self, data: bytes, sender: str) -> tuple[Header, Body]:
        """Read a whole message of the control channel. WireError: it is not valid from its first to its last byte."""
        header = self.header(data, "control", sender)
        if len(data) != HEADER_BYTES + header.length:
            raise WireError("the length is not that of the message")
        values = self.decode_values(header.spec, memoryview(data)[HEADER_BYTES:])
        return header, self._bodies[header.spec.name](**values)
