"""Files, includes, standard input and options make one configuration, in order.

Method: real files in a temporary directory; every mistake must name its place.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from trioredis.config import Config, ConfigError, SavePoint, load, parse_command_line
from trioredis.config import loader as loader_module

if TYPE_CHECKING:
    from pathlib import Path


def loaded(text: str, tmp_path: Path, *args: str, stdin: bytes = b"") -> Config:
    """Load ``text`` as a file with further arguments after it."""
    file = tmp_path / "redis.conf"
    file.write_text(text, encoding="utf-8")
    return load(parse_command_line([str(file), *args]), standard_input=stdin)


def refused(text: str, tmp_path: Path) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        loaded(text, tmp_path)
    return caught.value


def test_defaults() -> None:
    config = load(parse_command_line([]))
    assert config == Config()
    assert config.path == ""
    assert config.directory == os.getcwd()


def test_order_of_sources(tmp_path: Path) -> None:
    text = "hz 20\nmaxmemory 1\nmaxmemory 2mb\ntimeout 1"
    config = loaded(text, tmp_path, "-", "--hz", "30", stdin=b"hz 40\ntimeout 2\n")
    assert (config.maxmemory, config.timeout, config.hz) == (2 * 1024**2, 2, 30)
    assert config.path == str(tmp_path / "redis.conf")


def test_save_lines_add_up(tmp_path: Path) -> None:
    one, two, three = SavePoint(60, 1), SavePoint(30, 2), SavePoint(5, 5)
    assert loaded("save 60 1\nsave 30 2", tmp_path).save == (one, two)
    assert loaded('save 60 1\nsave ""\nsave 5 5', tmp_path).save == (three,)
    assert loaded("save 60 1", tmp_path, "--save", "5", "5").save == (one, three)
    assert loaded("save 60 1", tmp_path, "--save", "").save == ()
    assert loaded("hz 10", tmp_path).save == Config().save


def test_output_limits_add_up(tmp_path: Path) -> None:
    name = "client-output-buffer-limit"
    limits = loaded(f"{name} normal 1 1 1\n{name} slave 2mb 1k 1", tmp_path).client_output_buffer_limit
    assert (limits.normal.hard_bytes, limits.replica.soft_bytes) == (1, 1000)


def test_lines_without_a_value_are_kept(tmp_path: Path) -> None:
    config = loaded(
        "loadmodule /x.so a b\nuser bob on >p ~*\nrename-command config ''\n"
        "my.setting 1\nlist-max-ziplist-entries 5\nlua-replicate-commands yes\n",
        tmp_path,
    )
    assert [line.words[1:] for line in config.lines["loadmodule"]] == [("/x.so", "a", "b")]
    assert [line.words[1:] for line in config.lines["user"]] == [("bob", "on", ">p", "~*")]
    assert [line.words[1:] for line in config.lines["rename-command"]] == [("config", "")]
    assert config.lines["user"][0].number == 2
    assert config.module_settings == {"my.setting": "1"}


def test_includes_follow_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "a.inc").write_text("hz 11\ninclude b.inc\n")
    (tmp_path / "b.inc").write_text("timeout 12\n")
    (tmp_path / "sub" / "b.inc").write_text("timeout 13\n")
    monkeypatch.chdir(tmp_path)
    assert loaded("include a.inc", tmp_path).timeout == 12
    config = loaded("dir sub\ninclude ../a.inc\ntcp-keepalive 1", tmp_path)
    assert (config.hz, config.timeout) == (11, 13)
    assert config.directory == os.path.realpath(tmp_path / "sub")
    assert config.included == {"hz", "timeout"}
    assert os.getcwd() == str(tmp_path)


def test_include_patterns(tmp_path: Path) -> None:
    for number in (3, 1, 2):
        (tmp_path / f"{number}.inc").write_text(f"hz {number + 10}\n")
    assert loaded(f"include {tmp_path}/[12].inc", tmp_path).hz == 12
    assert loaded(f"include {tmp_path}/*.inc", tmp_path).hz == 13
    assert loaded(f"include {tmp_path}/*.none", tmp_path).hz == 10


def test_missing_files(tmp_path: Path) -> None:
    error = refused("\ninclude /nonexistent.conf", tmp_path)
    assert error.number == 2
    assert str(error).startswith(f"{tmp_path}/redis.conf:2: can't open config file '/nonexistent.conf': No such file")
    with pytest.raises(ConfigError, match="can't open config file '/nonexistent': No such file"):
        load(parse_command_line(["/nonexistent"]))
    with pytest.raises(ConfigError, match="Is a directory"):
        load(parse_command_line([str(tmp_path)]))
    assert "embedded null byte" in str(refused('include "a\\x00b"', tmp_path))


def test_a_file_that_includes_itself_ends(tmp_path: Path) -> None:
    error = refused(f"hz 10\ninclude {tmp_path}/redis.conf\ninclude {tmp_path}/redis.conf", tmp_path)
    assert error.reason == "more than 16 files within files"
    assert error.number == 2


def test_files_in_files_up_to_the_limit(tmp_path: Path) -> None:
    for depth in range(1, loader_module.INCLUDE_DEPTH_MAX):
        (tmp_path / f"{depth}").write_text(f"include {tmp_path}/{depth + 1}\n")
    (tmp_path / f"{loader_module.INCLUDE_DEPTH_MAX}").write_text("hz 77\n")
    assert loaded(f"include {tmp_path}/1", tmp_path).hz == 77


def test_too_much_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loader_module, "CONFIG_BYTES_MAX", 20)
    assert loaded("#" * 20, tmp_path).hz == 10
    assert "bytes of configuration" in str(refused("#" * 21, tmp_path))
    with pytest.raises(ConfigError, match="bytes of configuration"):
        load(parse_command_line(["-"]), standard_input=b"#" * 21)


@pytest.mark.parametrize(
    ("text", "reason", "suggestion"),
    [
        ("maxmemry 1", "Bad directive or wrong number of arguments", "maxmemory"),
        ("include", "Bad directive or wrong number of arguments", ""),
        ("include a b", "Bad directive or wrong number of arguments", ""),
        ("user", "Bad directive or wrong number of arguments", ""),
        ("rename-command a", "Bad directive or wrong number of arguments", ""),
        ("lua-replicate-commands", "Bad directive or wrong number of arguments", ""),
        ("my.setting", "Module config specified without value", ""),
        ("sentinel monitor x", "sentinel directive while not in sentinel mode", ""),
        ("hz 10 20", "wrong number of arguments", ""),
        ("hz", "wrong number of arguments", ""),
        ("timeout -1", "argument must be between 0 and 2147483647 inclusive", ""),
        ("bind 'x", "Unbalanced quotes in configuration line", ""),
    ],
)
def test_mistakes(text: str, reason: str, suggestion: str, tmp_path: Path) -> None:
    error = refused(f"# first\n{text}", tmp_path)
    assert (error.reason, error.suggestion) == (reason, suggestion)
    assert (error.source, error.number, error.raw) == (str(tmp_path / "redis.conf"), 2, text)
    assert "\n" not in str(error)


def test_secrets_do_not_show(tmp_path: Path) -> None:
    error = refused("requirepass hunter2 x", tmp_path)
    assert "hunter2" not in str(error)
    assert "requirepass (value not shown)" in str(error)


def test_no_replica_in_a_cluster(tmp_path: Path) -> None:
    error = refused("replicaof host 1\ncluster-enabled yes", tmp_path)
    assert (error.number, error.reason) == (1, "replicaof directive not allowed in cluster mode")
