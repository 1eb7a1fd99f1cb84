"""Reading, showing and writing a directive's value.

Values have these forms, by kind: BOOL bool; INTEGER, MEMORY and OCTAL int (memory in bytes);
MEMORY_OR_PERCENT int, where a negative number is a percentage; ENUM, STRING and DIRECTORY str;
FLAGS and ADDRESSES tuple of str; EVENTS str of class letters with ``A`` spelled out; SAVE_POINTS
tuple of :class:`SavePoint`; OUTPUT_LIMITS :class:`OutputLimits`; OOM_VALUES tuple of three int;
PERCENTILES tuple of float; UPSTREAM :class:`Upstream` or None.

Text is str with undecodable bytes as lone surrogates (``surrogateescape``): :func:`to_text` and
:func:`to_bytes` convert. The reasons in :class:`BadValueError` are what clients of Redis know.
"""

from __future__ import annotations

import math
import os
import re
import stat
from dataclasses import replace
from typing import TYPE_CHECKING, Final, cast

from trioredis.config.directive import (
    Directive,
    Kind,
    OutputLimit,
    OutputLimits,
    SavePoint,
    Upstream,
    Value,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

#: Precedent: Redis accepts at most 16 addresses to listen on.
ADDRESSES_MAX: Final = 16
PORT_MAX: Final = 65535
OOM_VALUE_MAX: Final = 2000
OOM_VALUES_COUNT: Final = 3
MEMORY_DIGITS_MAX: Final = 127
PERCENTILE_MAX: Final = 100.0

#: Event classes that ``A`` stands for, in the order in which they are shown.
EVENTS_ALL: Final = "g$lshzxetd"
#: Event classes shown only beside single letters, and those shown after everything else.
EVENTS_NEW: Final = "n"
EVENTS_REST: Final = "KEm"

_UNITS: Final = {
    "": 1,
    "b": 1,
    "k": 1000,
    "kb": 1024,
    "m": 1000**2,
    "mb": 1024**2,
    "g": 1000**3,
    "gb": 1024**3,
}
_WRAP: Final = 2**64
_LLONG_MIN: Final = -(2**63)
_LLONG_MAX: Final = 2**63 - 1

_INTEGER: Final = re.compile(r"-?[1-9][0-9]*|0")
_MEMORY: Final = re.compile(r"([0-9]*)([a-z]*)", re.IGNORECASE)
_C_INTEGER: Final = re.compile(r"[ \t\n\v\f\r]*([+-]?[0-9]+)|")
_C_OCTAL: Final = re.compile(r"[ \t\n\v\f\r]*([+-]?[0-7]+)|")
_DECIMAL: Final = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]+)?|[+-]?inf", re.IGNORECASE)
_HEX_FLOAT: Final = re.compile(r"[+-]?0x([0-9a-f]+\.?[0-9a-f]*|\.[0-9a-f]+)(p[+-]?[0-9]{1,9})?", re.IGNORECASE)

WRONG_COUNT: Final = "wrong number of arguments"
_BAD_SAVE: Final = "Invalid save parameters"
_BAD_LIMIT_COUNT: Final = "Wrong number of arguments in buffer limit configuration."
_BAD_LIMIT_CLASS: Final = "Invalid client class specified in buffer limit configuration."
_BAD_LIMIT: Final = "Error in hard, soft or soft_seconds setting in buffer limit configuration."
_BAD_OOM: Final = "Invalid oom-score-adj-values, elements must be between -2000 and 2000."
_BAD_EVENT: Final = "Invalid event class character. Use 'Ag$lshzxeKEtmdn'."
_BAD_PERCENTILES: Final = "Invalid latency-tracking-info-percentiles parameters"
_BAD_PERCENTILE_RANGE: Final = "latency-tracking-info-percentiles parameters should sit between [0.0,100.0]"


class BadValueError(ValueError):
    """A value was refused; the text says why, in the words that a client gets to see."""


def to_text(raw: bytes) -> str:
    """Decode bytes of the configuration; every byte string survives the way back."""
    return raw.decode("utf-8", "surrogateescape")


def to_bytes(text: str) -> bytes:
    """Encode what :func:`to_text` decoded."""
    return text.encode("utf-8", "surrogateescape")


