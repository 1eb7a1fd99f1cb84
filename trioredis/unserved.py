"""Lines of redis.conf that must not be passed over in silence: users, modules, other names of commands."""

from __future__ import annotations

from trioredis.commands.schema import Schema, load
from trioredis.config import Config, Line, to_bytes
from trioredis.engine import Engine, rename_command


class UnservableError(Exception):
    """The configuration asks for what this version can't do and must not leave out; the text is one clear line."""


def refuse_unserved(config: Config) -> None:
    """Refuse users and modules: who relies on them must not get an open or a smaller server.

    Raises:
        UnservableError: with the place.
    """
    for line in config.lines["user"]:
        raise UnservableError(f"{_place(line)}: ACL users are not there yet, the line 'user' can't be followed")
    if config.text("aclfile"):
        raise UnservableError("aclfile: ACL users are not there yet, the file can't be followed")
    for line in config.lines["loadmodule"]:
        raise UnservableError(f"{_place(line)}: modules are not there yet, the line 'loadmodule' can't be followed")


def rename_commands(engine: Engine, config: Config) -> Schema:
    """Give commands the names that ``rename-command`` lines say, one after the other; return all commands by name.

    Raises:
        UnservableError: there is no such command, or the name is taken.
        EngineError: no memory, or too many lines.
    """
    for line in config.lines["rename-command"]:
        old, new = (to_bytes(word) for word in line.words[1:])
        try:
            rename_command(engine, old, new)
        except KeyError:
            raise UnservableError(f"{_place(line)}: No such command in rename-command: {line.words[1]}") from None
        except ValueError:
            raise UnservableError(f"{_place(line)}: Target command name already exists: {line.words[2]}") from None
    return load().renamed((line.words[1], line.words[2]) for line in config.lines["rename-command"])


def _place(line: Line) -> str:
    return f"{line.source}:{line.number}"
