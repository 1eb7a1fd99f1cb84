"""The sections of INFO: for each a function from the records to its lines, and their order.

Names, order and number formats of the fields are Redis 7.4's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from trioredis.observability.info_input import (
    AofStats,
    InfoInput,
    LinkStatus,
    Listener,
    LoadingStats,
    MasterLink,
    ModuleLine,
)

if TYPE_CHECKING:
    from collections.abc import Callable

Line = tuple[str, str]

LRU_CLOCK_BITS: Final = 24
SECONDS_PER_DAY: Final = 86_400
US_PER_S: Final = 1_000_000
HUMAN_UNITS: Final = "KMGTP"


def human_bytes(count: int) -> str:
    """A number of bytes as INFO shows it to people: ``1023B``, ``1.00K``, ``23.54G``."""
    if count < 1024:
        return f"{count}B"
    size = float(count)
    for unit in HUMAN_UNITS:
        size /= 1024
        if size < 1024:
            return f"{size:.2f}{unit}"
    return f"{count}B"


def percentile_name(percentile: float) -> str:
    """``p50``, ``p99.9``: at most six decimals, none that are zero."""
    return "p" + f"{percentile:.6f}".rstrip("0").rstrip(".")


def _ratio(part: int, whole: int) -> str:
    return f"{part / whole if whole else 0:.2f}"


def _percent(part: int, whole: int) -> str:
    return f"{part * 100 / whole if whole else 0:.2f}%"


def _status(ok: bool) -> str:
    return "ok" if ok else "err"


def _lines(*pairs: tuple[str, object]) -> list[Line]:
    return [(name, str(int(value) if isinstance(value, bool) else value)) for name, value in pairs]


def _listener_line(index: int, listener: Listener) -> Line:
    parts = [f"name={listener.kind}"] + [f"bind={bind}" for bind in listener.binds]
    if listener.port is not None:
        parts.append(f"port={listener.port}")
    return f"listener{index}", ",".join(parts)


def _server(data: InfoInput) -> list[Line]:
    facts = data.server
    uptime_s = max(0, facts.now_us - facts.started_us) // US_PER_S
    lines = _lines(
        ("redis_version", facts.redis_version),
        ("server_name", "trioredis"),
        ("trioredis_version", facts.trioredis_version),
        ("redis_git_sha1", facts.git_sha1),
        ("redis_git_dirty", facts.git_dirty),
        ("redis_build_id", facts.build_id),
        ("redis_mode", facts.mode),
        ("os", facts.os),
        ("arch_bits", facts.arch_bits),
        ("monotonic_clock", facts.monotonic_clock),
        ("multiplexing_api", facts.multiplexing_api),
        ("atomicvar_api", facts.atomicvar_api),
        ("gcc_version", facts.gcc_version),
        ("process_id", facts.process_id),
        ("process_supervised", facts.supervised),
        ("run_id", facts.run_id),
        ("tcp_port", facts.tcp_port),
        ("server_time_usec", facts.now_us),
        ("uptime_in_seconds", uptime_s),
        ("uptime_in_days", uptime_s // SECONDS_PER_DAY),
        ("hz", facts.hz),
        ("configured_hz", facts.configured_hz),
        ("lru_clock", facts.now_us // US_PER_S & (1 << LRU_CLOCK_BITS) - 1),
        ("executable", facts.executable),
        ("config_file", facts.config_file),
        ("io_threads_active", facts.io_threads_active),
    )
    if facts.shutdown_in_ms is not None:
        lines += _lines(("shutdown_in_milliseconds", facts.shutdown_in_ms))
    lines += [_listener_line(index, listener) for index, listener in enumerate(facts.listeners)]
    return lines


def _clients(data: InfoInput) -> list[Line]:
    clients = data.clients
    return _lines(
        ("connected_clients", clients.connected),
        ("cluster_connections", clients.cluster_connections),
        ("maxclients", clients.maxclients),
        ("client_recent_max_input_buffer", clients.recent_max_input_buffer_bytes),
        ("client_recent_max_output_buffer", clients.recent_max_output_buffer_bytes),
        ("blocked_clients", clients.blocked),
        ("tracking_clients", clients.tracking),
        ("pubsub_clients", clients.pubsub),
        ("watching_clients", clients.watching),
        ("clients_in_timeout_table", clients.in_timeout_table),
        ("total_watched_keys", clients.total_watched_keys),
        ("total_blocking_keys", clients.total_blocking_keys),
        ("total_blocking_keys_on_nokey", clients.total_blocking_keys_on_nokey),
    )


def _memory_usage(data: InfoInput) -> list[Line]:
    memory, rss = data.memory, data.process.rss_bytes
    peak = max(memory.peak_bytes, memory.used_bytes)
    dataset = max(0, memory.used_bytes - memory.overhead_bytes)
    return _lines(
        ("used_memory", memory.used_bytes),
        ("used_memory_human", human_bytes(memory.used_bytes)),
        ("used_memory_rss", rss),
        ("used_memory_rss_human", human_bytes(rss)),
        ("used_memory_peak", peak),
        ("used_memory_peak_human", human_bytes(peak)),
        ("used_memory_peak_perc", _percent(memory.used_bytes, peak)),
        ("used_memory_overhead", memory.overhead_bytes),
        ("used_memory_startup", memory.startup_bytes),
        ("used_memory_dataset", dataset),
        ("used_memory_dataset_perc", _percent(dataset, memory.used_bytes - memory.startup_bytes)),
    )


def _memory_scripts(data: InfoInput) -> list[Line]:
    memory = data.memory
    vm_total = memory.vm_eval_bytes + memory.vm_functions_bytes
    scripts = memory.scripts_eval_bytes + memory.functions_bytes
    return _lines(
        ("total_system_memory", data.process.total_system_memory_bytes),
        ("total_system_memory_human", human_bytes(data.process.total_system_memory_bytes)),
        ("used_memory_lua", memory.vm_eval_bytes),
        ("used_memory_vm_eval", memory.vm_eval_bytes),
        ("used_memory_lua_human", human_bytes(memory.vm_eval_bytes)),
        ("used_memory_scripts_eval", memory.scripts_eval_bytes),
        ("number_of_cached_scripts", memory.cached_scripts),
        ("number_of_functions", memory.functions),
        ("number_of_libraries", memory.libraries),
        ("used_memory_vm_functions", memory.vm_functions_bytes),
        ("used_memory_vm_total", vm_total),
        ("used_memory_vm_total_human", human_bytes(vm_total)),
        ("used_memory_functions", memory.functions_bytes),
        ("used_memory_scripts", scripts),
        ("used_memory_scripts_human", human_bytes(scripts)),
        ("maxmemory", memory.maxmemory_bytes),
        ("maxmemory_human", human_bytes(memory.maxmemory_bytes)),
        ("maxmemory_policy", memory.maxmemory_policy),
    )


def allocator_bytes(data: InfoInput) -> tuple[int, int, int]:
    """Bytes allocated, active and resident; an allocator that does not tell has all of RSS but the Lua VMs' part."""
    memory = data.memory
    outside = memory.vm_eval_bytes + memory.vm_functions_bytes
    resident = memory.allocator_resident_bytes
    if resident is None:
        resident = max(0, data.process.rss_bytes - outside)
    active = memory.allocator_active_bytes
    if active is None:
        active = resident
    allocated = memory.allocator_allocated_bytes
    return (memory.used_bytes if allocated is None else allocated), active, resident


