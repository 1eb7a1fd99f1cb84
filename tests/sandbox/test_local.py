"""Aim: what the module API answers without asking the server is what a stock server's API answers.

Method: a module that calls such functions is loaded into each server; the same calls give the replies written here.
They were seen in Redis 7.0.15; where a later release differs by intent, what it says stands beside.
"""

from __future__ import annotations

import contextlib
import hashlib
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests._servers import Server, redis_command, running, trioredis_command
from tests.sandbox._facts import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Client = Any
"""A redis.Redis; its commands have no types."""

SOURCES: Final = ROOT / "tests" / "sandbox" / "modules"
INCLUDE: Final = ROOT / "sandbox" / "include"
SECONDS: Final = 20.0
MODULE_TYPE: Final = 5
TURNS: Final = 20_000
LOG_LINE_BYTES: Final = 1023
SUBEVENTS: Final = (2, 6, 2, 5, 2, 0, 2, 2, 0, 2, 2, 0, 0, 2, 3, 2, 1, 4)
EVENTS_OF_7_0: Final = 17
BIG: Final = "18446744073709551615"

MADE: Final = (
    ("ll -9223372036854775808", "-9223372036854775808"),
    ("ull 18446744073709551615", BIG),
    ("d 3", "3"),
    ("d -0.0", "-0"),
    ("d nan", "nan"),
    ("d -inf", "-inf"),
    ("d 1e15", "1000000000000000"),
    ("d 1e20", "1e+20"),
    ("d 123456789012345678", "123456789012345680"),
    ("d 0.5", "0.5"),
    ("ld 0.1", "0.1"),
    ("ld 3", "3"),
    ("ld -0.0", "-0"),
    ("ld nan", "nan"),
    ("ld -inf", "-inf"),
    ("ld 1e4932", "1e+4932"),
    ("ld 0.123456789012345678901", "0.12345678901234568"),
    ("human nan", "nan"),
    ("human inf", "inf"),
    ("human -0.0", "0"),
    ("human 0.1", "0.1"),
    ("human 100", "100"),
    ("human 3.14159265358979323846", "3.14159265358979324"),
    ("human 1e-20", "0"),
    ("human -1e-20", "0"),
    ("id 5 7", "5-7"),
    (f"id {BIG} {BIG}", f"{BIG}-{BIG}"),
    ("printf hello", "[hello] -3  1.50 %"),
    ("copy hello", "hello"),
    ("zeros 3", "\0\0\0"),
)
"""Arguments of LOCAL.MAKE, and the string."""

MADE_DOUBLES: Final = (
    ("0.1", "0.10000000000000001", "0.1"),
    ("-1e300", "-1.0000000000000001e+300", "-1e+300"),
    ("5e-324", "4.9406564584124654e-324", "5e-324"),
    ("3.14159", "3.1415899999999999", "3.14159"),
)
"""A double, its string in 7.0 (17 digits), and since 7.2 (as few as read back)."""

READ: Final = (
    ("ll", "-9223372036854775808", "-9223372036854775808"),
    ("ll", "9223372036854775808", None),
    ("ll", "+1", None),
    ("ll", " 1", None),
    ("ll", "01", None),
    ("ll", "-0", None),
    ("ll", "", None),
    ("ull", BIG, BIG),
    ("ull", "18446744073709551616", None),
    ("ull", "+5", "5"),
    ("ull", " 5", "5"),
    ("ull", "5 ", None),
    ("ull", "007", "7"),
    ("ull", "-0", "0"),
    ("ull", "-5", None),
    ("ull", " -1", BIG),
    ("ull", "5\0x", "5"),
    ("ull", "", None),
    ("d", "0x1p3", "0x1p+3"),
    ("d", "infinity", "inf"),
    ("d", "-INF", "-inf"),
    ("d", "nan", None),
    ("d", "1e400", None),
    ("d", "1e-400", None),
    ("d", " 1", None),
    ("d", "1 ", None),
    ("d", "", None),
    ("d", "1\0", None),
    ("ld", "0.5", "0x8p-4"),
    ("ld", "1e400", "0xd.a763fc8cb9ff9e6p+1325"),
    ("ld", "1e5000", None),
    ("ld", "1e-5000", None),
    ("ld", "nan", None),
    ("ld", "inf", "inf"),
    ("ld", " 1", None),
    ("id", "-", "0-0"),
    ("id", "+", f"{BIG}-{BIG}"),
    ("id", "5", "5-0"),
    ("id", "5-7", "5-7"),
    ("id", "5- 7", "5-7"),
    ("id", "5-+7", "5-7"),
    ("id", "5-", None),
    ("id", "-5", None),
    ("id", "5-*", None),
    ("id", "1-2-3", None),
    ("id", "0" * 126 + "7", "7-0"),
    ("id", "0" * 127 + "7", None),
)
"""Kind and text for LOCAL.READ, and the number that it is; None: refused."""

