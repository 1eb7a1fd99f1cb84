"""The walls around modules: their names, and one module's own value of a setting."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Final, cast

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trioredis.config.directive import Value

WALL_PREFIX: Final = "module-sandbox-"
"""What the directives for the walls begin with."""

WALLS: Final = (
    "parent-death",
    "environment",
    "descriptors",
    "user-namespace",
    "memory",
    "open-files",
    "tasks",
    "cpu",
    "file-size",
    "core",
    "no-new-privs",
    "capabilities",
    "files",
    "tcp",
    "scope",
    "dumpable",
    "filter-loading",
    "filter-serving",
)
"""The walls, in the order of sandbox/jail.h, whose numbers the host program takes."""

PATHS_MAX: Final = 24
VARIABLES_MAX: Final = 64


def split_paths(text: str) -> tuple[str, ...]:
    """Return the paths of a list with colons."""
    return tuple(one for one in text.split(":") if one)


def absolute_paths(value: Value) -> str | None:
    """Refuse a list of paths with a relative one, or with too many."""
    paths = split_paths(cast("str", value))
    if len(paths) > PATHS_MAX:
        return f"at most {PATHS_MAX} paths"
    return next((f"not an absolute path: {one}" for one in paths if not one.startswith("/")), None)


def shell_words(value: Value) -> str | None:
    """Refuse words with a quote that is not closed."""
    try:
        shlex.split(cast("str", value))
    except ValueError as error:
        return str(error)
    return None


def environment(value: Value) -> str | None:
    """Refuse what are no words NAME=VALUE."""
    try:
        words = shlex.split(cast("str", value))
    except ValueError as error:
        return str(error)
    if len(words) > VARIABLES_MAX:
        return f"at most {VARIABLES_MAX} variables"
    return next((f"not NAME=VALUE: {one}" for one in words if one.find("=") < 1), None)


def wall_names(value: Value) -> str | None:
    """Refuse names of walls that do not exist."""
    return next((f"no such wall: {one}" for one in cast("str", value).split() if one not in WALLS), None)


def wall_value(setting: str, words: Sequence[str]) -> Value:
    """Read one module's own value of a ``module-sandbox-`` directive; ``setting`` is the rest of its name.

    Raises:
        BadValueError: there is no such setting, or it can't have this value.
    """
    from trioredis.config.directives import NAMES  # which needs the checks of this file
    from trioredis.config.values import BadValueError, parse

    directive = NAMES.get(WALL_PREFIX + setting.lower())
    if directive is None or directive.immutable:
        raise BadValueError(f"no such setting of the sandbox: {setting}")
    return parse(directive, words, directive.default)