def _memory(data: InfoInput) -> list[Line]:
    memory, rss = data.memory, data.process.rss_bytes
    allocated, active, resident = allocator_bytes(data)
    lines = _memory_usage(data)
    lines += _lines(
        ("allocator_allocated", allocated),
        ("allocator_active", active),
        ("allocator_resident", resident),
        ("allocator_muzzy", memory.allocator_muzzy_bytes),
    )
    lines += _memory_scripts(data)
    lines += _lines(
        ("allocator_frag_ratio", _ratio(active, allocated)),
        ("allocator_frag_bytes", active - allocated),
        ("allocator_rss_ratio", _ratio(resident, active)),
        ("allocator_rss_bytes", resident - active),
        ("rss_overhead_ratio", _ratio(rss, resident)),
        ("rss_overhead_bytes", rss - resident),
        ("mem_fragmentation_ratio", _ratio(rss, memory.used_bytes)),
        ("mem_fragmentation_bytes", rss - memory.used_bytes),
        ("mem_not_counted_for_evict", memory.not_counted_for_evict_bytes),
        ("mem_replication_backlog", memory.replication_backlog_bytes),
        ("mem_total_replication_buffers", memory.replication_buffers_bytes),
        ("mem_clients_slaves", memory.clients_replicas_bytes),
        ("mem_clients_normal", memory.clients_normal_bytes),
        ("mem_cluster_links", memory.cluster_links_bytes),
        ("mem_aof_buffer", memory.aof_buffer_bytes),
        ("mem_allocator", memory.allocator),
        ("mem_overhead_db_hashtable_rehashing", memory.db_hashtable_rehashing_bytes),
        ("active_defrag_running", memory.active_defrag_running),
        ("lazyfree_pending_objects", memory.lazyfree_pending_objects),
        ("lazyfreed_objects", memory.lazyfreed_objects),
    )
    return lines


