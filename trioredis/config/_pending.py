"""Directives that the server does not look at yet, though nothing stands in the way.

Whoever connects one takes its name out here and runs tools/gen_config_docs.py.
"""

from __future__ import annotations

from typing import Final

PENDING: Final = frozenset(
    {
        "acl-pubsub-default",
        "acllog-max-len",
        "active-expire-effort",
        "dynamic-hz",
        "hash-max-listpack-entries",
        "hash-max-listpack-value",
        "hll-sparse-max-bytes",
        "list-max-listpack-size",
        "locale-collate",
        "max-new-connections-per-cycle",
        "maxmemory-eviction-tenacity",
        "set-max-intset-entries",
        "set-max-listpack-entries",
        "set-max-listpack-value",
        "socket-mark-id",
        "stream-node-max-bytes",
        "stream-node-max-entries",
        "tracking-table-max-keys",
        "zset-max-listpack-entries",
        "zset-max-listpack-value",
    }
)
