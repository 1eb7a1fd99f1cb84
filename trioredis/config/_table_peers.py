"""Rows of the table: replication, cluster, scripts and modules, monitoring."""

from __future__ import annotations

from typing import Final

from trioredis.config import checks
from trioredis.config.directive import (
    INT_MAX,
    LONG_MAX,
    ULONG_MAX,
    Directive,
    Group,
    Kind,
)
from trioredis.config.rows import (
    NO_CLUSTER,
    NO_REPLICATION,
    choice,
    fixed_flag,
    fixed_text,
    flag,
    memory,
    number,
    text,
)
from trioredis.config.values import PORT_MAX

_SECOND: Final = 1000

REPLICATION: Final = (
    Directive(
        "replicaof",
        Kind.UPSTREAM,
        None,
        Group.REPLICATION,
        "Host and port of the server to replicate; `no one` for none.",
        alias="slaveof",
        immutable=True,
        inert=NO_REPLICATION,
    ),
    text(
        "masterauth",
        "",
        Group.REPLICATION,
        "Password that the master asks for.",
        sensitive=True,
        inert=NO_REPLICATION,
    ),
    text(
        "masteruser",
        "",
        Group.REPLICATION,
        "User to log in as at the master.",
        sensitive=True,
        inert=NO_REPLICATION,
    ),
    *(
        flag(name, default, Group.REPLICATION, about, alias=alias, inert=NO_REPLICATION)
        for name, alias, default, about in (
            (
                "replica-serve-stale-data",
                "slave-serve-stale-data",
                True,
                "Answer from old data while the master cannot be reached.",
            ),
            ("replica-read-only", "slave-read-only", True, "Refuse writes on a replica."),
            (
                "replica-ignore-maxmemory",
                "slave-ignore-maxmemory",
                True,
                "Leave eviction on a replica to its master.",
            ),
            (
                "replica-ignore-disk-write-errors",
                "",
                False,
                "Let a replica go on when it cannot write to disk.",
            ),
            ("replica-announced", "", True, "Show this replica to Sentinels."),
            ("repl-diskless-sync", "", True, "Send a snapshot without writing it to disk."),
            (
                "repl-disable-tcp-nodelay",
                "",
                False,
                "Send to replicas in fewer, larger packets, later.",
            ),
        )
    ),
    *(
        number(name, default, low, high, Group.REPLICATION, about, alias=alias, inert=inert)
        for name, alias, default, low, high, about, inert in (
            (
                "replica-priority",
                "slave-priority",
                100,
                0,
                INT_MAX,
                "Which replica a Sentinel promotes first: the lowest number; 0 for never.",
                NO_REPLICATION,
            ),
            (
                "replica-announce-port",
                "slave-announce-port",
                0,
                0,
                PORT_MAX,
                "Port that the master shows for this replica; 0 for the real one.",
                NO_REPLICATION,
            ),
            (
                "min-replicas-to-write",
                "min-slaves-to-write",
                0,
                0,
                INT_MAX,
                "How many replicas must be well for writes to be accepted.",
                NO_REPLICATION,
            ),
            (
                "min-replicas-max-lag",
                "min-slaves-max-lag",
                10,
                0,
                INT_MAX,
                "Seconds of silence after which a replica does not count as well.",
                NO_REPLICATION,
            ),
            (
                "repl-ping-replica-period",
                "repl-ping-slave-period",
                10,
                1,
                INT_MAX,
                "Seconds between two pings to the replicas.",
                NO_REPLICATION,
            ),
            (
                "repl-timeout",
                "",
                60,
                1,
                INT_MAX,
                "Seconds of silence after which a link is given up.",
                NO_REPLICATION,
            ),
            (
                "repl-diskless-sync-delay",
                "",
                5,
                0,
                INT_MAX,
                "Seconds to wait for more replicas before a snapshot is sent.",
                NO_REPLICATION,
            ),
            (
                "repl-diskless-sync-max-replicas",
                "",
                0,
                0,
                INT_MAX,
                "How many waiting replicas end that wait; 0 for none.",
                NO_REPLICATION,
            ),
            (
                "repl-backlog-ttl",
                "",
                3600,
                0,
                LONG_MAX,
                "Seconds without replicas after which the backlog is dropped; 0 for never.",
                NO_REPLICATION,
            ),
        )
    ),
    text(
        "replica-announce-ip",
        "",
        Group.REPLICATION,
        "Address that the master shows for this replica.",
        alias="slave-announce-ip",
        inert=NO_REPLICATION,
    ),
    choice(
        "repl-diskless-load",
        "disabled",
        ("disabled", "on-empty-db", "swapdb"),
        Group.REPLICATION,
        "Whether a replica loads a snapshot straight from the link: never, into an empty server,"
        " or beside the old data.",
        deny_loading=True,
        inert=NO_REPLICATION,
    ),
    memory(
        "repl-backlog-size",
        1024 * 1024,
        Group.REPLICATION,
        "How much of the stream of changes is kept for replicas that come back. Less than 16kb is moved up to that.",
        low=1,
        clamp=(16 * 1024, LONG_MAX),
        inert=NO_REPLICATION,
    ),
    choice(
        "propagation-error-behavior",
        "ignore",
        ("ignore", "panic", "panic-on-replicas"),
        Group.REPLICATION,
        "What happens when a command from the master fails.",
        inert=NO_REPLICATION,
    ),
)

