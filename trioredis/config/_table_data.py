"""Rows of the table: memory, freeing, encodings, snapshots, append-only file, defragmentation."""

from __future__ import annotations

from typing import Final

from trioredis.config import checks
from trioredis.config.directive import (
    INT_MAX,
    INT_MIN,
    LONG_MAX,
    ULONG_MAX,
    Directive,
    Group,
    Kind,
    SavePoint,
)
from trioredis.config.rows import (
    IMMEDIATE,
    NO_AOF,
    NO_RDB,
    NO_REPLICATION,
    OWN_ALLOCATOR,
    OWN_TABLES,
    choice,
    fixed_flag,
    fixed_text,
    flag,
    memory,
    number,
    text,
)

_MIB: Final = 1024 * 1024

MEMORY: Final = (
    memory(
        "maxmemory",
        0,
        Group.MEMORY,
        "How much memory the data may use; 0 for no limit.",
        high=ULONG_MAX,
    ),
    choice(
        "maxmemory-policy",
        "noeviction",
        (
            "volatile-lru",
            "volatile-lfu",
            "volatile-random",
            "volatile-ttl",
            "allkeys-lru",
            "allkeys-lfu",
            "allkeys-random",
            "noeviction",
        ),
        Group.MEMORY,
        "Which keys go when memory is full: the least recently or least often used, random ones or"
        " the next to expire, among all keys or those that expire; or none, and writes fail.",
    ),
    number(
        "maxmemory-samples",
        5,
        1,
        INT_MAX,
        Group.MEMORY,
        "How many keys are compared to find one to evict.",
    ),
    number(
        "maxmemory-eviction-tenacity",
        10,
        0,
        100,
        Group.MEMORY,
        "How long evicting may hold up other work, from not at all (0) to as long as it takes.",
    ),
    number("lfu-log-factor", 10, 0, INT_MAX, Group.MEMORY, "How slowly use counters grow."),
    number(
        "lfu-decay-time",
        1,
        0,
        INT_MAX,
        Group.MEMORY,
        "Minutes after which an unused key's counter goes down by one; 0 for never.",
    ),
    number(
        "active-expire-effort",
        1,
        1,
        10,
        Group.MEMORY,
        "How much work goes into finding expired keys that nobody asks for.",
    ),
    flag(
        "activerehashing",
        True,
        Group.MEMORY,
        "Resize the key tables in idle time too.",
        inert=OWN_TABLES,
    ),
)

LAZY_FREEING: Final = tuple(
    flag(name, False, Group.LAZY_FREEING, about, alias=alias, inert=IMMEDIATE)
    for name, alias, about in (
        ("lazyfree-lazy-eviction", "", "Free evicted values in the background."),
        ("lazyfree-lazy-expire", "", "Free expired values in the background."),
        ("lazyfree-lazy-server-del", "", "Free overwritten values in the background."),
        ("lazyfree-lazy-user-del", "", "Let DEL do what UNLINK does."),
        ("lazyfree-lazy-user-flush", "", "Let FLUSHALL and the like free in the background."),
        ("replica-lazy-flush", "slave-lazy-flush", "Empty a replica in the background."),
    )
)

ENCODINGS: Final = (
    number(
        "hash-max-listpack-entries",
        512,
        0,
        LONG_MAX,
        Group.ENCODINGS,
        "How many fields a hash may have and stay compact.",
        alias="hash-max-ziplist-entries",
    ),
    memory(
        "hash-max-listpack-value",
        64,
        Group.ENCODINGS,
        "How long a field or value may be in a compact hash.",
        alias="hash-max-ziplist-value",
    ),
    number(
        "list-max-listpack-size",
        -2,
        INT_MIN,
        INT_MAX,
        Group.ENCODINGS,
        "Size of a list's nodes: a number of elements, or -1 to -5 for 4 to 64 KiB.",
        alias="list-max-ziplist-size",
    ),
    number(
        "list-compress-depth",
        0,
        0,
        INT_MAX,
        Group.ENCODINGS,
        "How many nodes at each end of a list stay uncompressed; 0 compresses none.",
        inert="nodes of lists are not compressed",
    ),
    number(
        "set-max-intset-entries",
        512,
        0,
        LONG_MAX,
        Group.ENCODINGS,
        "How many members a set of integers may have and stay a sorted array.",
    ),
    number(
        "set-max-listpack-entries",
        128,
        0,
        LONG_MAX,
        Group.ENCODINGS,
        "How many members any other set may have and stay compact.",
        since_7_0=False,
    ),
    number(
        "set-max-listpack-value",
        64,
        0,
        LONG_MAX,
        Group.ENCODINGS,
        "How long a member may be in a compact set.",
        since_7_0=False,
    ),
    number(
        "zset-max-listpack-entries",
        128,
        0,
        LONG_MAX,
        Group.ENCODINGS,
        "How many members a sorted set may have and stay compact.",
        alias="zset-max-ziplist-entries",
    ),
    memory(
        "zset-max-listpack-value",
        64,
        Group.ENCODINGS,
        "How long a member may be in a compact sorted set.",
        alias="zset-max-ziplist-value",
    ),
    memory(
        "hll-sparse-max-bytes",
        3000,
        Group.ENCODINGS,
        "How long a HyperLogLog may be in its sparse form.",
    ),
    memory(
        "stream-node-max-bytes",
        4096,
        Group.ENCODINGS,
        "How large a node of a stream may grow; 0 for no limit.",
    ),
    number(
        "stream-node-max-entries",
        100,
        0,
        LONG_MAX,
        Group.ENCODINGS,
        "How many entries a node of a stream may hold; 0 for no limit.",
    ),
)

