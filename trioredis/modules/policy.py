"""What a module may do: the walls of its process, from the configuration to the host program's arguments."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self, cast, final

from trioredis.config import WALL_PREFIX, WALLS, BadValueError, split_paths, wall_value

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from trioredis.config import Config, Value

OVERRIDE_PREFIX: Final = "sandbox."
"""What entries of MODULE LOADEX begin with that are for the sandbox and not for the module."""


@final
@dataclass(frozen=True, slots=True)
class Policy:
    """The settings of ``module-sandbox-...`` for one module; names as in the directives. 0: no limit."""

    memory: int
    """Address space, bytes."""
    file_size: int
    """Largest file that may be written, bytes."""
    files: int
    threads: int
    processes: int
    cpu: int
    """Seconds."""
    network: str
    fork: bool
    exec: bool
    code: bool
    read_paths: str
    write_paths: str
    env: str
    require: str

    @classmethod
    def of(cls, config: Config, path: str, overrides: Iterable[tuple[str, str]] = ()) -> Self:
        """Return the policy for a module's file.

        The directives hold for all modules, lines ``module-sandbox-policy`` for those that they name, by the file's
        name without folder and ending or by its whole path; ``overrides``, pairs of setting and value, come last.

        Raises:
            BadValueError: an override names no setting, or has a bad value.
        """
        names = {path, Path(path).stem}
        values: dict[str, Value] = {one: config[WALL_PREFIX + one] for one in settings()}
        for line in config.lines["module-sandbox-policy"]:
            _, name, setting, *words = line.words
            if name in names:
                values[setting.lower()] = wall_value(setting, words)
        for setting, value in overrides:
            try:
                values[setting.lower()] = wall_value(setting, [value])
            except BadValueError as refused:
                raise BadValueError(f"CONFIG {OVERRIDE_PREFIX}{setting} {value}: {refused}") from refused
        return cls(**cast("Mapping[str, Any]", {name.replace("-", "_"): value for name, value in values.items()}))

    def arguments(self) -> list[str]:
        """Return the options of the host program."""
        found = [
            *("--memory", str(self.memory)),
            *("--file-size", str(self.file_size)),
            *("--files", str(self.files)),
            *("--threads", str(self.threads)),
            *("--processes", str(self.processes)),
            *("--cpu", str(self.cpu)),
            *("--network", self.network),
        ]
        found += [option for option, on in (("--fork", self.fork), ("--exec", self.exec), ("--code", self.code)) if on]
        lists = (
            ("--read", split_paths(self.read_paths)),
            ("--write", split_paths(self.write_paths)),
            ("--env", shlex.split(self.env)),
            ("--require", [str(WALLS.index(one)) for one in self.require.split()]),
        )
        return found + [word for option, values in lists for value in values for word in (option, value)]

    def lines(self) -> tuple[str, ...]:
        """Return the settings for people, a line each; of the environment the names only."""
        shown = {one.name.replace("_", "-"): getattr(self, one.name) for one in fields(self)}
        shown["env"] = " ".join(one.partition("=")[0] for one in shlex.split(self.env))
        words = {True: "yes", False: "no"}
        return tuple(
            f"{name} {words[value] if isinstance(value, bool) else value}"
            for name, value in shown.items()
            if value != ""
        )


def settings() -> tuple[str, ...]:
    """Return the names of all settings, as directives have them after their prefix."""
    return tuple(one.name.replace("_", "-") for one in fields(Policy))
