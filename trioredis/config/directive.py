"""What is known about one directive of the configuration: its kind, bounds, default and rights."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

INT_MIN: Final = -(2**31)
INT_MAX: Final = 2**31 - 1
UINT_MAX: Final = 2**32 - 1
LONG_MAX: Final = 2**63 - 1
ULONG_MAX: Final = 2**64 - 1


class Kind(Enum):
    """How the words after a directive's name are read, kept and shown."""

    BOOL = "yes or no"
    INTEGER = "integer"
    MEMORY = "memory size"
    MEMORY_OR_PERCENT = "memory size or percentage"
    OCTAL = "octal file mode"
    ENUM = "one word of a list"
    FLAGS = "words of a list"
    STRING = "string"
    DIRECTORY = "directory"
    ADDRESSES = "addresses"
    EVENTS = "event classes"
    SAVE_POINTS = "pairs of seconds and changes"
    OUTPUT_LIMITS = "class, hard limit, soft limit and seconds"
    OOM_VALUES = "three integers"
    PERCENTILES = "percentages"
    UPSTREAM = "host and port"


class Group(Enum):
    """The chapter of the reference page that a directive belongs to."""

    NETWORK = "Network"
    TLS = "TLS"
    GENERAL = "General"
    LOGGING = "Logging"
    SECURITY = "Security"
    CLIENTS = "Clients"
    MEMORY = "Memory and eviction"
    LAZY_FREEING = "Lazy freeing"
    ENCODINGS = "Encodings of small values"
    SNAPSHOTS = "Snapshots (RDB)"
    APPEND_ONLY = "Append-only file (AOF)"
    REPLICATION = "Replication"
    CLUSTER = "Cluster"
    SCRIPTS = "Scripts and modules"
    MONITORING = "Slow log, latency and events"
    DEFRAGMENTATION = "Active defragmentation"
    SYSTEM = "Operating system"
    DEBUGGING = "Debugging"


@dataclass(frozen=True, slots=True)
class SavePoint:
    """Take a snapshot once ``changes`` writes have happened and ``seconds`` have passed."""

    seconds: int
    changes: int


@dataclass(frozen=True, slots=True)
class OutputLimit:
    """When a client that does not read its replies is closed; a limit of 0 is no limit."""

    hard_bytes: int
    soft_bytes: int
    soft_seconds: int


@dataclass(frozen=True, slots=True)
class OutputLimits:
    """The three output limits, by class of client."""

    normal: OutputLimit
    replica: OutputLimit
    pubsub: OutputLimit


@dataclass(frozen=True, slots=True)
class Upstream:
    """The server that this one replicates."""

    host: str
    port: int


Value: TypeAlias = (
    bool
    | int
    | str
    | tuple[str, ...]
    | tuple[int, ...]
    | tuple[float, ...]
    | tuple[SavePoint, ...]
    | OutputLimits
    | Upstream
    | None
)

#: Takes a value that was read well; returns why it is refused, or None.
Check: TypeAlias = "Callable[[Value], str | None]"


@dataclass(frozen=True, slots=True)
class Directive:
    """One row of the table of directives.

    ``default`` is a value in the form of :mod:`trioredis.config.values`. ``low`` and ``high`` are
    the inclusive bounds of numbers, ``clamp`` is the range into which an accepted number is moved,
    ``choices`` the words of ENUM and FLAGS (``synonyms`` maps a second spelling to the first).

    ``immutable``: only at start. ``protected``: at run time only where
    ``enable-protected-configs`` allows it. ``hidden``: CONFIG GET shows it by its exact name only.
    ``sensitive``: the value must not reach logs, the slow log or MONITOR. ``deny_loading``: CONFIG
    SET refuses it while data is being loaded. ``repeatable``: several lines add up instead of the
    last one winning. ``forced``: CONFIG REWRITE writes it even when it has its default.

    ``inert`` says why the directive changes nothing in this version; empty when it does.
    ``since_7_0`` is False for names that a Redis 7.0 does not know.
    """

    name: str
    kind: Kind
    default: Value
    group: Group
    about: str
    alias: str = ""
    low: int = 0
    high: int = 0
    clamp: tuple[int, int] | None = None
    choices: tuple[str, ...] = ()
    synonyms: tuple[tuple[str, str], ...] = ()
    check: Check | None = None
    immutable: bool = False
    protected: bool = False
    hidden: bool = False
    sensitive: bool = False
    deny_loading: bool = False
    repeatable: bool = False
    forced: bool = False
    own: bool = False
    since_7_0: bool = True
    inert: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """The name and, when there is one, the alias."""
        return (self.name, self.alias) if self.alias else (self.name,)

    @property
    def many_words(self) -> bool:
        """Whether any number of words may follow the name, instead of exactly one."""
        return self.kind in _MANY_WORDS


_MANY_WORDS: Final = frozenset(
    {
        Kind.FLAGS,
        Kind.ADDRESSES,
        Kind.SAVE_POINTS,
        Kind.OUTPUT_LIMITS,
        Kind.OOM_VALUES,
        Kind.PERCENTILES,
        Kind.UPSTREAM,
    }
)
