"""Aim: taint goes exactly as far as the difference does. Method: short recordings, written by hand.

Each line of a story is ``connection: command -> reply`` and the expected decision: compare, run,
probe (our server lacks the command) or skip. Replies: OK, QUEUED, an integer, ``nil``, ``!text``
for an error, ``[...]`` for an array of those.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.golden.facts import Entry, Table, missing
from tests.golden.replay import hide
from tests.golden.taint import Action, Plan, Taint, Tracker, raw_commands


def keys(flags: str, index: int = 1, last: int = 0, step: int = 1) -> Entry:
    """Write a key specification that begins at an argument."""
    return {
        "flags": flags.split(),
        "begin_search": {"type": "index", "spec": {"index": index}},
        "find_keys": {"type": "range", "spec": {"lastkey": last, "keystep": step, "limit": 0}},
    }


def command(flags: str, group: str, *specs: Entry, **subcommands: Entry) -> Entry:
    """Write the facts of one command."""
    return {"flags": flags.split(), "group": group, "key_specs": list(specs), "subcommands": subcommands}


READ, WRITE = keys("RO access"), keys("RW update")
FACTS: Table = {
    "append": command("write", "string", keys("RW insert")),
    "blpop": command("write blocking", "list", keys("RW delete", last=-2)),
    "client": command(
        "",
        "connection",
        id=command("", "connection"),
        kill=command("", "connection"),
        reply=command("", "connection"),
        setname=command("", "connection"),
        getname=command("", "connection"),
        tracking=command("", "connection"),
        unblock=command("", "connection"),
    ),
    "copy": command("write", "generic", READ, keys("OW update", 2)),
    "dbsize": command("readonly", "server"),
    "del": command("write", "generic", keys("RM delete", last=-1)),
    "discard": command("", "transactions"),
    "eval": command("movablekeys", "scripting"),
    "exec": command("", "transactions"),
    "flushall": command("write", "server"),
    "flushdb": command("write", "server"),
    "get": command("readonly", "string", READ),
    "keys": command("readonly", "generic"),
    "lpush": command("write", "list", keys("RW insert")),
    "lrange": command("readonly", "list", READ),
    "mget": command("readonly", "string", keys("RO access", last=-1)),
    "move": command("write", "generic", keys("RW delete")),
    "mset": command("write", "string", keys("OW update", last=-1, step=2)),
    "multi": command("", "transactions"),
    "ping": command("", "connection"),
    "publish": command("", "pubsub"),
    "rename": command("write", "generic", keys("RW delete"), keys("OW update", 2)),
    "reset": command("", "connection"),
    "select": command("", "connection"),
    "set": command("write", "string", WRITE),
    "sort": command("write", "generic", READ),
    "subscribe": command("", "pubsub"),
    "sunionstore": command("write", "set", keys("OW update"), keys("RO access", 2, -1)),
    "swapdb": command("write", "server"),
    "unwatch": command("", "transactions"),
    "watch": command("", "transactions", keys("RO", last=-1)),
}


def reply(text: str) -> Any:
    """Read a reply of a story."""
    if text.startswith("["):
        return {"t": "array", "v": [reply(word) for word in text[1:-1].split()]}
    if text.startswith("!"):
        return {"t": "err", "v": "ERR " + text[1:]}
    if text.lstrip("-").isdigit():
        return {"t": "int", "v": int(text)}
    special = {"nil": {"t": "nullbulk"}, "none": {"t": "none"}, "closed": {"t": "closed"}}
    return special.get(text, {"t": "simple", "v": text})


def steps(story: str) -> list[tuple[dict[str, Any], str]]:
    """Read a story: the steps and the decision that each should get."""
    out = []
    for line in filter(None, map(str.strip, story.splitlines())):
        left, _, decision = line.rpartition("=")
        who, _, rest = left.partition(":")
        call, _, answer = rest.partition("->")
        step: dict[str, Any] = {"c": int(who), "r": reply(answer.strip())}
        if call.strip() == "RECV":
            step["recv"] = 1
        else:
            step["argv"] = call.split()
            if step["r"]["t"] == "none":
                step["send"] = True
        out.append((step, decision.strip()))
    return out


STORIES = {
    "a missing write taints its key until an overwrite": """
        0: LPUSH a 1 -> 1 = probe
        0: GET a -> nil = run
        0: GET b -> nil = compare
        0: SET a 1 -> OK = compare
        0: GET a -> 1 = compare""",
    "a missing command that failed changes nothing": """
        0: LPUSH a -> !arity = probe
        0: GET a -> nil = compare""",
    "a missing read changes nothing": """
        0: LRANGE a 0 1 -> nil = probe
        0: GET a -> nil = compare""",
    "a write with a tainted input taints its other keys": """
        0: LPUSH a 1 -> 1 = probe
        0: RENAME a b -> OK = run
        0: GET b -> nil = run
        0: GET a -> nil = run""",
    "an overwrite from clean inputs cleans the target": """
        0: LPUSH b 1 -> 1 = probe
        0: SUNIONSTORE b c d -> 0 = compare
        0: GET b -> nil = compare""",
    "an overwrite that failed cleans nothing": """
        0: LPUSH b 1 -> 1 = probe
        0: RENAME a b -> !no-such-key = compare
        0: GET b -> nil = run""",
    "a copy of nothing cleans nothing": """
        0: LPUSH b 1 -> 1 = probe
        0: COPY a b REPLACE -> 0 = compare
        0: GET b -> nil = run""",
    "a conditional SET cleans nothing": """
        0: LPUSH a 1 -> 1 = probe
        0: SET a 1 NX -> nil = run
        0: GET a -> nil = run""",
    "DEL cleans, though its count is unknown": """
        0: LPUSH a 1 -> 1 = probe
        0: DEL a b -> 1 = run
        0: GET a -> nil = compare""",
    "MSET cleans all its keys": """
        0: LPUSH a 1 -> 1 = probe
        0: LPUSH b 1 -> 1 = probe
        0: MSET a 1 b 2 -> OK = compare
        0: MGET a b -> [1 2] = compare""",
    "databases are apart, and SWAPDB and MOVE cross": """
        0: LPUSH a 1 -> 1 = probe
        1: SELECT 1 -> OK = compare
        1: GET a -> nil = compare
        0: SWAPDB 0 1 -> OK = compare
        1: GET a -> nil = run
        0: GET a -> nil = compare
        1: MOVE a 2 -> 1 = run
        1: SELECT 2 -> OK = compare
        1: GET a -> nil = run
        1: FLUSHDB -> OK = compare
        1: GET a -> nil = compare
        0: FLUSHALL -> OK = compare
        1: SELECT 1 -> OK = compare
        1: GET a -> nil = compare""",
    "looks at all keys wait for a clean database": """
        0: DBSIZE -> 0 = compare
        0: LPUSH a 1 -> 1 = probe
        0: DBSIZE -> 1 = run
        0: KEYS * -> [a] = compare
        0: SORT b BY w_* -> [] = run
        0: SORT b -> [] = compare
        0: FLUSHALL -> OK = compare
        0: DBSIZE -> 0 = compare""",
    "scripts may do anything while something is missing": """
        0: EVAL x 0 -> 1 = run
        0: GET a -> nil = run
        0: SET a 1 -> OK = compare
        0: GET a -> 1 = compare""",
    "blocking on a tainted key is not tried": """
        0: LPUSH a 1 -> 1 = probe
        1: BLPOP a 0 -> none = skip
        1: RECV -> 1 = skip
        1: PING -> PONG = compare""",
    "what a blocked client gets depends on who pushes": """
        1: BLPOP a 0 -> none = compare
        0: LPUSH a 1 -> 1 = probe
        1: RECV -> 1 = skip""",
    "EXEC is compared reply by reply": """
        0: LPUSH a 1 -> 1 = probe
        0: MULTI -> OK = compare
        0: GET a -> QUEUED = compare
        0: SET a 1 -> QUEUED = compare
        0: GET a -> QUEUED = compare
        0: EXEC -> [nil OK 1] = compare FTT
        0: GET a -> 1 = compare""",
    "a missing command spoils its transaction": """
        0: MULTI -> OK = compare
        0: LPUSH a 1 -> QUEUED = probe
        0: SET b 1 -> QUEUED = compare
        0: EXEC -> [1 OK] = run
        0: GET a -> nil = run
        0: GET b -> 1 = run
        0: GET c -> nil = compare""",
    "a discarded transaction changes nothing": """
        0: MULTI -> OK = compare
        0: LPUSH a 1 -> QUEUED = probe
        0: DISCARD -> OK = compare
        0: GET a -> nil = compare""",
    "a watched key that a missing command changed": """
        0: WATCH a -> OK = compare
        1: LPUSH a 1 -> 1 = probe
        1: DEL a -> 1 = run
        0: MULTI -> OK = compare
        0: SET b 1 -> QUEUED = compare
        0: EXEC -> nil = run
        0: GET b -> nil = run""",
    "RESET ends a transaction": """
        0: MULTI -> OK = compare
        0: RESET -> RESET = compare
        0: GET a -> nil = compare""",
}
MISSING_STORIES = {
    "without MULTI the connection is useless until EXEC": (
        "multi",
        """
        0: MULTI -> OK = probe
        0: SET a 1 -> QUEUED = skip
        0: GET b -> QUEUED = skip
        1: GET a -> nil = compare
        0: EXEC -> [OK nil] = skip
        0: GET b -> nil = compare
        0: GET a -> 1 = run""",
    ),
    "without EXEC the transaction never happens": (
        "exec",
        """
        0: MULTI -> OK = compare
        0: SET a 1 -> QUEUED = compare
        0: EXEC -> [OK] = probe
        0: GET a -> 1 = run
        0: GET b -> nil = compare""",
    ),
    "without SUBSCRIBE the connection is useless until RESET": (
        "subscribe",
        """
        0: SUBSCRIBE ch -> 1 = probe
        0: PING -> PONG = skip
        1: PUBLISH ch x -> 1 = run
        1: PING -> PONG = compare
        0: RESET -> RESET = skip
        0: PING -> PONG = compare""",
    ),
    "without WATCH nobody knows whether EXEC runs": (
        "watch",
        """
        0: WATCH a -> OK = probe
        0: MULTI -> OK = compare
        0: SET b 1 -> QUEUED = compare
        0: EXEC -> [OK] = run
        0: GET b -> 1 = run
        0: UNWATCH -> OK = compare""",
    ),
    "without CLIENT KILL connections stay": (
        "client|kill",
        """
        0: CLIENT ID -> 1 = compare
        0: CLIENT KILL ID 3 -> 1 = probe
        0: CLIENT ID -> 1 = compare
        1: RECV -> closed = skip
        1: PING -> PONG = compare""",
    ),
    "without CLIENT SETNAME only the name differs": (
        "client|setname",
        """
        0: CLIENT SETNAME x -> OK = probe
        0: CLIENT ID -> 1 = compare
        0: CLIENT GETNAME -> x = run""",
    ),
    "without CLIENT REPLY the connection is useless until it is on again": (
        "client|reply",
        """
        1: CLIENT REPLY OFF -> none = run
        1: APPEND a x -> none = skip
        1: CLIENT REPLY ON -> OK = skip
        1: PING -> PONG = compare
        1: GET a -> x = run""",
    ),
}


def without(*names: str) -> Table:
    """Return the table of a server that lacks some commands."""
    out = {name: {**entry} for name, entry in FACTS.items() if name not in names}
    for name in names:
        parent, _, sub = name.partition("|")
        if sub:
            subs = out[parent]["subcommands"]
            out[parent]["subcommands"] = {k: v for k, v in subs.items() if k != sub}
    return out


def check(story: str, ours: Table) -> None:
    tracker = Tracker(FACTS, ours)
    for step, decision in steps(story):
        plan = tracker.plan(step)
        wanted, _, parts = decision.partition(" ")
        assert plan.action is Action(wanted), f"{step}: {plan}"
        if parts:
            assert plan.parts == tuple(letter == "T" for letter in parts)
        tracker.settle(step, plan)


@pytest.mark.parametrize("name", STORIES)
def test_story_without_the_list_commands(name: str) -> None:
    lists = {"lpush", "lrange"}
    check(STORIES[name], without(*lists))


@pytest.mark.parametrize("name", STORIES)
def test_a_complete_server_is_always_compared(name: str) -> None:
    complete = "\n".join(line.rpartition("=")[0] + "= compare" for line in STORIES[name].splitlines() if "=" in line)
    check(complete, FACTS)


@pytest.mark.parametrize("name", MISSING_STORIES)
def test_story_without_a_connection_command(name: str) -> None:
    lacking, story = MISSING_STORIES[name]
    check(story, without(lacking))


def test_missing_names_commands_and_subcommands() -> None:
    ours = without("get", "client|id")
    assert missing(FACTS, ours, ["GET", "a"]) == "get"
    assert missing(FACTS, ours, ["Client", "ID"]) == "client|id"
    assert missing(FACTS, ours, ["client", "nosuch"]) is None
    assert missing(FACTS, ours, ["client"]) is None
    assert missing(FACTS, ours, ["nosuch"]) is None
    assert missing(FACTS, ours, []) is None
    assert missing(FACTS, without("client"), ["client", "id"]) == "client|id"


def test_a_saved_reply_of_a_missing_command_is_not_used_for_comparison() -> None:
    tracker = Tracker(FACTS, without("get"))
    save = {"c": 0, "argv": ["GET", "a"], "save": "x", "r": reply("1")}
    tracker.settle(save, tracker.plan(save))
    use = {"c": 0, "argv": ["APPEND", "b", {"$": "x"}], "r": reply("1")}
    plan = tracker.plan(use)
    assert plan.action is Action.RUN
    tracker.settle(use, plan)
    read = {"c": 0, "argv": ["MGET", "b"], "r": reply("[1]")}
    assert tracker.plan(read).action is Action.RUN


def test_raw_bytes_are_searched_for_missing_commands() -> None:
    data = '*2\r\n$3\r\nGET\r\n$1\r\na\r\nSET  a "b"\r\n*1\r\n$x\r\n\r\n'
    assert raw_commands(data) == [["GET", "a"], ["SET", "a", "b"]]
    tracker = Tracker(FACTS, without("get"))
    step = {"c": 0, "raw": data, "recv": 2, "r": reply("1")}
    assert tracker.plan(step).action is Action.SKIP
    assert Tracker(FACTS, FACTS).plan(step).action is Action.COMPARE


def test_taint_can_be_wide_with_exceptions() -> None:
    taint = Taint()
    assert not taint
    taint.set("a", tainted=True)
    assert "a" in taint
    assert "b" not in taint
    wide = Taint(wide=True)
    wide.set("a", tainted=False)
    assert "a" not in wide
    assert "b" in wide
    wide.set("a", tainted=True)
    assert "a" in wide


def test_hidden_names_and_parts_leave_the_replies() -> None:
    names = {"t": "array", "v": [{"t": "bulk", "v": "a"}, {"t": "bulk", "v": "b"}]}
    plan = Plan(Action.COMPARE, hidden=frozenset({"a"}))
    assert hide(names, plan) == {"t": "array", "v": [{"t": "bulk", "v": "b"}]}
    plan = Plan(Action.COMPARE, parts=(False, True))
    assert hide(names, plan) == {"t": "array", "v": [{"t": "any"}, {"t": "bulk", "v": "b"}]}
    assert hide(reply("1"), plan) == reply("1")
