"""Aim: what the configuration says about a module's walls reaches the host program, and names agree with the C side.

Method: configurations of a few lines; the headers of sandbox/ are read as text.
"""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from tests.modules._crashes import ROOT
from trioredis.config import WALLS, BadValueError, ConfigError, load, parse_command_line
from trioredis.modules import flight
from trioredis.modules.flight import decode_calls
from trioredis.modules.policy import Policy


def policy(*words: str, path: str = "/lib/search.so", overrides: tuple[tuple[str, str], ...] = ()) -> Policy:
    """Return the policy for a module under a command line."""
    return Policy.of(load(parse_command_line(words)), path, overrides)


def test_defaults() -> None:
    words = policy().arguments()
    assert dict(zip(words[::2], words[1::2], strict=True)) == {
        "--memory": str(4 << 30), "--file-size": str(64 << 20), "--files": "256", "--threads": "64",
        "--processes": "4", "--cpu": "0", "--network": "none",
    }  # fmt: skip


def test_who_comes_last_wins() -> None:
    words = ("--module-sandbox-files", "20", "--module-sandbox-policy", "search", "files", "30")
    assert policy(*words, path="/lib/other.so").files == 20
    assert policy(*words).files == 30
    assert policy(*words, overrides=(("files", "40"),)).files == 40
    whole = ("--module-sandbox-policy", "/lib/search.so", "network", "tcp")
    assert policy(*whole).network == "tcp"
    assert policy(*whole, path="/usr/lib/search.so").network == "none"


def test_lists_and_switches() -> None:
    words = policy(
        *("--module-sandbox-fork", "yes", "--module-sandbox-exec", "yes", "--module-sandbox-code", "yes"),
        *("--module-sandbox-read-paths", "/a:/b", "--module-sandbox-write-paths", "/c"),
        *("--module-sandbox-env", "A=1 'B=two words'", "--module-sandbox-require", "files filter-serving"),
    ).arguments()
    tail = words[words.index("--fork") :]
    assert tail == [
        "--fork", "--exec", "--code", "--read", "/a", "--read", "/b", "--write", "/c", "--env", "A=1",
        "--env", "B=two words", "--require", "12", "--require", "17",
    ]  # fmt: skip


def test_lines_keep_values_of_variables_to_themselves() -> None:
    lines = policy("--module-sandbox-env", "TOKEN=hidden").lines()
    assert "env TOKEN" in lines
    assert not any("hidden" in line for line in lines)


@pytest.mark.parametrize(
    ("setting", "value"),
    [("nothing", "1"), ("wrapper", "sh"), ("memory", "lots"), ("read-paths", "relative"), ("env", "word"),
     ("require", "moat"), ("network", "some"), ("env", "'A=1")],
)  # fmt: skip
def test_refused(setting: str, value: str) -> None:
    with pytest.raises(BadValueError):
        policy(overrides=((setting, value),))
    with pytest.raises(ConfigError):
        policy("--module-sandbox-policy", "search", setting, value)


def test_walls_are_those_of_the_jail() -> None:
    text = (ROOT / "sandbox" / "jail.h").read_text(encoding="utf-8")
    table = text[text.index("#define TR_JAIL_WALLS(X)") : text.index("typedef enum tr_jail_wall")]
    names = re.findall(r"X\(([A-Z_]+),", table)
    assert tuple(name.lower().replace("_", "-") for name in names) == WALLS


def test_names_of_functions_are_current() -> None:
    done = subprocess.run([sys.executable, ROOT / "tools" / "gen_api_names.py", "--check"], check=False)
    assert done.returncode == 0, "run tools/gen_api_names.py"


def test_layout_of_the_shared_memory() -> None:
    text = (ROOT / "sandbox" / "wire" / "shm.h").read_text(encoding="utf-8")
    numbers = {name: int(value) for name, value in re.findall(r"#define TR_SHM_(\w+) (\d+)\n", text)}
    assert numbers["PAGE"] == flight.PAGE
    assert numbers["CRASH_BYTES"] == flight.CRASH_BYTES
    assert (numbers["SLOT_BYTES"], numbers["SLOTS"], numbers["ENTRIES"]) == (
        flight.SLOT_BYTES, flight.SLOTS, flight.ENTRIES,
    )  # fmt: skip


def entry(number: int, time_ns: int, function: int, *arguments: int, flags: int = 0) -> bytes:
    """Return a record of the recorder."""
    padded = (*arguments, 0, 0, 0, 0)[:4]
    return flight.ENTRY.pack(number, time_ns, function, 9, flags, 1, *padded)


def recorder(following: int, *entries: bytes) -> bytes:
    """Return the recorder's bytes."""
    head = following.to_bytes(8, "little").ljust(flight.ENTRY.size, b"\0")
    return (head + b"".join(entries)).ljust(flight.ENTRY.size * (flight.ENTRIES + 1), b"\0")


def test_calls() -> None:
    calls = decode_calls(
        recorder(
            3,
            entry(1, 1_000_000, 64, flags=flight.CALLBACK),
            entry(2, 2_000_000, 1, 0x10, 5),
            entry(9, 2_500_000, 9999, 7),
        )
    )
    assert [one.name for one in calls] == ["run_command", "GetApi", "function 9999"]
    assert [one.ago_us for one in calls] == [1000, 0, None]
    assert calls[1].text().endswith("thread 9    GetApi(0x10, 5)")
    assert "(not whole)" in calls[2].text()


@pytest.mark.parametrize("following", [0, 1, flight.ENTRIES * 3 + 5, 1 << 63, (1 << 64) - 1])
def test_hostile_recorders(following: int) -> None:
    data = recorder(following) if following < 2 else recorder(following)[:8] + b"\xff" * (64 * (flight.ENTRIES + 1) - 8)
    assert len(decode_calls(data)) == min(following, flight.CALLS_MAX)
    assert all(one.text() for one in decode_calls(data))
