"""Why a connection ended, as a log line: limits that it broke, what it sent wrong, what it waited too long for.

Connections of browsers are not among them: they cost an attacker nothing, so :mod:`trioredis.watch` sums them up.
"""

from __future__ import annotations

from trioredis.engine import CloseReason, Obituary
from trioredis.observability import EVENTS, Log

US_PER_S = 1_000_000
EVICTION = "maxmemory-clients"


def log_obituary(log: Log, reason: CloseReason, last: Obituary) -> None:
    """Log why; ``log`` is bound to the client's number and address."""
    match reason:
        case CloseReason.OUTPUT_LIMIT:
            log.emit(
                EVENTS.CLIENT_OUTPUT_LIMIT,
                client_class=last.client_class,
                pending_bytes=last.pending_bytes,
                limit_bytes=last.limit_bytes,
                soft=last.soft,
            )
        case CloseReason.QUERY_LIMIT:
            log.emit(EVENTS.CLIENT_QUERY_LIMIT, pending_bytes=last.pending_bytes, limit_bytes=last.limit_bytes)
        case CloseReason.IDLE:
            log.emit(EVENTS.CLIENT_TIMEOUT, idle_s=last.idle_us // US_PER_S)
        case CloseReason.PROTOCOL:
            log.emit(EVENTS.CLIENT_PROTOCOL_ERROR, error=last.detail)
        case CloseReason.EVICTED:
            log.emit(EVENTS.CLIENT_KILLED, by=EVICTION)
        case _:
            pass
