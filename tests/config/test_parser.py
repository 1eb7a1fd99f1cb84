"""Lines are split into words as Redis splits them, and mistakes say where they are.

Method: examples, round trips of random bytes through quoting, and the command line's rules by
example; test_stock.py compares whole files with a stock server.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trioredis.config import ConfigError, parse_command_line
from trioredis.config.parser import WordsError, parse_line, parse_lines, quote, split_words


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b"", []),
        (b" \t\r\n", []),
        (b"port 7000", [b"port", b"7000"]),
        (b"  a\tb \x0b c", [b"a", b"b", b"c"]),
        (b'a "b c"', [b"a", b"b c"]),
        (b'a ""', [b"a", b""]),
        (b"a ''", [b"a", b""]),
        (b'"\\x41\\n\\r\\t\\b\\a\\q\\\\\\""', [b'A\n\r\t\b\aq\\"']),
        (b'"\\xZZ\\x4"', [b"xZZx4"]),
        (b"'it\\'s \\n \"x\"'", [b'it\'s \\n "x"']),
        (b'pre"quoted part"', [b"prequoted part"]),
        (b"back\\slash", [b"back\\slash"]),
        (b"a # b", [b"a", b"#", b"b"]),
        (b"\xff \xfe", [b"\xff", b"\xfe"]),
    ],
)
def test_words(line: bytes, words: list[bytes]) -> None:
    assert split_words(line) == words


@pytest.mark.parametrize("line", [b'"a', b"'a", b'"a"b', b"'a'b", b'a "b\\"', b"'a\\'", b'a"b"c', b'"\\'])
def test_wrong_quotes(line: bytes) -> None:
    with pytest.raises(WordsError, match="Unbalanced quotes"):
        split_words(line)


@given(st.lists(st.binary()))
def test_quoted_words_round_trip(words: list[bytes]) -> None:
    line = " ".join(map(quote, words)).encode()
    assert split_words(line) == words
    assert b"\n" not in line


@pytest.mark.parametrize(
    ("word", "text"), [(b"plain", "plain"), (b"", '""'), (b"a b", '"a b"'), (b"#a", '"#a"'), (b'"', '"\\""')]
)
def test_quotes_only_where_needed(word: bytes, text: str) -> None:
    assert quote(word) == text


def test_lines_of_a_file() -> None:
    data = b"# comment\n\n  Port 1 \r\n\t# other\nrequirepass \xff\nbind 'a b' c"
    lines = parse_lines(data, "f")
    assert [(line.number, line.words) for line in lines] == [
        (3, ("port", "1")),
        (5, ("requirepass", "\udcff")),
        (6, ("bind", "a b", "c")),
    ]
    assert lines[0].raw == "Port 1"
    assert lines[0].name == "port"
    assert lines[0].source == "f"


def test_error_says_where() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_lines(b"port 1\n\n bind 'x \n", "some.conf")
    error = caught.value
    assert (error.source, error.number, error.raw) == ("some.conf", 3, "bind 'x")
    assert str(error) == "some.conf:3: Unbalanced quotes in configuration line: bind 'x"


def test_zero_byte() -> None:
    with pytest.raises(ConfigError, match="Zero byte"):
        parse_line(b"port\x001", "f", 1)


def test_message_is_one_harmless_line() -> None:
    error = ConfigError("reason", source="f", number=1, raw="a\x1b[31m\nb\udcff")
    assert str(error) == "f:1: reason: a\\x1b[31m\\nb\\udcff"


@given(st.binary())
def test_any_bytes_are_lines_or_an_error(data: bytes) -> None:
    wrong: list[int] = []
    try:
        lines = parse_lines(data, "f")
    except ConfigError as error:
        lines, wrong = [], [error.number]
    assert all(1 <= number <= data.count(b"\n") + 1 for number in wrong)
    assert all(line.words and line.name == line.name.lower() for line in lines)


def words_of(*args: str) -> list[tuple[str, ...]]:
    return [line.words for line in parse_command_line(args).lines]


def test_options() -> None:
    assert words_of() == []
    assert words_of("--port", "1") == [("port", "1")]
    assert words_of("--PORT", "1") == [("port", "1")]
    assert words_of("--bind", "a", "b", "--port", "1") == [("bind", "a", "b"), ("port", "1")]
    assert words_of("--port 1", "--hz", "2") == [("port", "1"), ("hz", "2")]
    assert words_of("--logfile", "", "--hz", "2") == [("logfile", ""), ("hz", "2")]
    assert words_of("--requirepass", 'a "b') == [("requirepass", 'a "b')]
    assert words_of("--requirepass", "#x") == [("requirepass", "#x")]


def test_argument_after_an_option_is_its_value() -> None:
    assert words_of("--requirepass", "--secret") == [("requirepass", "--secret")]
    assert words_of("--requirepass", "--hz", "20") == [("requirepass", "--hz", "20")]
    assert words_of("--daemonize", "--port", "1") == [("daemonize", "--port", "1")]
    assert words_of("--timeout", "-1") == [("timeout", "-1")]


def test_save_needs_no_value() -> None:
    assert words_of("--save") == [("save", "")]
    assert words_of("--save", "--port", "1") == [("save", ""), ("port", "1")]
    assert words_of("--save", "", "--port", "1") == [("save", ""), ("port", "1")]
    assert words_of("--save", "60", "1", "--save", "5 5") == [("save", "60", "1"), ("save", "5 5")]


def test_file_and_standard_input() -> None:
    both = parse_command_line(["a.conf", "-", "--port", "1"])
    assert (both.file, both.standard_input, len(both.lines)) == ("a.conf", True, 1)
    last = parse_command_line(["--port", "1", "-"])
    assert (last.file, last.standard_input, words_of("--port", "1", "-")) == ("", True, [("port", "1")])
    only = parse_command_line(["-"])
    assert (only.file, only.standard_input, only.lines) == ("", True, ())
    assert parse_command_line(["a.conf"]).standard_input is False
    assert words_of("-x", "1") == [("-x", "1")]


def test_option_with_wrong_quotes() -> None:
    with pytest.raises(ConfigError, match="command line:2: Unbalanced quotes"):
        parse_command_line(["--port", "1", "--bind 'x"])
