"""Importing this module fills the registry: a line for each module with Python handlers."""

from __future__ import annotations

from trioredis.commands import (
    client_kill,
    client_list,
    client_state,
    command,
    config,
    help,
    info,
    latency,
    lolwut,
    memory,
    module,
    shutdown,
)

__all__ = [
    "client_kill",
    "client_list",
    "client_state",
    "command",
    "config",
    "help",
    "info",
    "latency",
    "lolwut",
    "memory",
    "module",
    "shutdown",
]
