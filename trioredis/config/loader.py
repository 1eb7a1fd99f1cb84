"""Reading a configuration: a file, what it includes, standard input, the command line."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from trioredis.config.directives import LINE_DIRECTIVES, RETIRED, lookup, nearest
from trioredis.config.parser import STANDARD_INPUT, CommandLine, ConfigError, Line, parse_lines
from trioredis.config.store import Config
from trioredis.config.values import BadValueError
from trioredis.config.walls import wall_value

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Files within files. Precedent: nginx stops nothing, OpenSSH stops at 16.
INCLUDE_DEPTH_MAX: Final = 16
#: All files together; a configuration of this size is a mistake, such as a data file.
CONFIG_BYTES_MAX: Final = 64 * 1024 * 1024

_BAD_DIRECTIVE: Final = "Bad directive or wrong number of arguments"
_TOO_LARGE: Final = f"more than {CONFIG_BYTES_MAX} bytes of configuration"
_MAGIC: Final = "*?["


def load(command_line: CommandLine, *, standard_input: bytes = b"") -> Config:
    """Read everything the command line names, in Redis' order: file, standard input, options.

    Relative names of included files start at the current directory, or where a ``dir`` before
    them has moved to. The current directory of the process is not changed.

    Args:
        command_line: from :func:`trioredis.config.parser.parse_command_line`.
        standard_input: what was read from there, if it is to be read.

    Raises:
        ConfigError: with place, line and reason.
    """
    loader = _Loader()
    if command_line.file:
        loader.config.path = os.path.abspath(command_line.file)
        loader.read(command_line.file, None, depth=0)
    if command_line.standard_input:
        if len(standard_input) > CONFIG_BYTES_MAX:
            raise _error(_TOO_LARGE, None)
        loader.apply(parse_lines(standard_input, STANDARD_INPUT), depth=0)
    loader.apply(command_line.lines, depth=0)
    loader.finish()
    return loader.config


class _Loader:
    """Applies lines to a configuration, one after the other."""

    def __init__(self) -> None:
        self.config = Config()
        self._save_seen = False
        self._bytes_read = 0
        self._replicated_by: Line | None = None

    def read(self, path: str, included_by: Line | None, *, depth: int) -> None:
        """Apply a file, or all files that a pattern matches."""
        if depth > INCLUDE_DEPTH_MAX:
            raise _error(f"more than {INCLUDE_DEPTH_MAX} files within files", included_by)
        absolute = os.path.join(self.config.directory, path)
        if any(char in path for char in _MAGIC):
            import glob  # rarely needed

            paths = sorted(glob.glob(absolute))
        else:
            paths = [absolute]
        for one in paths:
            self.apply(parse_lines(self._read_bytes(one, included_by), one), depth=depth)

    def _read_bytes(self, path: str, included_by: Line | None) -> bytes:
        try:
            with open(path, "rb") as file:
                data = file.read(CONFIG_BYTES_MAX - self._bytes_read + 1)
        except (OSError, ValueError) as error:  # ValueError: a zero byte in the name
            why = error.strerror if isinstance(error, OSError) else str(error)
            raise _error(f"can't open config file '{path}': {why}", included_by) from error
        self._bytes_read += len(data)
        if self._bytes_read > CONFIG_BYTES_MAX:
            raise _error(_TOO_LARGE, included_by)
        return data

    def apply(self, lines: Iterable[Line], *, depth: int) -> None:
        """Apply lines in order; ``depth`` is 0 for those that stand in no included file."""
        for line in lines:
            self.config.given += 1
            directive = lookup(line.name)
            if directive is None:
                self._apply_other(line, depth)
                continue
            replace = line.name != "save" or not self._save_seen
            try:
                self.config.assign(line.name, *line.words[1:], replace=replace)
            except BadValueError as refused:
                raise _error(str(refused), line) from refused
            self._save_seen |= line.name == "save"
            if directive.name == "replicaof":
                self._replicated_by = line
            if depth:
                self.config.included.add(directive.name)

    def _apply_other(self, line: Line, depth: int) -> None:
        """Apply a line that is no directive with a value."""
        name, count = line.name, len(line.words)
        if name in RETIRED and count == 2:
            return
        if name == "include" and count == 2:
            self.read(line.words[1], line, depth=depth + 1)
        elif (name == "rename-command" and count == 3) or (name in ("loadmodule", "user") and count >= 2):
            self.config.lines[name].append(line)
        elif name == "module-sandbox-policy" and count >= 4:
            try:
                wall_value(line.words[2], line.words[3:])
            except BadValueError as refused:
                raise _error(str(refused), line) from refused
            self.config.lines[name].append(line)
        elif "." in name:
            if count != 2:
                raise _error("Module config specified without value", line)
            self.config.module_settings[name] = line.words[1]
        elif name == "sentinel":
            raise _error("sentinel directive while not in sentinel mode", line)
        else:
            raise _error(_BAD_DIRECTIVE, line)

    def finish(self) -> None:
        """Check what can only be checked when everything has been read."""
        if self.config.flag("cluster-enabled") and self.config["replicaof"] is not None:
            reason = "replicaof directive not allowed in cluster mode"
            raise _error(reason, self._replicated_by)


def _error(reason: str, line: Line | None) -> ConfigError:
    """Return the error for a line: with a suggestion, and without the value of a secret."""
    if line is None:
        return ConfigError(reason)
    directive = lookup(line.name)
    secret = directive is not None and directive.sensitive
    unknown = reason == _BAD_DIRECTIVE and line.name not in LINE_DIRECTIVES and line.name not in RETIRED
    return ConfigError(
        reason,
        source=line.source,
        number=line.number,
        raw=line.raw,
        shown=f"{line.name} (value not shown)" if secret else None,
        suggestion=nearest(line.name) if unknown else "",
    )
