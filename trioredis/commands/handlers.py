"""Importing this module fills the registry: a line for each module with Python handlers."""

from __future__ import annotations

from trioredis.commands import command, help

__all__ = ["command", "help"]
