"""What INFO reports, as plain records: the contract between the engine's counters and ``info.py``.

Whoever answers INFO fills one `InfoInput` from the engine, the configuration and the process, and hands it
over; nothing here reads a clock, a file or the engine. Units are in the names (``_us``, ``_ms``, ``_s``,
``_bytes``); a field without a unit is a count. A field with a default belongs to a subsystem that may be
switched off or absent, and the default is the truth for that case; everything else has to be given.

Ratios, percentages, "human" figures and differences are not fields: ``info.py`` derives them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from trioredis.observability.histogram import EMPTY_HISTOGRAM, Histogram

NO_REPLICATION_ID = "0" * 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """One kind of listening socket: all addresses of one port, or one Unix socket.

    ``kind`` is ``tcp``, ``tls`` or ``unix``; ``port`` is None for a Unix socket, whose path is in ``binds``.
    """

    kind: str
    binds: tuple[str, ...]
    port: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerFacts:
    """Who this server is. Changes rarely; ``now_us`` (Unix time) with every call."""

    trioredis_version: str
    multiplexing_api: str
    gcc_version: str
    process_id: int
    run_id: str
    tcp_port: int
    now_us: int
    started_us: int
    hz: int
    configured_hz: int
    executable: str
    os: str
    arch_bits: int
    redis_version: str = "7.4.0"
    git_sha1: str = "00000000"
    git_dirty: bool = False
    build_id: str = "0000000000000000"
    mode: str = "standalone"
    monotonic_clock: str = "POSIX clock_gettime"
    atomicvar_api: str = "c11-builtin"
    supervised: str = "no"
    config_file: str = ""
    io_threads_active: bool = False
    shutdown_in_ms: int | None = None  # given only while a shutdown waits for replicas
    listeners: tuple[Listener, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessStats:
    """What the kernel says about the process: `trioredis.observability.process.read_process_stats`."""

    rss_bytes: int
    total_system_memory_bytes: int
    cpu_sys_s: float
    cpu_user_s: float
    cpu_sys_children_s: float
    cpu_user_children_s: float
    cpu_sys_main_thread_s: float
    cpu_user_main_thread_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientStats:
    """Who is connected. Replicas are not counted in ``connected``."""

    connected: int
    maxclients: int
    recent_max_input_buffer_bytes: int
    recent_max_output_buffer_bytes: int
    blocked: int
    tracking: int
    pubsub: int
    watching: int
    in_timeout_table: int
    total_watched_keys: int
    total_blocking_keys: int
    total_blocking_keys_on_nokey: int
    cluster_connections: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryStats:
    """Where the memory is. The ``allocator_*`` figures are None when the allocator does not tell."""

    used_bytes: int
    peak_bytes: int
    startup_bytes: int
    overhead_bytes: int
    maxmemory_bytes: int
    maxmemory_policy: str
    allocator: str
    clients_normal_bytes: int
    clients_replicas_bytes: int = 0
    cluster_links_bytes: int = 0
    replication_backlog_bytes: int = 0
    replication_buffers_bytes: int = 0
    aof_buffer_bytes: int = 0
    not_counted_for_evict_bytes: int = 0
    db_hashtable_rehashing_bytes: int = 0
    allocator_allocated_bytes: int | None = None
    allocator_active_bytes: int | None = None
    allocator_resident_bytes: int | None = None
    allocator_muzzy_bytes: int = 0
    vm_eval_bytes: int = 0
    scripts_eval_bytes: int = 0
    cached_scripts: int = 0
    functions: int = 0
    libraries: int = 0
    vm_functions_bytes: int = 0
    functions_bytes: int = 0
    active_defrag_running: int = 0  # percent of CPU time
    lazyfree_pending_objects: int = 0
    lazyfreed_objects: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadingStats:
    """A load of RDB or AOF that is under way."""

    started_unix_s: int
    total_bytes: int
    loaded_bytes: int
    rdb_used_mem_bytes: int
    eta_s: int
    replica_async: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AofStats:
    """Files and buffers of an append-only log that is switched on."""

    current_size_bytes: int
    base_size_bytes: int
    pending_rewrite: bool
    buffer_bytes: int
    pending_bio_fsync: int
    delayed_fsync: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PersistenceStats:
    """RDB and AOF. Durations are seconds, -1 while there is none yet, as clients expect."""

    last_save_unix_s: int
    changes_since_last_save: int
    loading: LoadingStats | None = None
    current_cow_peak_bytes: int = 0
    current_cow_size_bytes: int = 0
    current_cow_size_age_s: int = 0
    current_fork_perc: float = 0.0
    current_save_keys_processed: int = 0
    current_save_keys_total: int = 0
    bgsave_in_progress: bool = False
    last_bgsave_ok: bool = True
    last_bgsave_time_s: int = -1
    current_bgsave_time_s: int = -1
    rdb_saves: int = 0
    rdb_last_cow_size_bytes: int = 0
    rdb_last_load_keys_expired: int = 0
    rdb_last_load_keys_loaded: int = 0
    aof: AofStats | None = None
    aof_rewrite_in_progress: bool = False
    aof_rewrite_scheduled: bool = False
    aof_last_rewrite_time_s: int = -1
    aof_current_rewrite_time_s: int = -1
    aof_last_bgrewrite_ok: bool = True
    aof_rewrites: int = 0
    aof_rewrites_consecutive_failures: int = 0
    aof_last_write_ok: bool = True
    aof_last_cow_size_bytes: int = 0
    module_fork_in_progress: bool = False
    module_fork_last_cow_size_bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineStats:
    """Counters since the start or the last CONFIG RESETSTAT, and the rates sampled from them.

    Rates come from a `trioredis.observability.rates.RateMeter` each; ``eventloop_*`` describe the pump: a
    cycle is one turn, its duration the whole turn, the command part the time inside commands.
    """

    connections_received: int
    commands_processed: int
    ops_per_s: int
    net_input_bytes: int
    net_output_bytes: int
    input_kbps: float
    output_kbps: float
    rejected_connections: int
    expired_keys: int
    expired_stale_perc: float
    expired_time_cap_reached: int
    expire_cycle_cpu_ms: int
    evicted_keys: int
    evicted_clients: int
    eviction_exceeded_total_ms: int
    eviction_exceeded_current_ms: int
    keyspace_hits: int
    keyspace_misses: int
    pubsub_channels: int
    pubsub_patterns: int
    pubsubshard_channels: int
    tracking_keys: int
    tracking_items: int
    tracking_prefixes: int
    error_replies: int
    reads_processed: int
    writes_processed: int
    query_buffer_limit_disconnections: int
    output_buffer_limit_disconnections: int
    eventloop_cycles: int
    eventloop_duration_us: int
    eventloop_duration_cmd_us: int
    eventloop_cycles_per_s: int
    eventloop_duration_avg_us: int
    acl_denied_auth: int
    acl_denied_cmd: int
    acl_denied_key: int
    acl_denied_channel: int
    expired_subkeys: int = 0
    evicted_scripts: int = 0
    net_repl_input_bytes: int = 0
    net_repl_output_bytes: int = 0
    input_repl_kbps: float = 0.0
    output_repl_kbps: float = 0.0
    sync_full: int = 0
    sync_partial_ok: int = 0
    sync_partial_err: int = 0
    latest_fork_us: int = 0
    total_forks: int = 0
    migrate_cached_sockets: int = 0
    replica_expires_tracked_keys: int = 0
    active_defrag_hits: int = 0
    active_defrag_misses: int = 0
    active_defrag_key_hits: int = 0
    active_defrag_key_misses: int = 0
    active_defrag_total_ms: int = 0
    active_defrag_current_ms: int = 0
    unexpected_error_replies: int = 0
    dump_payload_sanitizations: int = 0
    io_threaded_reads: int = 0
    io_threaded_writes: int = 0
    reply_buffer_shrinks: int = 0
    reply_buffer_expands: int = 0
    eventloop_duration_aof_us: int = 0
    eventloop_duration_cron_us: int = 0
    eventloop_duration_max_us: int = 0
    eventloop_cmd_per_cycle_max: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplicaLine:
    """One connected replica, as its ``slaveN:`` line shows it. ``state`` is wait_bgsave, send_bulk or online."""

    ip: str
    port: int
    state: str
    offset: int
    lag_s: int


class LinkStatus(Enum):
    """State of a replica's connection to its master; the value is what INFO prints."""

    UP = "up"
    DOWN = "down"


