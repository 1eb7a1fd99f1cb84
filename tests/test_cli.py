"""The command answers questions at once and reports mistakes in one line.

Method: ``main`` in this process, and the real command where the process matters.
"""

from __future__ import annotations

import io
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from trioredis import cli, version

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trioredis.config import Config


def outcome(capsys: pytest.CaptureFixture[str], *args: str) -> tuple[int, str, str]:
    """Run ``main`` and return its status and what it wrote."""
    status = cli.main(args)
    written = capsys.readouterr()
    return status, written.out, written.err


@pytest.mark.parametrize("option", ["-v", "--version"])
def test_version(capsys: pytest.CaptureFixture[str], option: str) -> None:
    status, out, err = outcome(capsys, option)
    assert (status, err) == (0, "")
    assert re.fullmatch(
        r"Redis server v=7\.4\.0 sha=[0-9a-f]{8}:\d malloc=libc bits=64 build=[0-9a-f]{16} trioredis=\S+\n", out
    )


def test_version_is_that_of_the_build() -> None:
    root = Path(__file__).parent.parent
    for name, pattern in (
        ("meson.build", r"^  version: '([^']+)'"),
        ("pyproject.toml", r'^version = "([^"]+)"'),
    ):
        found = re.search(pattern, (root / name).read_text(), re.MULTILINE)
        assert found is not None
        assert found[1] == version.VERSION


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help(capsys: pytest.CaptureFixture[str], option: str) -> None:
    status, out, err = outcome(capsys, option)
    assert (status, err) == (0, "")
    assert out.startswith("usage: trioredis-server ")


def test_memory_test_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = outcome(capsys, "--test-memory", "100")
    assert (status, out) == (1, "")
    assert err.count("\n") == 1
    assert "--test-memory is not offered" in err


def test_check_of_a_good_configuration(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "redis.conf"
    file.write_text("port 7000\ncluster-enabled yes\n")
    expected = (
        0,
        "note: cluster-enabled has no effect: cluster mode is not there yet\n"
        "trioredis-server: configuration is valid\n",
        "",
    )
    assert outcome(capsys, str(file), "--check-config") == expected
    assert outcome(capsys, "--check-config", str(file)) == expected
    assert outcome(capsys, "--check-config") == (0, "trioredis-server: configuration is valid\n", "")


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (
            ["--maxmemry", "1gb"],
            "command line:1: Bad directive or wrong number of arguments: maxmemry 1gb (did you mean 'maxmemory'?)",
        ),
        (["--port", "1", "--hz", "x"], "command line:2: argument couldn't be parsed into an integer: hz x"),
        (["/nonexistent"], "can't open config file '/nonexistent': No such file or directory"),
        (["--sentinel"], "command line:1: sentinel directive while not in sentinel mode: sentinel"),
        (["--daemonize"], "command line:1: wrong number of arguments: daemonize"),
        (["--", "x"], "command line:1: Bad directive or wrong number of arguments: x"),
    ],
)
def test_mistakes(capsys: pytest.CaptureFixture[str], args: list[str], message: str) -> None:
    assert outcome(capsys, *args) == (1, "", f"trioredis-server: {message}\n")
    assert outcome(capsys, "--check-config", *args) == (1, "", f"trioredis-server: {message}\n")


def test_standard_input(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"\nhz x\n")))
    status, out, err = outcome(capsys, "-", "--check-config")
    assert (status, out) == (1, "")
    assert err == "trioredis-server: standard input:2: argument couldn't be parsed into an integer: hz x\n"


def test_server_gets_the_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[Config] = []

    class FakeRun:
        """Stands in for the module that runs the server."""

        @staticmethod
        def run(config: Config) -> int:
            given.append(config)
            return 7

    monkeypatch.setitem(sys.modules, "trioredis.run", FakeRun)
    assert cli.main(["--port", "7000", "--save", ""]) == 7
    assert (given[0].port, given[0].save) == (7000, ())


def run_command(args: Sequence[str], tmp_path: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "trioredis", *args],
        cwd=Path(__file__).parent.parent,
        capture_output=True,
        text=True,
        check=False,
        input=f"dir {tmp_path}\nnosuch 1\n",
    )


def test_the_real_command(tmp_path: Path) -> None:
    ended = run_command(["-"], tmp_path)
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert ended.stderr.startswith("trioredis-server: standard input:2: Bad directive")


def test_version_does_not_wait_for_the_server() -> None:
    code = "import sys, trioredis.cli as c; c.main(['-v']); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    loaded = done.stdout.split()
    assert not {"trio", "trioredis.server", "trioredis.config", "argparse", "inspect"} & set(loaded)
