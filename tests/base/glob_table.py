"""The table of patterns that the C matcher and the Python one are both held against.

``tests/data/globs.txt`` has one line per fact, four fields with tabs between them: ``s`` or ``i`` (case matters or is
ignored), pattern, text, ``1`` or ``0``. Bytes outside of printable ASCII, blanks and backslashes are written ``\\xHH``.
The truth is a stock server's, never ours: ``python -m tests.base.glob_table`` asks one and writes the file anew.
"""

from __future__ import annotations

import random
import re
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests._servers import redis_command, running
from tests.config.client import Client

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tests._servers import Server

TABLE: Final = Path(__file__).parent.parent / "data" / "globs.txt"
SEED: Final = 11
RANDOM_PATTERNS: Final = 160
LETTERS: Final = b"aabbcA[]^-\\*?\x00\xff"
COMMAND_LETTERS: Final = b"aceGst*?[]^-\\CEt"
# Written as fields of the table are, blanks between them.
PATTERNS: Final = r"""
    ** a a* *a a**b *?* ? ?? \ a\ \a \* *\ \\ [ [^ [] [^] [a]] []] [\]] [\ [a [^a [a- [a-] [a-]b] [a-c [-a]
    [a-c] [c-a] [^a-c] [^c-a] [^^] [\a-c] [a-\] [a-\xff] [\x80-\xff] [\xff-a] [ab][bc] a[b a[b* *[b-]*
    a*b*c a*a*b *ab*ab [*] [?] *] a] \x00 *\x00
"""
TEXTS: Final = r"""
    a b c A - ] [ ^ \ * ? \x00 \x80 \xff ` _ aa ab ba bc a\ a] b] [a a[b abc aab aabab abab acbc ab- b*
"""
COMMAND_PATTERNS: Final = r"""
    [\G]et [\g]et \GET [F-H]ET [h-F]ET [^g]et [^G]et *GET* G[A-f]T ?[E-e]T [A-]et [Z-\xff]et *[S-T] [GS]ET
    *E*S* L*N [^A-F]* *[E *[^E Get\
"""
COMMAND_TEXTS: Final = (b"get", b"set", b"getset", b"mget", b"hset", b"llen", b"expire", b"exists", b"hdel")


@dataclass(frozen=True, slots=True)
class Row:
    """One fact: whether ``text`` matches ``pattern``."""

    ignore_case: bool
    pattern: bytes
    text: bytes
    match: bool


def read_table() -> list[Row]:
    """Return the rows of the table."""
    rows = []
    for line in TABLE.read_text("ascii").splitlines():
        if line and not line.startswith("#"):
            case, pattern, text, match = line.split("\t")
            rows.append(Row(case == "i", unescape(pattern), unescape(text), match == "1"))
    return rows


def unescape(field: str) -> bytes:
    """Return the bytes that a field stands for."""
    return re.sub(rb"\\x(..)", lambda found: bytes.fromhex(found[1].decode()), field.encode())


def escape(raw: bytes) -> str:
    """Return the field for these bytes."""
    return "".join(chr(c) if 32 < c < 127 and c not in b"\\#" else f"\\x{c:02x}" for c in raw)


def ask_set(client: Client, pattern: bytes, texts: Iterable[bytes]) -> set[bytes]:
    """Return which of ``texts`` the server matches with ``pattern``, case mattering; not for ``*`` itself."""
    client.call("DEL", "globs")
    client.call("SADD", "globs", *texts)
    reply = client.call("SSCAN", "globs", "0", "MATCH", pattern, "COUNT", "100000")
    assert isinstance(reply, list)
    assert isinstance(reply[1], list)
    return {text for text in reply[1] if isinstance(text, bytes)}


def ask_commands(client: Client, pattern: bytes) -> set[bytes]:
    """Return which command names the server matches with ``pattern``, case ignored."""
    reply = client.call("COMMAND", "LIST", "FILTERBY", "PATTERN", pattern)
    assert isinstance(reply, list)
    return {name for name in reply if isinstance(name, bytes)}


def make_rows(client: Client) -> Iterator[Row]:
    """Yield the whole table, answered by the server behind ``client``."""
    seed = random.Random(SEED)
    words = [b"", *map(unescape, TEXTS.split())]
    for pattern in [b"", *map(unescape, PATTERNS.split())]:
        found = ask_set(client, pattern, words)
        yield from (Row(False, pattern, text, text in found) for text in words)
    for _ in range(RANDOM_PATTERNS):
        pattern = bytes(seed.choices(LETTERS, k=seed.randint(2, 8)))
        texts = [bytes(seed.choices(LETTERS, k=seed.randint(1, 6))) for _ in range(40)]
        found = ask_set(client, pattern, texts)
        hits = [text for text in texts if text in found][:4]
        misses = [text for text in texts if text not in found][:4]
        yield from (Row(False, pattern, text, text in found) for text in hits + misses)
    reply = client.call("COMMAND", "LIST")
    assert isinstance(reply, list)
    names = sorted(name for name in reply if isinstance(name, bytes) and b"|" not in name)
    for _ in range(RANDOM_PATTERNS):
        name = seed.choice(names)
        at = seed.randrange(len(name))
        pattern = (name[:at] + bytes(seed.choices(COMMAND_LETTERS, k=seed.randint(1, 5))) + name[at + 1 :]).swapcase()
        found = ask_commands(client, pattern)
        asked = {name, seed.choice(names), *sorted(found)[:3]}
        yield from (Row(True, pattern, text, text in found) for text in sorted(asked))
    for pattern in map(unescape, COMMAND_PATTERNS.split()):
        found = ask_commands(client, pattern)
        yield from (Row(True, pattern, text, text in found) for text in COMMAND_TEXTS)


def ask_server(server: Server) -> list[Row]:
    """Return the whole table, each fact once."""
    with Client(server.address) as client:
        return list(dict.fromkeys(make_rows(client)))


def main() -> int:
    """Ask a stock server and write the table."""
    command = redis_command()
    if command is None:
        print("no redis-server is installed", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as directory, running("redis", command, Path(directory)) as server:
        rows = ask_server(server)
    lines = ["# Written by tests/base/glob_table.py; the answers are a stock server's."]
    for row in rows:
        fields = ["is"[not row.ignore_case], escape(row.pattern), escape(row.text), "01"[row.match]]
        lines.append("\t".join(fields))
    TABLE.write_text("\n".join(lines) + "\n", "ascii")
    return 0


if __name__ == "__main__":
    sys.exit(main())