@dataclass(frozen=True, slots=True, kw_only=True)
class MasterSync:
    """A full synchronisation that a replica is receiving. ``total_bytes`` is 0 while unknown."""

    total_bytes: int
    read_bytes: int
    last_io_s_ago: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MasterLink:
    """A replica's view of its master. ``down_since_s`` is given while the link is down, -1 if it never was up."""

    host: str
    port: int
    status: LinkStatus
    last_io_s_ago: int
    read_offset: int
    applied_offset: int
    priority: int
    read_only: bool
    announced: bool
    sync: MasterSync | None = None
    down_since_s: int = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplicationStats:
    """Replication in both directions. ``master`` is given exactly when this server is a replica."""

    replid: str
    backlog_size_bytes: int
    master: MasterLink | None = None
    replicas: tuple[ReplicaLine, ...] = ()
    min_replicas_good: int | None = None  # given only when min-replicas-to-write is in force
    failover_state: str = "no-failover"
    replid2: str = NO_REPLICATION_ID
    offset: int = 0
    second_offset: int = -1
    backlog_active: bool = False
    backlog_first_byte_offset: int = 0
    backlog_histlen_bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ModuleLine:
    """One loaded module in the Modules section."""

    name: str
    version: int
    api: int = 1
    filters: int = 0
    used_by: tuple[str, ...] = ()
    using: tuple[str, ...] = ()
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ModuleSection:
    """A section that a module adds to INFO; printed as ``# <module>_<section>`` (only ``<module>`` when unnamed)."""

    module: str
    section: str
    fields: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandStats:
    """One command that was called; a subcommand has the name ``config|get``.

    ``latency`` counts execution times in nanoseconds (`trioredis.observability.histogram`).
    """

    name: str
    calls: int
    total_us: int
    rejected_calls: int
    failed_calls: int
    latency: Histogram = EMPTY_HISTOGRAM


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorStats:
    """How often error replies began with the word ``prefix`` (without the leading dash)."""

    prefix: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyspaceStats:
    """One database that is not empty."""

    db: int
    keys: int
    expires: int
    avg_ttl_ms: int
    subexpiry: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class InfoInput:
    """Everything that INFO can report, taken at one moment."""

    server: ServerFacts
    process: ProcessStats
    clients: ClientStats
    memory: MemoryStats
    persistence: PersistenceStats
    stats: EngineStats
    replication: ReplicationStats
    modules: tuple[ModuleLine, ...] = ()
    module_sections: tuple[ModuleSection, ...] = ()
    commands: tuple[CommandStats, ...] = ()
    errors: tuple[ErrorStats, ...] = ()
    keyspace: tuple[KeyspaceStats, ...] = ()
    cluster_enabled: bool = False
    latency_percentiles: tuple[float, ...] = field(default=(50.0, 99.0, 99.9))