def _loading(loading: LoadingStats) -> list[Line]:
    return _lines(
        ("loading_start_time", loading.started_unix_s),
        ("loading_total_bytes", loading.total_bytes),
        ("loading_rdb_used_mem", loading.rdb_used_mem_bytes),
        ("loading_loaded_bytes", loading.loaded_bytes),
        ("loading_loaded_perc", _percent(loading.loaded_bytes, loading.total_bytes)),
        ("loading_eta_seconds", loading.eta_s),
    )


def _aof(aof: AofStats) -> list[Line]:
    return _lines(
        ("aof_current_size", aof.current_size_bytes),
        ("aof_base_size", aof.base_size_bytes),
        ("aof_pending_rewrite", aof.pending_rewrite),
        ("aof_buffer_length", aof.buffer_bytes),
        ("aof_pending_bio_fsync", aof.pending_bio_fsync),
        ("aof_delayed_fsync", aof.delayed_fsync),
    )


def _persistence(data: InfoInput) -> list[Line]:
    saved = data.persistence
    loading = saved.loading
    lines = _lines(
        ("loading", loading is not None and not loading.replica_async),
        ("async_loading", loading is not None and loading.replica_async),
        ("current_cow_peak", saved.current_cow_peak_bytes),
        ("current_cow_size", saved.current_cow_size_bytes),
        ("current_cow_size_age", saved.current_cow_size_age_s),
        ("current_fork_perc", f"{saved.current_fork_perc:.2f}"),
        ("current_save_keys_processed", saved.current_save_keys_processed),
        ("current_save_keys_total", saved.current_save_keys_total),
        ("rdb_changes_since_last_save", saved.changes_since_last_save),
        ("rdb_bgsave_in_progress", saved.bgsave_in_progress),
        ("rdb_last_save_time", saved.last_save_unix_s),
        ("rdb_last_bgsave_status", _status(saved.last_bgsave_ok)),
        ("rdb_last_bgsave_time_sec", saved.last_bgsave_time_s),
        ("rdb_current_bgsave_time_sec", saved.current_bgsave_time_s),
        ("rdb_saves", saved.rdb_saves),
        ("rdb_last_cow_size", saved.rdb_last_cow_size_bytes),
        ("rdb_last_load_keys_expired", saved.rdb_last_load_keys_expired),
        ("rdb_last_load_keys_loaded", saved.rdb_last_load_keys_loaded),
        ("aof_enabled", saved.aof is not None),
        ("aof_rewrite_in_progress", saved.aof_rewrite_in_progress),
        ("aof_rewrite_scheduled", saved.aof_rewrite_scheduled),
        ("aof_last_rewrite_time_sec", saved.aof_last_rewrite_time_s),
        ("aof_current_rewrite_time_sec", saved.aof_current_rewrite_time_s),
        ("aof_last_bgrewrite_status", _status(saved.aof_last_bgrewrite_ok)),
        ("aof_rewrites", saved.aof_rewrites),
        ("aof_rewrites_consecutive_failures", saved.aof_rewrites_consecutive_failures),
        ("aof_last_write_status", _status(saved.aof_last_write_ok)),
        ("aof_last_cow_size", saved.aof_last_cow_size_bytes),
        ("module_fork_in_progress", saved.module_fork_in_progress),
        ("module_fork_last_cow_size", saved.module_fork_last_cow_size_bytes),
    )
    if saved.aof is not None:
        lines += _aof(saved.aof)
    if loading is not None:
        lines += _loading(loading)
    return lines


