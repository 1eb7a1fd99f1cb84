"""The syntax of redis.conf: lines, comments, words, quotes; and the same from the command line.

Nothing here knows what a directive means; :mod:`trioredis.config.loader` does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from trioredis.config.values import to_bytes, to_text

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Name of the place that options of the command line come from, in messages.
COMMAND_LINE: Final = "command line"
STANDARD_INPUT: Final = "standard input"

#: Options that may be given without a value, which then is the empty one.
_VALUE_OPTIONAL: Final = "--save"

_TRIMMED: Final = b" \t\r\n"
_BLANK: Final = b" \t\n\r\v\f"
_WORD_END: Final = b" \t\n\r"
_HEX: Final = b"0123456789abcdefABCDEF"
_ESCAPES: Final = {ord("n"): 10, ord("r"): 13, ord("t"): 9, ord("b"): 8, ord("a"): 7}
_QUOTED: Final = {10: "\\n", 13: "\\r", 9: "\\t", 8: "\\b", 7: "\\a", 34: '\\"', 92: "\\\\"}
_BACKSLASH: Final = ord("\\")
_DOUBLE: Final = ord('"')
_SINGLE: Final = ord("'")
_NOT_PLAIN: Final = frozenset(b"\"'\\") | frozenset(range(33)) | frozenset(range(127, 256))


class WordsError(ValueError):
    """A line cannot be split into words."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line with a directive: where it stands, how it looks and the words it has.

    ``words`` is never empty and its first word is in lower case.
    """

    source: str
    number: int
    raw: str
    words: tuple[str, ...]

    @property
    def name(self) -> str:
        """The directive's name."""
        return self.words[0]


class ConfigError(Exception):
    """The configuration is wrong; the message is one line that says where and why.

    ``number`` is the line in ``source``, or 0 when no line is to blame; ``raw`` is the line as it
    stands there; ``suggestion`` is a known name much like an unknown one, or empty.
    """

    def __init__(
        self,
        reason: str,
        *,
        source: str = "",
        number: int = 0,
        raw: str = "",
        shown: str | None = None,
        suggestion: str = "",
    ) -> None:
        """Store the parts; ``shown`` replaces ``raw`` in the message, to keep secrets out of it."""
        super().__init__(reason)
        self.reason = reason
        self.source = source
        self.number = number
        self.raw = raw
        self.shown = raw if shown is None else shown
        self.suggestion = suggestion

    def __str__(self) -> str:
        """Return the message, without line breaks or bytes that a terminal would obey."""
        place = f"{self.source}:{self.number}: " if self.number else ""
        place = place or (f"{self.source}: " if self.source else "")
        line = f": {self.shown}" if self.shown else ""
        hint = f" (did you mean '{self.suggestion}'?)" if self.suggestion else ""
        message = f"{place}{self.reason}{line}{hint}"
        return "".join(char if char.isprintable() else repr(char)[1:-1] for char in message)


def split_words(line: bytes) -> list[bytes]:
    r"""Split a line as Redis does: words parted by blanks, with quotes that may hold blanks.

    In double quotes ``\n \r \t \b \a \xHH`` stand for bytes and a backslash before anything else
    for that itself; in single quotes only ``\'`` is special. A closing quote must end the word.

    Raises:
        WordsError: a quote is not closed or something follows the closing one.
    """
    words: list[bytes] = []
    at = 0
    while True:
        while at < len(line) and line[at] in _BLANK:
            at += 1
        if at == len(line):
            return words
        word, at = _take_word(line, at)
        words.append(word)


def _take_word(line: bytes, at: int) -> tuple[bytes, int]:
    """Read the word that starts at ``at``; return it and where it ends."""
    word = bytearray()
    while at < len(line) and line[at] not in _WORD_END:
        if line[at] in (_DOUBLE, _SINGLE):
            take = _take_double if line[at] == _DOUBLE else _take_single
            at = take(line, at + 1, word)
            if at < len(line) and line[at] not in _BLANK:
                raise WordsError("Unbalanced quotes in configuration line")
            break
        word.append(line[at])
        at += 1
    return bytes(word), at


