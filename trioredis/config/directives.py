"""The table of all directives: those of Redis 7.4 under their own names, and trioredis' own."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from trioredis.config import _table_data, _table_modules, _table_peers, _table_server
from trioredis.config._pending import PENDING
from trioredis.config.rows import NOT_CONNECTED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trioredis.config.directive import Directive


def _marked(row: Directive) -> Directive:
    """Say of a row that the server does not look at it, if that is so."""
    return replace(row, inert=NOT_CONNECTED) if row.name in PENDING else row


#: Every directive with a value, by its own name.
DIRECTIVES: Final[Mapping[str, Directive]] = MappingProxyType(
    {
        row.name: _marked(row)
        for row in (*_table_server.ROWS, *_table_data.ROWS, *_table_peers.ROWS, *_table_modules.ROWS)
    }
)

#: The same, by name and by alias; each name is in lower case.
NAMES: Final[Mapping[str, Directive]] = MappingProxyType(
    {name: row for row in DIRECTIVES.values() for name in row.names}
)

#: Directives that have no value to show: they add something to the server, once per line.
LINE_DIRECTIVES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "include": "Read another file here; a pattern may match any number of files.",
        "loadmodule": "Load a module, with arguments.",
        "module-sandbox-policy": "Another value of a `module-sandbox-` directive for one module: name, rest of the"
        " directive's name, value.",
        "rename-command": 'Give a command another name, or none: `""`.',
        "user": "Define a user and its rights, unless `aclfile` does.",
    }
)

#: Names that old files contain and that mean nothing any more; one value is skipped.
RETIRED: Final = frozenset({"list-max-ziplist-entries", "list-max-ziplist-value", "lua-replicate-commands"})

_NEAREST_CUTOFF: Final = 0.6


def lookup(name: str) -> Directive | None:
    """Find a directive by its name or alias, in any case."""
    return NAMES.get(name.lower())


def nearest(name: str) -> str:
    """Return the known name most like ``name``; empty when none is like it."""
    import difflib  # only needed after a mistake, and slow to import

    known = [*NAMES, *LINE_DIRECTIVES]
    close = difflib.get_close_matches(name.lower(), known, n=1, cutoff=_NEAREST_CUTOFF)
    return close[0] if close else ""
