"""The command ``trioredis-module``: tries a module without a server that anybody could reach."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

import trio

from trioredis.config import Config
from trioredis.modules import flight
from trioredis.modules.helper import LoadError
from trioredis.server import Server, serve

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trioredis.modules.helper import Helper

PROGRAM: Final = "trioredis-module"
EXIT_OK: Final = 0
EXIT_REFUSED: Final = 1
EXIT_MISTAKE: Final = 2

USAGE: Final = f"""\
usage: {PROGRAM} check [--json] FILE.so [ARG ...]

Load a module into a process of its own, as trioredis-server would, say what it
brings, and end. Status 0: it can be loaded; 1: it can't, and the line says why.

  --json       print the same for programs
  -h, --help   print this
"""


@dataclass(frozen=True, slots=True)
class CommandFacts:
    """A command that the module registers; positions as COMMAND INFO has them."""

    name: str
    arity: int
    flags: tuple[str, ...]
    first_key: int
    last_key: int
    key_step: int


@dataclass(frozen=True, slots=True)
class Facts:
    """What a check has found."""

    name: str
    version: int
    api_version: int
    path: str
    load_ms: float
    commands: tuple[CommandFacts, ...]
    types: tuple[str, ...]
    functions: tuple[str, ...]
    """Functions of the module API that were called while loading."""
    missing: tuple[str, ...]
    """Functions that it asked for and that nobody has."""
    walls: tuple[str, ...]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status.

    Args:
        argv: the arguments without the program's name; those of the process when None.
    """
    args = list(sys.argv[1:] if argv is None else argv)
    if args in (["-h"], ["--help"]):
        print(USAGE, end="")
        return EXIT_OK
    as_json = args[1:2] == ["--json"]
    words = args[2:] if as_json else args[1:]
    if args[:1] != ["check"] or not words or words[0].startswith("-"):
        print(USAGE, end="", file=sys.stderr)
        return EXIT_MISTAKE
    try:
        facts = trio.run(check, os.path.abspath(words[0]), words[1:])
    except* LoadError as group:
        reason = _text(group)
        print(json.dumps({"error": reason}) if as_json else f"{PROGRAM}: {words[0]}: {reason}",
              file=sys.stdout if as_json else sys.stderr)  # fmt: skip
        status = EXIT_REFUSED
    else:
        print(json.dumps(asdict(facts), indent=2) if as_json else to_text(facts))
        status = EXIT_OK
    return status


def _text(error: BaseException) -> str:
    """Return what the innermost error of a group says."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return str(error)


async def check(path: str, args: Sequence[str]) -> Facts:
    """Load the module in a server that listens nowhere.

    Raises:
        LoadError: it can't be loaded; within a group, as it comes from a nursery.
    """
    with tempfile.TemporaryDirectory() as folder:
        config = Config(directory=folder)
        for name, value in (("port", "0"), ("loglevel", "nothing"), ("module-restart", "never")):
            config.assign(name, value)
        async with trio.open_nursery() as nursery:
            server: Server = await nursery.start(partial(serve, config))
            try:
                helper = await server.modules.load(path, [os.fsencode(arg) for arg in args])
            except LoadError as error:
                raise LoadError(await _reason(server, error)) from error
            else:
                return _facts(server, helper)
            finally:
                server.stop()
    raise AssertionError("the nursery swallows nothing")


async def _reason(server: Server, error: LoadError) -> str:
    """Return the headline of the crash, if it was one."""
    await server.modules.reports.wait_for_all()
    found = await server.modules.reports.latest(1)
    return found[0].headline if found else str(error)


def _facts(server: Server, helper: Helper) -> Facts:
    info, host = helper.info, helper.host
    assert info is not None
    assert host is not None
    calls = flight.read_calls(host.memory, flight.ENTRIES)
    return Facts(
        name=helper.name,
        version=info.version,
        api_version=info.api_version,
        path=helper.path,
        load_ms=info.load_us / 1000,
        commands=tuple(
            CommandFacts(one.fullname, one.arity, one.flags, one.first_key, one.last_key, one.key_step)
            for one in server.schema.walk()
            if one.module
        ),
        types=tuple(one.decode("utf-8", "replace") for one in info.types),
        functions=tuple(sorted({one.name for one in calls if not one.is_callback})),
        missing=tuple(one.decode("utf-8", "replace").partition("_")[2] for one in info.missing),
        walls=host.walls,
    )


def to_text(facts: Facts) -> str:
    """Return the facts for people."""
    lines = [f"{facts.name} version {facts.version}, API {facts.api_version}, loaded in {facts.load_ms:.1f} ms"]
    commands = [
        f"{one.name}  arity {one.arity}, {' '.join(one.flags) or 'no flags'}"
        + (f", keys {one.first_key} to {one.last_key} step {one.key_step}" if one.first_key else "")
        for one in facts.commands
    ]
    sections = (
        ("Commands", commands),
        ("Data types", facts.types),
        ("Functions called while loading", facts.functions),
        ("Functions asked for that are not there", facts.missing),
        ("Walls", facts.walls),
    )
    for title, content in sections:
        if content:
            lines += ["", title, *(f"  {one}" for one in content)]
    return "\n".join(lines)
