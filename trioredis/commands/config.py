"""CONFIG: reading, changing and saving the configuration, and setting the statistics back."""

from __future__ import annotations

from collections.abc import Sequence

from trioredis.commands.arguments import SYNTAX_ERROR
from trioredis.commands.context import CommandView
from trioredis.commands.registry import CommandError, command
from trioredis.commands.reply import OK, ReplyValue
from trioredis.config import ConfigRewriteError, ConfigSetError, to_text
from trioredis.engine import ServerEvent
from trioredis.observability import EVENTS


@command("config|get")
def config_get(ctx: CommandView, argv: Sequence[bytes]) -> ReplyValue:
    """CONFIG GET pattern [pattern ...]: a map of the directives that match."""
    return ctx.server.config.get(to_text(word) for word in argv[2:])


@command("config|set")
def config_set(ctx: CommandView, argv: Sequence[bytes]) -> ReplyValue:
    """CONFIG SET name value [name value ...]: all of them or, with an error, none."""
    words = [to_text(word) for word in argv[2:]]
    if len(words) % 2:
        raise CommandError(SYNTAX_ERROR)
    server = ctx.server
    info = server.engine.client(ctx.client.id, names=False)
    try:
        server.config.set_many(
            list(zip(words[::2], words[1::2], strict=True)), local=info is not None and info.is_local
        )
    except ConfigSetError as refused:
        for reason in refused.unrestored:
            server.log.emit(EVENTS.CONFIG_WARNING, directive=" ".join(words[::2]), problem=reason)
        raise CommandError(refused.message) from refused
    server.helpers.happens(ServerEvent.CONFIG, [name.lower() for name in words[::2]])
    server.log.emit(EVENTS.CONFIG_CHANGED, directives=[name.lower() for name in words[::2]])
    return OK


@command("config|rewrite")
def config_rewrite(ctx: CommandView, argv: Sequence[bytes]) -> ReplyValue:
    """CONFIG REWRITE: bring the configuration file up to date."""
    config, log = ctx.server.config, ctx.server.log
    try:
        config.rewrite(modules=ctx.server.modules.lines(), policies=ctx.server.modules.policy_lines())
    except ConfigRewriteError as failed:
        if config.path:
            log.emit(EVENTS.CONFIG_REWRITE_FAILED, file=config.path, error=str(failed))
        raise CommandError(str(failed)) from failed
    log.emit(EVENTS.CONFIG_REWRITTEN, file=config.path)
    return OK


@command("config|resetstat")
def config_resetstat(ctx: CommandView, argv: Sequence[bytes]) -> ReplyValue:
    """CONFIG RESETSTAT: counters of INFO's stats, commandstats, errorstats and latencystats begin at zero again."""
    ctx.server.engine.reset_stats()
    return OK