CLUSTER: Final = (
    fixed_flag("cluster-enabled", False, Group.CLUSTER, "Be a cluster node.", inert=NO_CLUSTER),
    fixed_text(
        "cluster-config-file",
        "nodes.conf",
        Group.CLUSTER,
        "File in which the node keeps what it knows of the cluster.",
        inert=NO_CLUSTER,
    ),
    number(
        "cluster-port",
        0,
        0,
        PORT_MAX,
        Group.CLUSTER,
        "Port of the cluster bus; 0 for the ordinary port plus 10000.",
        immutable=True,
        inert=NO_CLUSTER,
    ),
    *(
        text(name, "", Group.CLUSTER, about, check=check, since_7_0=since, inert=NO_CLUSTER)
        for name, check, since, about in (
            ("cluster-announce-ip", None, True, "Address shown to other nodes."),
            ("cluster-announce-hostname", checks.hostname, True, "Host name shown to clients."),
            ("cluster-announce-human-nodename", checks.node_name, False, "Name for the log."),
        )
    ),
    *(
        number(name, 0, 0, PORT_MAX, Group.CLUSTER, about, inert=NO_CLUSTER)
        for name, about in (
            ("cluster-announce-port", "Port shown to others; 0 for the real one."),
            ("cluster-announce-tls-port", "TLS port shown to others; 0 for the real one."),
            ("cluster-announce-bus-port", "Bus port shown to others; 0 for the real one."),
        )
    ),
    choice(
        "cluster-preferred-endpoint-type",
        "ip",
        ("ip", "hostname", "unknown-endpoint"),
        Group.CLUSTER,
        "How nodes are named to clients.",
        inert=NO_CLUSTER,
    ),
    number(
        "cluster-node-timeout",
        15 * _SECOND,
        0,
        LONG_MAX,
        Group.CLUSTER,
        "Milliseconds of silence after which a node counts as failing.",
        inert=NO_CLUSTER,
    ),
    number(
        "cluster-replica-validity-factor",
        10,
        0,
        INT_MAX,
        Group.CLUSTER,
        "How old, in node timeouts, the data of a replica may be that takes over; 0 for any age.",
        alias="cluster-slave-validity-factor",
        inert=NO_CLUSTER,
    ),
    number(
        "cluster-migration-barrier",
        1,
        0,
        INT_MAX,
        Group.CLUSTER,
        "How many replicas a master keeps when one moves to a master without any.",
        inert=NO_CLUSTER,
    ),
    *(
        flag(name, default, Group.CLUSTER, about, alias=alias, inert=NO_CLUSTER)
        for name, alias, default, about in (
            (
                "cluster-replica-no-failover",
                "cluster-slave-no-failover",
                False,
                "Never take over from the master by itself.",
            ),
            ("cluster-allow-replica-migration", "", True, "Let replicas change their master."),
            (
                "cluster-require-full-coverage",
                "",
                True,
                "Stop serving when some slots have no node.",
            ),
            ("cluster-allow-reads-when-down", "", False, "Serve reads even so."),
            ("cluster-allow-pubsubshard-when-down", "", True, "Serve sharded channels even so."),
        )
    ),
    memory(
        "cluster-link-sendbuf-limit",
        0,
        Group.CLUSTER,
        "How much may wait on a link of the bus until it is cut; 0 for no limit.",
        high=ULONG_MAX,
        inert=NO_CLUSTER,
    ),
)

SCRIPTS: Final = (
    number(
        "busy-reply-threshold",
        5 * _SECOND,
        0,
        LONG_MAX,
        Group.SCRIPTS,
        "Milliseconds after which others are told that a command still runs, and the log that it did; 0 for never.",
        alias="lua-time-limit",
    ),
)

MONITORING: Final = (
    number(
        "slowlog-log-slower-than",
        10_000,
        -1,
        LONG_MAX,
        Group.MONITORING,
        "Microseconds from which a command enters the slow log; 0 for every one, -1 for none.",
    ),
    number(
        "slowlog-max-len",
        128,
        0,
        LONG_MAX,
        Group.MONITORING,
        "How many entries the slow log keeps.",
    ),
    number(
        "latency-monitor-threshold",
        0,
        0,
        LONG_MAX,
        Group.MONITORING,
        "Milliseconds from which a delay is recorded for LATENCY; 0 for never.",
    ),
    flag(
        "latency-tracking",
        True,
        Group.MONITORING,
        "Keep a histogram of run times for each command.",
    ),
    Directive(
        "latency-tracking-info-percentiles",
        Kind.PERCENTILES,
        (50.0, 99.0, 99.9),
        Group.MONITORING,
        "Which percentiles of those histograms INFO shows.",
    ),
    Directive(
        "notify-keyspace-events",
        Kind.EVENTS,
        "",
        Group.MONITORING,
        "Which changes of keys are published. `K` and `E` choose the channels, by key and by"
        " event; then `g` generic, `$` strings, `l` lists, `s` sets, `h` hashes, `z` sorted sets,"
        " `t` streams, `d` modules, `x` expiry, `e` eviction, `A` all of these; `n` new keys,"
        " `m` missing ones.",
    ),
)

ROWS: Final = (*REPLICATION, *CLUSTER, *SCRIPTS, *MONITORING)
