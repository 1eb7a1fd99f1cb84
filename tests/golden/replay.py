"""Replays one recorded file against a server and compares every reply that can be compared.

Connections, step execution and the comparison itself are those of the tester that made the
recordings (``differ.py``); this file adds what an unfinished server needs, by ``taint.Tracker``,
and the table of allowed differences.
"""

from __future__ import annotations

import importlib.util
import json
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final

from tests.golden.differences import Difference, allowed
from tests.golden.facts import Table
from tests.golden.taint import Action, Plan, Reply, Step, Tracker, own_reply

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from types import ModuleType

REPLY_SECONDS: Final = 2.0
SHOWN_CHARS: Final = 700


def load_differ(folder: Path) -> ModuleType:
    """Import the tester from its file."""
    spec = importlib.util.spec_from_file_location("golden_differ", folder / "differ.py")
    if spec is None or spec.loader is None:
        raise ImportError(f"cannot import {folder / 'differ.py'}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One reply that is neither the recorded one nor an allowed difference."""

    file: str
    line: int  # of the recording, from 1
    step: Step
    got: Reply
    note: str = ""

    def __str__(self) -> str:
        sent = {k: v for k, v in self.step.items() if k != "r"}
        return (
            f"{self.file}:{self.line}: {json.dumps(sent)[:SHOWN_CHARS]} {self.note}\n"
            f"    expected {json.dumps(self.step['r'])[:SHOWN_CHARS]}\n"
            f"    got      {json.dumps(self.got)[:SHOWN_CHARS]}"
        )


@dataclass(slots=True)
class Report:
    """The outcome of one or more files."""

    compared: Counter[str] = field(default_factory=Counter)  # by command
    excluded: Counter[str] = field(default_factory=Counter)  # by reason
    differences: Counter[str] = field(default_factory=Counter)  # by id
    mismatches: list[Mismatch] = field(default_factory=list)

    def add(self, other: Report) -> None:
        """Add the outcome of another file."""
        self.compared += other.compared
        self.excluded += other.excluded
        self.differences += other.differences
        self.mismatches += other.mismatches

    def lines(self, mismatches_max: int) -> list[str]:
        """Describe the outcome: totals, why steps were left out, and the mismatches."""
        total = self.compared.total() + self.excluded.total()
        out = [
            f"{self.compared.total()} of {total} steps compared, "
            f"{len(self.mismatches)} mismatches, {self.differences.total()} allowed differences"
        ]
        out += [f"  left out: {n:6} {why}" for why, n in self.excluded.most_common()]
        out += [f"  allowed:  {n:6} {name}" for name, n in self.differences.most_common()]
        if len(self.mismatches) > mismatches_max:
            by_command = Counter(str(m.step.get("argv", ["raw"])[0]) for m in self.mismatches)
            out.append(f"  mismatches by command: {dict(by_command.most_common())}")
        return out + [str(m) for m in self.mismatches[:mismatches_max]]


class Replay:
    """Runs the steps of one file. ``facts``: all commands; ``ours``: those that the server has."""

    def __init__(self, differ: ModuleType, facts: Table, ours: Table, differences: Sequence[Difference]) -> None:
        self._differ = differ
        self._facts = facts
        self._ours = ours
        self._differences = differences

    def session(self, address: tuple[str, int]) -> Any:
        """Open the connections for one file."""
        return self._differ.Session(*address, REPLY_SECONDS)

    def run(self, path: Path, address: tuple[str, int]) -> Report:
        """Replay one file against the server at ``address`` (which is emptied)."""
        head, steps = self._differ.load(str(path))
        elapsed = int(time.time()) - head["recorded_at"]
        options = SimpleNamespace(elapsed=elapsed, strict=False, error_code_only=False)
        session = self.session(address)
        states = [self._differ.State() for _ in session.conns]
        tracker, report = Tracker(self._facts, self._ours), Report()
        try:
            for line, step in enumerate(steps, 2):
                plan = tracker.plan(step)
                got = self._execute(session, step, plan, states)
                self._check(path.name, line, step, plan, got, states, options, report)
                whole = tracker.settle(step, plan)
                self._close_useless(session, step, plan, whole)
        finally:
            for conn in session.conns:
                conn.drop()
        report.excluded = tracker.excluded
        return report

    def _execute(self, session: Any, step: Step, plan: Plan, states: Sequence[Any]) -> Reply:
        if plan.action is Action.SKIP:
            return {"t": "none"}
        if "c" in step:
            session.restore(step["c"], states[step["c"]])
        if plan.action is Action.PROBE:
            step = {"c": step["c"], "argv": step["argv"]}
        got: Reply = session.step(step)
        return got

    def _check(
        self,
        file: str,
        line: int,
        step: Step,
        plan: Plan,
        got: Reply,
        states: Sequence[Any],
        options: SimpleNamespace,
        report: Report,
    ) -> None:
        """Compare one reply, and let the connection's state follow the recorded one."""
        want, state = step["r"], states[step.get("c", 0)]
        if want["t"] == "none":
            return
        shown_want, shown_got = hide(want, plan), hide(got, plan)
        equal = state.match(step, shown_want, shown_got, options)
        if plan.action is Action.COMPARE:
            label = self._differ.label(step)
            report.compared[label] += 1
            if equal:
                return
            known = allowed(self._differences, label, want, got)
            if known:
                report.differences[known.name] += 1
            else:
                report.mismatches.append(Mismatch(file, line, step, got))
        elif plan.action is Action.PROBE and not str(own_reply(got).get("v", "")).startswith("ERR unknown "):
            note = f"({plan.missing} is not in the command table, yet it is answered)"
            report.mismatches.append(Mismatch(file, line, step, got, note))

    def _close_useless(self, session: Any, step: Step, plan: Plan, whole: bool) -> None:
        """Close a connection whose state or unread replies differ from the recorded one's.

        The next step that runs on it opens it again, with protocol version and database.
        """
        if "c" not in step:
            return
        unread = plan.action is Action.SKIP and (plan.derailed or "recv" in step or "sync" in step)
        ended = step["r"]["t"] == "closed" and plan.action is not Action.COMPARE
        if unread or ended or whole:
            session.conns[step["c"]].drop()


def hide(reply: Reply, plan: Plan) -> Reply:
    """Leave out of a reply what cannot be compared: tainted names, or replies inside EXEC's."""
    items = reply.get("v")
    if not isinstance(items, list):
        return reply
    if plan.hidden is not None:
        return {**reply, "v": [x for x in items if x.get("v") not in plan.hidden]}
    if plan.parts is not None and len(plan.parts) == len(items):
        shown = [x if ok else {"t": "any"} for x, ok in zip(items, plan.parts, strict=True)]
        return {**reply, "v": shown}
    return reply
