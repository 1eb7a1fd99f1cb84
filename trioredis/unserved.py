"""Lines of redis.conf that must not be passed over in silence: users, other names of commands."""

from __future__ import annotations

from trioredis.commands.schema import Schema, load
from trioredis.config import Config, Line, to_bytes
from trioredis.engine import Engine, rename_command


class UnservableError(Exception):
    """The configuration asks for what this version can't do and must not leave out; the text is one clear line."""


def refuse_unserved(config: Config) -> None:
    """Refuse users, because who relies on them must not get an open server, and bad names.

    Raises:
        UnservableError: with the place.
    """
    for line in config.lines["user"]:
        raise UnservableError(f"{_place(line)}: ACL users are not there yet, the line 'user' can't be followed")
    if config.text("aclfile"):
        raise UnservableError("aclfile: ACL users are not there yet, the file can't be followed")
    renamed_schema(config)


def renamed_schema(config: Config) -> Schema:
    """Return the commands by the names that ``rename-command`` lines give them, one after the other.

    Raises:
        UnservableError: there is no such command, or the name is taken.
    """
    schema = load()
    for line in config.lines["rename-command"]:
        old, new = line.words[1:]
        try:
            schema = schema.renamed(old, new)
        except KeyError:
            raise UnservableError(f"{_place(line)}: No such command in rename-command: {old}") from None
        except ValueError:
            raise UnservableError(f"{_place(line)}: Target command name already exists: {new}") from None
    return schema


def rename_commands(engine: Engine, config: Config) -> None:
    """Have the engine know commands by the names that ``rename-command`` lines give them.

    Raises:
        EngineError: no memory, or too many lines.
    """
    for line in config.lines["rename-command"]:
        old, new = (to_bytes(word) for word in line.words[1:])
        rename_command(engine, old, new)


def _place(line: Line) -> str:
    return f"{line.source}:{line.number}"
