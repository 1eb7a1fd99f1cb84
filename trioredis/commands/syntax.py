"""How a command is written, as one line of text: ``SET key value [NX | XX] [GET] ...``."""

from __future__ import annotations

from collections.abc import Iterable

from trioredis.commands.schema import Argument, Command


def syntax_of(command: Command) -> str:
    """Return the name(s) in upper case and every argument: optional ones in brackets, repeated ones
    with dots.
    """
    name = command.fullname.upper().replace("|", " ")
    return " ".join([name, *_all(command.arguments)])


def arguments_of(command: Command) -> str:
    """Return the arguments only; an empty string when there are none."""
    return " ".join(_all(command.arguments))


def _all(arguments: Iterable[Argument]) -> list[str]:
    return [_one(argument) for argument in arguments]


def _one(argument: Argument) -> str:
    """Return one argument with what surrounds it."""
    value = _value(argument)
    token = argument.token if argument.token != "" else '""'
    once = " ".join(part for part in (token, value) if part)
    if "multiple" in argument.flags:
        repeated = once if "multiple_token" in argument.flags else value
        once = f"{once} [...]" if argument.kind == "oneof" else f"{once} [{repeated} ...]"
    return f"[{once}]" if "optional" in argument.flags else once


def _value(argument: Argument) -> str:
    """Return what stands behind the token: a name, the choices, a sequence, or nothing."""
    if argument.kind == "pure-token":
        return ""
    if argument.kind == "block":
        return " ".join(_all(argument.arguments))
    if argument.kind == "oneof":
        choices = " | ".join(_all(argument.arguments))
        return choices if "optional" in argument.flags and not argument.token else f"<{choices}>"
    return argument.display_text
