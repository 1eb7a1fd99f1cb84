"""Which version this is, and which Redis it stands in for. Light: nothing else is imported."""

from __future__ import annotations

import platform
import struct
import sys
import zlib
from typing import Final

VERSION: Final = "0.1.0"
#: The Redis whose behaviour clients get, and whose version they are told.
REDIS_VERSION: Final = "7.4.0"
#: The same for modules: ``major << 16 | minor << 8 | patch``.
API_VERSION: Final = 7 << 16 | 4 << 8
GIT_SHA1: Final = "00000000"
GIT_DIRTY: Final = 0
ALLOCATOR: Final = "libc"
POINTER_BITS: Final = struct.calcsize("P") * 8


def build_id() -> str:
    """Return 16 hex digits that differ between versions, Pythons and kinds of machine."""
    first = f"{VERSION} {REDIS_VERSION}".encode()
    second = f"{sys.version} {platform.machine()} {sys.platform}".encode()
    return f"{zlib.crc32(first):08x}{zlib.crc32(second):08x}"


def version_line() -> str:
    """Return what ``trioredis-server --version`` prints: a line in the form of redis-server's."""
    return (
        f"Redis server v={REDIS_VERSION} sha={GIT_SHA1}:{GIT_DIRTY} malloc={ALLOCATOR}"
        f" bits={POINTER_BITS} build={build_id()} trioredis={VERSION}"
    )
