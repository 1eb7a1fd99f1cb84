"""Aim: the perfect hash holds for any set of names and the C text names each command once. Method:
made-up names; the real file; wrong data is refused."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
DATA = ROOT / "trioredis" / "commands" / "commands.json"
sys.path.insert(0, str(ROOT / "tools"))

import command_file  # noqa: E402
import gen_commands  # noqa: E402


@pytest.mark.parametrize("count", [1, 2, 64, 400])
def test_no_two_names_share_a_slot(count: int) -> None:
    names = [f"{'name' * (i % 4)}{i}x" for i in range(count)]
    found = gen_commands.build_hash(names)
    assert sorted(slot for slot in found.slots if slot) == list(range(1, count + 1))
    mask = len(found.slots) - 1
    for index, name in enumerate(names):
        h = gen_commands.hash_of(gen_commands.words_of(name), found.multiplier)
        slot = (h >> 32) + found.displacements[h >> 64 - gen_commands.BUCKET_BITS] & mask
        assert found.slots[slot] == index + 1


def test_names_with_equal_words_have_no_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gen_commands, "MULTIPLIERS_MAX", 3)
    with pytest.raises(RuntimeError, match="no perfect hash"):
        gen_commands.build_hash(["abcdefgh-one-abcdefgh", "abcdefgh-two-abcdefgh"])


def test_every_command_is_in_the_table_once() -> None:
    commands = command_file.read(DATA)
    table = gen_commands.Table(commands)
    names = sorted(
        n for c in commands.values() for n in (c["name"], *(s["name"] for s in c.get("subcommands", {}).values()))
    )
    source = table.source()
    assert sorted(re.findall(r'\.fullname = "([^"]+)"', source)) == names
    assert [int(i) for i in re.findall(r"TR_ID_\w+ = (\d+),", table.header())] == list(range(len(names)))
    assert table.source() == source


def test_faulty_data_is_refused(tmp_path: Path) -> None:
    commands = command_file.read(DATA)
    commands["get"]["summary"] = ""
    data = tmp_path / "commands.json"
    data.write_text(json.dumps(commands))
    tool = [sys.executable, str(ROOT / "tools" / "gen_commands.py")]
    run = subprocess.run(
        [*tool, str(data), str(tmp_path / "t.c"), str(tmp_path / "t.h")],
        capture_output=True,
        text=True,
    )
    assert run.returncode == 1
    assert run.stderr == "get: no summary\n"
    assert not (tmp_path / "t.c").exists()
