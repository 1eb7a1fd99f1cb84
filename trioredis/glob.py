r"""Redis' pattern language: ``*``, ``?``, ``[a-c]``, ``[^x]`` and ``\`` escapes, on bytes.

It differs from :mod:`fnmatch` where it matters to clients: ``^`` negates a class, a backslash
escapes anywhere, a range may be written backwards and orders bytes as signed numbers (as a Redis
on x86 does), a byte after a backslash in a class is compared with its case, and a class that is
never closed ends with the pattern instead of being taken literally. Matching is linear for
patterns without ``*`` and never worse than ``len(pattern) * len(text)``, whatever the number of
stars.
"""

from __future__ import annotations

from typing import Final

_STAR: Final = ord("*")
_ANY: Final = ord("?")
_OPEN: Final = ord("[")
_CLOSE: Final = ord("]")
_NOT: Final = ord("^")
_DASH: Final = ord("-")
_ESCAPE: Final = ord("\\")

_MAGIC: Final = frozenset(b"*?[")
_SAME: Final = bytes(range(256))
_LOWER: Final = _SAME.lower()


def has_magic(pattern: bytes) -> bool:
    """Tell whether ``pattern`` is more than a plain name (a lone backslash does not count)."""
    return not _MAGIC.isdisjoint(pattern)


def matches(pattern: bytes, text: bytes, *, ignore_case: bool = False) -> bool:
    """Tell whether the whole of ``text`` matches ``pattern``.

    Args:
        pattern: the pattern; an empty one matches the empty text only.
        text: what to look at; the empty text matches the empty pattern only, not even ``*``.
        ignore_case: compare ASCII letters without regard to case, in classes too.
    """
    if not text:
        return not pattern
    fold = _LOWER if ignore_case else _SAME
    at_pattern = at_text = 0
    retry_pattern, retry_text = -1, 0  # where to go on when the text after the last star differs
    while True:
        if at_pattern < len(pattern) and pattern[at_pattern] == _STAR:
            retry_pattern, retry_text = at_pattern + 1, at_text
            at_pattern += 1
            continue
        if at_text == len(text):
            return _only_stars(pattern, at_pattern)
        if at_pattern < len(pattern):
            matched, after = _match_one(pattern, at_pattern, text[at_text], fold)
            if matched:
                at_pattern, at_text = after, at_text + 1
                continue
        if retry_pattern < 0:
            return False
        retry_text += 1
        at_pattern, at_text = retry_pattern, retry_text


def _only_stars(pattern: bytes, start: int) -> bool:
    """Tell whether the rest of ``pattern`` can match nothing at all."""
    return all(char == _STAR for char in pattern[start:])


def _match_one(pattern: bytes, start: int, char: int, fold: bytes) -> tuple[bool, int]:
    """Match one byte against the item at ``start``: whether it fits and where the next item is."""
    item = pattern[start]
    if item == _ANY:
        return True, start + 1
    if item == _OPEN:
        return _match_class(pattern, start + 1, char, fold)
    if item == _ESCAPE and start + 1 < len(pattern):
        start += 1
    return fold[pattern[start]] == fold[char], start + 1


def _signed(byte: int) -> int:
    """Return the number that these eight bits are for a C compiler whose char has a sign."""
    return byte - 256 if byte > 127 else byte


def _match_class(pattern: bytes, start: int, char: int, fold: bytes) -> tuple[bool, int]:
    """Match one byte against the class whose first byte, after the bracket, is at ``start``."""
    at = start
    negated = at < len(pattern) and pattern[at] == _NOT
    if negated:
        at += 1
    found = False
    while at < len(pattern) and pattern[at] != _CLOSE:
        if pattern[at] == _ESCAPE and at + 1 < len(pattern):
            found |= pattern[at + 1] == char
            at += 2
        elif at + 2 < len(pattern) and pattern[at + 1] == _DASH:
            low, high = sorted((_signed(fold[pattern[at]]), _signed(fold[pattern[at + 2]])))
            found |= low <= _signed(fold[char]) <= high
            at += 3
        else:
            found |= fold[pattern[at]] == fold[char]
            at += 1
    return found != negated, min(at + 1, len(pattern))