def parse(directive: Directive, words: Sequence[str], current: Value) -> Value:
    """Read the words that follow a directive's name.

    Args:
        directive: the row of the table.
        words: one word for most kinds, any number where ``directive.many_words``.
        current: the present value: output limits not named keep it, and a relative directory
            starts there.

    Raises:
        BadValueError: the words are no value of this directive.
    """
    if not directive.many_words and len(words) != 1:
        raise BadValueError(WRONG_COUNT)
    value = _READERS[directive.kind](directive, words, current)
    if directive.check is not None:
        reason = directive.check(value)
        if reason is not None:
            raise BadValueError(reason)
    if directive.clamp is not None:
        value = min(max(cast("int", value), directive.clamp[0]), directive.clamp[1])
    return value


def split_set_value(directive: Directive, text: str) -> list[str]:
    """Split the single argument that CONFIG SET has for a value into the words of a line."""
    if not directive.many_words:
        return [text]
    return text.split(" ") if text else []


def show(directive: Directive, value: Value) -> str:
    """Return the value as CONFIG GET shows it."""
    return _SHOWERS[directive.kind](value)


def parse_memory(text: str) -> int | None:
    """Read a size with an optional unit, in bytes; None when it is none.

    As in Redis a missing number is 0, too large a number saturates and a unit wraps at 64 bits.
    """
    match = _MEMORY.fullmatch(text)
    if match is None or len(match[1]) > MEMORY_DIGITS_MAX:
        return None
    factor = _UNITS.get(match[2].lower())
    if factor is None:
        return None
    return min(int(match[1] or "0"), _WRAP - 1) * factor % _WRAP


def show_memory(size_bytes: int) -> str:
    """Write a size with the largest unit that divides it."""
    for unit in ("gb", "mb", "kb"):
        if size_bytes and size_bytes % _UNITS[unit] == 0:
            return f"{size_bytes // _UNITS[unit]}{unit}"
    return str(size_bytes)


def show_number(number: float) -> str:
    """Write a percentage with up to six digits after the point and no superfluous zeros."""
    return f"{number:f}".rstrip("0").rstrip(".")


def _c_integer(text: str) -> int | None:
    """Read a number the way ``strtoll`` does, saturating; None when text is left over."""
    match = _C_INTEGER.fullmatch(text)
    if match is None:
        return None
    return min(max(int(match[1] or "0"), _LLONG_MIN), _LLONG_MAX)


def _c_float(text: str) -> float | None:
    """Read a number the way ``strtod`` does, but not a number (``nan``); None for other text."""
    if _HEX_FLOAT.fullmatch(text):
        try:
            return float.fromhex(text)
        except OverflowError:
            return math.inf
    return float(text) if _DECIMAL.fullmatch(text) else None


def _read_bool(_directive: Directive, words: Sequence[str], _current: Value) -> Value:
    word = words[0].lower()
    if word not in ("yes", "no"):
        raise BadValueError("argument must be 'yes' or 'no'")
    return word == "yes"


def _bounded(directive: Directive, number: int) -> int:
    if not directive.low <= number <= directive.high:
        form = "o" if directive.kind is Kind.OCTAL else "d"
        low, high = format(directive.low, form), format(directive.high, form)
        raise BadValueError(f"argument must be between {low} and {high} inclusive")
    return number


def _read_integer(directive: Directive, words: Sequence[str], _current: Value) -> Value:
    number = int(words[0]) if _INTEGER.fullmatch(words[0]) else None
    if number is None or not _LLONG_MIN <= number <= _LLONG_MAX:
        raise BadValueError("argument couldn't be parsed into an integer")
    return _bounded(directive, number)


def _read_memory(directive: Directive, words: Sequence[str], _current: Value) -> Value:
    size = parse_memory(words[0])
    if size is None:
        raise BadValueError("argument must be a memory value")
    return _bounded(directive, size)


def _read_memory_or_percent(directive: Directive, words: Sequence[str], _current: Value) -> Value:
    size = parse_memory(words[0])
    if size is not None:
        return _bounded(directive, size)
    number, sign = words[0][:-1], words[0][-1:]
    if sign != "%" or not _INTEGER.fullmatch(number) or number.startswith("-"):
        raise BadValueError("argument must be a memory or percent value")
    if int(number) > -directive.low:
        raise BadValueError(f"percentage argument must be less or equal to {-directive.low}")
    return -int(number)


