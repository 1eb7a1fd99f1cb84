"""Write a seed corpus for the fuzz targets: requests of all shapes, calls of every command, workloads.

Usage: ``make_seeds.py FOLDER [COMMANDS_JSON]``. Each seed is one file, named by its content, so
that writing them twice changes nothing.
"""

from __future__ import annotations

import hashlib
import json
import random
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

COMMANDS: Final = Path(__file__).parents[2] / "trioredis" / "commands" / "commands.json"
ARGS_MAX: Final = 12
BIG_ARG_BYTES: Final = 32768  # where the parser begins to gather an argument in a blob
SAMPLES: Final = (b"key", b"1", b"field", b"10", b"value", b"-1", b"*", b"2.5")

WORKLOADS: Final = 400
WORKLOAD_MAX: Final = 24  # commands of one
OPTIONAL_LEFT_OUT: Final = 0.6
TIMES_MAX: Final = 3
MARK: Final = 0xFE  # see engine_run.h
MARK_ODDS: Final = 0.15
SECOND_MARK: Final = 0x01  # the next bytes are another connection's
FIRST_MARK: Final = 0x00
NOTIFY_MARK: Final = 0x7F  # every event of a key, on both kinds of channels
DEBUG_MARK: Final = 0xC2  # DEBUG for all

STRINGS: Final = (
    b"value",
    b"10",
    b"3.0e3",
    b"",
    b"ON",
    b"OFF",
    b"SKIP",
    b"string",
    b"text\r\nwith\0bytes",
    b"9223372036854775807",
    b"a" * 44,
    b"b" * 45,
    b"ab" * 60,
    b"v" * 9000,
)
NUMBERS: Final = (b"0", b"1", b"2", b"3", b"-1", b"10", b"100", b"65000", b"9223372036854775807", b"x")
TIMES: Final = (b"1700000000", b"1700000001000", b"1", b"99999999999999")
PATTERNS: Final = (b"*", b"k*", b"?", b"[a-k]*", b"*e*y*", b"\\k", b"[")
VALUES: Final = {
    "key": (b"key", b"k", b"other", b"", b"counter", b"a" * 300),
    "integer": NUMBERS,
    "double": (b"1.5", b"-0.1", b"1e308", b"nan", b"inf", b"3"),
    "unix-time": TIMES,
    "pattern": PATTERNS,
}
DEBUG_CALLS: Final = (
    b"DIGEST",
    b"DIGEST-VALUE key none",
    b"ERROR Some\rthing",
    b"HELP",
    b"HTSTATS 0 FULL",
    b"HTSTATS-KEY key",
    b"OBJECT key",
    b"POPULATE 100 p 20",
    b"POPULATE 999999999 p 0",
    b"PROTOCOL map",
    b"PROTOCOL attrib",
    b"PROTOCOL push",
    b"PROTOCOL verbatim",
    b"PROTOCOL double",
    b"REPLYBUFFER RESIZING 0",
    b"SET-ACTIVE-EXPIRE 0",
    b"SLEEP 1e300",
)

