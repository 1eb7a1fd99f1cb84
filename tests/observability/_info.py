"""A complete InfoInput for tests, with figures that are told apart easily."""

from __future__ import annotations

from trioredis.observability.info_input import (
    ClientStats,
    EngineStats,
    InfoInput,
    Listener,
    MemoryStats,
    PersistenceStats,
    ProcessStats,
    ReplicationStats,
    ServerFacts,
)

STARTED_US = 1_700_000_000_000_000
NOW_US = STARTED_US + 90_061_500_000  # a day, an hour, a minute, a second and a half later

SERVER = ServerFacts(
    trioredis_version="0.1.0",
    multiplexing_api="epoll",
    gcc_version="12.2.0",
    process_id=4711,
    run_id="ab" * 20,
    tcp_port=6379,
    now_us=NOW_US,
    started_us=STARTED_US,
    hz=10,
    configured_hz=10,
    executable="/usr/bin/trioredis-server",
    os="Linux 6.1.0 x86_64",
    arch_bits=64,
    listeners=(Listener(kind="tcp", binds=("127.0.0.1", "-::1"), port=6379),),
)

PROCESS = ProcessStats(
    rss_bytes=12 << 20,
    total_system_memory_bytes=24 << 30,
    cpu_sys_s=1.25,
    cpu_user_s=2.5,
    cpu_sys_children_s=0.0,
    cpu_user_children_s=0.125,
    cpu_sys_main_thread_s=1.0,
    cpu_user_main_thread_s=2.0,
)

CLIENTS = ClientStats(
    connected=3,
    maxclients=10_000,
    recent_max_input_buffer_bytes=20_480,
    recent_max_output_buffer_bytes=0,
    blocked=1,
    tracking=0,
    pubsub=2,
    watching=0,
    in_timeout_table=1,
    total_watched_keys=0,
    total_blocking_keys=1,
    total_blocking_keys_on_nokey=0,
)

MEMORY = MemoryStats(
    used_bytes=4 << 20,
    peak_bytes=8 << 20,
    startup_bytes=1 << 20,
    overhead_bytes=2 << 20,
    maxmemory_bytes=0,
    maxmemory_policy="noeviction",
    allocator="libc",
    clients_normal_bytes=1928,
)

STATS = EngineStats(
    connections_received=101,
    commands_processed=102,
    ops_per_s=103,
    net_input_bytes=104,
    net_output_bytes=105,
    input_kbps=1.5,
    output_kbps=2.25,
    rejected_connections=108,
    expired_keys=109,
    expired_stale_perc=0.5,
    expired_time_cap_reached=111,
    expire_cycle_cpu_ms=112,
    evicted_keys=113,
    evicted_clients=114,
    eviction_exceeded_total_ms=115,
    eviction_exceeded_current_ms=116,
    keyspace_hits=117,
    keyspace_misses=118,
    pubsub_channels=119,
    pubsub_patterns=120,
    pubsubshard_channels=121,
    tracking_keys=122,
    tracking_items=123,
    tracking_prefixes=124,
    error_replies=125,
    reads_processed=126,
    writes_processed=127,
    query_buffer_limit_disconnections=128,
    output_buffer_limit_disconnections=129,
    eventloop_cycles=130,
    eventloop_duration_us=131,
    eventloop_duration_cmd_us=132,
    eventloop_cycles_per_s=133,
    eventloop_duration_avg_us=134,
    acl_denied_auth=135,
    acl_denied_cmd=136,
    acl_denied_key=137,
    acl_denied_channel=138,
)

INFO = InfoInput(
    server=SERVER,
    process=PROCESS,
    clients=CLIENTS,
    memory=MEMORY,
    persistence=PersistenceStats(last_save_unix_s=1_700_000_000, changes_since_last_save=7),
    stats=STATS,
    replication=ReplicationStats(replid="cd" * 20, backlog_size_bytes=1 << 20),
)


def parse_info(reply: bytes) -> dict[str, dict[str, str]]:
    """Fields by section title, in the order of the reply. A name that occurs twice gets a running number."""
    sections: dict[str, dict[str, str]] = {}
    fields: dict[str, str] = {}
    for line in reply.decode().split("\r\n"):
        if line.startswith("# "):
            fields = sections.setdefault(line[2:], {})
        elif line:
            name, _, value = line.partition(":")
            fields[name if name not in fields else f"{name}#{len(fields)}"] = value
    return sections
