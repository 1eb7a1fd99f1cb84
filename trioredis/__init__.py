"""trioredis: a Redis-compatible server on Trio and C.

    async with trioredis.open_server(port=0) as server:
        ...                                     # server.address

Names are imported when they are first used, so that ``trioredis-server --version`` stays instant.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trioredis.version import VERSION as __version__

if TYPE_CHECKING:
    from trioredis.config import Config
    from trioredis.server import Server, open_server, serve
    from trioredis.subscription import Message, SlowReaderError, Subscription, WhenFull

__all__ = [
    "Config",
    "Message",
    "Server",
    "SlowReaderError",
    "Subscription",
    "WhenFull",
    "__version__",
    "open_server",
    "serve",
]

_HOMES = {
    "Config": "trioredis.config",
    "Message": "trioredis.subscription",
    "Server": "trioredis.server",
    "SlowReaderError": "trioredis.subscription",
    "Subscription": "trioredis.subscription",
    "WhenFull": "trioredis.subscription",
    "open_server": "trioredis.server",
    "serve": "trioredis.server",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
