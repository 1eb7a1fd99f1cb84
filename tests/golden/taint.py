"""Which recorded replies can still be compared when the server under test lacks some commands.

A recording holds what a complete server answered. A command that ours lacks leaves ours behind: the
keys that the complete server changed have another value here. Such keys are *tainted*, and so is
what later commands make of them, until an overwrite or a flush makes both sides equal again. The
same holds for a connection whose state went another way (a transaction, a subscription).

The tracker never talks to a server. For each step, ``plan()`` says what to do with it; once the
step's recorded reply is known to have happened, ``settle()`` moves the state on. Doubt always
taints: a wrong exclusion costs one comparison, a wrong comparison accuses an innocent command.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

from tests.golden.facts import SCRIPTS, KeyUse, Role, Table, Usage, find, missing, usage

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Step = dict[str, Any]
Reply = dict[str, Any]

QUEUED: Final = {"t": "simple", "v": "QUEUED"}
CONNECTIONS: Final = 3
LOST_VAR: Final = "uses an earlier reply that differs"
# Commands that only tell something: lacking them changes nothing.
TELLING: Final = {
    *["acl|cat", "acl|dryrun", "acl|genpass", "acl|getuser", "acl|list", "acl|log", "acl|users", "acl|whoami"],
    *["client|getname", "client|getredir", "client|id", "client|info", "client|list", "client|trackinginfo"],
    *["cluster", "config|get", "echo", "info", "lastsave", "lolwut", "ping", "role", "time"],
    *["client|no-evict", "client|no-touch", "client|setinfo", "client|pause", "client|unpause"],
    *["client|unblock", "dbsize", "wait", "waitaof"],
    *["function|dump", "function|list", "function|stats", "script|exists", "pubsub"],
    *["latency", "memory", "object", "slowlog", "xinfo"],
}
# Lacking one of these, the connection's later replies have nothing to do with the recorded ones,
# until the command on the right succeeds (None: until RESET).
DERAILS: Final[dict[str, str | None]] = {
    "client|caching": "client|tracking",
    "client|reply": "client|reply",
    "client|tracking": "client|tracking",
    "hello": None,
    "monitor": None,
    "multi": "exec discard",
    "psubscribe": None,
    "quit": None,
    "select": None,
    "ssubscribe": None,
    "subscribe": None,
}
FAMILIES: Final = {"pubsub", "scripting"}  # groups whose commands share one state beside the keys
AFFECTS: Final = {  # lacking the left, this differs, and not (only) the whole container
    "acl|deluser": "acl auth",
    "acl|load": "acl auth",
    "acl|setuser": "acl auth",
    "client|caching": "",
    "client|kill": "closed",
    "client|reply": "",
    "client|setname": "client|getname",
    "client|tracking": "",
}
FLUSHES: Final = {"flushall", "flushdb"}
SCRIPT_NEEDS: Final = {  # groups whose commands scripts may call
    *("string", "list", "hash", "set", "sorted-set", "stream"),
    *("bitmap", "hyperloglog", "geo", "generic"),
}
TABLE_WIDE: Final = {"command", "command|count", "command|list"}  # they name all commands
TABLE_NAMED: Final = {
    *["command|info", "command|docs", "command|getkeys", "command|getkeysandflags"],
}


class Action(Enum):
    """What to do with a step."""

    COMPARE = "compare"
    RUN = "run"  # execute; the reply may differ
    PROBE = "probe"  # our server lacks the command: it must say so
    SKIP = "skip"  # do not execute


@dataclass(frozen=True, slots=True)
class Plan:
    """The decision about one step and, when it is not compared, why."""

    action: Action
    reason: str = ""
    missing: str | None = None  # the command that our server lacks
    derailed: bool = False  # the connection's state is not the recorded one's
    hidden: frozenset[str] | None = None  # key names to leave out of both replies
    parts: tuple[bool, ...] | None = None  # of EXEC: which replies are compared


@dataclass(slots=True)
class Taint:
    """The tainted keys of one database; ``wide``: all keys but those in ``names``."""

    wide: bool = False
    names: set[str] = field(default_factory=set)

    def __contains__(self, key: str) -> bool:
        return (key in self.names) != self.wide

    def __bool__(self) -> bool:
        return self.wide or bool(self.names)

    def set(self, key: str, tainted: bool) -> None:
        """Taint or clean one key."""
        (self.names.add if tainted != self.wide else self.names.discard)(key)


@dataclass(slots=True, eq=False)
class Link:
    """What is known about one connection. Names are those of the complete server's view."""

    db: str = "0"
    queue: list[list[str]] | None = None  # commands of the open transaction
    queue_lost: bool = False  # ours refused a queued command, so it will refuse EXEC
    watched: set[tuple[str, str]] = field(default_factory=set)
    watch_lost: bool = False
    derailed: str = ""  # the missing command that made this connection useless
    back_at: str = ""  # the commands that end that
    waiting: list[str] = field(default_factory=list)  # sent, reply not read yet
    lost_reply: bool = False  # the reply that a later step collects will differ
    named: bool = False
    noisy: bool = False  # gets pushes or a feed of other connections' commands
    noise_lost: bool = False  # ... which by now differ