def _take_double(line: bytes, at: int, word: bytearray) -> int:
    """Read up to and with the closing double quote; return what comes after it."""
    while at < len(line):
        char = line[at]
        if char == _DOUBLE:
            return at + 1
        if char == _BACKSLASH and at + 1 < len(line):
            digits = line[at + 2 : at + 4]
            if line[at + 1] == ord("x") and len(digits) == 2 and set(digits) <= set(_HEX):
                word.append(int(digits, 16))
                at += 4
                continue
            at += 1
            char = _ESCAPES.get(line[at], line[at])
        word.append(char)
        at += 1
    raise WordsError("Unbalanced quotes in configuration line")


def _take_single(line: bytes, at: int, word: bytearray) -> int:
    """Read up to and with the closing single quote; return what comes after it."""
    while at < len(line):
        if line[at] == _SINGLE:
            return at + 1
        if line[at] == _BACKSLASH and line[at + 1 : at + 2] == b"'":
            at += 1
        word.append(line[at])
        at += 1
    raise WordsError("Unbalanced quotes in configuration line")


def quote(word: bytes) -> str:
    """Write a word so that :func:`split_words` reads it back; quoted only where it must be."""
    if word and _NOT_PLAIN.isdisjoint(word) and not word.startswith(b"#"):
        return word.decode("ascii")
    return '"' + "".join(_quote_byte(byte) for byte in word) + '"'


def _quote_byte(byte: int) -> str:
    if byte in _QUOTED:
        return _QUOTED[byte]
    return chr(byte) if 32 <= byte < 127 else f"\\x{byte:02x}"


def parse_line(raw: bytes, source: str, number: int) -> Line | None:
    """Read one line; None for a comment or an empty one.

    Raises:
        ConfigError: the line's quotes are wrong, or it has a zero byte.
    """
    trimmed = raw.strip(_TRIMMED)
    if not trimmed or trimmed.startswith(b"#"):
        return None
    shown = to_text(trimmed)
    if b"\0" in trimmed:
        raise ConfigError("Zero byte in configuration line", source=source, number=number)
    try:
        words = [to_text(word) for word in split_words(trimmed)]
    except WordsError as problem:
        raise ConfigError(str(problem), source=source, number=number, raw=shown) from problem
    if not words:
        return None
    return Line(source, number, shown, (words[0].lower(), *words[1:]))


def parse_lines(data: bytes, source: str) -> list[Line]:
    """Read all lines of a file that are no comments; ``source`` names it in messages.

    Raises:
        ConfigError: a line's quotes are wrong.
    """
    lines = (parse_line(raw, source, number) for number, raw in enumerate(data.split(b"\n"), start=1))
    return [line for line in lines if line is not None]


@dataclass(frozen=True, slots=True)
class CommandLine:
    """What the arguments of the server ask for: a file, standard input, and more lines."""

    file: str
    standard_input: bool
    lines: tuple[Line, ...]


def parse_command_line(args: Sequence[str]) -> CommandLine:
    """Read ``[FILE] [-] [--directive value ...] [-]``, the program's name left out.

    As in Redis the argument after ``--directive`` is its value, whatever it looks like; the
    arguments after that belong to it too, up to the next that begins with ``--``. ``--save``
    alone is ``--save ""``. ``"--directive value"`` may be one argument.

    Raises:
        ConfigError: an option's quotes are wrong.
    """
    rest = list(args)
    file = rest.pop(0) if rest and not rest[0].startswith("-") else ""
    standard_input = False
    for place in (0, -1):
        if rest and rest[place] == "-":
            standard_input = True
            rest.pop(place)
    lines = (
        parse_line(to_bytes(option), COMMAND_LINE, number)
        for number, option in enumerate(_group_options(rest), start=1)
    )
    return CommandLine(file, standard_input, tuple(line for line in lines if line is not None))


def _group_options(args: Sequence[str]) -> list[str]:
    """Write each option with its values as a line of a file."""
    options: list[str] = []
    value_due = False
    for at, arg in enumerate(args):
        if not arg.startswith("--") or value_due:
            quoted = quote(to_bytes(arg))
            options[-1:] = [f"{options[-1]} {quoted}" if options else quoted]
            value_due = False
            continue
        follower = args[at + 1] if at + 1 < len(args) else "--"
        options.append(arg[2:])
        value_due = len(arg.split()) == 1
        if value_due and arg.lower() == _VALUE_OPTIONAL and follower.startswith("--"):
            options[-1] += ' ""'
            value_due = False
    return options
