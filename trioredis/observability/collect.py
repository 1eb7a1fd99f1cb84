"""From a running server to an `InfoInput`: the figures of the engine, the configuration and the kernel at one moment.

Fields of subsystems that this version does not have keep the defaults of their records, which are the truth for that
case.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Final, Protocol, cast

from trioredis.engine import DatabaseStats, compiler
from trioredis.engine import EngineStats as Counters
from trioredis.observability.histogram import Histogram
from trioredis.observability.info_input import (
    ClientStats,
    CommandStats,
    EngineStats,
    ErrorStats,
    InfoInput,
    KeyspaceStats,
    Listener,
    MemoryStats,
    ModuleLine,
    ModuleSection,
    PersistenceStats,
    ReplicationStats,
    ServerFacts,
)
from trioredis.observability.process import arch_bits, describe_os, read_process_stats, supervisor
from trioredis.version import ALLOCATOR, GIT_DIRTY, GIT_SHA1, REDIS_VERSION, VERSION, build_id

if TYPE_CHECKING:
    from trioredis.config import Config
    from trioredis.engine import Engine
    from trioredis.listeners import Listener as OpenListener

NS_PER_US: Final = 1000
US_PER_S: Final = 1_000_000
KIB: Final = 1024


class ModuleSource(Protocol):
    """Who knows the modules."""

    def info_lines(self) -> tuple[ModuleLine, ...]:
        """A line for each module."""

    def info_sections(self) -> tuple[ModuleSection, ...]:
        """Sections of their own."""


class Subject(Protocol):
    """The server that is looked at."""

    @property
    def engine(self) -> Engine:
        """Keyspace, clients and counters."""

    @property
    def config(self) -> Config:
        """The configuration in force."""

    @property
    def modules(self) -> ModuleSource:
        """The modules that are loaded."""

    @property
    def listeners(self) -> Sequence[OpenListener]:
        """The open listening sockets."""

    @property
    def run_id(self) -> str:
        """40 hexadecimal digits, chosen at the start."""

    @property
    def replication_id(self) -> str:
        """40 hexadecimal digits that name the history of the data."""

    @property
    def started_us(self) -> int:
        """When the server began, microseconds since 1970."""

    @property
    def startup_bytes(self) -> int:
        """Memory in use when the server was ready and empty."""


def collect(server: Subject) -> InfoInput:
    """Return all figures of ``server`` as of now. Looks at every client and every command once; never waits."""
    counters = server.engine.stats()
    return InfoInput(
        server=_server(server),
        process=read_process_stats(),
        clients=_clients(server, counters),
        memory=_memory(server, counters),
        persistence=PersistenceStats(
            last_save_unix_s=server.started_us // US_PER_S, changes_since_last_save=counters.dirty
        ),
        stats=_stats(counters),
        replication=ReplicationStats(
            replid=server.replication_id, backlog_size_bytes=server.config.integer("repl-backlog-size")
        ),
        modules=server.modules.info_lines(),
        module_sections=server.modules.info_sections(),
        commands=_commands(server.engine),
        errors=tuple(ErrorStats(prefix=word, count=count) for word, count in server.engine.error_stats().items()),
        keyspace=_keyspace(server.engine, counters.db_count),
        latency_percentiles=cast("tuple[float, ...]", server.config["latency-tracking-info-percentiles"]),
    )


@cache
def _os() -> str:
    return describe_os()


@cache
def _executable() -> str:
    """Path of the program that runs the server."""
    return os.path.abspath(sys.argv[0] or sys.executable)


def _server(server: Subject) -> ServerFacts:
    config = server.config
    return ServerFacts(
        trioredis_version=VERSION,
        redis_version=REDIS_VERSION,
        git_sha1=GIT_SHA1,
        git_dirty=bool(GIT_DIRTY),
        build_id=build_id(),
        multiplexing_api=server.engine.poller,
        gcc_version=compiler(),
        process_id=os.getpid(),
        run_id=server.run_id,
        tcp_port=next((one.port for one in server.listeners if one.port), config.port),
        now_us=time.time_ns() // NS_PER_US,
        started_us=server.started_us,
        hz=config.hz,
        configured_hz=config.hz,
        executable=_executable(),
        os=_os(),
        arch_bits=arch_bits(),
        supervised=supervisor(config.supervised),
        config_file=config.path,
        listeners=_listeners(server.listeners),
    )


def _listeners(listeners: Sequence[OpenListener]) -> tuple[Listener, ...]:
    """One record for each port, with all its addresses, then one for each path."""
    hosts: dict[int, list[str]] = {}
    for one in listeners:
        if not one.path:
            hosts.setdefault(one.port, []).append(one.host)
    by_port = [Listener(kind="tcp", binds=tuple(names), port=port) for port, names in hosts.items()]
    return (*by_port, *(Listener(kind="unix", binds=(one.path,)) for one in listeners if one.path))


def _clients(server: Subject, counters: Counters) -> ClientStats:
    return ClientStats(
        connected=counters.clients,
        maxclients=server.config.maxclients,
        recent_max_input_buffer_bytes=counters.max_input_buffer,
        recent_max_output_buffer_bytes=counters.max_output_buffer,
        blocked=counters.blocked_clients,
        tracking=0,
        pubsub=counters.pubsub_clients,
        watching=0,
        in_timeout_table=0,
        total_watched_keys=0,
        total_blocking_keys=0,
        total_blocking_keys_on_nokey=0,
    )


def _memory(server: Subject, counters: Counters) -> MemoryStats:
    overhead = server.startup_bytes + counters.clients_memory + counters.keyspace_overhead + counters.spare_memory
    return MemoryStats(
        used_bytes=counters.used_memory,
        peak_bytes=counters.used_memory_peak,
        startup_bytes=server.startup_bytes,
        overhead_bytes=overhead,
        maxmemory_bytes=server.config.maxmemory,
        maxmemory_policy=server.config.maxmemory_policy,
        allocator=ALLOCATOR,
        clients_normal_bytes=counters.clients_memory,
        not_counted_for_evict_bytes=counters.not_counted,
        db_hashtable_rehashing_bytes=counters.rehashing_memory,
        lazyfree_pending_objects=counters.lazyfree_pending,
        lazyfreed_objects=counters.lazyfreed_objects,
    )


def _stats(counters: Counters) -> EngineStats:
    return EngineStats(
        connections_received=counters.connections_received,
        commands_processed=counters.commands,
        ops_per_s=counters.rate_commands,
        net_input_bytes=counters.bytes_in,
        net_output_bytes=counters.bytes_out,
        input_kbps=counters.rate_bytes_in / KIB,
        output_kbps=counters.rate_bytes_out / KIB,
        rejected_connections=counters.connections_rejected,
        expired_keys=counters.expired_keys,
        expired_stale_perc=0.0,  # what is due goes at once: deadlines are in order, nothing is guessed from samples
        expired_time_cap_reached=counters.expired_time_cap,
        expire_cycle_cpu_ms=counters.expire_cycle_us // 1000,
        evicted_keys=counters.evicted_keys,
        evicted_clients=counters.evicted_clients,
        eviction_exceeded_total_ms=counters.over_limit_ms,
        eviction_exceeded_current_ms=counters.over_limit_now_ms,
        keyspace_hits=counters.keyspace_hits,
        keyspace_misses=counters.keyspace_misses,
        pubsub_channels=counters.pubsub_channels,
        pubsub_patterns=counters.pubsub_patterns,
        pubsubshard_channels=counters.pubsubshard_channels,
        tracking_keys=0,
        tracking_items=0,
        tracking_prefixes=0,
        error_replies=counters.errors,
        reads_processed=counters.reads,
        writes_processed=counters.writes,
        query_buffer_limit_disconnections=counters.query_limit_closes,
        output_buffer_limit_disconnections=counters.output_limit_closes,
        eventloop_cycles=counters.turns,
        eventloop_duration_us=counters.turn_ns // NS_PER_US,
        eventloop_duration_cmd_us=counters.command_ns // NS_PER_US,
        eventloop_cycles_per_s=counters.rate_turns,
        eventloop_duration_avg_us=counters.rate_turn_us // counters.rate_turns if counters.rate_turns else 0,
        acl_denied_auth=counters.auth_failures,
        acl_denied_cmd=0,
        acl_denied_key=0,
        acl_denied_channel=0,
        eventloop_duration_cron_us=counters.cron_ns // NS_PER_US,
        eventloop_duration_max_us=counters.turn_ns_max // NS_PER_US,
        eventloop_cmd_per_cycle_max=counters.turn_commands_max,
    )


def _commands(engine: Engine) -> tuple[CommandStats, ...]:
    return tuple(
        CommandStats(
            name=one.fullname,
            calls=one.calls,
            total_us=one.ns // NS_PER_US,
            rejected_calls=one.rejected,
            failed_calls=one.failed,
            latency=Histogram(one.buckets),
        )
        for one in engine.command_stats()
    )


def _keyspace(engine: Engine, databases: int) -> tuple[KeyspaceStats, ...]:
    return tuple(_database(index, found) for index in range(databases) if (found := engine.database(index)).keys)


def _database(index: int, found: DatabaseStats) -> KeyspaceStats:
    return KeyspaceStats(db=index, keys=found.keys, expires=found.expires, avg_ttl_ms=found.avg_ttl_ms)
