"""The description of every command: a typed, read-only view of ``commands.json``.

``load()`` reads the file once; everything it returns is immutable and lives as long as the process.
The same file makes the C table (``tools/gen_commands.py``), so names, arities and flags can't
differ between the two.
"""

from __future__ import annotations

import functools
import importlib.resources
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import Any, Final, final

KEY_FLAGS: Final = (
    "RO", "RW", "OW", "RM", "access", "update", "insert", "delete", "not_key", "incomplete",
    "variable_flags",
)  # fmt: skip
"""Names of the ``TR_KEY_...`` bits of csrc/exec/command.h, lowest bit first."""


class HandlerKind(Enum):
    """Who answers a command."""

    CONTAINER = "container"
    C = "c"
    PYTHON_SYNC = "sync"
    PYTHON_ASYNC = "async"


@final
@dataclass(frozen=True, slots=True)
class SearchStep:
    """Half of a key spec: its kind (``index``, ``range``, ...) and the numbers and words that go
    with it.
    """

    kind: str
    fields: Mapping[str, int | str]


@final
@dataclass(frozen=True, slots=True)
class KeySpec:
    """Where some of a command's keys are, and what it does with them."""

    flags: tuple[str, ...]
    begin_search: SearchStep
    find_keys: SearchStep
    notes: str = ""


@final
@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a command; of kind ``oneof`` or ``block`` it holds others."""

    name: str
    kind: str
    display_text: str
    token: str | None
    since: str | None
    deprecated_since: str | None
    key_spec_index: int | None
    flags: tuple[str, ...]
    arguments: tuple[Argument, ...]
    summary: str | None = None


@final
@dataclass(frozen=True, slots=True)
class Command:
    """One command or subcommand.

    ``arity`` counts the names too and is negative for "at least". ``flags`` are those that COMMAND
    INFO shows, ``internal_flags`` those that only the server knows. ``first_key`` is 0 for a
    command without keys; ``module`` says whose it is, empty: the server's;
    ``history`` pairs versions with what they changed.
    """

    fullname: str
    summary: str
    complexity: str
    group: str
    since: str
    arity: int
    handler_kind: HandlerKind
    flags: tuple[str, ...]
    internal_flags: tuple[str, ...]
    acl_categories: tuple[str, ...]
    first_key: int
    last_key: int
    key_step: int
    key_specs: tuple[KeySpec, ...]
    tips: tuple[str, ...]
    doc_flags: tuple[str, ...]
    deprecated_since: str | None
    replaced_by: str | None
    arguments: tuple[Argument, ...]
    subcommands: Mapping[str, Command]
    module: str = ""
    history: tuple[tuple[str, str], ...] = ()

    @property
    def has_keys(self) -> bool:
        """Whether at least one argument is a key; shard channels are none."""
        return any("not_key" not in spec.flags for spec in self.key_specs)

    def accepts(self, argument_count: int) -> bool:
        """Tell whether that many arguments, names included, fit the arity."""
        return argument_count == self.arity if self.arity >= 0 else argument_count >= -self.arity

    def walk(self) -> Iterator[Command]:
        """Yield the command and its subcommands."""
        yield self
        yield from self.subcommands.values()


@final
@dataclass(frozen=True, slots=True)
class Schema:
    """All commands by lower-case name. ``names`` has the exceptions: names that mean another command, or none."""

    commands: Mapping[str, Command]
    names: Mapping[str, Command | None] = field(default_factory=dict)

    def renamed(self, old: str, new: str) -> Schema:
        """Return the schema after ``rename-command old new``; an empty ``new`` takes the name away.

        Commands keep their own names in what they are listed as; one without any name is not listed.

        Raises:
            KeyError: there is no command ``old``.
            ValueError: ``new`` is another command already.
        """
        old, new = old.lower(), new.lower()
        entry = self._named(old)
        if entry is None:
            raise KeyError(old)
        names = {**self.names, old: None}
        if new and names.get(new, None if new == old else self._named(new)) is not None:
            raise ValueError(new)
        if new:
            names[new] = entry
        meant = [one for one in names.values() if one is not None]
        listed = {name: one for name, one in load().commands.items() if name not in names or one in meant}
        return Schema(listed, names)

    def _named(self, name: str) -> Command | None:
        return self.names[name] if name in self.names else self.commands.get(name)

    def walk(self) -> Iterator[Command]:
        """Yield every command and subcommand, sorted by name, subcommands after their container."""
        for command in self.commands.values():
            yield from command.walk()

    def find(self, fullname: str) -> Command | None:
        """Return the command called ``fullname`` (``get``, ``client|list``, any case), or None."""
        name, bar, subname = fullname.lower().partition("|")
        command = self._named(name)
        return command.subcommands.get(subname) if command and bar else command

    def resolve(self, words: Iterable[bytes]) -> Command | None:
        """Return the command that a command line means, of a container the subcommand if the line
        goes on, or None.
        """
        names = (word.decode("latin-1").lower() for word in words)
        command = self._named(next(names, ""))
        if command is None or not command.subcommands:
            return command
        subname = next(names, None)
        return command if subname is None else command.subcommands.get(subname)


def key_flag_names(bits: int) -> list[str]:
    """Return the names of the ``TR_KEY_...`` bits that are set, in the order of the bits."""
    return [name for bit, name in enumerate(KEY_FLAGS) if bits >> bit & 1]


@functools.cache
def load() -> Schema:
    """Return the schema of this server's commands; read at the first call."""
    text = importlib.resources.files(__package__).joinpath("commands.json").read_text(encoding="utf-8")
    return parse(json.loads(text))


