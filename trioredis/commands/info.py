"""INFO: the figures of :mod:`trioredis.observability.collect`, as text."""

from __future__ import annotations

from collections.abc import Sequence

from trioredis.commands.context import CommandView
from trioredis.commands.registry import command
from trioredis.commands.reply import ReplyValue, Verbatim
from trioredis.observability.collect import collect
from trioredis.observability.info import build_sections, format_info, select


@command("info")
def info(ctx: CommandView, argv: Sequence[bytes]) -> ReplyValue:
    """INFO [section ...]."""
    return Verbatim("txt", format_info(build_sections(collect(ctx.server), select(argv[1:]))))
