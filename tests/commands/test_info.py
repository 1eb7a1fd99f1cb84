"""INFO of a running server: all fields are there, and the figures are true.

Method: what a client does is compared with what INFO says about it; names and order are tested without
a server in tests/observability.
"""

from __future__ import annotations

import contextlib
import os
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests._resp import RespClient, encode
from tests._servers import HOST

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests._servers import Server

PATIENCE_SECONDS = 30.0
FIELDS_FILE = Path(__file__).resolve().parents[3] / "shared/facts/info_fields_read_by_exporters.txt"


@pytest.fixture
def server(start_trioredis: Callable[..., Server]) -> Server:
    return start_trioredis("--bind", HOST, "--enable-debug-command", "yes")


@pytest.fixture
def one(server: Server) -> Iterator[RespClient]:
    with RespClient(server.address) as client:
        yield client


def info(client: RespClient, *sections: str) -> dict[str, str]:
    """The fields of INFO."""
    kind, text = client.call("INFO", *sections)
    assert kind == "bulk"
    return dict(line.split(":", 1) for line in text.decode().splitlines() if line and line[0] != "#")


def numbers(client: RespClient, *names: str) -> list[int]:
    facts = info(client, "everything")
    return [int(facts[name]) for name in names]


def until(holds: Callable[[], bool]) -> None:
    """Ask again and again until it holds; fail when it never does."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline


def titles(client: RespClient, *sections: str) -> list[str]:
    return re.findall(r"^# (\w+)", client.call("INFO", *sections)[1].decode(), re.MULTILINE)


def test_fields_that_exporters_read_are_there(one: RespClient) -> None:
    if not FIELDS_FILE.exists():
        pytest.skip(f"{FIELDS_FILE} is not there")
    assert set(FIELDS_FILE.read_text().split()) <= info(one, "everything").keys()


def test_a_stock_server_has_no_other_sections(one: RespClient, redis_server: Server) -> None:
    with RespClient(redis_server.address) as theirs:
        for sections in ((), ("all",), ("everything",), ("server", "CPU"), ("nosuch",), ("nosuch", "keyspace")):
            # Modules has been part of the default since; its own place is the same.
            ours = [title for title in titles(one, *sections) if title != "Modules"]
            assert ours == [title for title in titles(theirs, *sections) if title != "Modules"]
        missing = info(theirs, "everything").keys() - info(one, "everything").keys()
    changing = ("cmdstat_", "errorstat_", "latency_percentiles_", "db", "redis_", "io_threads", "gcc")
    gone_since_7_0 = {"total_active_defrag_time", "multiplexing_api"}
    assert {name for name in missing if not name.startswith(changing)} <= gone_since_7_0


def test_resp3_gets_verbatim_text(one: RespClient) -> None:
    one.call("HELLO", "3")
    kind, text = one.call("INFO", "cluster")
    assert (kind, text) == ("verbatim", b"txt:# Cluster\r\ncluster_enabled:0\r\n")


def test_who_the_server_is(one: RespClient, server: Server) -> None:
    facts = info(one, "server")
    assert facts["process_id"] == str(server.pid)
    assert facts["tcp_port"] == str(server.port)
    assert facts["listener0"] == f"name=tcp,bind={HOST},port={server.port}"
    assert re.fullmatch("[0-9a-f]{40}", facts["run_id"])
    assert facts["redis_version"] == "7.4.0"
    assert facts["multiplexing_api"] == "epoll"
    assert re.fullmatch(r"\d+\.\d+\.\d+", facts["gcc_version"])
    assert os.path.isabs(facts["executable"])
    assert facts["config_file"] == ""
    one.call("CONFIG", "SET", "hz", "33")
    assert info(one, "server")["configured_hz"] == "33"


def test_ids_differ_from_server_to_server(one: RespClient, trioredis_server: Server) -> None:
    with RespClient(trioredis_server.address) as other:
        for section, name in (("server", "run_id"), ("replication", "master_replid")):
            assert info(one, section)[name] != info(other, section)[name]
            assert info(one, section)[name] == info(one, section)[name]


def test_clients_are_counted(one: RespClient, server: Server) -> None:
    (before, received) = numbers(one, "connected_clients", "total_connections_received")
    with RespClient(server.address) as other:
        other.call("PING")
        assert numbers(one, "connected_clients", "total_connections_received") == [before + 1, received + 1]
    one.call("CONFIG", "SET", "maxclients", "1")
    with RespClient(server.address) as other:
        other.read()
        assert numbers(one, "rejected_connections", "maxclients") == [1, 1]


def test_commands_errors_and_bytes_are_counted(one: RespClient) -> None:
    one.call("CONFIG", "RESETSTAT")
    sent = [
        ("SET", "k", "v"),
        ("GET", "k"),
        ("GET", "none"),
        ("GET",),
        ("LPOP",),
        ("INCR", "k"),
        ("DEBUG", "ERROR", "X y"),
    ]
    before = info(one, "stats")
    for words in sent:
        one.call(*words)
    facts = info(one, "everything")
    assert facts["keyspace_hits"] == "1"
    assert facts["keyspace_misses"] == "1"
    # What is refused before it runs (wrong number of arguments, no such command) is no command processed.
    grown = int(facts["total_commands_processed"]) - int(before["total_commands_processed"])
    assert grown == len(sent) - 2 + 1  # and the first INFO
    assert facts["total_error_replies"] == "4"
    assert facts["errorstat_ERR"] == "count=3"
    assert facts["errorstat_X"] == "count=1"
    assert facts["cmdstat_get"].startswith("calls=2,usec=")
    assert facts["cmdstat_get"].endswith(",rejected_calls=1,failed_calls=0")
    assert facts["cmdstat_incr"].endswith(",rejected_calls=0,failed_calls=1")
    assert "latency_percentiles_usec_get" in facts
    received = int(facts["total_net_input_bytes"]) - int(before["total_net_input_bytes"])
    assert received == sum(len(encode(words)) for words in [*sent, ("INFO", "everything")])
    assert int(facts["total_reads_processed"]) - int(before["total_reads_processed"]) == len(sent) + 1


def test_percentiles_follow_the_configuration(one: RespClient) -> None:
    one.call("CONFIG", "SET", "latency-tracking-info-percentiles", "50 99.99")
    assert re.fullmatch(r"p50=[\d.]+,p99\.99=[\d.]+", info(one, "latencystats")["latency_percentiles_usec_config|set"])
    one.call("CONFIG", "SET", "latency-tracking", "no")
    one.call("CONFIG", "RESETSTAT")
    one.call("PING")
    assert info(one, "latencystats") == {}


def test_a_slow_command_has_its_time(one: RespClient) -> None:
    one.call("CONFIG", "RESETSTAT")
    one.call("DEBUG", "SLEEP", "0.02")
    facts = info(one, "everything")
    figures = dict(pair.split("=") for pair in facts["cmdstat_debug"].split(","))
    assert int(figures["usec"]) >= 20_000
    percentiles = dict(pair.split("=") for pair in facts["latency_percentiles_usec_debug"].split(","))
    assert float(percentiles["p50"]) >= 20_000
    assert int(facts["eventloop_duration_cmd_sum"]) >= 20_000
    assert int(facts["eventloop_duration_sum"]) >= int(facts["eventloop_duration_cmd_sum"])
    assert int(info(one, "debug")["eventloop_duration_max"]) >= 20_000


def test_keys_and_expiries_are_counted(one: RespClient) -> None:
    one.call("MSET", "a", "1", "b", "2", "c", "3")
    one.call("EXPIRE", "a", "1000")
    one.call("SELECT", "3")
    one.call("SET", "d", "4", "PX", "1")
    one.call("DEBUG", "SLEEP", "0.002")
    assert one.call("EXISTS", "d") == ("int", 0)
    facts = info(one, "everything")
    match = re.fullmatch(r"keys=3,expires=1,avg_ttl=(\d+),subexpiry=0", facts["db0"])
    assert match
    assert 900_000 < int(match[1]) <= 1_000_000
    assert "db3" not in facts
    assert facts["expired_keys"] == "1"
    assert int(facts["rdb_changes_since_last_save"]) >= 5


def test_memory_is_told_by_its_use(one: RespClient, server: Server) -> None:
    names = ("used_memory", "used_memory_dataset", "used_memory_overhead", "used_memory_startup", "mem_clients_normal")
    empty = numbers(one, *names)
    assert empty[1] < 20_000
    assert empty[3] <= empty[2] <= empty[0]
    with contextlib.ExitStack() as stack:
        for _ in range(50):
            stack.enter_context(RespClient(server.address)).call("PING")
        crowded = numbers(one, *names)
    assert crowded[2] - empty[2] >= crowded[4] - empty[4] > 50 * 500
    assert crowded[1] < 20_000
    one.call("DEBUG", "POPULATE", "1000", "key", "1000")
    full = numbers(one, *names)
    assert 1_000_000 < full[1] - empty[1] < 1_200_000
    assert full[2] - empty[2] > 1000 * 24
    assert full[0] - empty[0] > 1_000_000
    one.call("FLUSHALL")
    peak, used = numbers(one, "used_memory_peak", "used_memory")
    assert peak >= full[0]
    assert used < full[0]


def test_evictions_and_the_time_above_the_limit(one: RespClient) -> None:
    one.call("DEBUG", "POPULATE", "100", "key", "10000")
    (used,) = numbers(one, "used_memory")
    one.call("CONFIG", "SET", "maxmemory", str(used - 500_000), "maxmemory-policy", "allkeys-lru")
    one.call("SET", "k", "v")
    evicted, keys = numbers(one, "evicted_keys", "maxmemory")
    assert 45 < evicted < 100
    assert keys == used - 500_000
    one.call("CONFIG", "SET", "maxmemory", "1000", "maxmemory-policy", "noeviction")
    until(lambda: numbers(one, "current_eviction_exceeded_time")[0] > 0)
    total, current = numbers(one, "total_eviction_exceeded_time", "current_eviction_exceeded_time")
    assert total >= current > 0
    one.call("CONFIG", "SET", "maxmemory", "0")
    until(lambda: numbers(one, "current_eviction_exceeded_time")[0] == 0)
    assert numbers(one, "total_eviction_exceeded_time")[0] >= total


def test_rates_rise_under_load(one: RespClient) -> None:
    names = ("instantaneous_ops_per_sec", "instantaneous_eventloop_cycles_per_sec")
    until(lambda: bool(one.pipeline([("PING",)] * 100)) and all(numbers(one, *names)))
    facts = info(one, "stats")
    assert float(facts["instantaneous_input_kbps"]) > 0
    assert float(facts["instantaneous_output_kbps"]) > 0


def test_failed_authentications_are_counted(one: RespClient) -> None:
    one.call("CONFIG", "SET", "requirepass", "secret")
    one.call("AUTH", "wrong")
    one.call("AUTH", "secret")
    assert info(one, "stats")["acl_access_denied_auth"] == "1"


def test_limits_that_close_clients_are_counted(one: RespClient, server: Server) -> None:
    one.call("CONFIG", "SET", "client-query-buffer-limit", "1mb")
    with RespClient(server.address) as other:
        other.send(b"*1\r\n$30000000\r\n" + b"x" * 100)
        with contextlib.suppress(OSError):  # the server hangs up in the middle
            other.send(b"x" * 3_000_000)
        until(lambda: numbers(one, "client_query_buffer_limit_disconnections")[0] == 1)


def test_large_buffers_are_seen_for_a_while(one: RespClient, server: Server) -> None:
    with RespClient(server.address) as other:
        other.send(b"*2\r\n$4\r\nECHO\r\n$100000\r\n" + b"x" * 50_000)
        until(lambda: numbers(one, "client_recent_max_input_buffer")[0] >= 50_000)
