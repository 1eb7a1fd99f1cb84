"""When two replies to the same command count as equal, and the known gaps between versions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests._resp import Reply

Line = tuple[bytes, ...]

SECONDS_APART_MAX: Final = 5  # between the two servers running the same command
ANY_ORDER: Final = {b"KEYS"}
SECONDS: Final = {b"TTL", b"EXPIRETIME"}
MILLISECONDS: Final = {b"PTTL", b"PEXPIRETIME"}
VOLATILE_FIELDS: Final = {b"id", b"version"}  # of HELLO


def _hello(reply: Reply) -> Reply:
    """Leave out of HELLO's reply what belongs to the server and not to the protocol."""
    kind, value = reply
    if kind == "map":
        pairs = value
    elif kind == "array":
        pairs = tuple(zip(value[::2], value[1::2], strict=True))
    else:
        return reply
    return (kind, tuple((k, ("any", None) if k[1] in VOLATILE_FIELDS else v) for k, v in pairs))


def _sorted(reply: Reply) -> Reply:
    kind, value = reply
    return (kind, tuple(sorted(value))) if kind in ("array", "set") else reply


def _scan(reply: Reply) -> Reply:
    kind, value = reply
    return (kind, (value[0], _sorted(value[1]))) if kind == "array" and len(value) == 2 else reply


def _near(a: Reply, b: Reply, apart_max: int) -> bool:
    both_times = a[0] == b[0] == "int" and a[1] >= 0 and b[1] >= 0
    return abs(a[1] - b[1]) <= apart_max if both_times else a == b


def same(line: Line, a: Reply, b: Reply) -> bool:
    """Whether two servers' replies to ``line`` are equal, as far as the protocol fixes them."""
    name = line[0].upper()
    if name in ANY_ORDER:
        return _sorted(a) == _sorted(b)
    if name == b"SCAN":
        return _scan(a) == _scan(b)
    if name == b"HELLO":
        return _hello(a) == _hello(b)
    if name == b"RANDOMKEY":
        return a[0] == b[0]
    if name in SECONDS or (name == b"OBJECT" and line[1:2] and line[1].upper() == b"IDLETIME"):
        return _near(a, b, SECONDS_APART_MAX)
    if name in MILLISECONDS:
        return _near(a, b, SECONDS_APART_MAX * 1000)
    return a == b


def _range_before_start(line: Line) -> bool:
    """GETRANGE and SUBSTR whose end lies before the start of the value."""
    return line[0].upper() in (b"GETRANGE", b"SUBSTR") and len(line) == 4 and line[3].startswith(b"-")


def _hello_order(line: Line) -> bool:
    """HELLO with AUTH and another mistake: 7.4 reads all options before it looks at the password."""
    return line[0].upper() == b"HELLO" and b"AUTH" in line[1:]


def _scan_cursor(line: Line) -> bool:
    """SCAN with a cursor that is not a number: 7.0 reads what it can."""
    return line[0].upper() == b"SCAN" and len(line) > 1 and not line[1].isdigit()


# Lines that 7.0 answers differently from 7.4; a difference in their replies is not looked at.
GAPS: Final[Sequence[Callable[[Line], bool]]] = (_range_before_start, _hello_order, _scan_cursor)


def in_gap(line: Line) -> bool:
    """Whether the stock server is known to answer ``line`` differently because of its version."""
    return any(gap(line) for gap in GAPS)
