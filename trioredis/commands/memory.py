"""MEMORY STATS and MEMORY DOCTOR: where the memory is, and what is wrong with that."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from trioredis.commands.context import CommandView
from trioredis.commands.registry import command
from trioredis.commands.reply import ReplyValue, Verbatim
from trioredis.engine import DatabaseStats, Engine
from trioredis.observability.collect import collect
from trioredis.observability.info_input import InfoInput
from trioredis.observability.info_sections import allocator_bytes, human_bytes

MIB: Final = 1 << 20
LITTLE_BYTES: Final = 5 * MIB
"""Below that there is nothing to learn from ratios."""
PEAK_RATIO: Final = 1.5
FRAGMENTATION_RATIO: Final = 1.4
FRAGMENTATION_BYTES: Final = 10 * MIB
CLIENT_BYTES: Final = 200 * 1024
"""More than that for each client on average is worth a look."""


@command("memory|stats")
def memory_stats(ctx: CommandView, argv: Sequence[bytes]) -> ReplyValue:
    """MEMORY STATS: a map of figures; sizes in bytes."""
    data, databases = collect(ctx.server), _databases(ctx.server.engine)
    memory = data.memory
    main_bytes = sum(found.table_bytes for _, found in databases)
    stats: dict[str, ReplyValue] = {
        "peak.allocated": max(memory.peak_bytes, memory.used_bytes),
        "total.allocated": memory.used_bytes,
        "startup.allocated": memory.startup_bytes,
        "replication.backlog": memory.replication_backlog_bytes,
        "clients.slaves": memory.clients_replicas_bytes,
        "clients.normal": memory.clients_normal_bytes,
        "cluster.links": memory.cluster_links_bytes,
        "aof.buffer": memory.aof_buffer_bytes,
        "lua.caches": memory.scripts_eval_bytes,
        "functions.caches": memory.functions_bytes,
    }
    for index, found in databases:
        overheads: dict[str, ReplyValue] = {
            "overhead.hashtable.main": found.table_bytes,
            "overhead.hashtable.expires": found.ttl_bytes,
        }
        stats[f"db.{index}"] = overheads
    stats |= {
        "overhead.db.hashtable.lut": main_bytes,
        "overhead.db.hashtable.rehashing": memory.db_hashtable_rehashing_bytes,
        "db.dict.rehashing.count": sum(found.is_rehashing for _, found in databases),
    }
    return stats | _totals(data) | _process(data)


def _databases(engine: Engine) -> list[tuple[int, DatabaseStats]]:
    """All that have keys, with their numbers."""
    numbered = ((index, engine.database(index)) for index in range(engine.stats().db_count))
    return [(index, found) for index, found in numbered if found.keys]


def _totals(data: InfoInput) -> dict[str, ReplyValue]:
    memory = data.memory
    used = memory.used_bytes - memory.startup_bytes
    keys = sum(one.keys for one in data.keyspace)
    dataset = max(0, memory.used_bytes - memory.overhead_bytes)
    return {
        "overhead.total": memory.overhead_bytes,
        "keys.count": keys,
        "keys.bytes-per-key": max(0, used) // keys if keys else 0,
        "dataset.bytes": dataset,
        "dataset.percentage": _ratio(100 * dataset, used),
        "peak.percentage": _ratio(100 * memory.used_bytes, max(memory.peak_bytes, memory.used_bytes)),
    }


def _process(data: InfoInput) -> dict[str, ReplyValue]:
    allocated, active, resident = allocator_bytes(data)
    rss, used = data.process.rss_bytes, data.memory.used_bytes
    return {
        "allocator.allocated": allocated,
        "allocator.active": active,
        "allocator.resident": resident,
        "allocator.muzzy": data.memory.allocator_muzzy_bytes,
        "allocator-fragmentation.ratio": _ratio(active, allocated),
        "allocator-fragmentation.bytes": active - allocated,
        "allocator-rss.ratio": _ratio(resident, active),
        "allocator-rss.bytes": resident - active,
        "rss-overhead.ratio": _ratio(rss, resident),
        "rss-overhead.bytes": rss - resident,
        "fragmentation": _ratio(rss, used),
        "fragmentation.bytes": rss - used,
    }


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole > 0 else 0.0


@command("memory|doctor")
def memory_doctor(ctx: CommandView, argv: Sequence[bytes]) -> ReplyValue:
    """MEMORY DOCTOR: what stands out, in sentences."""
    return Verbatim("txt", report(collect(ctx.server)))


def report(data: InfoInput) -> str:
    """Return what MEMORY DOCTOR says of these figures: lines of text."""
    if data.memory.used_bytes < LITTLE_BYTES:
        return f"There is too little data for a judgement: {human_bytes(data.memory.used_bytes)} in use.\n"
    found = list(findings(data))
    if not found:
        return "Nothing stands out: the memory is where it should be.\n"
    return "What stands out:\n" + "".join(f" * {one}\n" for one in found)


def findings(data: InfoInput) -> Iterator[str]:
    """Yield a sentence for each thing that stands out."""
    memory, rss = data.memory, data.process.rss_bytes
    if memory.peak_bytes > PEAK_RATIO * memory.used_bytes:
        yield (
            f"Peak: at its highest the memory in use was {human_bytes(memory.peak_bytes)}, now it is"
            f" {human_bytes(memory.used_bytes)}. Pages that were needed then may still belong to the process;"
            " MEMORY PURGE gives back what is free."
        )
    apart = rss - memory.used_bytes
    if rss > FRAGMENTATION_RATIO * memory.used_bytes and apart > FRAGMENTATION_BYTES:
        yield (
            f"Fragmentation: the process has {human_bytes(rss)} of RAM for {human_bytes(memory.used_bytes)} in use."
            " The interpreter and loaded libraries are part of the difference, the rest are gaps between values."
        )
    clients = data.clients.connected
    if clients and memory.clients_normal_bytes / clients > CLIENT_BYTES:
        yield (
            f"Clients: {clients} of them hold {human_bytes(memory.clients_normal_bytes)}. Look with CLIENT LIST for"
            " large qbuf and omem: somebody sends huge requests or does not read its replies."
        )