COMPARED: Final = (
    ("", "", 0),
    ("", "a", -1),
    ("abc", "abc", 0),
    ("ab", "abc", -1),
    ("b", "abc", 1),
    (b"\xff", "a", 1),
    ("a\0b", "a\0c", -1),
)

A, B, C = ["a", 1], ["b", 2], ["c", 3]
ABC: Final = "set a 1 set b 2 set c 3"
DICTS: Final[tuple[tuple[str, list[object]], ...]] = (
    ("size start ^ x next prev", [0, None, None, None]),
    ("set a 1 set a 2 replace a 3 replace b 4 get a get q size", [0, 1, 1, 0, [0, 3], [1, 0], 2]),
    ("set a 1 del a del a size", [0, [0, 1], [1, -1], 0]),
    (f"{ABC} start ^ x next nextc next nextc", [0, 0, 0, None, A, B, C, None]),
    (f"{ABC} start $ x prev prevc prev prevc", [0, 0, 0, None, C, B, A, None]),
    (f"{ABC} start >= b next next next prev", [0, 0, 0, None, B, C, None, None]),
    (f"{ABC} start >= b prev prev prev next", [0, 0, 0, None, B, A, None, None]),
    (f"{ABC} start > b next prev next", [0, 0, 0, None, C, B, C]),
    (f"{ABC} start < b next next prev", [0, 0, 0, None, A, B, A]),
    (f"{ABC} start <= bb prev prev", [0, 0, 0, None, B, A]),
    (f"{ABC} start == b prev next next", [0, 0, 0, None, B, C, None]),
    (f"{ABC} start == bb prev start > c next start < a next", [0, 0, 0, *[None] * 6]),
    ("set a 1 start ^ x seek == q next prev seek >= a next", [0, None, 1, None, None, 1, A]),
    ("set a 1 start <= a compare == a next compare == a next compare == a", [0, None, 0, A, 0, None, 1]),
    ("set b 2 start ^ x compare > a compare >= b compare > b", [0, None, 0, 0, 1]),
    ("set b 2 start ^ x compare < c compare <= b compare < b", [0, None, 0, 0, 1]),
    ("set b 2 start ^ x compare = b compare ^ b compare != b", [0, None, 1, 1, 0]),
    ("set b 2 start ^ x compare > bb compare < bb", [0, None, 1, 0]),
    ("set ab 1 set a 2 set abc 3 start ^ x next next next", [0, 0, 0, None, ["a", 2], ["ab", 1], ["abc", 3]]),
    ("set a 1 set b 2 start ^ x next del a seek > a next", [0, 0, None, A, [0, 1], 1, B]),
)
"""Calls on a new dict, and what each gave."""

DIGESTS: Final = ("", "a", "a /", "a b / c /", "c / a b /", "ab / c /", ":-42 / f :7 /", "@ /", "a / b")


@dataclass(frozen=True, slots=True)
class Loaded:
    """A server that has the module."""

    server: Server
    client: Client
    stock: bool


