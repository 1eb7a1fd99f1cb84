"""Aim: whatever a module's process does, it is supervised: loaded or refused, restarted or parked, reported and buried.

Method: the supervisor with an engine without a keyspace and a host that is a script of steps; real processes.
"""

from __future__ import annotations

import json
import os
import signal
import struct
from pathlib import Path

import pytest
import trio

from tests.modules._fakes import HELLO, Step, answer, log_packet, on_stage, unload_answer, walls_packet
from trioredis.modules import host as host_room
from trioredis.modules.helper import LoadError, Stage, UnloadError
from trioredis.modules.output import LINES_PER_SECOND

pytestmark = pytest.mark.slow

MODULE = "/modules/fake.so"
GOOD = [*HELLO, answer()]


def read(path: str) -> bytes:
    """Return what is in a file."""
    return Path(path).read_bytes()


async def test_a_good_life(tmp_path: Path) -> None:
    steps = [*GOOD, ["send", log_packet(b"at your service")], ["take"], unload_answer(0), ["exit", 0]]
    async with on_stage(tmp_path, steps) as stage:
        helper = await stage.modules.load(MODULE, [b"one", b"two words"])
        [loaded] = stage.events("module.loaded")
        assert (loaded["module"], loaded["version"], loaded["types"], loaded["missing"]) == (
            "fake", 3, ("faketype1",), 1,
        )  # fmt: skip
        assert loaded["module_pid"] == helper.pid
        [said] = await stage.wait_for("module.notice")
        assert (said["line"], said["source"], said["thread"]) == ("at your service", "module", 7)
        assert stage.modules.lines() == [[MODULE, "one", "two words"]]
        await stage.modules.unload("fake")
        assert not stage.modules.loaded
        await stage.wait_for("module.unloaded")
        assert ("loaded", 1, True) in stage.engine.calls
        assert ("unloaded", 1, True) in stage.engine.calls
        assert not stage.events("module.crashed")
        with pytest.raises(UnloadError, match="no such module with that name"):
            await stage.modules.unload("fake")


async def test_what_the_host_is_told(tmp_path: Path) -> None:
    """The real program's arguments reach it; the environment does not."""
    code = ["write", 1, "\n"]
    async with on_stage(tmp_path, [*GOOD, code]) as stage:
        helper = await stage.modules.load(MODULE, overrides=[("sandbox.memory", "1gb"), ("sandbox.network", "tcp")])
        words = read(f"/proc/{helper.pid}/cmdline").split(b"\0")
        assert read(f"/proc/{helper.pid}/environ") == b""
        assert words[words.index(b"--memory") + 1] == str(1 << 30).encode()
        assert words[words.index(b"--network") + 1] == b"tcp"
        assert words[words.index(b"--parent") + 1] == str(os.getpid()).encode()
        assert words[-2] == MODULE.encode()
        with pytest.raises(LoadError, match="no such setting"):
            await stage.modules.load(MODULE, overrides=[("sandbox.wrapper", "sh")])


async def test_walls_and_output(tmp_path: Path) -> None:
    walls = walls_packet((b"memory limit", 1, b"1 GiB"), (b"no TCP", 0, b"too old"), (b"core", 2, b""))
    steps = [
        *HELLO,
        ["send", walls],
        answer(),
        ["write", 1, "hello\nhalf"],
        ["write", 2, "oops\r\n"],
        ["write", 1, "\n"],
    ]
    async with on_stage(tmp_path, steps) as stage:
        await stage.modules.load(MODULE)
        assert [one["wall"] for one in stage.events("module.wall")] == ["memory limit", "core"]
        [missing] = stage.events("module.wall_missing")
        assert (missing["wall"], missing["detail"]) == ("no TCP", "too old")
        lines = await stage.wait_for("module.output", 3)
        assert {(one["stream"], one["line"]) for one in lines} == {
            ("stdout", "hello"), ("stdout", "half"), ("stderr", "oops"),
        }  # fmt: skip


async def test_a_flood_of_lines(tmp_path: Path) -> None:
    count = 4 * LINES_PER_SECOND
    steps = [*GOOD, ["flood", log_packet(b"again"), count], ["kill", signal.SIGKILL]]
    async with on_stage(tmp_path, steps, module_restart="never") as stage:
        await stage.modules.load(MODULE)
        await stage.wait_for("module.crashed")
        said = len(stage.events("module.notice"))
        assert LINES_PER_SECOND <= said < count