class Tracker:
    """Follows one recording from its start; knows ``facts`` (all commands) and ``ours``."""

    def __init__(self, facts: Table, ours: Table) -> None:
        self._facts = facts
        self._ours = ours
        self._dbs: dict[str, Taint] = {}
        self._links = [Link() for _ in range(CONNECTIONS)]
        self._families: set[str] = set()  # containers and groups whose state differs
        self._lost_vars: set[str] = set()
        self.excluded: Counter[str] = Counter()
        gaps = [n for n, e in facts.items() if e["group"] in SCRIPT_NEEDS and n not in ours]
        self._scripts_lack = bool(gaps)
        self._table_differs = any(missing(facts, ours, name.split("|")) for name in _names(facts))

    # -- what to do with a step

    def plan(self, step: Step) -> Plan:
        """Decide about one step. Does not change the state."""
        link = self._links[step["c"]] if "c" in step else Link()
        if "sleep" in step:
            return Plan(Action.RUN)
        if link.derailed:
            why = f"connection state, since {link.derailed} is missing"
            return Plan(Action.SKIP, why, derailed=True)
        if step["r"]["t"] == "closed" and self._families & {"closed", "client"}:
            return Plan(Action.SKIP, "closed by a missing CLIENT command")
        if "raw" in step:
            return self._plan_raw(step, link)
        if "argv" not in step:
            return self._plan_receive(step, link)
        if any(isinstance(a, dict) and a["$"] in self._lost_vars for a in step["argv"]):
            return Plan(Action.RUN, LOST_VAR)
        return self._plan_command(step, words(step), link)

    def _plan_raw(self, step: Step, link: Link) -> Plan:
        for argv in raw_commands(step["raw"]):
            if name := self._missing(argv):
                return Plan(Action.SKIP, f"{name} is missing", name)
            plan = self._plan_command(step, argv, link)
            if plan.action is not Action.COMPARE:
                return plan
        return Plan(Action.COMPARE)

    def _plan_receive(self, step: Step, link: Link) -> Plan:
        if link.lost_reply:
            return Plan(Action.SKIP, "the reply belongs to a command that was not compared")
        if link.noise_lost:
            action = Action.RUN if "sync" in step else Action.SKIP  # what never comes ends no wait
            return Plan(action, "pushes about missing commands")
        return Plan(Action.COMPARE)

    def _plan_command(self, step: Step, argv: Sequence[str], link: Link) -> Plan:
        if name := self._missing(argv):
            action = Action.RUN if "send" in step else Action.PROBE  # nobody reads a reply now
            return Plan(action, f"{name} is missing", name)
        name, entry = find(self._facts, argv)
        if name == "client|unblock" and any(x.lost_reply and x.waiting for x in self._links):
            return Plan(Action.RUN, "a client that waits in a missing command")
        if name == "exec" and link.queue is not None:
            return self._plan_exec(step["r"], link)
        if link.queue is not None:  # queueing does not look at keys
            return Plan(Action.COMPARE)
        if link.noise_lost and ("sync" in step or step["r"]["t"] == "frames"):
            return Plan(Action.RUN, "pushes about missing commands")
        plan = self._judge(argv, step["r"], link.db)
        if plan.action is Action.RUN and "blocking" in (entry or {}).get("flags", []):
            return Plan(Action.SKIP, plan.reason)  # it might wait for what never comes
        return plan

    def _plan_exec(self, reply: Reply, link: Link) -> Plan:
        if link.queue_lost:
            ended = reply["t"] == "err"
            return Plan(Action.COMPARE) if ended else Plan(Action.RUN, "a queued command is missing")
        if self._watch_differs(link):
            return Plan(Action.RUN, "a watched key is tainted")
        if reply["t"] != "array":
            return Plan(Action.COMPARE)
        trial, db, parts = self._copy(), link.db, []
        for argv, part in zip(link.queue or (), reply["v"], strict=False):
            plan = trial._judge(argv, part, db)
            parts.append(plan.action is Action.COMPARE and plan.hidden is None)
            db = trial._settle_ran(argv, part, db)
        return Plan(Action.COMPARE, parts=tuple(parts))

    def _judge(self, argv: Sequence[str], reply: Reply, db: str) -> Plan:
        """Say whether the reply of a command that both sides run in ``db`` must be the same."""
        name, entry = find(self._facts, argv)
        if entry is None:
            return Plan(Action.COMPARE)
        kin = {name, name.partition("|")[0], entry["group"]}
        if kin & self._families and name not in SAFE:
            return Plan(Action.RUN, "state of a family with missing commands")
        if name in SCRIPTS and self._scripts_lack:
            return Plan(Action.RUN, "scripts may call missing commands")
        if self._table_differs and (name in TABLE_WIDE or name in TABLE_NAMED):
            named = [a.split("|") for a in argv[2:]]
            if name in TABLE_WIDE or not named or any(self._lacks_part(words) for words in named):
                return Plan(Action.RUN, "names missing commands")
        used, taint = usage(self._facts, argv), self._dbs.get(db)
        if used.wide_read and taint:
            if name in ("keys", "scan") and not taint.wide and reply["t"] in ("array", "scan", "set"):
                return Plan(Action.COMPARE, hidden=frozenset(taint.names))
            return Plan(Action.RUN, "tainted keys in the database")
        if bad := [k.key for k in used.keys if k.role is not Role.OVERWRITE and self._is_bad(k, db)]:
            return Plan(Action.RUN, f"tainted key {bad[0]!r}")
        return Plan(Action.COMPARE)

    def _lacks_part(self, argv: Sequence[str]) -> bool:
        entry = find(self._facts, argv)[1] or {}
        subs = [[argv[0], sub] for sub in entry.get("subcommands", {})]
        return any(self._missing(words) for words in [list(argv), *subs])

    # -- what a step changes

    def settle(self, step: Step, plan: Plan) -> bool:
        """Take over what the recorded reply says about the state.

        Returns whether the connection was useless and works again from here on: then the caller
        opens it anew.
        """
        if "sleep" in step:
            return False
        link, reply = self._links[step["c"]], step["r"]
        if plan.action is not Action.COMPARE and "save" in step:
            self._lost_vars.add(step["save"])
        elif "save" in step:
            self._lost_vars.discard(step["save"])
        if plan.action is not Action.COMPARE and plan.reason:
            self._noise()
            self.excluded[plan.reason if plan.missing else "taint"] += 1
        if reply["t"] == "closed":
            was = bool(link.derailed)
            self._links[step["c"]] = Link()
            return was
        if "raw" in step:
            link.lost_reply = plan.action is not Action.COMPARE
            for argv in raw_commands(step["raw"]):
                self._settle_command(argv, reply, link, ran=plan.action is not Action.SKIP)
        elif "argv" in step:
            return self._settle_argv(step, words(step), plan, link)
        elif plan.action is not Action.SKIP or link.lost_reply:
            if link.lost_reply:
                self._spoil(link.waiting, link.db)
            link.waiting, link.lost_reply = [], False
        return False

    def _settle_argv(self, step: Step, argv: list[str], plan: Plan, link: Link) -> bool:
        reply, name = own_reply(step["r"]), find(self._facts, argv)[0]
        if link.derailed:
            return self._settle_derailed(name, argv, reply, link)
        link.waiting = argv if step.get("send") else []
        ran = plan.action in (Action.COMPARE, Action.RUN) and not plan.missing
        link.lost_reply = bool(step.get("send")) and plan.action is not Action.COMPARE
        if plan.missing:
            if name in ("exec", "discard") and link.queue is not None:  # ours stays in there
                self._spoil_queue(reply, link)
                self._links[self._links.index(link)] = Link(db=link.db)
                return True
            if link.queue is not None:
                link.queue_lost = True
                if reply == QUEUED:
                    link.queue.append(argv)
                return False
            self._derail(plan.missing, reply, link)
        elif link.queue is not None and reply == QUEUED:
            link.queue.append(argv)
            return False
        if name == "exec" and link.queue is not None:
            self._settle_exec(reply, link)
        elif plan.action is Action.RUN and name == "auth" and reply["t"] != "err":
            link.derailed = "acl|setuser"  # from here on it is a user that ours does not have
        elif plan.action is Action.RUN and plan.reason == LOST_VAR:
            self._derail(name, reply, link)
            self._spoil(argv, link.db)
        else:
            self._settle_command(argv, reply, link, ran=ran)
        return False

    def _derail(self, name: str, reply: Reply, link: Link) -> None:
        if reply["t"] == "err":
            return
        if name in DERAILS:
            link.derailed, link.back_at = name, DERAILS[name] or ""
            self._lose_redirect(name)
            link.queue = [] if name == "multi" else None
        elif name in ("watch", "unwatch"):
            link.watch_lost = True

    def _lose_redirect(self, name: str) -> None:
        """Other connections may miss pushes of CLIENT TRACKING ON REDIRECT."""
        if name == "client|tracking":
            for link in self._links:
                link.noise_lost = True

    def _settle_derailed(self, name: str, argv: list[str], reply: Reply, link: Link) -> bool:
        """Follow a connection that our server no longer serves; True when it is whole again."""
        if link.queue is not None and reply == QUEUED:
            link.queue.append(argv)
        elif name == "exec" and link.queue is not None:
            self._spoil_queue(reply, link)
        elif name == "select" and reply["t"] == "simple":
            link.db = argv[1]
        else:
            self._settle_missing(argv, reply, link.db)
        if name == "reset" and reply["t"] == "simple":
            link.db = "0"
        self._lose_redirect(name)
        whole = name == "reset" or name in link.back_at.split()
        if whole and reply["t"] != "err" and not _turns_on(argv):
            if link.named and name != "reset":  # the new connection will have no name
                self._families.add("client|getname")
            self._links[self._links.index(link)] = Link(db=link.db, noise_lost=link.noise_lost)
            return True
        return False

    def _settle_command(self, argv: Sequence[str], reply: Reply, link: Link, *, ran: bool) -> None:
        """Take over one command outside of transactions."""
        name, ok = find(self._facts, argv)[0], reply["t"] != "err"
        if not ran:
            self._settle_missing(argv, reply, link.db)
            return
        db = link.db
        link.db = self._settle_ran(argv, reply, link.db)
        if name == "multi" and ok:
            link.queue, link.queue_lost = [], False
        elif name == "discard" and ok:
            self._end_transaction(link)
        elif name == "watch" and ok and link.queue is None:
            link.watched.update((db, key) for key in argv[1:])
            link.watch_lost = link.watch_lost or self._watch_differs(link)
        elif name == "unwatch" and ok:
            link.watched, link.watch_lost = set(), False
        elif name in ("client|setname", "hello") and ok:
            link.named = link.named or name != "hello" or "SETNAME" in map(str.upper, argv)
        elif name == "reset" and ok:
            self._links[self._links.index(link)] = Link()
        elif name in ("monitor", "subscribe", "psubscribe", "ssubscribe", "client|tracking") and ok:
            link.noisy = name != "client|tracking" or _turns_on(argv)
            link.noise_lost = link.noise_lost and link.noisy
            if "REDIRECT" in map(str.upper, argv):  # the pushes go to any other connection
                for other in self._links:
                    other.noisy = True

    def _end_transaction(self, link: Link) -> None:
        link.queue, link.queue_lost, link.watched, link.watch_lost = None, False, set(), False

    def _settle_exec(self, reply: Reply, link: Link) -> None:
        if link.queue_lost or self._watch_differs(link):
            self._spoil_queue(reply, link)
        elif reply["t"] == "array":
            for argv, part in zip(link.queue or (), reply["v"], strict=False):
                link.db = self._settle_ran(argv, part, link.db)
        self._end_transaction(link)

    def _spoil_queue(self, reply: Reply, link: Link) -> None:
        """Ours did not run the transaction, or we cannot tell: all that it wrote is tainted."""
        queue, parts = link.queue or [], reply["v"] if reply["t"] == "array" else []
        for i, argv in enumerate(queue):
            part = parts[i] if i < len(parts) else {"t": "none"}
            self._settle_missing(argv, part, link.db)
            if argv[0].lower() == "select" and part["t"] == "simple":
                link.db = argv[1]
        self._end_transaction(link)

    def _settle_ran(self, argv: Sequence[str], reply: Reply, db: str) -> str:
        """Both sides ran a command: move taint along its keys. Returns the database after it."""
        name, entry = find(self._facts, argv)
        ok = reply["t"] not in ("err", "none")
        if name == "select":
            return argv[1] if ok and len(argv) > 1 else db
        if name in FLUSHES and ok:
            if name == "flushall":
                self._dbs.clear()
            else:
                self._dbs.pop(db, None)
        elif name == "swapdb" and ok:
            a, b = argv[1], argv[2]
            self._dbs[a], self._dbs[b] = self._taint(b), self._taint(a)
        elif name in SCRIPTS:
            if self._scripts_lack or "scripting" in self._families or any(self._dbs.values()):
                self._spoil_all()
        elif entry is not None and "write" in entry["flags"]:
            copied_nothing = name == "copy" and reply.get("v") == 0
            self._move_taint(usage(self._facts, argv), ok and not copied_nothing, db)
        return db

    def _move_taint(self, used: Usage, ok: bool, db: str) -> None:
        inputs = [k for k in used.keys if k.role in (Role.READ, Role.WRITE)]
        dirty = any(self._is_bad(k, db) for k in inputs) or (used.wide_read and bool(self._taint(db)))
        for use in used.keys:
            if use.role is Role.READ:
                continue
            if dirty:
                self._mark(use, db, tainted=True)
            elif ok and use.role in (Role.OVERWRITE, Role.DELETE):
                self._mark(use, db, tainted=False)

    def _settle_missing(self, argv: Sequence[str], reply: Reply, db: str) -> None:
        """Only the complete server ran a command: what it wrote is tainted."""
        name, entry = find(self._facts, argv)
        if entry is None or (reply["t"] == "err" and name not in SCRIPTS):
            return
        used, flags = usage(self._facts, argv), entry["flags"]
        if used.wide_write:
            self._spoil_all()
        elif "write" in flags:
            for use in used.keys:
                if use.role is not Role.READ:
                    self._mark(use, db, tainted=True)
        elif "readonly" not in flags and not {name, name.partition("|")[0]} & TELLING:
            group = entry["group"]
            kin = group if group in FAMILIES else name.partition("|")[0]
            self._families.update(AFFECTS.get(name, kin).split())
        if name == "client|unblock":
            for link in self._links:
                link.lost_reply = link.lost_reply or bool(link.waiting)

    def _spoil(self, argv: Sequence[str], db: str) -> None:
        """Ours ran, or did not, or ran something else: taint whatever ``argv`` may have written."""
        self._settle_missing(argv, {"t": "none"}, db)

    def _spoil_all(self) -> None:
        for db in map(str, range(16)):
            self._dbs[db] = Taint(wide=True)
        for link in self._links:
            link.lost_reply = link.lost_reply or bool(link.waiting)

    def _mark(self, use: KeyUse, db: str, *, tainted: bool) -> None:
        self._taint(use.db or db).set(use.key, tainted)
        for link in self._links:
            if tainted and use.key in link.waiting:
                link.lost_reply = True
            if tainted and (use.db or db, use.key) in link.watched:
                link.watch_lost = True

    def _noise(self) -> None:
        for link in self._links:
            link.noise_lost = link.noise_lost or link.noisy

    # -- small questions

    def _missing(self, argv: Sequence[str]) -> str | None:
        return missing(self._facts, self._ours, argv)

    def _taint(self, db: str) -> Taint:
        return self._dbs.setdefault(db, Taint())

    def _is_bad(self, use: KeyUse, db: str) -> bool:
        return use.key in self._taint(use.db or db)

    def _watch_differs(self, link: Link) -> bool:
        return link.watch_lost or any(key in self._taint(db) for db, key in link.watched)

    def _copy(self) -> Tracker:
        """Return a copy to try a transaction on."""
        copy = Tracker.__new__(Tracker)
        copy.__dict__.update(self.__dict__)
        copy._dbs = {db: Taint(t.wide, set(t.names)) for db, t in self._dbs.items()}
        copy._links = [Link() for _ in self._links]
        copy._families = set(self._families)
        return copy


