"""CLIENT LIST and CLIENT INFO: who is connected, a line for each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from trioredis.commands.arguments import SYNTAX_ERROR, integer, shown
from trioredis.commands.context import CommandView
from trioredis.commands.registry import CommandError, command
from trioredis.commands.reply import ReplyValue, Verbatim
from trioredis.engine import ClientInfo, Engine

US_PER_S: Final = 1_000_000
NO_ADDRESS: Final = "?:0"
DEFAULT_USER: Final = "default"
CLIENT_TYPES: Final = {
    b"normal": "normal",
    b"master": "master",
    b"replica": "replica",
    b"slave": "replica",
    b"pubsub": "pubsub",
}


@command("client|info")
def client_info(ctx: CommandView, argv: Sequence[bytes]) -> ReplyValue:
    """CLIENT INFO: the line of the client that asks."""
    info = ctx.server.engine.client(ctx.client.id)
    assert info is not None
    return Verbatim("txt", line_of(info) + "\n")


@command("client|list")
def client_list(ctx: CommandView, argv: Sequence[bytes]) -> ReplyValue:
    """CLIENT LIST [TYPE type | ID id [id ...]]: a line for each client, oldest first."""
    found = _listed(ctx.server.engine, argv[2:])
    return Verbatim("txt", "".join(line_of(info) + "\n" for info in found))


def _listed(engine: Engine, words: Sequence[bytes]) -> Iterator[ClientInfo]:
    if not words:
        return open_clients(engine)
    option = words[0].lower()
    if option == b"type" and len(words) == 2:
        wanted = client_type(words[1])
        return (info for info in open_clients(engine) if type_of(info) == wanted)
    if option == b"id" and len(words) > 1:
        idents = [integer(word, "ERR Invalid client ID") for word in words[1:]]
        found = (engine.client(ident) if ident > 0 else None for ident in idents)
        return (info for info in found if info is not None and not info.closing_now)
    raise CommandError(SYNTAX_ERROR)


def open_clients(engine: Engine) -> Iterator[ClientInfo]:
    """Yield facts about every client, oldest first, but those that are being closed at this moment."""
    for ident in engine.clients():
        info = engine.client(ident)
        if info is not None and not info.closing_now:
            yield info


def client_type(word: bytes) -> str:
    """Return the type that ``word`` names. CommandError: there is no such type."""
    found = CLIENT_TYPES.get(word.lower())
    if found is None:
        raise CommandError(f"ERR Unknown client type '{shown(word)}'")
    return found


def type_of(info: ClientInfo) -> str:
    """Return what kind of client this is: normal, replica or pubsub. A monitor is normal."""
    if info.is_replica and not info.is_monitor:
        return "replica"
    return "pubsub" if info.is_pubsub else "normal"


def flags_of(info: ClientInfo) -> str:
    """Return the letters of the ``flags`` field, ``N`` when there is nothing to tell."""
    letters = (
        ("O", info.is_monitor),
        ("S", info.is_replica and not info.is_monitor),
        ("P", info.is_pubsub),
        ("x", info.queued_commands is not None),
        ("b", info.blocked),
        ("c", info.closing_after_reply),
        ("A", info.closing_now),
        ("U", info.is_unix),
        ("e", info.no_evict),
        ("T", info.no_touch),
    )
    return "".join(letter for letter, holds in letters if holds) or "N"


def line_of(info: ClientInfo) -> str:
    """Return a client's line, without a line break.

    What this server does otherwise than Redis shows in the buffers: an idle client has none, ``rbs`` is the size of the
    chunk that replies are written into, and ``obl`` counts all bytes that wait to be sent, not only the first buffer's.
    """
    fields = (
        ("id", info.id),
        ("addr", info.addr or NO_ADDRESS),
        ("laddr", info.laddr or NO_ADDRESS),
        ("fd", info.fd),
        ("name", info.name.decode("ascii")),
        ("age", info.age_us // US_PER_S),
        ("idle", info.idle_us // US_PER_S),
        ("flags", flags_of(info)),
        ("db", info.database),
        ("sub", info.channels),
        ("psub", info.patterns),
        ("ssub", info.shard_channels),
        ("multi", -1 if info.queued_commands is None else info.queued_commands),
        ("watch", info.watched_keys),
        ("qbuf", info.query_bytes),
        ("qbuf-free", info.query_free),
        ("argv-mem", info.argv_bytes),
        ("multi-mem", info.queue_bytes),
        ("rbs", info.output_chunk),
        ("rbp", info.output_chunk),
        ("obl", info.output_bytes),
        ("oll", info.output_nodes),
        ("omem", info.output_memory),
        ("tot-mem", info.memory),
        ("events", "r" * info.wants_read + "w" * info.wants_write),
        ("cmd", info.last_command or "NULL"),
        ("user", DEFAULT_USER),
        ("redir", -1),
        ("resp", info.proto),
        ("lib-name", info.lib_name.decode("ascii")),
        ("lib-ver", info.lib_ver.decode("ascii")),
    )
    return " ".join(f"{name}={value}" for name, value in fields)
