"""Check commands.json: every entry complete, every word known, positions and specs consistent.

    check_commands.py commands.json

Prints what is wrong, a line each; exit status 1 when something is.

The words and their order are those of csrc/exec/command.h; tests/commands/test_schema.py compares
the two.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import command_file
from command_file import Entry
from import_facts import handler_name, is_pure_container

FLAGS: Final = (
    "write", "readonly", "denyoom", "module", "admin", "pubsub", "noscript", "blocking", "loading",
    "stale", "skip_monitor", "skip_slowlog", "asking", "fast", "no_auth", "may_replicate",
    "no_mandatory_keys", "protected", "no_async_loading", "no_multi", "allow_busy",
    "touches_arbitrary_keys", "movablekeys", "secrets",
)  # fmt: skip
INTERNAL_FLAGS: Final = frozenset({"protected", "may_replicate", "secrets", "touches_arbitrary_keys"})
HIDDEN_FLAGS: Final = frozenset({"no_multi"})  # such as COMMAND INFO may show, where that of Redis does not
CATEGORIES: Final = (
    "keyspace", "read", "write", "set", "sortedset", "list", "hash", "string", "bitmap",
    "hyperloglog", "geo", "stream", "pubsub", "admin", "fast", "slow", "blocking", "dangerous",
    "connection", "transaction", "scripting",
)  # fmt: skip
GROUPS: Final = (
    "generic", "string", "list", "set", "sorted-set", "hash", "pubsub", "transactions",
    "connection", "server", "scripting", "hyperloglog", "cluster", "geo", "stream", "bitmap",
    "module",
)  # fmt: skip
KEY_ACCESS: Final = ("RO", "RW", "OW", "RM")
KEY_FLAGS: Final = (
    *KEY_ACCESS, "access", "update", "insert", "delete", "not_key", "incomplete", "variable_flags",
)  # fmt: skip
BEGIN_FIELDS: Final = {
    "index": {"index"},
    "keyword": {"keyword", "startfrom"},
    "unknown": set[str](),
}
FIND_FIELDS: Final = {
    "range": {"lastkey", "keystep", "limit"},
    "keynum": {"keynumidx", "firstkey", "keystep"},
    "unknown": set[str](),
}
ARGUMENT_TYPES: Final = frozenset(
    {"string", "integer", "double", "key", "pattern", "unix-time", "pure-token", "oneof", "block"}
)
ARGUMENT_FLAGS: Final = frozenset({"optional", "multiple", "multiple_token"})
ARGUMENT_KEYS: Final = frozenset(
    {
        "name",
        "type",
        "token",
        "since",
        "deprecated_since",
        "flags",
        "key_spec_index",
        "display_text",
        "arguments",
    }
)
DOC_FLAGS: Final = frozenset({"deprecated", "syscmd"})
TIPS: Final = frozenset({"nondeterministic_output", "nondeterministic_output_order"})
TIP_PREFIXES: Final = ("request_policy:", "response_policy:")
REQUIRED: Final = (
    "name", "summary", "complexity", "group", "since", "arity", "flags", "acl_categories",
    "first_key", "last_key", "key_step",
)  # fmt: skip
VERSION: Final = re.compile(r"\d+\.\d+\.\d+")
NAME_MAX: Final = 255  # tr_command.name_len is one byte


def check(commands: dict[str, Entry]) -> list[str]:
    """Return what is wrong, a sentence each."""
    wrong: list[str] = []
    for name, entry in commands.items():
        if entry.get("name") != name:
            wrong.append(f"{name}: is called {entry.get('name')!r} inside")
        wrong += check_entry(entry)
        for sub_name, sub in entry.get("subcommands", {}).items():
            if sub.get("name") != f"{name}|{sub_name}":
                wrong.append(f"{name}: subcommand {sub_name} is called {sub.get('name')!r} inside")
            if "subcommands" in sub:
                wrong.append(f"{name}: subcommand {sub_name} has subcommands")
            wrong += check_entry(sub)
    return wrong


def check_entry(entry: Entry) -> Iterator[str]:
    """Yield what is wrong with one command, its subcommands not looked at."""
    name = entry.get("name", "?")
    missing = [key for key in REQUIRED if key not in entry]
    if missing:
        yield f"{name}: lacks {', '.join(missing)}"
        return
    unknown = entry.keys() - set(command_file.ENTRY_ORDER)
    if unknown:
        yield f"{name}: unknown keys {sorted(unknown)}"
    for problem in (
        *_check_words(entry),
        *_check_prose(entry),
        *_check_handler(entry),
        *_check_positions(entry),
        *_check_arguments(entry.get("arguments", []), len(entry.get("key_specs", []))),
    ):
        yield f"{name}: {problem}"


def _check_words(entry: Entry) -> Iterator[str]:
    """Flags, categories, group, tips, versions."""
    flags, internal = entry["flags"], entry.get("internal_flags", [])
    yield from _unknown("flag", flags, set(FLAGS) - INTERNAL_FLAGS)
    yield from _unknown("internal flag", internal, INTERNAL_FLAGS | HIDDEN_FLAGS)
    yield from _unknown("category", entry["acl_categories"], {"@" + category for category in CATEGORIES})
    yield from _unknown("group", [entry["group"]], GROUPS)
    yield from _unknown("doc flag", entry.get("doc_flags", []), DOC_FLAGS)
    yield from _unknown("tip", [t for t in entry.get("tips", []) if not t.startswith(TIP_PREFIXES)], TIPS)
    if {"write", "readonly"} <= set(flags):
        yield "both write and readonly"
    if len({"@fast", "@slow"} & set(entry["acl_categories"])) != 1:
        yield "neither or both of @fast and @slow"
    if ("fast" in flags) != ("@fast" in entry["acl_categories"]):
        yield "flag fast and category @fast disagree"
    if "write" in flags and "@write" not in entry["acl_categories"]:
        yield "writes without @write"
    for key in ("since", "deprecated_since"):
        if key in entry and not VERSION.fullmatch(entry[key]):
            yield f"{key} is no version: {entry[key]!r}"
    if ("deprecated" in entry.get("doc_flags", [])) != ("deprecated_since" in entry):
        yield "doc flag deprecated and deprecated_since disagree"


def _check_prose(entry: Entry) -> Iterator[str]:
    """Summary and complexity."""
    summary, complexity = entry["summary"], entry["complexity"]
    if not summary:
        yield "no summary"
    elif not summary[0].isupper() or not summary.endswith(".") or "\n" in summary:
        yield "the summary is not one sentence"
    if not complexity:
        yield "no complexity"
    elif "O(" not in complexity and "subcommands" not in entry and complexity != "Depends on subcommand.":
        yield "the complexity names no class"


def _check_handler(entry: Entry) -> Iterator[str]:
    """Who answers the command."""
    handler = entry.get("handler")
    if is_pure_container(entry):
        if handler is not None:
            yield "a container without a form of its own has a handler"
    elif handler is None:
        yield "no handler"
    elif handler.keys() == {"c"}:
        if handler["c"] != handler_name(entry["name"]):
            yield f"the C handler should be called {handler_name(entry['name'])}"
    elif handler not in ({"python": "sync"}, {"python": "async"}):
        yield f"unknown handler {handler}"
    if "get_keys" in entry and not re.fullmatch(r"tr_getkeys_[a-z_]+", entry["get_keys"]):
        yield f"get_keys should be called tr_getkeys_...: {entry['get_keys']}"
    if not re.fullmatch(r"[a-z_-]+(\|[a-z-]+)?", entry["name"]) or len(entry["name"]) > NAME_MAX:
        yield "not a name"


def _check_positions(entry: Entry) -> Iterator[str]:
    """Arity, key positions in the old form, key specs."""
    arity, specs = entry["arity"], entry.get("key_specs", [])
    words = 2 if "|" in entry["name"] else 1
    if abs(arity) < words:
        yield f"arity {arity} does not count the name"
    if (entry["first_key"] == 0) != (entry["key_step"] == 0) or entry["first_key"] < 0:
        yield "first_key, last_key and key_step contradict each other"
    if entry["first_key"] and not specs:
        yield "key positions without key specs"
    if arity > 0 and max(entry["first_key"], entry["last_key"]) >= arity:
        yield "keys past the last argument"
    for index, spec in enumerate(specs):
        for problem in _check_spec(spec, arity):
            yield f"key spec {index}: {problem}"
    needs_function = any(
        "variable_flags" in spec["flags"] or "incomplete" in spec["flags"] or _is_unknown(spec) for spec in specs
    )
    if needs_function != ("get_keys" in entry):
        yield "get_keys is needed exactly where a spec is unknown, incomplete or has variable flags"


def _is_unknown(spec: Entry) -> bool:
    return "unknown" in (spec["begin_search"]["type"], spec["find_keys"]["type"])


def _check_spec(spec: Entry, arity: int) -> Iterator[str]:
    flags, begin, find = spec["flags"], spec["begin_search"], spec["find_keys"]
    yield from _unknown("flag", flags, KEY_FLAGS)
    if len(set(flags) & set(KEY_ACCESS)) != (0 if "not_key" in flags else 1):
        yield "needs one of RO, RW, OW and RM"
    if begin["type"] not in BEGIN_FIELDS or begin.get("spec", {}).keys() != BEGIN_FIELDS[begin["type"]]:
        yield f"unknown begin_search {begin}"
    elif begin["type"] == "index" and not 1 <= begin["spec"]["index"] <= abs(arity) + 1:
        yield "index out of range"
    elif begin["type"] == "keyword" and (begin["spec"]["startfrom"] == 0 or not begin["spec"]["keyword"].isupper()):
        yield "a keyword search starts at 0 or is not in upper case"
    if find["type"] not in FIND_FIELDS or find.get("spec", {}).keys() != FIND_FIELDS[find["type"]]:
        yield f"unknown find_keys {find}"
    elif "spec" in find and (find["spec"]["keystep"] < 1 or find["spec"].get("limit", 0) < 0):
        yield "keystep or limit out of range"
    if (begin["type"] == "unknown") != (find["type"] == "unknown"):
        yield "only one half is unknown"


def _check_arguments(arguments: list[dict[str, Any]], spec_count: int) -> Iterator[str]:
    for argument in arguments:
        name = argument.get("name")
        yield from (f"argument {name}: {problem}" for problem in _check_argument(argument, spec_count))
        yield from _check_arguments(argument.get("arguments", []), spec_count)


def _check_argument(argument: dict[str, Any], spec_count: int) -> Iterator[str]:
    kind = argument.get("type")
    yield from _unknown("key", argument.keys(), ARGUMENT_KEYS)
    yield from _unknown("type", [kind], ARGUMENT_TYPES)
    yield from _unknown("flag", argument.get("flags", []), ARGUMENT_FLAGS)
    if not argument.get("name"):
        yield "no name"
    if kind == "pure-token" and "token" not in argument:
        yield "a pure token without token"
    if (kind in ("oneof", "block")) != ("arguments" in argument):
        yield "oneof and block have arguments, others don't"
    if kind == "key" and not 0 <= argument.get("key_spec_index", -1) < spec_count:
        yield "key_spec_index points to no key spec"


def _unknown(what: str, words: Any, known: Any) -> Iterator[str]:
    seen = list(words)
    yield from (f"unknown {what} {word!r}" for word in seen if word not in known)
    if len(set(seen)) != len(seen):
        yield f"a {what} twice"


def main() -> int:
    """Check the file that the first argument names."""
    wrong = check(command_file.read(Path(sys.argv[1])))
    for sentence in wrong:
        print(sentence)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
