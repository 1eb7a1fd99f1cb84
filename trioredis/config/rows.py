"""Short constructors for the rows of the table, one for each common kind."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from trioredis.config.directive import LONG_MAX, Directive, Group, Kind

#: Why a directive has no effect.
NO_TLS: Final = "TLS is not there yet"
NO_RDB: Final = "snapshots are not there yet"
NO_AOF: Final = "the append-only file is not there yet"
NO_REPLICATION: Final = "replication is not there yet"
NO_CLUSTER: Final = "cluster mode is not there yet"
ONE_LOOP: Final = "one event loop does all input and output"
OWN_ALLOCATOR: Final = "memory comes from libc's malloc, which offers nothing of the kind"
OWN_TABLES: Final = "the key tables of the engine look after themselves"
OWN_REPORTS: Final = "crashes are handled by Python's own fault handler"
NOT_CONNECTED: Final = "the server does not look at it yet"
IMMEDIATE: Final = "values are always freed at once"


# The keyword arguments are those of Directive, which checks them; this only saves repetition.
def flag(name: str, default: bool, group: Group, about: str, **more: Any) -> Directive:
    """Return a row for a yes/no directive."""
    return Directive(name, Kind.BOOL, default, group, about, **more)


def number(name: str, default: int, low: int, high: int, group: Group, about: str, **more: Any) -> Directive:
    """Return a row for an integer with inclusive bounds."""
    return Directive(name, Kind.INTEGER, default, group, about, low=low, high=high, **more)


def memory(
    name: str,
    default: int,
    group: Group,
    about: str,
    *,
    low: int = 0,
    high: int = LONG_MAX,
    **more: Any,
) -> Directive:
    """Return a row for a size in bytes, with inclusive bounds."""
    return Directive(name, Kind.MEMORY, default, group, about, low=low, high=high, **more)


def choice(name: str, default: str, choices: tuple[str, ...], group: Group, about: str, **more: Any) -> Directive:
    """Return a row for one word of a list."""
    return Directive(name, Kind.ENUM, default, group, about, choices=choices, **more)


def text(name: str, default: str, group: Group, about: str, **more: Any) -> Directive:
    """Return a row for any text."""
    return Directive(name, Kind.STRING, default, group, about, **more)


fixed_flag: Final = partial(flag, immutable=True)
fixed_text: Final = partial(text, immutable=True)