SAFE: Final = {"client|id", "client|help", "pubsub|help", "script|help", "function|help"}


def words(step: Step) -> list[str]:
    """Return the argument vector of a step as text; a saved reply stands as an empty word."""
    return [a if isinstance(a, str) else "" for a in step["argv"]]


def raw_commands(data: str) -> list[list[str]]:
    """Return the commands in raw bytes as far as they parse: inline lines and complete arrays."""
    out, lines = [], data.split("\n")
    while lines:
        line = lines.pop(0).rstrip("\r")
        if line.startswith("*") and line[1:].isdigit():
            parts = [lines.pop(0).rstrip("\r") for _ in range(min(len(lines), 2 * int(line[1:])))]
            out.append(parts[1::2])
        elif line.strip():
            out.append([w.strip("\"'") for w in line.split()])
    return [argv for argv in out if argv and argv[0]]


def own_reply(reply: Reply) -> Reply:
    """Return the command's own reply when pushes came with it."""
    if reply["t"] != "frames":
        return reply
    own = [f for f in reply.get("v", []) if f["t"] != "push"]
    return own[-1] if own else {"t": "none"}


def _turns_on(argv: Sequence[str]) -> bool:
    """Whether CLIENT TRACKING ON, CLIENT REPLY OFF or SKIP: the state that ends later."""
    name, option = " ".join(argv[:2]).lower(), " ".join(argv[2:3]).lower()
    return (name, option) in {
        ("client tracking", "on"),
        ("client reply", "off"),
        ("client reply", "skip"),
    }


def _names(table: Table) -> Iterable[str]:
    for name, entry in table.items():
        yield name
        yield from (f"{name}|{sub}" for sub in entry.get("subcommands", {}))