@pytest.fixture(scope="module")
def libraries(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return the compiled modules."""
    folder = tmp_path_factory.mktemp("modules")
    compiler = ("gcc", "-O2", "-fPIC", "-shared", f"-I{INCLUDE}", "-Wall", "-Wextra", "-Wshadow", "-Werror")
    for name in ("local", "digest"):
        subprocess.run((*compiler, "-o", folder / f"{name}.so", SOURCES / f"{name}.c"), check=True)
    return {name: folder / f"{name}.so" for name in ("local", "digest")}


@contextlib.contextmanager
def serving(name: str, folder: Path, library: Path) -> Iterator[Loaded]:
    """Start a server with a module: a stock one, or ours."""
    stock = name == "redis"
    command = redis_command() if stock else trioredis_command()
    if command is None:
        pytest.skip("redis-server is not installed")
    command += ["--enable-debug-command", "yes", "--loglevel", "debug", "--loadmodule", str(library)]
    with running(name, command, folder) as server:
        options: dict[str, Any] = {"protocol": 2, "socket_timeout": SECONDS, "retry": Retry(NoBackoff(), 0)}
        with redis.Redis(port=server.port, **options) as client:
            yield Loaded(server, client, stock=stock)


@pytest.fixture(scope="module", params=["redis", "trioredis"])
def loaded(
    request: pytest.FixtureRequest, libraries: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Loaded]:
    """Yield a server with the module of local functions."""
    with serving(request.param, tmp_path_factory.mktemp(request.param), libraries["local"]) as one:
        yield one


@pytest.fixture(scope="module", params=["redis"])
def digests(
    request: pytest.FixtureRequest, libraries: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Client]:
    """Yield a client of a server with the data type."""
    with serving(request.param, tmp_path_factory.mktemp("digests"), libraries["digest"]) as one:
        yield one.client


def plain(reply: object) -> object:
    """Return the reply with text for bytes."""
    if isinstance(reply, list):
        return [plain(item) for item in reply]
    return reply.decode("latin-1") if isinstance(reply, bytes) else reply


def call(loaded: Loaded, name: str, *arguments: object) -> Any:
    """Run a command of the module."""
    return plain(loaded.client.execute_command(f"local.{name}", *arguments))


@pytest.mark.parametrize(("arguments", "want"), MADE)
def test_strings_are_made(loaded: Loaded, arguments: str, want: str) -> None:
    assert call(loaded, "make", *arguments.split()) == want


@pytest.mark.parametrize(("number", "until_7_0", "since_7_2"), MADE_DOUBLES)
def test_doubles_are_shortest(loaded: Loaded, number: str, until_7_0: str, since_7_2: str) -> None:
    assert float(number) == float(until_7_0) == float(since_7_2)
    assert call(loaded, "make", "d", number) == (until_7_0 if loaded.stock else since_7_2)


def test_longest_number(loaded: Loaded) -> None:
    made = call(loaded, "make", "human", "-1e4932")
    assert len(made) == len("-") + 4933
    assert made.startswith("-1000000000000000000006018949387963891323837774254533114773785041352533")


@pytest.mark.parametrize("length", [0, 1000, 1023, 1024, 5000])
def test_formats_of_any_length(loaded: Loaded, length: int) -> None:
    assert call(loaded, "make", "printf", "x" * length) == f"[{'x' * length}] -3  1.50 %"


@pytest.mark.parametrize(("kind", "text", "want"), READ)
def test_strings_are_read(loaded: Loaded, kind: str, text: str, want: str | None) -> None:
    assert call(loaded, "read", kind, text) == ([1] if want is None else [0, want])


@pytest.mark.parametrize(("a", "b", "want"), COMPARED)
def test_strings_are_compared(loaded: Loaded, a: str | bytes, b: str, want: int) -> None:
    assert call(loaded, "compare", a, b) == want
    assert call(loaded, "compare", b, a) == -want


def test_shared_strings_stay(loaded: Loaded) -> None:
    assert call(loaded, "append", 1, "a", "", "b") == [0, 0, 0, "ab"]
    assert call(loaded, "append", 2, "a", "b") == [1, 1, ""]
    long = "x" * 10_000
    assert call(loaded, "append", 1, long, long) == [0, 0, long + long]


@pytest.mark.parametrize(("calls", "want"), DICTS)
def test_dicts(loaded: Loaded, calls: str, want: list[object]) -> None:
    assert call(loaded, "dict", *calls.split(" ")) == want


def test_automatic_memory(loaded: Loaded) -> None:
    assert call(loaded, "hold", "first") is None
    assert call(loaded, "hold", "second") == ["retained first", "free first", "first"]


def test_pool(loaded: Loaded) -> None:
    assert call(loaded, "pool", 1, 1, 2, 3, 5, 100, 2, 8, 0) == [0, 1, 1, 2, 4, 8, 100, 4, -1]
    first, large, small, *rest = call(loaded, "pool", 1, 9000, 8, 8180, 1)
    assert (first, rest) == (0, [8, 8180])
    assert abs(large) >= 8192
    assert small >= 9000 or small <= -8192


def test_memory(loaded: Loaded) -> None:
    truths = call(loaded, "memory")
    assert truths == [1] * len(truths)


def test_questions_of_commands_that_wait(loaded: Loaded) -> None:
    """Each command asks the server something; those behind it are handed over meanwhile, and wait for their turn."""
    with loaded.client.pipeline(transaction=False) as pipeline:
        for number in range(600):
            pipeline.execute_command("local.memory")
            pipeline.execute_command("local.make", "ll", number)
        replies = plain(pipeline.execute())
    assert isinstance(replies, list)
    assert replies[1::2] == [str(number) for number in range(600)]
    assert all(set(truths) == {1} for truths in replies[::2])


def test_queries(loaded: Loaded) -> None:
    context, options, notifications, modes, version, methods = call(loaded, "query")
    told = loaded.client.info("server")["redis_version"].split(".")
    assert version == int(told[0]) << 16 | int(told[1]) << 8 | int(told[2])
    if loaded.stock:
        assert (context, options, notifications, modes, methods) == ((1 << 24) - 1, -1, (1 << 15) - 1, -1, 4)
    else:
        assert (context, options, notifications, modes, methods) == ((1 << 25) - 1, 15, (1 << 15) - 1, 63 << 16 | 3, 5)


@pytest.mark.parametrize("event", range(19))
def test_subevents(loaded: Loaded, event: int) -> None:
    known = SUBEVENTS[: EVENTS_OF_7_0 if loaded.stock else None]
    count = known[event] if event < len(known) else 0
    assert [call(loaded, "subevent", event, number) for number in range(8)] == [1] * count + [0] * (8 - count)


def test_shared_functions(loaded: Loaded) -> None:
    assert call(loaded, "shared", "one") == [0, 0, 1, 1]
    assert call(loaded, "shared", "one") == [1, 1, 1, 1]
    assert call(loaded, "shared", "on") == [0, 0, 1, 1]


def test_defragmentation_is_registered(loaded: Loaded) -> None:
    assert call(loaded, "defrag") == 0


def test_clocks(loaded: Loaded) -> None:
    before = time.time_ns()
    ms, us, cached, first, second = call(loaded, "clocks")
    after = time.time_ns()
    assert before // 1_000_000 <= ms <= after // 1_000_000
    assert first <= second
    if loaded.stock:
        assert us == cached == -1
    else:
        assert before // 1_000 <= us <= after // 1_000
        assert cached <= us


def test_random(loaded: Loaded) -> None:
    assert len(call(loaded, "random", 1000)) == 1000
    assert call(loaded, "random", 20) != call(loaded, "random", 20)
    digits = call(loaded, "hex", 400)
    assert len(digits) == 400
    assert set(digits) == set("0123456789abcdef")


def log_with(loaded: Loaded, text: str) -> str:
    """Return the server's log once the text is in it; a helper's lines come on a channel of their own."""
    for _ in range(TURNS):
        log = loaded.server.log_path.read_text()
        if text in log:
            return log
        loaded.client.ping()
    pytest.fail(f"never logged: {text[:50]}")


@pytest.mark.parametrize("level", ["debug", "verbose", "notice", "warning", "bogus"])
def test_log(loaded: Loaded, level: str) -> None:
    call(loaded, "log", level, f"{level} line")
    assert f"<local> {level} line" in log_with(loaded, f"<module> {level} line")


def test_log_lines_are_cut(loaded: Loaded) -> None:
    call(loaded, "log", "notice", "x" * 2000)
    lines = [name + "x" * (LOG_LINE_BYTES - len(name)) for name in ("<local> ", "<module> ")]
    log = log_with(loaded, lines[1])
    assert lines[0] in log
    assert all(line + "x" not in log for line in lines)


def test_threads(loaded: Loaded) -> None:
    assert call(loaded, "threads", 4, 3) == [500] * 4
    for number in range(4):
        assert f"<module> line 0 of {number}" in log_with(loaded, f"<module> line 2 of {number}")


def test_latency(loaded: Loaded) -> None:
    loaded.client.config_set("latency-monitor-threshold", 100)
    call(loaded, "latency", "too-short", 99)
    call(loaded, "latency", "long-enough", 250)
    told = {event[0].decode(): event[2] for event in loaded.client.execute_command("latency", "latest")}
    assert told == {"long-enough": 250}


def mixed(digest: bytes, piece: bytes) -> bytes:
    """Return the digest with the hash of a piece in it; the order of such pieces does not count."""
    return bytes(a ^ b for a, b in zip(digest, hashlib.sha1(piece).digest(), strict=True))


def chained(digest: bytes, piece: bytes) -> bytes:
    """Return the digest after a piece, whose place counts."""
    return hashlib.sha1(mixed(digest, piece)).digest()


def digest_of(pieces: Sequence[str], key: str, db: int) -> str:
    """Return the digest of a value of the module."""
    value = sequence = bytes(20)
    for piece in pieces:
        if piece == "/":
            value, sequence = mixed(value, sequence), bytes(20)
        elif piece == "@":
            sequence = chained(chained(sequence, key.encode()), str(db).encode())
        else:
            sequence = chained(sequence, piece.removeprefix(":").encode())
    return mixed(chained(bytes(20), MODULE_TYPE.to_bytes(4, "big")), value).hex()


@pytest.mark.parametrize("pieces", DIGESTS)
def test_digests(digests: Client, pieces: str) -> None:
    parts = pieces.split()
    digests.execute_command("digest.set", "some key", *parts)
    assert plain(digests.execute_command("debug", "digest-value", "some key")) == [digest_of(parts, "some key", 0)]