def parse(data: Mapping[str, Mapping[str, Any]]) -> Schema:
    """Return the schema that ``data``, the content of a commands.json, describes.

    KeyError: a field is missing.
    """
    return Schema(MappingProxyType({name: _command(data[name]) for name in sorted(data)}))


def _command(data: Mapping[str, Any]) -> Command:
    subcommands = data.get("subcommands", {})
    return Command(
        fullname=data["name"],
        summary=data["summary"],
        complexity=data["complexity"],
        group=data["group"],
        since=data["since"],
        arity=data["arity"],
        handler_kind=_handler_kind(data.get("handler")),
        flags=tuple(data["flags"]),
        internal_flags=tuple(data.get("internal_flags", ())),
        acl_categories=tuple(data["acl_categories"]),
        first_key=data["first_key"],
        last_key=data["last_key"],
        key_step=data["key_step"],
        key_specs=tuple(_key_spec(spec) for spec in data.get("key_specs", ())),
        tips=tuple(data.get("tips", ())),
        doc_flags=tuple(data.get("doc_flags", ())),
        deprecated_since=data.get("deprecated_since"),
        replaced_by=_replacement(data.get("replaced_by")),
        arguments=tuple(_argument(argument) for argument in data.get("arguments", ())),
        subcommands=MappingProxyType({name: _command(subcommands[name]) for name in sorted(subcommands)}),
    )


def _handler_kind(handler: Mapping[str, str] | None) -> HandlerKind:
    if handler is None:
        return HandlerKind.CONTAINER
    return HandlerKind.C if "c" in handler else HandlerKind(handler["python"])


def _key_spec(data: Mapping[str, Any]) -> KeySpec:
    return KeySpec(tuple(data["flags"]), _search_step(data["begin_search"]), _search_step(data["find_keys"]))


def _search_step(data: Mapping[str, Any]) -> SearchStep:
    return SearchStep(data["type"], MappingProxyType(dict(data.get("spec", {}))))


def _argument(data: Mapping[str, Any]) -> Argument:
    return Argument(
        name=data["name"],
        kind=data["type"],
        display_text=data.get("display_text", data["name"]),
        token=data.get("token"),
        since=data.get("since"),
        deprecated_since=data.get("deprecated_since"),
        key_spec_index=data.get("key_spec_index"),
        flags=tuple(data.get("flags", ())),
        arguments=tuple(_argument(argument) for argument in data.get("arguments", ())),
    )


def _replacement(data: Mapping[str, list[str]] | None) -> str | None:
    """Return what takes a deprecated command's place, as text: ``SET`` with the ``PX`` argument.

    None: nothing does.
    """
    if not data or not data["commands"]:
        return None
    commands = " or ".join(f"`{name}`" for name in data["commands"])
    arguments = " and ".join(f"`{name}`" for name in data.get("arguments", ()))
    plural = "s" if len(data.get("arguments", ())) > 1 else ""
    return f"{commands} with the {arguments} argument{plural}" if arguments else commands
