"""The HELP subcommand of every container, made from the schema."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from trioredis.commands.registry import command
from trioredis.commands.reply import ReplyValue, SimpleString
from trioredis.commands.schema import Command, HandlerKind, load
from trioredis.commands.syntax import arguments_of


def help_lines(container: Command) -> list[str]:
    """Return a heading, then two lines for each subcommand: how it is written and what it does."""
    lines = [f"{container.fullname.upper()} <subcommand> [<arg> ...]. Subcommands are:"]
    if container.handler_kind is not HandlerKind.CONTAINER:
        lines += ["(no subcommand)", f"    {container.summary}"]
    for name, subcommand in container.subcommands.items():
        lines += [
            f"{name.upper()} {arguments_of(subcommand)}".rstrip(),
            f"    {subcommand.summary}",
        ]
    return lines


@command("client|help")
@command("command|help")
@command("config|help")
@command("latency|help")
@command("memory|help")
@command("module|help")
@command("object|help")
@command("pubsub|help")
@command("slowlog|help")
def container_help(ctx: Any, argv: Sequence[bytes]) -> ReplyValue:
    """Answer ``<container> HELP`` with one status line per line of help."""
    container = load().resolve(argv[:1])
    assert container is not None
    return [SimpleString(line) for line in help_lines(container)]
