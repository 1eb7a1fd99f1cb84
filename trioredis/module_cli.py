"""The command ``trioredis-module``: tries a module without a server that anybody could reach."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import trio

from trioredis.config import Config
from trioredis.modules import flight
from trioredis.modules.helper import LoadError
from trioredis.server import Server, serve

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from trioredis.modules.helper import Helper

PROGRAM: Final = "trioredis-module"
SETTINGS: Final = {
    "port": "0",
    "log-format": "json",
    "loglevel": "debug",
    "module-restart": "never",
}
END_S: Final = 5.0
"""How long the process may take to end, seconds."""
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
    said: tuple[Said, ...]


@dataclass(frozen=True, slots=True)
class Said:
    """A line that the module wrote or logged; ``where`` is ``stdout``, ``stderr`` or ``log``."""

    where: str
    line: str


class CheckError(Exception):
    """The module can't be loaded; ``said`` is what it had to say until then."""

    def __init__(self, reason: str, said: tuple[Said, ...]) -> None:
        super().__init__(reason)
        self.said: Final = said


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
    except CheckError as refused:
        if as_json:
            print(json.dumps({"error": str(refused), "said": [asdict(one) for one in refused.said]}))
        else:
            print(*_said_lines(refused.said), sep="\n", end="\n" if refused.said else "")
            print(f"{PROGRAM}: {words[0]}: {refused}", file=sys.stderr)
        status = EXIT_REFUSED
    else:
        print(json.dumps(asdict(facts), indent=2) if as_json else to_text(facts))
        status = EXIT_OK
    return status


async def check(path: str, args: Sequence[str]) -> Facts:
    """Load the module in a server that listens nowhere.

    Raises:
        CheckError: it can't be loaded.
    """
    facts: Facts | None = None
    reason = ""
    with tempfile.TemporaryDirectory() as folder:
        config, log = Config(directory=folder), Path(folder, "log")
        for name, value in {**SETTINGS, "logfile": str(log)}.items():
            config.assign(name, value)
        async with trio.open_nursery() as nursery:
            server: Server = await nursery.start(partial(serve, config))
            try:
                helper = await server.modules.load(path, [os.fsencode(arg) for arg in args])
            except LoadError as error:
                reason = await _reason(server, error)
            else:
                facts = _facts(server, helper)
                await _end(helper)
            finally:
                server.stop()
        said = tuple(_said(log))
    if facts is None:
        raise CheckError(reason, said)
    return replace(facts, said=said)


async def _end(helper: Helper) -> None:
    """End the module's process, so that all that it has written is there."""
    if helper.host is not None:
        host = helper.host
        host.kill()
        await host.wait_ended(END_S)


def _said(log: Path) -> Iterator[Said]:
    """Yield what the module has written and logged, from the server's log."""
    for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
        fields = json.loads(line)
        if fields["event"] == "module.output":
            yield Said(fields["stream"], fields["line"])
        elif fields.get("source") == "module":
            yield Said("log", fields["line"])


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
        said=(),
    )


def _said_lines(said: Sequence[Said]) -> list[str]:
    return ["Said while loading", *(f"  {one.where}: {one.line}" for one in said)] if said else []


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
    if facts.said:
        lines += ["", *_said_lines(facts.said)]
    return "\n".join(lines)
