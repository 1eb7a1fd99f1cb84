"""Commands of modules as entries of the schema: what the engine knows of each becomes what COMMAND shows.

A module may describe its command (RedisModule_SetCommandInfo); the description comes as the body of the message
command_info, checked by the engine when it was registered.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final

from trioredis.commands.schema import Argument, Command, HandlerKind, KeySpec, Schema, SearchStep, key_flag_names
from trioredis.engine import RuntimeCommand
from trioredis.modules.protocol import MESSAGES

GROUP: Final = "module"
FLAGS: Final = (
    "write", "readonly", "denyoom", "module", "admin", "pubsub", "noscript", "blocking", "loading", "stale",
    "skip_monitor", "skip_slowlog", "asking", "fast", "no_auth", "may_replicate", "no_mandatory_keys", "protected",
    "no_async_loading", "no_multi", "allow_busy", "touches_arbitrary_keys", "movablekeys",
)  # fmt: skip
"""Names of the ``TR_CMD_...`` bits of csrc/exec/command.h, lowest bit first."""
HIDDEN: Final = frozenset({"may_replicate", "protected", "touches_arbitrary_keys"})
CATEGORIES: Final = (
    "keyspace", "read", "write", "set", "sortedset", "list", "hash", "string", "bitmap", "hyperloglog", "geo", "stream",
    "pubsub", "admin", "fast", "slow", "blocking", "dangerous", "connection", "transaction", "scripting",
)  # fmt: skip
"""Names of the ``TR_CAT_...`` bits, lowest bit first."""
TYPES: Final = ("string", "integer", "double", "key", "pattern", "unix-time", "pure-token", "oneof", "block")
ARGUMENT_FLAGS: Final = ("optional", "multiple", "multiple_token")
FULL_ACCESS: Final = ("RW", "access", "update")
"""What a command may do with its keys that has not said more."""
INDEX, KEYWORD = 2, 3
RANGE, KEYNUM = 2, 3


def with_modules(schema: Schema, commands: Iterable[RuntimeCommand], modules: Mapping[int, str]) -> Schema:
    """Return the schema with the commands of modules that are there now; ``modules`` has their names."""
    live = [one for one in commands if one.is_live]
    if not live:
        return schema
    subs: dict[int, dict[str, Command]] = {}
    for one in live:
        if one.parent is not None:
            subs.setdefault(one.parent, {})[one.name.partition("|")[2].lower()] = _entry(one, {}, modules)
    found = {one.name.lower(): _entry(one, subs.get(one.id, {}), modules) for one in live if one.parent is None}
    return Schema(MappingProxyType(dict(sorted({**schema.commands, **found}.items()))), schema.names)


def _names(bits: int, names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for bit, name in enumerate(names) if bits >> bit & 1)


def _entry(one: RuntimeCommand, subcommands: Mapping[str, Command], modules: Mapping[int, str]) -> Command:
    info: Mapping[str, Any] = (
        MESSAGES.decode_values(MESSAGES.by_name["command_info"], one.info) if one.info else MappingProxyType({})
    )
    flags = _names(one.flags, FLAGS)
    return Command(
        fullname=one.name,
        summary=_text(info.get("summary", b"")),
        complexity=_text(info.get("complexity", b"")),
        group=GROUP,
        since=_text(info.get("since", b"")),
        arity=one.arity,
        handler_kind=HandlerKind.CONTAINER if one.is_container else HandlerKind.C,
        flags=tuple(name for name in flags if name not in HIDDEN),
        internal_flags=tuple(name for name in flags if name in HIDDEN),
        acl_categories=tuple("@" + name for name in _names(one.categories, CATEGORIES)),
        first_key=one.first_key,
        last_key=one.last_key,
        key_step=one.key_step,
        key_specs=_described_specs(info) or _plain_specs(one),
        tips=tuple(_text(info.get("tips", b"")).split()),
        doc_flags=(),
        deprecated_since=None,
        replaced_by=None,
        arguments=_arguments(info, -1) if info else (),
        subcommands=MappingProxyType(dict(sorted(subcommands.items()))),
        module=modules.get(one.helper, ""),
        history=_history(info),
    )


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


def _history(info: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    pairs = zip(info.get("history_since", ()), info.get("history_changes", ()), strict=True)
    return tuple((_text(since), _text(changes)) for since, changes in pairs)


def _step(kind: str, **fields: int | str) -> SearchStep:
    return SearchStep(kind, MappingProxyType(fields))


def _plain_specs(one: RuntimeCommand) -> tuple[KeySpec, ...]:
    if one.first_key == 0:
        return ()
    last = one.last_key if one.last_key < 0 else one.last_key - one.first_key
    keys = _step("range", lastkey=last, keystep=one.key_step, limit=0)
    flags = (*FULL_ACCESS, "variable_flags") if "movablekeys" in _names(one.flags, FLAGS) else FULL_ACCESS
    return (KeySpec(flags, _step("index", index=one.first_key), keys),)


def _described_specs(info: Mapping[str, Any]) -> tuple[KeySpec, ...]:
    return tuple(_described_spec(info, at) for at in range(len(info.get("spec_flags", ()))))


def _described_spec(info: Mapping[str, Any], at: int) -> KeySpec:
    begin, find = _step("unknown"), _step("unknown")
    start = info["spec_from"][at]
    first, second, third = info["spec_numbers"][3 * at : 3 * at + 3]
    if info["spec_begin"][at] == INDEX:
        begin = _step("index", index=start)
    elif info["spec_begin"][at] == KEYWORD:
        begin = _step("keyword", keyword=_text(info["spec_keywords"][at]), startfrom=start)
    if info["spec_find"][at] in (0, RANGE):
        find = _step("range", lastkey=first, keystep=second or 1, limit=third)
    elif info["spec_find"][at] == KEYNUM:
        find = _step("keynum", keynumidx=first, firstkey=second, keystep=third)
    return KeySpec(tuple(key_flag_names(info["spec_flags"][at])), begin, find, _text(info["spec_notes"][at]))


def _arguments(info: Mapping[str, Any], parent: int) -> tuple[Argument, ...]:
    return tuple(_argument(info, at) for at, above in enumerate(info["arg_parents"]) if above == parent)


def _argument(info: Mapping[str, Any], at: int) -> Argument:
    name, spec = _text(info["arg_names"][at]), info["arg_specs"][at]
    kind = info["arg_types"][at]
    return Argument(
        name=name,
        kind=TYPES[kind] if kind < len(TYPES) else TYPES[0],
        display_text=_text(info["arg_displays"][at]) or name,
        token=_text(info["arg_tokens"][at]) or None,
        since=_text(info["arg_since"][at]) or None,
        deprecated_since=_text(info["arg_deprecated"][at]) or None,
        key_spec_index=spec if spec >= 0 else None,
        flags=_names(info["arg_flags"][at], ARGUMENT_FLAGS),
        arguments=_arguments(info, at),
        summary=_text(info["arg_summaries"][at]) or None,
    )
