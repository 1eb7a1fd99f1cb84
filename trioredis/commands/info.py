"""INFO: the figures of :mod:`trioredis.observability.collect`, as text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from trioredis.commands.context import CommandView
from trioredis.commands.registry import command
from trioredis.commands.reply import ReplyValue, Verbatim
from trioredis.observability.collect import collect
from trioredis.observability.info import build_sections, format_info, select


@command("info")
def info(ctx: CommandView, argv: Sequence[bytes]) -> ReplyValue:
    """INFO [section ...]. Modules that serve are asked for sections of their own where these are wanted."""
    selection, data = select(argv[1:]), collect(ctx.server)
    if selection.module_sections or selection.others:
        data = replace(data, module_sections=(*data.module_sections, *ctx.server.modules.own_sections()))
    return Verbatim("txt", format_info(build_sections(data, selection)))
