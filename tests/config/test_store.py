"""CONFIG SET changes everything or nothing, and the server follows.

Method: callbacks that record what they see and refuse on request.
"""

from __future__ import annotations

import pytest

from trioredis.config import Config, ConfigApplyError, ConfigSetError


def failure(config: Config, *pairs: tuple[str, str], local: bool = True, loading: bool = False) -> str:
    before = config.get(["*"])
    with pytest.raises(ConfigSetError) as caught:
        config.set_many(pairs, local=local, loading=loading)
    assert config.get(["*"]) == before
    return caught.value.message


def test_typed_access() -> None:
    config = Config()
    assert config["slave-priority"] == config["replica-priority"] == 100
    assert config.integer("maxclients") == config.maxclients == 10000
    assert config.flag("protected-mode") is config.protected_mode is True
    assert config.text("loglevel") == config.loglevel == "notice"
    with pytest.raises(TypeError):
        config.integer("daemonize")
    with pytest.raises(TypeError):
        config.flag("hz")
    with pytest.raises(TypeError):
        config.text("hz")
    with pytest.raises(KeyError):
        config["nosuch"]


def test_every_attribute_has_its_type() -> None:
    config = Config()
    names = [name for name in dir(type(config).__mro__[1]) if not name.startswith("_")]
    names = [name for name in names if name not in ("flag", "integer", "text")]
    assert len(names) > 20
    for name in names:
        value = getattr(config, name)
        directive = "dir" if name == "directory" else name.replace("_", "-")
        assert value == config[directive]


def test_default_directory(tmp_path: object) -> None:
    assert Config(directory=str(tmp_path)).directory == str(tmp_path)


def test_all_or_nothing() -> None:
    config = Config()
    text = failure(config, ("maxmemory", "1gb"), ("timeout", "-1"))
    assert text == (
        "ERR CONFIG SET failed (possibly related to argument 'timeout')"
        " - argument must be between 0 and 2147483647 inclusive"
    )
    config.set_many([("maxmemory", "1gb"), ("timeout", "1")])
    assert (config.maxmemory, config.timeout) == (1024**3, 1)


def test_loading() -> None:
    message = failure(Config(), ("repl-diskless-load", "swapdb"), loading=True)
    assert message.startswith("LOADING ")
    Config().set_many([("repl-diskless-load", "swapdb")])


@pytest.mark.parametrize(
    ("who", "local", "allowed"),
    [("no", True, False), ("yes", False, True), ("local", True, True), ("local", False, False)],
)
def test_protected(who: str, local: bool, allowed: bool) -> None:
    config = Config()
    config.assign("enable-protected-configs", who)
    if allowed:
        config.set_many([("dbfilename", "x.rdb")], local=local)
        assert config.text("dbfilename") == "x.rdb"
    else:
        message = failure(config, ("DBfilename", "x.rdb"), local=local)
        assert (
            message == "ERR CONFIG SET failed (possibly related to argument 'DBfilename') - can't set protected config"
        )


def test_directory_moves_from_where_it_is() -> None:
    config = Config(directory="/usr")
    config.assign("enable-protected-configs", "yes")
    config.set_many([("dir", "bin/..")])
    assert config.directory == "/usr"
    assert "No such file" in failure(config, ("dir", "nonexistent"))


def test_callback_sees_all_new_values_once() -> None:
    config, seen = Config(), []
    config.on_change(["maxmemory", "timeout"], lambda: seen.append((config.maxmemory, config.timeout)))
    config.set_many([("maxmemory", "5"), ("timeout", "6"), ("hz", "20")])
    assert seen == [(5, 6)]
    config.set_many([("hz", "30")])
    config.set_many([("maxmemory", "5")])
    assert seen == [(5, 6)]


def test_callback_by_alias() -> None:
    config, seen = Config(), []
    config.on_change("slave-priority", lambda: seen.append(config["replica-priority"]))
    config.set_many([("replica-priority", "7")])
    assert seen == [7]
    with pytest.raises(KeyError):
        config.on_change("nosuch", lambda: None)


def test_start_values_call_nobody() -> None:
    config = Config()
    config.on_change("hz", lambda: pytest.fail("called"))
    config.assign("hz", "20")


def test_refusal_puts_everything_back() -> None:
    config, calls = Config(), []

    def follow() -> None:
        calls.append(("memory", config.maxmemory))

    def refuse() -> None:
        calls.append(("port", config.port))
        if config.port == 7:
            raise ConfigApplyError("Unable to listen on this port. Check server logs.")

    def never() -> None:
        pytest.fail("called after the refusal")

    config.on_change("maxmemory", follow)
    config.on_change("port", refuse)
    config.on_change("timeout", never)
    message = failure(config, ("MaxMemory", "5"), ("Port", "7"), ("timeout", "1"))
    assert message == (
        "ERR CONFIG SET failed (possibly related to argument 'port')"
        " - Unable to listen on this port. Check server logs."
    )
    assert calls == [("memory", 5), ("port", 7), ("memory", 0), ("port", 6379)]


def test_callback_that_cannot_go_back() -> None:
    config = Config()

    def refuse() -> None:
        raise ConfigApplyError(f"not {config.port}")

    config.on_change("port", refuse)
    with pytest.raises(ConfigSetError) as caught:
        config.set_many([("port", "7")])
    assert caught.value.unrestored == ("not 6379",)
    assert config.port == 6379


def test_reason_may_be_missing() -> None:
    config = Config()

    def refuse() -> None:
        raise ConfigApplyError

    config.on_change("port", refuse)
    assert failure(config, ("port", "7")) == "ERR CONFIG SET failed (possibly related to argument 'port')"


def test_broken_callback_leaves_the_old_values() -> None:
    config = Config()

    def broken() -> None:
        raise ZeroDivisionError

    config.on_change("port", broken)
    with pytest.raises(ZeroDivisionError):
        config.set_many([("hz", "20"), ("port", "7")])
    assert (config.hz, config.port) == (10, 6379)


def test_get_answers_each_name_once() -> None:
    config = Config()
    assert config.get(["HZ", "hz", "h?"]) == {"HZ": "10"}
    assert config.get(["nosuch", "[", "*-priority"]) == {"replica-priority": "100", "slave-priority": "100"}
    assert "watchdog-period" not in config.get(["*"])
    assert config.get(["Watchdog-Period"]) == {"Watchdog-Period": "0"}
    assert config.get(["\udcff*"]) == {}


def test_secrets_are_shown_to_those_who_ask() -> None:
    config = Config()
    config.set_many([("requirepass", "p\udcff")])
    assert config.get(["requirepass"]) == {"requirepass": "p\udcff"}
