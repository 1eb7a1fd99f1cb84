"""Aim: INFO's text is Redis' down to the byte. Method: one complete input, its parts varied one at a time."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.observability._info import INFO, MEMORY, PROCESS, SERVER, parse_info
from trioredis.observability.histogram import Histogram, bucket_count, bucket_index
from trioredis.observability.info import Section, format_info, info_reply, select
from trioredis.observability.info_input import (
    AofStats,
    CommandStats,
    ErrorStats,
    InfoInput,
    KeyspaceStats,
    LinkStatus,
    Listener,
    LoadingStats,
    MasterLink,
    MasterSync,
    ModuleLine,
    ModuleSection,
    ReplicaLine,
)
from trioredis.observability.info_sections import human_bytes, percentile_name

ALL_TITLES = [
    "Server",
    "Clients",
    "Memory",
    "Persistence",
    "Stats",
    "Replication",
    "CPU",
    "Modules",
    "Commandstats",
    "Errorstats",
    "Latencystats",
    "Cluster",
    "Keyspace",
]
DEFAULT_TITLES = [title for title in ALL_TITLES if title not in ("Commandstats", "Latencystats")]
LINK = MasterLink(
    host="10.0.0.1",
    port=6380,
    status=LinkStatus.UP,
    last_io_s_ago=1,
    read_offset=500,
    applied_offset=490,
    priority=100,
    read_only=True,
    announced=True,
)


def info(data: InfoInput, *arguments: bytes | str) -> dict[str, dict[str, str]]:
    return parse_info(info_reply(data, arguments))


def titles(*arguments: bytes | str) -> list[str]:
    return list(info(INFO, *arguments))


def test_framing() -> None:
    one = Section("One", (("a", "1"), ("b", "")))
    assert format_info([one, Section("Two", ())]) == b"# One\r\na:1\r\nb:\r\n\r\n# Two\r\n"
    assert format_info([]) == b""


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((), DEFAULT_TITLES),
        (("default",), DEFAULT_TITLES),
        (("all",), ALL_TITLES),
        (("everything",), ALL_TITLES),
        ((b"CPU", "keyspace", "cpu"), ["CPU", "Keyspace"]),
        (("keyspace", "server", "nonsense"), ["Server", "Keyspace"]),
        (("nonsense",), []),
        (("sentinel",), []),
        (("debug",), ["Debug"]),
        (("commandstats", "default"), [t for t in ALL_TITLES if t != "Latencystats"]),
    ],
)
def test_selection(arguments: tuple[bytes | str, ...], expected: list[str]) -> None:
    assert titles(*arguments) == expected


def test_selection_takes_bytes_that_are_no_text() -> None:
    assert select([b"\xff\xfe"]).names == frozenset()


def test_sections_of_modules() -> None:
    extra = (
        ModuleSection(module="bloom", section="core", fields=(("filters", "2"),)),
        ModuleSection(module="search", section="", fields=(("indexes", "1"),)),
    )
    data = replace(INFO, module_sections=extra, modules=(ModuleLine(name="bloom", version=20_612),))
    own = ["bloom_core", "search"]
    assert list(info(data, "everything")) == ALL_TITLES + own
    assert list(info(data, "all")) == ALL_TITLES
    assert list(info(data)) == DEFAULT_TITLES
    assert list(info(data, "modules")) == ["Modules", *own]
    assert info(data, "BLOOM") == {"bloom_core": {"filters": "2"}}
    assert list(info(data, "bloom_core", "search")) == own
    assert info(data, "modules")["Modules"] == {
        "module": "name=bloom,ver=20612,api=1,filters=0,usedby=[],using=[],options=[]"
    }


def test_lists_of_a_module_line() -> None:
    module = ModuleLine(name="a", version=1, filters=2, used_by=("b", "c"), using=("d",), options=("handle-io-errors",))
    line = info(replace(INFO, modules=(module,)), "modules")["Modules"]["module"]
    assert line == ("name=a,ver=1,api=1,filters=2,usedby=[b|c],using=[d],options=[handle-io-errors]")


def test_server_section() -> None:
    fields = info(INFO, "server")["Server"]
    assert list(fields)[:3] == ["redis_version", "server_name", "trioredis_version"]
    assert fields["redis_version"] == "7.4.0"
    assert fields["server_name"] == "trioredis"
    assert fields["uptime_in_seconds"] == "90061"
    assert fields["uptime_in_days"] == "1"
    assert fields["lru_clock"] == str(1_700_090_061 % (1 << 24))
    assert fields["listener0"] == "name=tcp,bind=127.0.0.1,bind=-::1,port=6379"
    assert fields["io_threads_active"] == "0"


def test_server_section_while_shutting_down_and_on_a_unix_socket() -> None:
    facts = replace(SERVER, shutdown_in_ms=1500, listeners=(Listener(kind="unix", binds=("/run/s",)),))
    fields = info(replace(INFO, server=facts), "server")["Server"]
    assert fields["shutdown_in_milliseconds"] == "1500"
    assert fields["listener0"] == "name=unix,bind=/run/s"


def test_uptime_is_not_negative_when_the_clock_was_set_back() -> None:
    facts = replace(SERVER, now_us=SERVER.started_us - 5_000_000)
    assert info(replace(INFO, server=facts), "server")["Server"]["uptime_in_seconds"] == "0"


def test_memory_figures_are_derived() -> None:
    fields = info(INFO, "memory")["Memory"]
    assert fields["used_memory_human"] == "4.00M"
    assert fields["used_memory_peak_perc"] == "50.00%"
    assert fields["used_memory_dataset"] == str(2 << 20)
    assert fields["used_memory_dataset_perc"] == "66.67%"
    assert fields["mem_fragmentation_ratio"] == "3.00"
    assert fields["mem_fragmentation_bytes"] == str(8 << 20)
    # An allocator that tells nothing: all of the resident size is its own.
    assert fields["allocator_allocated"] == str(4 << 20)
    assert fields["allocator_active"] == fields["allocator_resident"] == str(12 << 20)
    assert fields["rss_overhead_ratio"] == "1.00"


def test_memory_figures_of_a_talkative_allocator() -> None:
    memory = replace(
        MEMORY,
        allocator_allocated_bytes=100,
        allocator_active_bytes=150,
        allocator_resident_bytes=300,
        vm_eval_bytes=31_744,
        vm_functions_bytes=32_768,
        functions_bytes=192,
    )
    fields = info(replace(INFO, memory=memory, process=replace(PROCESS, rss_bytes=450)), "memory")
    memory_fields = fields["Memory"]
    assert memory_fields["allocator_frag_ratio"] == "1.50"
    assert memory_fields["allocator_frag_bytes"] == "50"
    assert memory_fields["allocator_rss_ratio"] == "2.00"
    assert memory_fields["allocator_rss_bytes"] == "150"
    assert memory_fields["rss_overhead_ratio"] == "1.50"
    assert memory_fields["rss_overhead_bytes"] == "150"
    assert memory_fields["used_memory_vm_total_human"] == "63.00K"
    assert memory_fields["used_memory_scripts_human"] == "192B"


def test_memory_peak_is_never_below_what_is_used() -> None:
    fields = info(replace(INFO, memory=replace(MEMORY, peak_bytes=1)), "memory")["Memory"]
    assert fields["used_memory_peak"] == fields["used_memory"]


def test_ratios_of_nothing_are_zero() -> None:
    memory = replace(MEMORY, used_bytes=0, peak_bytes=0, startup_bytes=0, overhead_bytes=0)
    fields = info(replace(INFO, memory=memory), "memory")["Memory"]
    assert fields["mem_fragmentation_ratio"] == "0.00"
    assert fields["used_memory_peak_perc"] == fields["used_memory_dataset_perc"] == "0.00%"


def test_persistence_when_everything_is_switched_off() -> None:
    fields = info(INFO, "persistence")["Persistence"]
    assert fields["loading"] == fields["aof_enabled"] == "0"
    assert fields["rdb_changes_since_last_save"] == "7"
    assert fields["rdb_last_bgsave_time_sec"] == "-1"
    assert fields["rdb_last_bgsave_status"] == "ok"
    assert "aof_current_size" not in fields
    assert "loading_start_time" not in fields


def test_persistence_with_aof_and_while_loading() -> None:
    saved = replace(
        INFO.persistence,
        last_bgsave_ok=False,
        aof=AofStats(
            current_size_bytes=2697,
            base_size_bytes=88,
            pending_rewrite=True,
            buffer_bytes=0,
            pending_bio_fsync=0,
            delayed_fsync=3,
        ),
        loading=LoadingStats(started_unix_s=5, total_bytes=400, loaded_bytes=100, rdb_used_mem_bytes=7, eta_s=3),
    )
    fields = info(replace(INFO, persistence=saved), "persistence")["Persistence"]
    assert fields["rdb_last_bgsave_status"] == "err"
    assert fields["aof_enabled"] == fields["loading"] == fields["aof_pending_rewrite"] == "1"
    assert fields["async_loading"] == "0"
    assert fields["aof_delayed_fsync"] == "3"
    assert fields["loading_loaded_perc"] == "25.00%"


def test_asynchronous_loading_is_told_apart() -> None:
    loading = LoadingStats(
        started_unix_s=5,
        total_bytes=0,
        loaded_bytes=1,
        rdb_used_mem_bytes=0,
        eta_s=1,
        replica_async=True,
    )
    saved = replace(INFO.persistence, loading=loading)
    fields = info(replace(INFO, persistence=saved), "persistence")["Persistence"]
    assert (fields["loading"], fields["async_loading"]) == ("0", "1")


def test_stats_carry_every_counter_once() -> None:
    """Each counter of the input is a number of its own, so a swapped or forgotten field shows."""
    values = [int(v) for v in info(INFO, "stats")["Stats"].values() if v.isdigit() and v != "0"]
    rates = {106, 107, 110}  # input_kbps, output_kbps and expired_stale_perc have decimals
    assert sorted(values) == [n for n in range(101, 139) if n not in rates]


def test_stats_rates_have_two_decimals() -> None:
    fields = info(INFO, "stats")["Stats"]
    assert fields["instantaneous_input_kbps"] == "1.50"
    assert fields["instantaneous_output_kbps"] == "2.25"
    assert fields["expired_stale_perc"] == "0.50"


def test_replication_of_a_master_with_replicas() -> None:
    replica = ReplicaLine(ip="127.0.0.1", port=6380, state="online", offset=14, lag_s=1)
    repl = replace(INFO.replication, replicas=(replica, replica), min_replicas_good=2, offset=14)
    fields = info(replace(INFO, replication=repl), "replication")["Replication"]
    assert list(fields)[:5] == [
        "role",
        "connected_slaves",
        "min_slaves_good_slaves",
        "slave0",
        "slave1",
    ]
    assert fields["slave1"] == "ip=127.0.0.1,port=6380,state=online,offset=14,lag=1"
    assert fields["master_replid2"] == "0" * 40


def test_replication_of_a_replica() -> None:
    fields = info(replace(INFO, replication=replace(INFO.replication, master=LINK)), "replication")
    assert list(fields["Replication"])[:11] == [
        "role",
        "master_host",
        "master_port",
        "master_link_status",
        "master_last_io_seconds_ago",
        "master_sync_in_progress",
        "slave_read_repl_offset",
        "slave_repl_offset",
        "slave_priority",
        "slave_read_only",
        "replica_announced",
    ]
    assert fields["Replication"]["role"] == "slave"
    assert fields["Replication"]["slave_read_only"] == "1"


def test_replication_of_a_replica_that_synchronises() -> None:
    link = replace(
        LINK,
        status=LinkStatus.DOWN,
        down_since_s=4,
        sync=MasterSync(total_bytes=1000, read_bytes=250, last_io_s_ago=0),
    )
    repl = replace(INFO.replication, master=link)
    fields = info(replace(INFO, replication=repl), "replication")["Replication"]
    assert fields["master_sync_in_progress"] == "1"
    assert fields["master_sync_left_bytes"] == "750"
    assert fields["master_sync_perc"] == "25.00"
    assert fields["master_link_down_since_seconds"] == "4"


def test_cpu_section() -> None:
    assert info(INFO, "cpu")["CPU"] == {
        "used_cpu_sys": "1.250000",
        "used_cpu_user": "2.500000",
        "used_cpu_sys_children": "0.000000",
        "used_cpu_user_children": "0.125000",
        "used_cpu_sys_main_thread": "1.000000",
        "used_cpu_user_main_thread": "2.000000",
    }


def test_command_statistics() -> None:
    counts = [0] * bucket_count(7)
    counts[bucket_index(12_000, 7)] = 3
    commands = (
        CommandStats(name="set", calls=0, total_us=0, rejected_calls=0, failed_calls=0),
        CommandStats(
            name="get",
            calls=3,
            total_us=37,
            rejected_calls=1,
            failed_calls=2,
            latency=Histogram(counts, 7),
        ),
        CommandStats(name="config|get", calls=0, total_us=0, rejected_calls=4, failed_calls=0),
    )
    fields = info(
        replace(INFO, commands=commands, latency_percentiles=(50.0, 99.9)),
        "commandstats",
        "latencystats",
    )
    assert list(fields["Commandstats"].items()) == [
        (
            "cmdstat_config|get",
            "calls=0,usec=0,usec_per_call=0.00,rejected_calls=4,failed_calls=0",
        ),
        ("cmdstat_get", "calls=3,usec=37,usec_per_call=12.33,rejected_calls=1,failed_calls=2"),
    ]
    assert fields["Latencystats"] == {"latency_percentiles_usec_get": "p50=12.031,p99.9=12.031"}


def test_errors_and_keyspace() -> None:
    data = replace(
        INFO,
        errors=(ErrorStats(prefix="WRONGTYPE", count=2), ErrorStats(prefix="ERR", count=1)),
        keyspace=(
            KeyspaceStats(db=3, keys=1, expires=1, avg_ttl_ms=9999, subexpiry=2),
            KeyspaceStats(db=1, keys=0, expires=0, avg_ttl_ms=0),
            KeyspaceStats(db=0, keys=10, expires=0, avg_ttl_ms=0),
        ),
        cluster_enabled=True,
    )
    fields = info(data, "errorstats", "keyspace", "cluster")
    assert list(fields["Errorstats"].items()) == [
        ("errorstat_ERR", "count=1"),
        ("errorstat_WRONGTYPE", "count=2"),
    ]
    assert list(fields["Keyspace"].items()) == [
        ("db0", "keys=10,expires=0,avg_ttl=0,subexpiry=0"),
        ("db3", "keys=1,expires=1,avg_ttl=9999,subexpiry=2"),
    ]
    assert fields["Cluster"] == {"cluster_enabled": "1"}


def test_bytes_that_are_no_text_survive() -> None:
    error = ErrorStats(prefix=b"\xffBAD".decode("utf-8", "surrogateescape"), count=1)
    reply = info_reply(replace(INFO, errors=(error,)), ["errorstats"])
    assert reply == b"# Errorstats\r\nerrorstat_\xffBAD:count=1\r\n"


@pytest.mark.parametrize(
    ("count", "shown"),
    [
        (0, "0B"),
        (1023, "1023B"),
        (1024, "1.00K"),
        (966_640, "943.98K"),
        (1 << 20, "1.00M"),
        (123_456_789_012, "114.98G"),
        (1 << 40, "1.00T"),
        (1 << 50, "1.00P"),
        (1 << 60, f"{1 << 60}B"),
    ],
)
def test_human_bytes(count: int, shown: str) -> None:
    assert human_bytes(count) == shown


@pytest.mark.parametrize(
    ("percentile", "name"),
    [(50.0, "p50"), (99.9, "p99.9"), (100.0, "p100"), (0.0, "p0"), (33.3333333, "p33.333333")],
)
def test_percentile_names(percentile: float, name: str) -> None:
    assert percentile_name(percentile) == name