REFUSED = ["no such file", "not a library", "it refused"]


@pytest.mark.parametrize("reason", REFUSED)
async def test_refused(tmp_path: Path, reason: str) -> None:
    steps = [*HELLO, answer(1 + REFUSED.index(reason), reason.encode()), ["exit", 0]]
    async with on_stage(tmp_path, steps) as stage:
        with pytest.raises(LoadError, match=reason):
            await stage.modules.load(MODULE)
        assert stage.events("module.load_failed")[0]["reason"] == reason
        assert ("loaded", 1, False) in stage.engine.calls
        assert not stage.modules.loaded


def header(
    number: int, *, magic: int = 0x57525254, version: int = 1, ident: int = 0, flags: int = 0, length: int = 0
) -> str:
    """Return a packet without a body."""
    return struct.pack("<IHHQIIQ", magic, version, number, ident, flags, length, 0).hex()


WRONG: dict[str, list[Step]] = {
    "garbage": [["send", "00" * 100]],
    "a short header": [["send", "54"]],
    "another magic": [["send", header(10, magic=1)]],
    "another version": [["send", header(10, version=9)]],
    "an unknown type": [["send", header(998)]],
    "a message of the data channel": [["send", header(72, ident=1)]],
    "a message of the engine": [["send", header(18)]],
    "a length that lies": [["send", header(10, length=500)]],
    "flags": [["send", header(10, flags=8)]],
    "hello without an id": [["send", header(2)]],
    "an answer to nothing": [answer()],
    "another's pid": [["hello", 1]],
    "hello twice": [["hello"], ["hello"]],
    "its end": [["exit", 3]],
    "a signal": [["kill", signal.SIGSEGV]],
    "a closed channel": [["close"], ["wait"]],
    "silence": [["wait"]],
    "walls with a list too short": [["hello"], ["take"], ["send", header(4, length=0)]],
    "an unload that nobody wanted": [*HELLO, ["send", header(9, ident=1)]],
    "load answered twice": [*HELLO, answer(), answer()],
    "an answer with another id": [*HELLO, ["send", header(7, ident=5)]],
}


@pytest.mark.parametrize("steps", WRONG.values(), ids=WRONG.keys())
async def test_wrong_hosts(tmp_path: Path, steps: list[Step], monkeypatch: pytest.MonkeyPatch) -> None:
    """The load fails or, where the module was loaded already, it is parked; there is a report."""
    monkeypatch.setattr("trioredis.modules.helper.HELLO_S", 1.0)
    async with on_stage(tmp_path, steps, module_restart="never") as stage:
        with trio.fail_after(30):
            try:
                await stage.modules.load(MODULE)
            except LoadError:
                assert ("loaded", 1, False) in stage.engine.calls
            else:
                await stage.wait_for("module.parked")
        [crashed] = await stage.wait_for("module.crashed")
        report = json.loads(read(str(crashed["file"])))
        assert report["headline"] == crashed["headline"]
        assert not stage.modules.reports._unfinished


async def test_restart_at_once(tmp_path: Path) -> None:
    steps = [*GOOD, ["once", str(tmp_path / "once")], ["take"], ["kill", signal.SIGSEGV]]
    async with on_stage(tmp_path, steps) as stage:
        helper = await stage.modules.load(MODULE, [b"arg"])
        first = helper.pid
        os.kill(first, signal.SIGTERM)
        [again] = await stage.wait_for("module.restarted")
        assert again["restarts"] == 1
        assert helper.pid not in (0, first)
        assert helper.stage is Stage.SERVING
        assert [call for call in stage.engine.calls if call[0] == "loaded"] == [("loaded", 1, True)] * 2
        [crashed] = await stage.wait_for("module.crashed")
        assert (crashed["report"], crashed["kind"], crashed["running"]) == ("fake-1", "died", "fake.get")
        text = await stage.modules.reports.text("fake-1")
        assert text is not None
        assert "Running  fake.get 'key', client 12 for 0.340 ms" in text
        assert "NoSuch" in text
        assert "memory 4294967296" in text
        [entry] = await stage.modules.reports.latest(10)
        assert (entry.ident, entry.module) == ("fake-1", "fake")
        assert await stage.modules.reports.text("../fake-1") is None


