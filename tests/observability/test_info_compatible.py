"""Aim: tools that read INFO find what they look for.

Method: sections, field names, their order and the shape of the values against a stock server of version 7.0, whose
differences to 7.4 are listed here; and the list of fields that exporters read, where it is at hand.
"""

from __future__ import annotations

import re
import socket
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.observability._info import INFO, parse_info
from trioredis.observability.histogram import Histogram
from trioredis.observability.info import info_reply
from trioredis.observability.info_input import CommandStats, ErrorStats, KeyspaceStats

if TYPE_CHECKING:
    from tests._servers import Server

EXPORTER_FIELDS = Path(__file__).parents[2].parent / "shared/facts/info_fields_read_by_exporters.txt"

# What 7.4 prints and 7.0 does not, and what only trioredis prints.
NEWER_FIELDS = {
    "Server": {"server_name", "trioredis_version", "listener0"},
    "Clients": {
        "pubsub_clients",
        "watching_clients",
        "total_watched_keys",
        "total_blocking_keys",
        "total_blocking_keys_on_nokey",
    },
    "Memory": {"allocator_muzzy", "mem_overhead_db_hashtable_rehashing"},
    "Stats": {
        "expired_subkeys",
        "evicted_scripts",
        "client_query_buffer_limit_disconnections",
        "client_output_buffer_limit_disconnections",
        "eventloop_cycles",
        "eventloop_duration_sum",
        "eventloop_duration_cmd_sum",
        "instantaneous_eventloop_cycles_per_sec",
        "instantaneous_eventloop_duration_usec",
        "acl_access_denied_auth",
        "acl_access_denied_cmd",
        "acl_access_denied_key",
        "acl_access_denied_channel",
    },
}
# Texts that name a build or a machine; everything else has to look like the stock server's value.
FREE_TEXT = {"executable", "config_file", "mem_allocator", "redis_build_id", "redis_version", "os"}
REPLICATION_ID = re.compile(r"[0-9a-f]{40}")
HUMAN_SIZE = re.compile(r"\d+B|\d+\.\d\d[KMGTP]")
NUMBER = re.compile(r"-?\d+(?:\.(\d+))?")


def ask(server: Server, *command: str) -> bytes:
    """One command, its bulk reply or the text of its status reply."""
    with socket.create_connection(server.address, timeout=20) as sock, sock.makefile("rb") as replies:
        sock.sendall(f"*{len(command)}\r\n".encode())
        sock.sendall(b"".join(b"$%d\r\n%s\r\n" % (len(a), a.encode()) for a in command))
        head = replies.readline().rstrip()
        return replies.read(int(head[1:])) if head.startswith(b"$") else head


def shape(value: str) -> str:
    """``value`` with its numbers replaced by a letter and as many dots as they have decimals."""
    if HUMAN_SIZE.fullmatch(value):
        return "size"
    return NUMBER.sub(lambda n: "N" + "." * len(n[1] or ""), REPLICATION_ID.sub("id", value))


@pytest.fixture
def stock(redis_server: Server) -> dict[str, dict[str, str]]:
    ask(redis_server, "FLUSHALL")
    ask(redis_server, "CONFIG", "RESETSTAT")
    ask(redis_server, "SET", "info:key", "1")
    ask(redis_server, "LPUSH", "info:key", "1")
    return parse_info(ask(redis_server, "INFO", "everything"))


@pytest.fixture
def ours() -> dict[str, dict[str, str]]:
    def command(name: str, failed: int = 0) -> CommandStats:
        return CommandStats(
            name=name,
            calls=1,
            total_us=12,
            rejected_calls=0,
            failed_calls=failed,
            latency=Histogram([0] * 100 + [1]),
        )

    data = replace(
        INFO,
        commands=(command("set"), command("lpush", 1), command("config|resetstat")),
        errors=(ErrorStats(prefix="WRONGTYPE", count=1),),
        keyspace=(KeyspaceStats(db=0, keys=1, expires=0, avg_ttl_ms=0),),
    )
    return parse_info(info_reply(data, ["everything"]))


def test_sections_in_the_stock_order(stock: dict[str, dict[str, str]], ours: dict[str, dict[str, str]]) -> None:
    assert list(ours) == list(stock)


@pytest.mark.parametrize("arguments", [(), ("all",), ("default",), ("modules",), ("x", "CPU")])
def test_selection_is_the_stock_one(redis_server: Server, arguments: tuple[str, ...]) -> None:
    expected = list(parse_info(ask(redis_server, "INFO", *arguments)))
    assert list(parse_info(info_reply(INFO, arguments))) == expected


def test_fields_in_the_stock_order(stock: dict[str, dict[str, str]], ours: dict[str, dict[str, str]]) -> None:
    for title, fields in stock.items():
        newer = NEWER_FIELDS.get(title, set())
        assert newer <= set(ours[title])
        kept = [name for name in ours[title] if name not in newer]
        if title in ("Commandstats", "Latencystats"):
            assert kept == sorted(fields), title
        else:
            assert kept == list(fields), title


def test_values_look_like_the_stock_ones(stock: dict[str, dict[str, str]], ours: dict[str, dict[str, str]]) -> None:
    for title in stock.keys() - {"Latencystats"}:
        for name, value in stock[title].items():
            if name in FREE_TEXT:
                continue
            shown = ours[title][name]
            if title == "Keyspace":
                assert shown.endswith(",subexpiry=0")  # new in 7.4
                shown = shown.removesuffix(",subexpiry=0")
            assert shape(shown) == shape(value), (title, name)


def test_percentiles_look_like_the_stock_ones(
    stock: dict[str, dict[str, str]], ours: dict[str, dict[str, str]]
) -> None:
    line = re.compile(r"p50=\d+\.\d{3},p99=\d+\.\d{3},p99\.9=\d+\.\d{3}")
    for fields in (stock["Latencystats"], ours["Latencystats"]):
        assert line.fullmatch(fields["latency_percentiles_usec_set"])


def test_fields_that_exporters_read_are_there() -> None:
    if not EXPORTER_FIELDS.is_file():
        pytest.skip(f"no list of exporters' fields at {EXPORTER_FIELDS}")
    wanted = set(EXPORTER_FIELDS.read_text().split())
    fields = {name for section in parse_info(info_reply(INFO, ["all"])).values() for name in section}
    assert wanted - fields == set()
