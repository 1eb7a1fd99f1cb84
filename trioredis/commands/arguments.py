"""Arguments of commands: numbers and words, as strictly as Redis takes them."""

from __future__ import annotations

import re
from typing import Final

from trioredis.commands.registry import CommandError

INT64_MIN: Final = -(2**63)
INT64_MAX: Final = 2**63 - 1

SYNTAX_ERROR: Final = "ERR syntax error"
NO_MEMORY: Final = "OOM the server is out of memory"
NOT_AN_INTEGER: Final = "ERR value is not an integer or out of range"
SHOWN_MAX: Final = 128
"""Bytes of an argument that an error repeats."""

_INTEGER: Final = re.compile(rb"0|-?[1-9][0-9]{0,18}")


def integer(word: bytes, error: str = NOT_AN_INTEGER, *, low: int = INT64_MIN, high: int = INT64_MAX) -> int:
    """Return the decimal number that ``word`` is: no spaces, no plus sign, no leading zeros.

    CommandError with the text ``error``: it is none, or not between ``low`` and ``high``.
    """
    if _INTEGER.fullmatch(word) and low <= (value := int(word)) <= high:
        return value
    raise CommandError(error)


def on_or_off(word: bytes) -> bool:
    """Return what ``ON`` or ``OFF`` says, in any case. CommandError: it is another word."""
    choice = {b"on": True, b"off": False}.get(word.lower())
    if choice is None:
        raise CommandError(SYNTAX_ERROR)
    return choice


def shown(word: bytes) -> str:
    """Return an argument as an error text repeats it, cut to ``SHOWN_MAX`` bytes."""
    return word[:SHOWN_MAX].decode("utf-8", "surrogateescape")


def wrong_subcommand(container: str, word: bytes) -> CommandError:
    """Return the error for a subcommand that does not take so many arguments."""
    return CommandError(
        f"ERR unknown subcommand or wrong number of arguments for '{shown(word)}'. Try {container} HELP."
    )