SNAPSHOTS: Final = (
    Directive(
        "save",
        Kind.SAVE_POINTS,
        (SavePoint(3600, 1), SavePoint(300, 100), SavePoint(60, 10000)),
        Group.SNAPSHOTS,
        "When a snapshot is taken by itself: after so many seconds if there were so many changes."
        ' Several pairs may follow each other; `save ""` turns it off.',
        repeatable=True,
        forced=True,
        inert=NO_RDB,
    ),
    text(
        "dbfilename",
        "dump.rdb",
        Group.SNAPSHOTS,
        "Name of the snapshot's file in `dir`.",
        check=checks.file_name,
        protected=True,
        inert=NO_RDB,
    ),
    flag(
        "rdbcompression",
        True,
        Group.SNAPSHOTS,
        "Compress long strings in snapshots.",
        inert=NO_RDB,
    ),
    fixed_flag(
        "rdbchecksum",
        True,
        Group.SNAPSHOTS,
        "End snapshots with a checksum and verify it when loading.",
        inert=NO_RDB,
    ),
    flag(
        "rdb-save-incremental-fsync",
        True,
        Group.SNAPSHOTS,
        "Write a snapshot to disk bit by bit instead of all at its end.",
        inert=NO_RDB,
    ),
    flag(
        "rdb-del-sync-files",
        False,
        Group.SNAPSHOTS,
        "Delete snapshots that were only made for replication.",
        inert=NO_REPLICATION,
    ),
    flag(
        "stop-writes-on-bgsave-error",
        True,
        Group.SNAPSHOTS,
        "Refuse writes while the last snapshot has failed.",
        inert=NO_RDB,
    ),
)

APPEND_ONLY: Final = (
    flag(
        "appendonly",
        False,
        Group.APPEND_ONLY,
        "Write every change to the append-only file.",
        deny_loading=True,
        inert=NO_AOF,
    ),
    fixed_text(
        "appendfilename",
        "appendonly.aof",
        Group.APPEND_ONLY,
        "First part of the names of the append-only files.",
        check=checks.append_file_name,
        inert=NO_AOF,
    ),
    fixed_text(
        "appenddirname",
        "appendonlydir",
        Group.APPEND_ONLY,
        "Directory in `dir` for the append-only files.",
        check=checks.append_directory_name,
        inert=NO_AOF,
    ),
    choice(
        "appendfsync",
        "everysec",
        ("everysec", "always", "no"),
        Group.APPEND_ONLY,
        "When changes are forced to disk: every second, before each reply, or when the kernel likes.",
        inert=NO_AOF,
    ),
    *(
        flag(name, default, Group.APPEND_ONLY, about, inert=NO_AOF)
        for name, default, about in (
            ("no-appendfsync-on-rewrite", False, "Do not force to disk during a rewrite."),
            ("aof-load-truncated", True, "Load a file whose end is missing."),
            ("aof-use-rdb-preamble", True, "Let a rewritten file begin with a snapshot."),
            ("aof-timestamp-enabled", False, "Note the time of changes, to restore to one."),
            ("aof-rewrite-incremental-fsync", True, "Write a rewritten file bit by bit."),
        )
    ),
    flag(
        "aof-disable-auto-gc",
        False,
        Group.APPEND_ONLY,
        "Keep files that are no longer needed.",
        hidden=True,
        inert=NO_AOF,
    ),
    number(
        "auto-aof-rewrite-percentage",
        100,
        0,
        INT_MAX,
        Group.APPEND_ONLY,
        "By how many percent the file grows until it is rewritten; 0 for never.",
        inert=NO_AOF,
    ),
    memory(
        "auto-aof-rewrite-min-size",
        64 * _MIB,
        Group.APPEND_ONLY,
        "How small a file is never rewritten.",
        inert=NO_AOF,
    ),
)

DEFRAGMENTATION: Final = (
    flag(
        "activedefrag",
        False,
        Group.DEFRAGMENTATION,
        "Move values together while the server runs. Turning it on is refused.",
        check=checks.no_defragmentation,
        inert=OWN_ALLOCATOR,
    ),
    memory(
        "active-defrag-ignore-bytes",
        100 * _MIB,
        Group.DEFRAGMENTATION,
        "How much waste is left alone.",
        low=1,
        inert=OWN_ALLOCATOR,
    ),
    *(
        number(name, default, low, high, Group.DEFRAGMENTATION, about, inert=OWN_ALLOCATOR)
        for name, default, low, high, about in (
            ("active-defrag-threshold-lower", 10, 0, 1000, "Percentage of waste to start at."),
            ("active-defrag-threshold-upper", 100, 0, 1000, "Percentage that needs full effort."),
            ("active-defrag-cycle-min", 1, 1, 99, "Least effort, in percent of a processor."),
            ("active-defrag-cycle-max", 25, 1, 99, "Full effort, in percent of a processor."),
            (
                "active-defrag-max-scan-fields",
                1000,
                1,
                LONG_MAX,
                "How many elements of one value are looked at in one go.",
            ),
        )
    ),
)

ROWS: Final = (
    *MEMORY,
    *LAZY_FREEING,
    *ENCODINGS,
    *SNAPSHOTS,
    *APPEND_ONLY,
    *DEFRAGMENTATION,
)