def _stats_traffic(data: InfoInput) -> list[Line]:
    stats = data.stats
    return _lines(
        ("total_connections_received", stats.connections_received),
        ("total_commands_processed", stats.commands_processed),
        ("instantaneous_ops_per_sec", stats.ops_per_s),
        ("total_net_input_bytes", stats.net_input_bytes),
        ("total_net_output_bytes", stats.net_output_bytes),
        ("total_net_repl_input_bytes", stats.net_repl_input_bytes),
        ("total_net_repl_output_bytes", stats.net_repl_output_bytes),
        ("instantaneous_input_kbps", f"{stats.input_kbps:.2f}"),
        ("instantaneous_output_kbps", f"{stats.output_kbps:.2f}"),
        ("instantaneous_input_repl_kbps", f"{stats.input_repl_kbps:.2f}"),
        ("instantaneous_output_repl_kbps", f"{stats.output_repl_kbps:.2f}"),
        ("rejected_connections", stats.rejected_connections),
        ("sync_full", stats.sync_full),
        ("sync_partial_ok", stats.sync_partial_ok),
        ("sync_partial_err", stats.sync_partial_err),
    )


def _stats_keys(data: InfoInput) -> list[Line]:
    stats = data.stats
    return _lines(
        ("expired_subkeys", stats.expired_subkeys),
        ("expired_keys", stats.expired_keys),
        ("expired_stale_perc", f"{stats.expired_stale_perc:.2f}"),
        ("expired_time_cap_reached_count", stats.expired_time_cap_reached),
        ("expire_cycle_cpu_milliseconds", stats.expire_cycle_cpu_ms),
        ("evicted_keys", stats.evicted_keys),
        ("evicted_clients", stats.evicted_clients),
        ("evicted_scripts", stats.evicted_scripts),
        ("total_eviction_exceeded_time", stats.eviction_exceeded_total_ms),
        ("current_eviction_exceeded_time", stats.eviction_exceeded_current_ms),
        ("keyspace_hits", stats.keyspace_hits),
        ("keyspace_misses", stats.keyspace_misses),
        ("pubsub_channels", stats.pubsub_channels),
        ("pubsub_patterns", stats.pubsub_patterns),
        ("pubsubshard_channels", stats.pubsubshard_channels),
        ("latest_fork_usec", stats.latest_fork_us),
        ("total_forks", stats.total_forks),
        ("migrate_cached_sockets", stats.migrate_cached_sockets),
        ("slave_expires_tracked_keys", stats.replica_expires_tracked_keys),
        ("active_defrag_hits", stats.active_defrag_hits),
        ("active_defrag_misses", stats.active_defrag_misses),
        ("active_defrag_key_hits", stats.active_defrag_key_hits),
        ("active_defrag_key_misses", stats.active_defrag_key_misses),
        ("total_active_defrag_time", stats.active_defrag_total_ms),
        ("current_active_defrag_time", stats.active_defrag_current_ms),
        ("tracking_total_keys", stats.tracking_keys),
        ("tracking_total_items", stats.tracking_items),
        ("tracking_total_prefixes", stats.tracking_prefixes),
    )