def _read_octal(directive: Directive, words: Sequence[str], _current: Value) -> Value:
    match = _C_OCTAL.fullmatch(words[0])
    if match is None:
        raise BadValueError("argument couldn't be parsed as an octal number")
    return _bounded(directive, int(match[1] or "0", 8))


def _choice(directive: Directive, word: str) -> str:
    word = word.lower()
    if word not in directive.choices:
        choices = ", ".join(directive.choices)
        raise BadValueError(f"argument(s) must be one of the following: {choices}")
    return dict(directive.synonyms).get(word, word)


def _read_enum(directive: Directive, words: Sequence[str], _current: Value) -> Value:
    return _choice(directive, words[0])


def _read_flags(directive: Directive, words: Sequence[str], _current: Value) -> Value:
    """Read words in any order; the first choice stands for none of the others."""
    chosen = {_choice(directive, word) for word in words or ("",)}
    none, *others = directive.choices
    return tuple(word for word in others if word in chosen) or (none,)


def _read_string(_directive: Directive, words: Sequence[str], _current: Value) -> Value:
    return words[0]


def _read_directory(_directive: Directive, words: Sequence[str], current: Value) -> Value:
    try:
        path = os.path.realpath(os.path.join(cast("str", current), words[0]))
        if not words[0]:
            raise FileNotFoundError(2, os.strerror(2))
        if not stat.S_ISDIR(os.stat(path).st_mode):
            raise NotADirectoryError(20, os.strerror(20))
        if not os.access(path, os.X_OK):
            raise PermissionError(13, os.strerror(13))
    except OSError as error:
        raise BadValueError(error.strerror) from error
    except ValueError as error:  # a zero byte in the path
        raise BadValueError(os.strerror(2)) from error
    return path


def _read_addresses(_directive: Directive, words: Sequence[str], _current: Value) -> Value:
    if len(words) > ADDRESSES_MAX:
        raise BadValueError("Too many bind addresses specified.")
    return () if len(words) == 1 and not words[0] else tuple(words)


def _read_events(_directive: Directive, words: Sequence[str], _current: Value) -> Value:
    letters = set(words[0].replace("A", EVENTS_ALL))
    known = EVENTS_ALL + EVENTS_NEW + EVENTS_REST
    if not letters <= set(known):
        raise BadValueError(_BAD_EVENT)
    return "".join(letter for letter in known if letter in letters)


def _read_save_points(_directive: Directive, words: Sequence[str], _current: Value) -> Value:
    if len(words) == 1 and not words[0]:
        return ()
    numbers = [_c_integer(word) for word in words]
    if len(numbers) % 2:
        raise BadValueError(_BAD_SAVE)
    points = []
    for seconds, changes in zip(numbers[::2], numbers[1::2], strict=True):
        if seconds is None or changes is None or seconds < 1 or not 0 <= changes < 2**31:
            raise BadValueError(_BAD_SAVE)
        points.append(SavePoint(seconds, changes))
    return tuple(points)


def _read_output_limits(_directive: Directive, words: Sequence[str], current: Value) -> Value:
    if len(words) % 4:
        raise BadValueError(_BAD_LIMIT_COUNT)
    limits = cast("OutputLimits", current)
    for at in range(0, len(words), 4):
        name = words[at].lower()
        name = "replica" if name == "slave" else name
        if name not in ("normal", "replica", "pubsub"):
            raise BadValueError(_BAD_LIMIT_CLASS)
        hard, soft = parse_memory(words[at + 1]), parse_memory(words[at + 2])
        seconds = _c_integer(words[at + 3])
        if hard is None or soft is None or seconds is None or not 0 <= seconds < 2**31:
            raise BadValueError(_BAD_LIMIT)
        limits = replace(limits, **{name: OutputLimit(hard, soft, seconds)})
    return limits


def _read_oom_values(_directive: Directive, words: Sequence[str], _current: Value) -> Value:
    if len(words) != OOM_VALUES_COUNT:
        raise BadValueError(WRONG_COUNT)
    numbers = [_c_integer(word) for word in words]
    values = tuple(n for n in numbers if n is not None and -OOM_VALUE_MAX <= n <= OOM_VALUE_MAX)
    if len(values) != OOM_VALUES_COUNT:
        raise BadValueError(_BAD_OOM)
    return values


