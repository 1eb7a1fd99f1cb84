"""The configuration: directives, redis.conf, CONFIG GET, CONFIG SET and CONFIG REWRITE.

The server gets a :class:`Config` from :func:`load`, reads values by ``config["maxmemory"]``,
``config.integer("hz")`` or attributes such as ``config.port``, and listens to CONFIG SET with
:meth:`Config.on_change`. Texts hold undecodable bytes as lone surrogates: :func:`to_text` and
:func:`to_bytes` convert from and to what clients send.
"""

from __future__ import annotations

from trioredis.config.directive import (
    Directive,
    Kind,
    OutputLimit,
    OutputLimits,
    SavePoint,
    Upstream,
    Value,
)
from trioredis.config.directives import DIRECTIVES, lookup
from trioredis.config.loader import load
from trioredis.config.parser import CommandLine, ConfigError, Line, parse_command_line
from trioredis.config.store import Config, ConfigApplyError, ConfigRewriteError, ConfigSetError
from trioredis.config.values import BadValueError, to_bytes, to_text
from trioredis.config.walls import WALL_PREFIX, WALLS, split_paths, wall_value

__all__ = [
    "DIRECTIVES",
    "WALLS",
    "WALL_PREFIX",
    "BadValueError",
    "CommandLine",
    "Config",
    "ConfigApplyError",
    "ConfigError",
    "ConfigRewriteError",
    "ConfigSetError",
    "Directive",
    "Kind",
    "Line",
    "OutputLimit",
    "OutputLimits",
    "SavePoint",
    "Upstream",
    "Value",
    "load",
    "lookup",
    "parse_command_line",
    "split_paths",
    "to_bytes",
    "to_text",
    "wall_value",
]