def _stats(data: InfoInput) -> list[Line]:
    stats = data.stats
    return (
        _stats_traffic(data)
        + _stats_keys(data)
        + _lines(
            ("unexpected_error_replies", stats.unexpected_error_replies),
            ("total_error_replies", stats.error_replies),
            ("dump_payload_sanitizations", stats.dump_payload_sanitizations),
            ("total_reads_processed", stats.reads_processed),
            ("total_writes_processed", stats.writes_processed),
            ("io_threaded_reads_processed", stats.io_threaded_reads),
            ("io_threaded_writes_processed", stats.io_threaded_writes),
            ("client_query_buffer_limit_disconnections", stats.query_buffer_limit_disconnections),
            ("client_output_buffer_limit_disconnections", stats.output_buffer_limit_disconnections),
            ("reply_buffer_shrinks", stats.reply_buffer_shrinks),
            ("reply_buffer_expands", stats.reply_buffer_expands),
            ("eventloop_cycles", stats.eventloop_cycles),
            ("eventloop_duration_sum", stats.eventloop_duration_us),
            ("eventloop_duration_cmd_sum", stats.eventloop_duration_cmd_us),
            ("instantaneous_eventloop_cycles_per_sec", stats.eventloop_cycles_per_s),
            ("instantaneous_eventloop_duration_usec", stats.eventloop_duration_avg_us),
            ("acl_access_denied_auth", stats.acl_denied_auth),
            ("acl_access_denied_cmd", stats.acl_denied_cmd),
            ("acl_access_denied_key", stats.acl_denied_key),
            ("acl_access_denied_channel", stats.acl_denied_channel),
        )
    )


def _master_link(link: MasterLink) -> list[Line]:
    lines = _lines(
        ("master_host", link.host),
        ("master_port", link.port),
        ("master_link_status", link.status.value),
        ("master_last_io_seconds_ago", link.last_io_s_ago),
        ("master_sync_in_progress", link.sync is not None),
        ("slave_read_repl_offset", link.read_offset),
        ("slave_repl_offset", link.applied_offset),
    )
    if link.sync is not None:
        sync = link.sync
        lines += _lines(
            ("master_sync_total_bytes", sync.total_bytes),
            ("master_sync_read_bytes", sync.read_bytes),
            ("master_sync_left_bytes", max(0, sync.total_bytes - sync.read_bytes)),
            (
                "master_sync_perc",
                f"{100 * sync.read_bytes / sync.total_bytes if sync.total_bytes else 0:.2f}",
            ),
            ("master_sync_last_io_seconds_ago", sync.last_io_s_ago),
        )
    if link.status is LinkStatus.DOWN:
        lines += _lines(("master_link_down_since_seconds", link.down_since_s))
    return lines + _lines(
        ("slave_priority", link.priority),
        ("slave_read_only", link.read_only),
        ("replica_announced", link.announced),
    )


def _replication(data: InfoInput) -> list[Line]:
    repl = data.replication
    lines = _lines(("role", "master" if repl.master is None else "slave"))
    if repl.master is not None:
        lines += _master_link(repl.master)
    lines += _lines(("connected_slaves", len(repl.replicas)))
    if repl.min_replicas_good is not None:
        lines += _lines(("min_slaves_good_slaves", repl.min_replicas_good))
    lines += [
        (
            f"slave{index}",
            f"ip={one.ip},port={one.port},state={one.state},offset={one.offset},lag={one.lag_s}",
        )
        for index, one in enumerate(repl.replicas)
    ]
    return lines + _lines(
        ("master_failover_state", repl.failover_state),
        ("master_replid", repl.replid),
        ("master_replid2", repl.replid2),
        ("master_repl_offset", repl.offset),
        ("second_repl_offset", repl.second_offset),
        ("repl_backlog_active", repl.backlog_active),
        ("repl_backlog_size", repl.backlog_size_bytes),
        ("repl_backlog_first_byte_offset", repl.backlog_first_byte_offset),
        ("repl_backlog_histlen", repl.backlog_histlen_bytes),
    )


