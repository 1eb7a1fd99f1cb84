"""Plain records that cross the boundary of the engine.

Sizes are bytes, times microseconds unless the name says otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, NamedTuple, final

OutputLimit = tuple[int, int, int]
"""Hard bytes, soft bytes, soft seconds; 0 bytes: no such limit."""

POLICY_BITS: Final[Mapping[str, int]] = {
    "noeviction": 0,
    "volatile-lru": 1,
    "volatile-lfu": 2,
    "volatile-random": 8,
    "volatile-ttl": 16,
    "allkeys-lru": 1 | 4,
    "allkeys-lfu": 2 | 4,
    "allkeys-random": 8 | 4,
}


class EngineError(Exception):
    """A call into the engine failed.

    Args:
        code: the engine's own code, negative.
        text: what it means.
        errno: the system's code; means something only where a system call failed.
    """

    def __init__(self, code: int, text: str, errno: int = 0) -> None:
        super().__init__(text)
        self.code = code
        self.errno = errno


class EventKind(Enum):
    """What the engine has to tell; values as in csrc/engine/engine.h."""

    OPENED = 1
    CALL = 2
    OUTPUT = 4
    CLOSED = 8
    MODULES = 16


class CloseReason(Enum):
    """Why a connection ended; values as in csrc/engine/conn.h."""

    NONE = 0
    PEER = 1
    QUIT = 2
    KILLED = 3
    PROTOCOL = 4
    CROSS_PROTOCOL = 5
    OUTPUT_LIMIT = 6
    QUERY_LIMIT = 7
    IDLE = 8
    IO = 9
    NO_MEMORY = 10
    SHUTDOWN = 11
    EVICTED = 12


class Event(NamedTuple):
    """One thing to tell: of which kind, about which client (or how many), and a code that depends on the kind."""

    kind: EventKind
    id: int
    code: int


class Polled(NamedTuple):
    """How a poll ended: events wait; work is left; the time ran out while there was always more."""

    events: bool
    more: bool
    busy: bool


@final
@dataclass(frozen=True, slots=True)
class Settings:
    """What the engine needs to know of the configuration."""

    maxclients: int = 10000
    idle_seconds: int = 0
    keepalive_seconds: int = 300
    query_buffer_bytes: int = 1 << 30
    bulk_bytes: int = 512 << 20
    protected_mode: bool = True
    hz: int = 10
    output_limits: Mapping[str, OutputLimit] = field(
        default_factory=lambda: {
            "normal": (0, 0, 0),
            "replica": (256 << 20, 64 << 20, 60),
            "pubsub": (32 << 20, 8 << 20, 60),
        }
    )
    maxmemory: int = 0
    maxmemory_policy: str = "noeviction"
    maxmemory_samples: int = 5
    lfu_log_factor: int = 10
    lfu_decay_minutes: int = 1
    latency_tracking: bool = True
    debug: str = "no"
    modules: str = "no"
    password_set: bool = False
    module_command_ms: int = 5000
    module_durability: bool = True
    busy_reply_ms: int = 5000
    slowlog_than_us: int = 10_000
    slowlog_max_len: int = 128
    latency_threshold_ms: int = 0
    client_memory_max: int = 0
    notify_events: str = ""


@final
@dataclass(frozen=True, slots=True)
class EngineStats:
    """The engine's counters; names as in ``tr_api_stats`` (csrc/engine/api.h)."""

    used_memory: int
    used_memory_peak: int
    clients_memory: int
    keyspace_overhead: int
    rehashing_memory: int
    spare_memory: int
    alloc_count: int
    free_count: int
    not_counted: int
    clients: int
    paused_clients: int
    blocked_clients: int
    max_input_buffer: int
    max_output_buffer: int
    pubsub_clients: int
    pubsub_channels: int
    pubsub_patterns: int
    pubsubshard_channels: int
    commands: int
    errors: int
    unknown_commands: int
    auth_failures: int
    connections_received: int
    connections_rejected: int
    connections_denied: int
    bytes_in: int
    bytes_out: int
    reads: int
    writes: int
    turns: int
    turn_ns: int
    turn_ns_max: int
    turn_commands_max: int
    cron_ns: int
    command_ns: int
    query_limit_closes: int
    output_limit_closes: int
    keyspace_hits: int
    keyspace_misses: int
    expired_keys: int
    expired_time_cap: int
    expire_cycle_us: int
    evicted_clients: int
    evicted_keys: int
    over_limit_ms: int
    over_limit_now_ms: int
    lazyfreed_objects: int
    lazyfree_pending: int
    dirty: int
    rate_commands: int
    rate_bytes_in: int
    rate_bytes_out: int
    rate_turns: int
    rate_turn_us: int
    now_us: int
    db_count: int
    error_kinds: int
    command_count: int
    lru_clock: int


@final
@dataclass(frozen=True, slots=True)
class DatabaseStats:
    """Keys of one database, and how many of them expire, after how many milliseconds on average.

    ``table_bytes`` is what the table and the heads of its entries take, ``ttl_bytes`` what the deadlines take.
    """

    keys: int
    expires: int
    avg_ttl_ms: int
    table_bytes: int
    ttl_bytes: int
    is_rehashing: bool


@final
@dataclass(frozen=True, slots=True)
class CommandStats:
    """What was counted for one command; ``buckets`` as in csrc/exec/latency.h, empty when not tracked."""

    fullname: str
    calls: int
    ns: int
    rejected: int
    failed: int
    buckets: tuple[int, ...]


@final
@dataclass(frozen=True, slots=True)
class ClientInfo:
    """Facts about one client at one moment."""

    id: int
    addr: str
    laddr: str
    fd: int
    name: bytes
    lib_name: bytes
    lib_ver: bytes
    age_us: int
    idle_us: int
    database: int
    proto: int
    last_command: str | None
    commands: int
    bytes_in: int
    bytes_out: int
    query_bytes: int
    query_free: int
    argv_bytes: int
    output_bytes: int
    output_nodes: int
    output_memory: int
    output_chunk: int
    memory: int
    queued_commands: int | None
    queue_bytes: int
    watched_keys: int
    channels: int
    patterns: int
    shard_channels: int
    blocked: bool
    paused: bool
    closing_now: bool
    closing_after_reply: bool
    wants_read: bool
    wants_write: bool
    is_unix: bool
    is_fed: bool
    is_local: bool
    is_replica: bool
    is_pubsub: bool
    is_monitor: bool
    authenticated: bool
    no_evict: bool
    no_touch: bool
