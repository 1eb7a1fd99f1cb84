"""Checks that a value of the right kind must still pass; each returns why it fails, or None."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, cast

if TYPE_CHECKING:
    from trioredis.config.directive import Value

#: Precedent: a DNS name has at most 255 bytes.
HOSTNAME_BYTES_MAX: Final = 255

_HOSTNAME: Final = re.compile(r"[A-Za-z0-9.-]*")
_NOT_IN_NODE_NAME: Final = frozenset("!#$%&()*+:;<>?@[]^{|}~")
_TITLE_VARIABLES: Final = frozenset(
    {"title", "listen-addr", "server-mode", "port", "tls-port", "unixsocket", "config-file"}
)
_TITLE: Final = re.compile(r"(?:[^{]|\{\{|\{(?P<name>[^}]*)\})*")
_TITLE_VARIABLE: Final = re.compile(r"\{\{|\{([^}]*)\}")


def file_name(value: Value) -> str | None:
    """``dbfilename``: a name, no path; it may be empty."""
    if "/" in cast("str", value):
        return "dbfilename can't be a path, just a filename"
    return None


def append_file_name(value: Value) -> str | None:
    """``appendfilename``: a name, no path, not empty."""
    name = cast("str", value)
    if not name:
        return "appendfilename can't be empty"
    if "/" in name:
        return "appendfilename can't be a path, just a filename"
    return None


def append_directory_name(value: Value) -> str | None:
    """``appenddirname``: a name, no path, not empty."""
    name = cast("str", value)
    if not name:
        return "appenddirname can't be empty"
    if "/" in name:
        return "appenddirname can't be a path, just a dirname"
    return None


def hostname(value: Value) -> str | None:
    """``cluster-announce-hostname``: letters, digits, hyphens and dots."""
    name = cast("str", value)
    if len(name) > HOSTNAME_BYTES_MAX:
        return f"Hostnames must be less than {HOSTNAME_BYTES_MAX + 1} characters"
    if not _HOSTNAME.fullmatch(name):
        return "Hostnames may only contain alphanumeric characters, hyphens or dots"
    return None


def node_name(value: Value) -> str | None:
    """``cluster-announce-human-nodename``: no character that the nodes file gives a meaning."""
    if not _NOT_IN_NODE_NAME.isdisjoint(cast("str", value)):
        return "Announced human node name contained invalid character"
    return None


def title_template(value: Value) -> str | None:
    """``proc-title-template``: known variables in braces, and something to show."""
    template = cast("str", value)
    variables = [name for name in _TITLE_VARIABLE.findall(template) if name]
    well_formed = template and _TITLE.fullmatch(template) and "{}" not in template
    if not well_formed or not _TITLE_VARIABLES.issuperset(variables):
        return "template format is invalid or contains unknown variables"
    return None


def no_defragmentation(value: Value) -> str | None:
    """``activedefrag``: the allocator is libc's, which cannot move what it has handed out."""
    if value:
        return (
            "Active defragmentation cannot be enabled: it requires a Redis server compiled with"
            " a modified Jemalloc like the one shipped by default with the Redis source"
            " distribution"
        )
    return None


def shutdown_words(value: Value) -> str | None:
    """``shutdown-on-sigint`` and ``shutdown-on-sigterm``: not both of save and nosave."""
    if {"save", "nosave"} <= set(cast("tuple[str, ...]", value)):
        return "shutdown options SAVE and NOSAVE can't be used simultaneously"
    return None
