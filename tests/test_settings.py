"""Aim: directives become the engine's settings. Method: values whose meaning is not their number."""

from __future__ import annotations

import pytest

from trioredis.config import Config
from trioredis.settings import CLIENT_MEMORY_MIN, client_memory_max


@pytest.mark.parametrize(
    ("clients", "maxmemory", "limit"),
    [
        ("0", "1gb", 0),
        ("1gb", "0", 1 << 30),
        ("1", "0", CLIENT_MEMORY_MIN),
        ("5%", "1000mb", 50 << 20),
        ("100%", "1gb", 1 << 30),
        ("1%", "1mb", CLIENT_MEMORY_MIN),
        ("5%", "0", 0),
    ],
)
def test_memory_of_all_clients(clients: str, maxmemory: str, limit: int) -> None:
    config = Config()
    config.assign("maxmemory-clients", clients)
    config.assign("maxmemory", maxmemory)
    assert client_memory_max(config) == limit
