"""Aim: every Python command has exactly one handler of the right kind.

Method: the real registry, and small ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from trioredis.commands import handlers
from trioredis.commands.registry import CommandError, Registry, registry
from trioredis.commands.reply import ErrorReply, ReplyValue
from trioredis.commands.schema import Schema, load


def _answer(ctx: Any, argv: Sequence[bytes]) -> ReplyValue:
    return 1


async def _answer_later(ctx: Any, argv: Sequence[bytes]) -> ReplyValue:
    return 1


@pytest.fixture
def small_schema() -> Schema:
    """One synchronous Python command, one asynchronous one, one in C."""
    commands = load().commands
    return Schema({name: commands[name] for name in ("get", "info", "shutdown")})


def test_a_full_registry_has_nothing_wrong(small_schema: Schema) -> None:
    registry = Registry()
    assert registry.command("info")(_answer) is _answer
    registry.command("shutdown")(_answer_later)
    assert registry.check(small_schema) == []
    assert list(registry) == ["info", "shutdown"]
    assert registry.sync_handler("info") is _answer
    assert registry.async_handler("shutdown") is _answer_later


def test_what_is_wrong_is_named(small_schema: Schema) -> None:
    registry = Registry()
    registry.command("shutdown")(_answer)
    registry.command("get")(_answer)
    assert registry.check(small_schema) == [
        "info has no Python handler",
        "shutdown is async in the schema, its handler is not",
        "get has a handler that the schema does not ask for",
    ]


def test_a_second_handler_is_refused() -> None:
    registry = Registry()
    registry.command("info")(_answer)
    with pytest.raises(ValueError, match="info has two handlers"):
        registry.command("info")(_answer)


def test_a_command_error_is_a_reply() -> None:
    assert CommandError("ERR syntax error").reply == ErrorReply("ERR syntax error")


def test_every_python_command_has_its_handler() -> None:
    assert handlers.__all__
    assert registry.check(load()) == []