SHAPES: Final = (
    b"",
    b"\r\n",
    b"part key 0 1\r\n",
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
        yield request(b"COMMAND", b"GETKEYSANDFLAGS", *words, *SAMPLES[: max(count, 0)])
        yield from command_requests(facts.get("subcommands") or {}, words[0])


class Words:
    """Random arguments, as the table of commands describes them, from few keys and values."""

    def __init__(self, rng: random.Random) -> None:
        self._rng: Final = rng

    def of(self, arguments: list[dict[str, Any]]) -> Iterator[bytes]:
        """Yield words for these arguments, optional ones now and then."""
        for argument in arguments:
            flags = argument.get("flags", ())
            if "optional" in flags and self._rng.random() < OPTIONAL_LEFT_OUT:
                continue
            times = self._rng.randint(1, TIMES_MAX) if "multiple" in flags else 1
            for time in range(times):
                if "token" in argument and (time == 0 or "multiple_token" in flags):
                    yield argument["token"].encode()
                yield from self._one(argument)

    def _one(self, argument: dict[str, Any]) -> Iterator[bytes]:
        kind = argument["type"]
        if kind == "oneof":
            yield from self.of([{**self._rng.choice(argument["arguments"]), "flags": ()}])
        elif kind == "block":
            yield from self.of(argument["arguments"])
        elif kind != "pure-token":
            yield self._rng.choice(VALUES.get(kind, STRINGS))


def workloads(commands: dict[str, Any], count: int) -> Iterator[bytes]:
    """Yield ``count`` pipelines of random commands on a few keys, with what may happen in between."""
    rng = random.Random(count)
    words = Words(rng)
    leaves = [
        (words_of_name.split("|"), leaf)
        for name, facts in sorted(commands.items())
        for words_of_name, leaf in (
            [(f"{name}|{sub}", sub_facts) for sub, sub_facts in sorted(facts["subcommands"].items())]
            if facts.get("subcommands")
            else [(name, facts)]
        )
    ]
    for _ in range(count):
        parts: list[bytes] = []
        for _ in range(rng.randint(2, WORKLOAD_MAX)):
            name, facts = rng.choice(leaves)
            head = [word.split("|")[-1].encode() for word in name]
            parts.append(request(*head, *words.of(facts.get("arguments", []))))
            if rng.random() < MARK_ODDS:
                parts.append(bytes((MARK, rng.randrange(256))))
        yield b"".join(parts)


def debug_workloads() -> Iterator[bytes]:
    """Yield what DEBUG can do, allowed by a mark, as its arguments are in no table."""
    allow = bytes((MARK, DEBUG_MARK))
    for words in DEBUG_CALLS:
        call = request(b"DEBUG", *words.split())
        yield allow + request(b"SET", b"key", b"value") + call
        yield request(b"HELLO", b"3") + allow + call * 2


def lcs_workloads() -> Iterator[bytes]:
    """Yield what LCS can do, with two strings that have much in common."""
    strings = request(b"MSET", b"key", b"ohmytext", b"other", b"mynewtext")
    for options in (b"", b"LEN", b"IDX", b"IDX MINMATCHLEN 4 WITHMATCHLEN"):
        yield strings + request(b"LCS", b"key", b"other", *options.split())


def pubsub_workloads() -> Iterator[bytes]:
    """Yield listeners of all kinds, with both protocols, and what they hear: messages of all sizes, events of keys."""
    for hello in (b"", request(b"HELLO", b"3")):
        for kind, verb in ((b"", b"PUBLISH"), (b"P", b"PUBLISH"), (b"S", b"SPUBLISH")):
            listener = hello + request(kind + b"SUBSCRIBE", b"a", b"k*", b"", b"__key*")
            other = b"".join(request(verb, b"a", b"m" * size) for size in (0, 10, 1000, 20000))
            events = request(b"SET", b"k", b"v", b"PX", b"1") + request(b"GET", b"none")
            back = request(kind + b"UNSUBSCRIBE", b"a") + b"PING\r\n" + request(kind + b"UNSUBSCRIBE")
            marks = [bytes((MARK, mark)) for mark in (NOTIFY_MARK, SECOND_MARK, FIRST_MARK)]
            yield listener + marks[0] + marks[1] + other + events + marks[2] + back
            yield request(b"MULTI") + listener + other + request(b"EXEC") + back + request(b"RESET")


def helper_lives() -> Iterator[bytes]:
    """Yield what helpers do, as fuzz_modhost reads it: opcodes and what they need."""
    register, turn, answer, later, anew = b"\x0a\x00\x01\x01\x01", b"\x07", b"\x0b", b"\x08", b"\x09"
    command, transaction = b"\x04\x00", b"\x06\x00"
    loaded = register + turn + answer + turn
    yield loaded + command + turn + answer + turn + transaction + later + anew + turn + answer + turn
    yield register * 2 + loaded + command * 3 + turn + later + later
    yield loaded + b"\x00\x80\x00\x04\x01\x02\x03\x04" + turn + b"\x03\x40\x00\x00\x00\x09" + turn
    yield loaded + b"\x02\x01\x3c" + b"\x05" * 60 + turn
    yield loaded + command + turn + b"\x01\xc8" + b"\x07" * 100
    block, keys = b"\x0d\x01\x00\x0f\x00\x00", b"\x0d\x02\x14\x0f\x01\x02"
    unblock, signal, passes, leaves = b"\x0e\x41", b"\x0f\x01\x00", b"\x11", b"\x10\x04"
    served, not_served, plain = answer + b"\x02", answer + b"\x01", b"\x05"
    blocked, for_keys = loaded + command + turn + block + answer + turn, loaded + command + turn + keys + answer + turn
    yield loaded + command + turn + block + later + anew + turn
    yield blocked + unblock + later + turn + served + later + command + turn
    yield blocked + command + leaves + later + served + unblock + later + served + turn
    yield blocked + b"\x10\x01" + later + not_served + passes + unblock + later + served + turn + anew
    asks = b"\x0c\x00\x01" + later
    touched = asks + signal + answer + turn * 2
    yield for_keys + plain + touched + not_served + later + touched + served + later + passes + later
    yield for_keys + leaves + later + served + passes + anew + turn
    died = [b"\x17" + bytes((how, 0, 1)) for how in (7, 3, 6)]  # with values, which the next process gets back
    restored = turn + b"\x16\x05\x09" + turn + b"\x16\x05\x0a" + turn
    yield died[0] + restored + b"\x14\x02" + restored + later + command + turn
    yield died[1] + b"\x14\x00" + restored + died[2] + b"\x14\x01" + restored + anew + turn
    yield loaded + b"\x0c\x00\x01" + later + answer + b"\x0c\x40\x02\x07" + later + answer + b"\x0c\x20\x01" + later


def observe_workloads() -> Iterator[bytes]:
    """Yield monitors that look at others and at themselves, leave and are cut, and the slow log of all that."""
    marks = [bytes((MARK, mark)) for mark in (SECOND_MARK, FIRST_MARK)]
    monitor = request(b"MONITOR")
    lines = request(b"SET", b"k", bytes(range(256))) + request(b"ECHO", b"x" * 20000) + request(b"AUTH", b"u", b"p")
    transaction = request(b"MULTI") + request(b"PING") * 20 + request(b"EXEC")
    get = request(b"SLOWLOG", b"GET", b"-1")
    slow = get + request(b"DEL", *(b"%d" % n for n in range(40))) + get
    for hello in (b"", request(b"HELLO", b"3")):
        for end in (request(b"RESET"), request(b"QUIT"), request(b"CLIENT", b"REPLY", b"OFF"), b""):
            others = marks[0] + monitor + lines + transaction + marks[1]
            yield hello + monitor + lines + others + transaction + monitor + b"PING\r\n" + end + b"PING\r\n" + slow
        yield hello + lines + slow + request(b"SLOWLOG", b"LEN") + request(b"SLOWLOG", b"RESET") + slow


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
        yield from workloads(facts.get("commands", facts), WORKLOADS)
    yield from debug_workloads()
    yield from lcs_workloads()
    yield from pubsub_workloads()
    yield from helper_lives()
    yield from observe_workloads()


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
