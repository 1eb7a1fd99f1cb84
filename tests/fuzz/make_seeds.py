"""Write a seed corpus for the fuzz targets: requests of all shapes, and a call of every command.

Usage: ``make_seeds.py FOLDER [COMMANDS_JSON]``. Each seed is one file, named by its content, so
that writing them twice changes nothing.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

COMMANDS: Final = Path(__file__).parents[2] / "trioredis" / "commands" / "commands.json"
ARGS_MAX: Final = 12
BIG_ARG_BYTES: Final = 32768  # where the parser begins to gather an argument in a blob
SAMPLES: Final = (b"key", b"1", b"field", b"10", b"value", b"-1", b"*", b"2.5")

SHAPES: Final = (
    b"",
    b"\r\n",
    b"*0\r\n",
    b"*-1\r\n",
    b"*1\r\n$0\r\n\r\n",
    b"*01\r\n",
    b"*1\r\n$+1\r\na\r\n",
    b"*1\r\n:1\r\n",
    b"*1\r\n$-1\r\n",
    b"*2147483648\r\n",
    b"*1\r\n$536870913\r\n",
    b"*11\r\n$1\r\na\r\n",
    b"*2\r\n$1\r\na\r\n$16385\r\n",
    b"PING\r\n",
    b"PING\nPING\n\n",
    b"set key 'it\\'s' \"a\\x41\\n\\\"\"\r\n",
    b'get "unbalanced\n',
    b"get 'a'b\n",
    b"get\0key\r\n",
    b"*1\r\n$1\0\r\n",
    b"\x80\xff\n",
)


def request(*args: bytes) -> bytes:
    """Return the command as a RESP array of bulks."""
    bulks = b"".join(b"$%d\r\n%s\r\n" % (len(arg), arg) for arg in args)
    return b"*%d\r\n%s" % (len(args), bulks)


def command_requests(commands: dict[str, Any], *parents: bytes) -> Iterator[bytes]:
    """Yield one request per command and subcommand, as long as its arity asks for."""
    for name, facts in sorted(commands.items()):
        words = (*parents, name.split("|")[-1].encode())
        count = min(abs(int(facts.get("arity", 1))), ARGS_MAX) - len(words)
        yield request(*words, *SAMPLES[: max(count, 0)])
        yield from command_requests(facts.get("subcommands") or {}, words[0])


def seeds(commands: Path) -> Iterator[bytes]:
    """Yield every seed."""
    yield from SHAPES
    yield request(b"SET", b"key", b"value") + request(b"GET", b"key") * 3
    yield b"".join(request(b"PING", b"x" * n) for n in (1, 9, 10, 99, 100))
    yield request(*(b"%d" % n for n in range(20)))
    for size in (BIG_ARG_BYTES - 1, BIG_ARG_BYTES, BIG_ARG_BYTES + 1000):
        yield request(b"SET", b"key", b"x" * size, b"NX") + b"PING\r\n"
    if commands.is_file():
        facts = json.loads(commands.read_text())
        yield from command_requests(facts.get("commands", facts))


def write(folder: Path, commands: Path) -> int:
    """Write the seeds as files into the folder, which is made; return how many there are."""
    folder.mkdir(parents=True, exist_ok=True)
    contents = set(seeds(commands))
    for content in contents:
        (folder / hashlib.sha256(content).hexdigest()[:16]).write_bytes(content)
    return len(contents)


def main() -> int:
    """Write the seeds into the folder given first; print how many there are."""
    commands = Path(sys.argv[2]) if len(sys.argv) > 2 else COMMANDS
    print(f"{write(Path(sys.argv[1]), commands)} seeds")
    return 0


if __name__ == "__main__":
    sys.exit(main())
