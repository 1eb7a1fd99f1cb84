"""Aim: facts come in anew and hand-written fields survive.

Method: a small facts file, imported twice.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent.parent
sys.path.insert(0, str(ROOT / "tools"))

import command_file  # noqa: E402
import import_facts  # noqa: E402

BASE: dict[str, Any] = {
    "group": "list", "since": "1.0.0", "flags": [], "acl_categories": ["@slow"], "first_key": 0,
    "last_key": 0, "key_step": 0,
}  # fmt: skip
FACTS: dict[str, Any] = {
    "box": BASE
    | {
        "name": "box",
        "arity": -2,
        "subcommands": {n: BASE | {"name": f"box|{n}", "arity": 2} for n in ("open", "shut-up")},
    },
    "rpush": BASE | {"name": "rpush", "arity": -3},
    "set": BASE | {"name": "set", "arity": 3, "group": "string"},
}


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function: imports with the given arguments, returns the data file's content."""
    facts, data = tmp_path / "facts.json", tmp_path / "data.json"
    command_file.write(facts, FACTS)

    def import_(*arguments: str) -> dict[str, Any]:
        monkeypatch.setattr(sys, "argv", ["import_facts", str(facts), "--data", str(data), *arguments])
        import_facts.main()
        return command_file.read(data)

    import_.data = data  # type: ignore[attr-defined]
    return import_


def test_groups_and_commands(run: Any) -> None:
    assert list(run("--group", "string")) == ["set"]
    assert list(run("--command", "rpush")) == ["rpush", "set"]
    assert list(run("--group", "list")) == ["box", "rpush", "set"]


def test_new_entries_wait_for_prose_and_have_a_handler(run: Any) -> None:
    box = run("--command", "box")["box"]
    assert (box["summary"], box["complexity"]) == ("", "")
    assert "handler" not in box
    assert box["subcommands"]["shut-up"]["handler"] == {"c": "tr_cmd_box_shut_up"}


def test_one_subcommand_brings_its_container(run: Any) -> None:
    assert list(run("--command", "box|open")["box"]["subcommands"]) == ["open"]
    assert list(run("--command", "box|shut-up")["box"]["subcommands"]) == ["open", "shut-up"]


def test_hand_written_fields_survive_and_facts_are_renewed(run: Any) -> None:
    commands = run("--command", "set")
    by_hand = {
        "summary": "Sets.",
        "complexity": "O(1)",
        "handler": {"python": "sync"},
        "get_keys": "tr_getkeys_set",
    }
    commands["set"] |= by_hand | {"arity": 99}
    command_file.write(run.data, commands)
    again = run("--command", "set")["set"]
    assert {key: again[key] for key in by_hand} == by_hand
    assert again["arity"] == 3


def test_an_unknown_name_is_refused(run: Any) -> None:
    with pytest.raises(KeyError):
        run("--command", "nosuch")
