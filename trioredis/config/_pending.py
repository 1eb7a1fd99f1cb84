"""Directives that the server does not look at yet, though nothing stands in the way.

Whoever connects one takes its name out here and runs tools/gen_config_docs.py.
"""

from __future__ import annotations

from typing import Final

PENDING: Final = frozenset(
    {
        "loadmodule",
        "rename-command",
        "user",
        "acl-pubsub-default",
        "aclfile",
        "acllog-max-len",
        "active-expire-effort",
        "bind-source-addr",
        "busy-reply-threshold",
        "crash-log-enabled",
        "daemonize",
        "dir",
        "disable-thp",
        "dynamic-hz",
        "hash-max-listpack-entries",
        "hash-max-listpack-value",
        "hide-user-data-from-log",
        "hll-sparse-max-bytes",
        "latency-monitor-threshold",
        "list-max-listpack-size",
        "locale-collate",
        "max-new-connections-per-cycle",
        "maxmemory-clients",
        "maxmemory-eviction-tenacity",
        "notify-keyspace-events",
        "oom-score-adj",
        "oom-score-adj-values",
        "pidfile",
        "proc-title-template",
        "server-cpulist",
        "set-max-intset-entries",
        "set-max-listpack-entries",
        "set-max-listpack-value",
        "set-proc-title",
        "shutdown-on-sigint",
        "shutdown-on-sigterm",
        "slowlog-log-slower-than",
        "slowlog-max-len",
        "socket-mark-id",
        "stream-node-max-bytes",
        "stream-node-max-entries",
        "supervised",
        "tracking-table-max-keys",
        "zset-max-listpack-entries",
        "zset-max-listpack-value",
    }
)