async def test_hidden_arguments(tmp_path: Path) -> None:
    async with on_stage(tmp_path, GOOD, hide_user_data_from_log="yes") as stage:
        helper = await stage.modules.load(MODULE)
        os.kill(helper.pid, signal.SIGTERM)
        await stage.wait_for("module.crashed")
        text = await stage.modules.reports.text("fake-1")
        assert text is not None
        assert "Running  fake.get (3 bytes)" in text


async def test_parked_after_too_many(tmp_path: Path) -> None:
    limits = {"module_restarts_per_minute": "3", "module_restart_backoff_ms": "1"}
    async with on_stage(tmp_path, GOOD, **limits) as stage:
        helper = await stage.modules.load(MODULE)
        for restarts in (1, 2, 3):
            os.kill(helper.pid, signal.SIGKILL)
            await stage.wait_for("module.restarted", restarts)
        os.kill(helper.pid, signal.SIGKILL)
        [parked] = await stage.wait_for("module.parked")
        assert parked["reason"] == "it was restarted 3 times within a minute"
        assert len(stage.events("module.restarted")) == 3
        assert [one["delay_ms"] for one in stage.events("module.restart_delayed")] == [1, 2]
        assert helper.stage is Stage.PARKED
        assert ("park", 1) in stage.engine.calls
        await stage.modules.unload("fake")
        assert not stage.modules.loaded


POLICIES = [("never", 139, False), ("on-crash", signal.SIGKILL, True), ("always", signal.SIGKILL, True)]


@pytest.mark.parametrize(("policy", "number", "restarts"), POLICIES)
async def test_policies(tmp_path: Path, policy: str, number: int, restarts: bool) -> None:
    async with on_stage(tmp_path, GOOD, module_restart=policy) as stage:
        helper = await stage.modules.load(MODULE)
        os.kill(helper.pid, signal.SIGKILL)
        await stage.wait_for("module.restarted" if restarts else "module.parked")
        assert (helper.stage is Stage.SERVING) is restarts


async def test_a_restart_that_is_refused_parks(tmp_path: Path) -> None:
    steps = [*HELLO, ["once", str(tmp_path / "once")], answer(), ["wait"]]
    refusing = [*HELLO, answer(4, b"not again"), ["exit", 0]]
    async with on_stage(tmp_path, steps) as stage:
        helper = await stage.modules.load(MODULE)
        object.__setattr__(helper._around, "program", [*helper._around.program[:-1], json.dumps(refusing)])
        os.kill(helper.pid, signal.SIGKILL)
        [parked] = await stage.wait_for("module.parked")
        assert parked["reason"] == "its restart failed: not again"


@pytest.mark.parametrize(("outcome", "text"), [(1, "not possible"), (2, "timer"), (3, "blocked clients")])
async def test_unload_refused(tmp_path: Path, outcome: int, text: str) -> None:
    async with on_stage(tmp_path, [*GOOD, ["take"], unload_answer(outcome)]) as stage:
        await stage.modules.load(MODULE)
        with pytest.raises(UnloadError, match=text):
            await stage.modules.unload("fake")
        assert stage.modules.find("fake") is not None
        assert ("unloaded", 1, False) in stage.engine.calls


async def test_shutdown_leaves_no_process(tmp_path: Path) -> None:
    async with on_stage(tmp_path, GOOD) as stage:
        helper = await stage.modules.load(MODULE)
        pid = helper.pid
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_a_missing_program(tmp_path: Path) -> None:
    async with on_stage(tmp_path, GOOD) as stage:
        object.__setattr__(stage.modules._around, "program", ["/no/such/program"])
        with pytest.raises(LoadError, match="can't be started"):
            await stage.modules.load(MODULE)


def test_descendants() -> None:
    assert host_room.is_descendant(os.getpid(), os.getppid())
    assert host_room.is_descendant(os.getpid(), os.getpid())
    assert not host_room.is_descendant(os.getppid(), os.getpid())
    assert not host_room.is_descendant(1 << 30, os.getpid())