def _read_percentiles(_directive: Directive, words: Sequence[str], _current: Value) -> Value:
    if len(words) == 1 and not words[0]:
        return ()
    values = []
    for word in words:
        value = _c_float(word)
        if value is None:
            raise BadValueError(_BAD_PERCENTILES)
        if not 0.0 <= value <= PERCENTILE_MAX:
            raise BadValueError(_BAD_PERCENTILE_RANGE)
        values.append(value)
    return tuple(values)


def _read_upstream(_directive: Directive, words: Sequence[str], _current: Value) -> Value:
    if len(words) != 2:
        raise BadValueError(WRONG_COUNT)
    if [word.lower() for word in words] == ["no", "one"]:
        return None
    port = _c_integer(words[1])
    if port is None or not 0 <= port <= PORT_MAX:
        raise BadValueError("Invalid master port")
    return Upstream(words[0], port)


def _show_bool(value: Value) -> str:
    return "yes" if value else "no"


def _show_memory_or_percent(value: Value) -> str:
    number = cast("int", value)
    return f"{-number}%" if number < 0 else str(number)


def _show_octal(value: Value) -> str:
    return format(cast("int", value), "o")


def _show_words(value: Value) -> str:
    return " ".join(str(word) for word in cast("tuple[object, ...]", value))


def _show_events(value: Value) -> str:
    """Show the classes as Redis does: after ``A`` it leaves out ``n``."""
    letters = cast("str", value)
    rest = "".join(letter for letter in EVENTS_REST if letter in letters)
    if set(EVENTS_ALL) <= set(letters):
        return "A" + rest
    return "".join(letter for letter in letters if letter not in EVENTS_REST) + rest


def _show_save_points(value: Value) -> str:
    points = cast("tuple[SavePoint, ...]", value)
    return " ".join(f"{point.seconds} {point.changes}" for point in points)


def _show_output_limits(value: Value) -> str:
    limits = cast("OutputLimits", value)
    named = (("normal", limits.normal), ("slave", limits.replica), ("pubsub", limits.pubsub))
    return " ".join(f"{name} {limit.hard_bytes} {limit.soft_bytes} {limit.soft_seconds}" for name, limit in named)


def _show_percentiles(value: Value) -> str:
    return " ".join(show_number(number) for number in cast("tuple[float, ...]", value))


def _show_upstream(value: Value) -> str:
    upstream = cast("Upstream | None", value)
    return f"{upstream.host} {upstream.port}" if upstream else ""


_READERS: Final[dict[Kind, Callable[[Directive, Sequence[str], Value], Value]]] = {
    Kind.BOOL: _read_bool,
    Kind.INTEGER: _read_integer,
    Kind.MEMORY: _read_memory,
    Kind.MEMORY_OR_PERCENT: _read_memory_or_percent,
    Kind.OCTAL: _read_octal,
    Kind.ENUM: _read_enum,
    Kind.FLAGS: _read_flags,
    Kind.STRING: _read_string,
    Kind.DIRECTORY: _read_directory,
    Kind.ADDRESSES: _read_addresses,
    Kind.EVENTS: _read_events,
    Kind.SAVE_POINTS: _read_save_points,
    Kind.OUTPUT_LIMITS: _read_output_limits,
    Kind.OOM_VALUES: _read_oom_values,
    Kind.PERCENTILES: _read_percentiles,
    Kind.UPSTREAM: _read_upstream,
}

_SHOWERS: Final[dict[Kind, Callable[[Value], str]]] = {
    Kind.BOOL: _show_bool,
    Kind.INTEGER: str,
    Kind.MEMORY: str,
    Kind.MEMORY_OR_PERCENT: _show_memory_or_percent,
    Kind.OCTAL: _show_octal,
    Kind.ENUM: str,
    Kind.FLAGS: _show_words,
    Kind.STRING: str,
    Kind.DIRECTORY: str,
    Kind.ADDRESSES: _show_words,
    Kind.EVENTS: _show_events,
    Kind.SAVE_POINTS: _show_save_points,
    Kind.OUTPUT_LIMITS: _show_output_limits,
    Kind.OOM_VALUES: _show_words,
    Kind.PERCENTILES: _show_percentiles,
    Kind.UPSTREAM: _show_upstream,
}