def _cpu(data: InfoInput) -> list[Line]:
    process = data.process
    return _lines(
        ("used_cpu_sys", f"{process.cpu_sys_s:.6f}"),
        ("used_cpu_user", f"{process.cpu_user_s:.6f}"),
        ("used_cpu_sys_children", f"{process.cpu_sys_children_s:.6f}"),
        ("used_cpu_user_children", f"{process.cpu_user_children_s:.6f}"),
        ("used_cpu_sys_main_thread", f"{process.cpu_sys_main_thread_s:.6f}"),
        ("used_cpu_user_main_thread", f"{process.cpu_user_main_thread_s:.6f}"),
    )


def _module_line(module: ModuleLine) -> Line:
    lists = f"usedby=[{'|'.join(module.used_by)}],using=[{'|'.join(module.using)}],options=[{'|'.join(module.options)}]"
    head = f"name={module.name},ver={module.version},api={module.api},filters={module.filters}"
    return "module", f"{head},{lists}"


def _modules(data: InfoInput) -> list[Line]:
    return [_module_line(module) for module in data.modules]


def _commandstats(data: InfoInput) -> list[Line]:
    lines = []
    for one in sorted(data.commands, key=lambda one: one.name):
        if one.calls or one.rejected_calls or one.failed_calls:
            time = f"usec={one.total_us},usec_per_call={_ratio(one.total_us, one.calls)}"
            bad = f"rejected_calls={one.rejected_calls},failed_calls={one.failed_calls}"
            lines.append((f"cmdstat_{one.name}", f"calls={one.calls},{time},{bad}"))
    return lines


def _errorstats(data: InfoInput) -> list[Line]:
    ordered = sorted(data.errors, key=lambda error: error.prefix)
    return [(f"errorstat_{error.prefix}", f"count={error.count}") for error in ordered]


def _latencystats(data: InfoInput) -> list[Line]:
    lines = []
    for one in sorted(data.commands, key=lambda one: one.name):
        if one.latency.total():
            figures = [
                f"{percentile_name(wanted)}={one.latency.percentile_ns(wanted) / 1000:.3f}"
                for wanted in data.latency_percentiles
            ]
            lines.append((f"latency_percentiles_usec_{one.name}", ",".join(figures)))
    return lines


def _cluster(data: InfoInput) -> list[Line]:
    return _lines(("cluster_enabled", data.cluster_enabled))


def _keyspace(data: InfoInput) -> list[Line]:
    return [
        (
            f"db{one.db}",
            f"keys={one.keys},expires={one.expires},avg_ttl={one.avg_ttl_ms},subexpiry={one.subexpiry}",
        )
        for one in sorted(data.keyspace, key=lambda one: one.db)
        if one.keys or one.expires
    ]


def _debug(data: InfoInput) -> list[Line]:
    stats = data.stats
    return _lines(
        ("eventloop_duration_aof_sum", stats.eventloop_duration_aof_us),
        ("eventloop_duration_cron_sum", stats.eventloop_duration_cron_us),
        ("eventloop_duration_max", stats.eventloop_duration_max_us),
        ("eventloop_cmd_per_cycle_max", stats.eventloop_cmd_per_cycle_max),
    )


BUILDERS: Final[dict[str, tuple[str, Callable[[InfoInput], list[Line]]]]] = {
    "server": ("Server", _server),
    "clients": ("Clients", _clients),
    "memory": ("Memory", _memory),
    "persistence": ("Persistence", _persistence),
    "stats": ("Stats", _stats),
    "replication": ("Replication", _replication),
    "cpu": ("CPU", _cpu),
    "modules": ("Modules", _modules),
    "commandstats": ("Commandstats", _commandstats),
    "errorstats": ("Errorstats", _errorstats),
    "latencystats": ("Latencystats", _latencystats),
    "cluster": ("Cluster", _cluster),
    "keyspace": ("Keyspace", _keyspace),
    "debug": ("Debug", _debug),
}
# "debug" is printed only when it is asked for by name.
ALL_SECTIONS: Final = frozenset(BUILDERS) - {"debug"}
DEFAULT_SECTIONS: Final = ALL_SECTIONS - {"commandstats", "latencystats"}
