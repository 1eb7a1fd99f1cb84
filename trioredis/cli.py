"""The command ``trioredis-server``: its arguments, and how mistakes in them are reported."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trioredis.config import Config

PROGRAM: Final = "trioredis-server"
EXIT_OK: Final = 0
EXIT_MISTAKE: Final = 1

USAGE: Final = f"""\
usage: {PROGRAM} [FILE | -] [--DIRECTIVE VALUE ...] [--check-config]
       {PROGRAM} --version | --help

Serve the Redis protocol.

  FILE                 read this redis.conf first
  -                    read directives from standard input, after FILE
  --DIRECTIVE VALUE    set any directive of redis.conf, after all files
  --check-config       report whether the configuration is well and do not serve;
                       first or last argument
  -v, --version        print the version
  -h, --help           print this

examples:
  {PROGRAM} --port 7000 --save ""
  {PROGRAM} /etc/redis/redis.conf --loglevel debug --bind 127.0.0.1 ::1
  echo "maxmemory 1gb" | {PROGRAM} -
"""

_CHECK: Final = "--check-config"
_NO_MEMORY_TEST: Final = "--test-memory is not offered: use a tool made for it, such as memtester or memtest86+"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status: 0, 1 for a mistake, else the server's.

    Args:
        argv: the arguments without the program's name; those of the process when None.
    """
    args = list(sys.argv[1:] if argv is None else argv)
    if args in (["-v"], ["--version"]):
        from trioredis.version import version_line

        print(version_line())
        return EXIT_OK
    if args in (["-h"], ["--help"]):
        print(USAGE, end="")
        return EXIT_OK
    if args[:1] == ["--test-memory"]:
        return _fail(_NO_MEMORY_TEST)
    check_only = _take_check(args)
    from trioredis.config import ConfigError  # after the options that answer at once

    try:
        config = _load(args)
    except ConfigError as error:
        return _fail(str(error))
    from trioredis.unserved import UnservableError, refuse_unserved

    try:
        refuse_unserved(config)
    except UnservableError as error:
        return _fail(str(error))
    if check_only:
        _report(config)
        return EXIT_OK
    from trioredis.run import run

    return run(config)


def _take_check(args: list[str]) -> bool:
    """Remove ``--check-config`` where it is the first or the last argument."""
    found = False
    for place in (0, -1):
        if args and args[place] == _CHECK:
            found = True
            args.pop(place)
    return found


def _load(args: Sequence[str]) -> Config:
    """Read the configuration that the arguments name."""
    from trioredis.config import load, parse_command_line
    from trioredis.config.loader import CONFIG_BYTES_MAX

    command_line = parse_command_line(args)
    data = sys.stdin.buffer.read(CONFIG_BYTES_MAX + 1) if command_line.standard_input else b""
    return load(command_line, standard_input=data)


def _report(config: Config) -> None:
    """Say that the configuration is well, and what in it has no effect."""
    from trioredis.config import DIRECTIVES, Config
    from trioredis.config._pending import PENDING
    from trioredis.config.rows import NOT_CONNECTED

    defaults = Config()
    inert = {row.name: row.inert for row in DIRECTIVES.values() if config[row.name] != defaults[row.name]}
    inert |= {name: NOT_CONNECTED for name, lines in config.lines.items() if lines and name in PENDING}
    for name, reason in inert.items():
        if reason:
            print(f"note: {name} has no effect: {reason}")
    print(f"{PROGRAM}: configuration is valid")


def _fail(reason: str) -> int:
    print(f"{PROGRAM}: {reason}", file=sys.stderr)
    return EXIT_MISTAKE
