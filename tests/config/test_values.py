"""Values are read and shown as by Redis.

Method: examples for each kind; what CONFIG GET shows must be readable again; and the texts of
a pool, each set as the value of every directive, must give the same reply and the same value on a
stock server.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests._servers import redis_command, running
from tests.config.client import Client, ErrorReply
from tests.config.strategies import NAMES, configs, words_for
from trioredis.config import DIRECTIVES, BadValueError, Config, ConfigSetError
from trioredis.config.directive import Kind, OutputLimit, SavePoint, Upstream
from trioredis.config.values import (
    parse,
    parse_memory,
    show,
    show_memory,
    split_set_value,
    to_bytes,
    to_text,
)

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0", 0),
        ("1", 1),
        ("1b", 1),
        ("1k", 1000),
        ("1kb", 1024),
        ("2M", 2_000_000),
        ("2mB", 2 * 1024**2),
        ("3g", 3 * 10**9),
        ("3GB", 3 * 1024**3),
        ("007", 7),
        ("", 0),
        ("kb", 0),
        ("99999999999999999999", 2**64 - 1),
        ("18446744073gb", 18446744073 * 1024**3 % 2**64),
        ("-1", None),
        ("+1", None),
        (" 1", None),
        ("1 kb", None),
        ("1t", None),
        ("1.5gb", None),
        ("0x10", None),
        ("\u0661", None),
        ("1" * 200, None),
    ],
)
def test_memory(text: str, size: int | None) -> None:
    assert parse_memory(text) == size


@given(st.integers(0, 2**64 - 1))
def test_memory_round_trip(size: int) -> None:
    assert parse_memory(show_memory(size)) == size


def assign(name: str, *words: str) -> Config:
    config = Config()
    config.assign(name, *words)
    return config


def refusal(name: str, *words: str) -> str:
    with pytest.raises(BadValueError) as caught:
        assign(name, *words)
    return str(caught.value)


def test_forms_of_values() -> None:
    assert assign("daemonize", "YES")["daemonize"] is True
    assert assign("unixsocketperm", "0755")["unixsocketperm"] == 0o755
    assert assign("maxmemory-clients", "5%")["maxmemory-clients"] == -5
    assert assign("loglevel", "Debug").loglevel == "debug"
    assert assign("oom-score-adj", "relative")["oom-score-adj"] == "yes"
    assert assign("shutdown-on-sigint", "force", "default", "NOW")["shutdown-on-sigint"] == (
        "now",
        "force",
    )
    assert assign("bind", "").bind == ()
    assert assign("bind").bind == ()
    assert assign("bind", "127.0.0.1", "-::1").bind == ("127.0.0.1", "-::1")
    assert assign("save", "60", "1", "30", "2").save == (SavePoint(60, 1), SavePoint(30, 2))
    assert assign("save", "").save == ()
    assert assign("slaveof", "host", "1")["replicaof"] == Upstream("host", 1)
    assert assign("replicaof", "NO", "ONE")["replicaof"] is None
    assert assign("notify-keyspace-events", "KEA").notify_keyspace_events == "g$lshzxetdKE"
    assert assign("hz", "0").hz == 1
    assert assign("hz", "100000").hz == 500
    limits = assign("client-output-buffer-limit", "slave", "1kb", "2", "3").client_output_buffer_limit
    assert limits.replica == OutputLimit(1024, 2, 3)
    assert limits.pubsub.soft_seconds == 60


def test_reasons() -> None:
    assert refusal("hz", "1", "2") == "wrong number of arguments"
    assert refusal("hz") == "wrong number of arguments"
    assert refusal("unixsocketperm", "1000") == "argument must be between 0 and 777 inclusive"
    assert refusal("unixsocketperm", "8") == "argument couldn't be parsed as an octal number"
    assert refusal("bind", *["::1"] * 17) == "Too many bind addresses specified."
    assert refusal("replicaof", "h", "65536") == "Invalid master port"
    assert refusal("replicaof", "h") == "wrong number of arguments"
    assert refusal("appendfilename", "a/b") == "appendfilename can't be a path, just a filename"
    assert refusal("appenddirname", "") == "appenddirname can't be empty"
    assert refusal("dir", "/nonexistent") == "No such file or directory"
    assert refusal("dir", "") == "No such file or directory"
    assert refusal("dir", "a\0b") == "No such file or directory"
    assert refusal("dir", "/dev/null") == "Not a directory"
    nodes = "cluster-announce-human-nodename"
    assert refusal(nodes, "a{") == "Announced human node name contained invalid character"
    assert refusal("cluster-announce-hostname", "a" * 256) == ("Hostnames must be less than 256 characters")


@pytest.mark.parametrize(
    ("template", "valid"),
    [
        ("{title} {port}", True),
        ("plain", True),
        ("{config-file}{unixsocket}{tls-port}{server-mode}{listen-addr}", True),
        ("", False),
        ("{nosuch}", False),
        ("{title", False),
        ("{}", False),
        ("title}", True),
    ],
)
def test_title_template(template: str, valid: bool) -> None:
    try:
        assign("proc-title-template", template)
    except BadValueError:
        assert not valid
    else:
        assert valid


@given(st.binary())
def test_text_keeps_every_byte(raw: bytes) -> None:
    assert to_bytes(to_text(raw)) == raw


@pytest.mark.slow
@settings(deadline=None)
@given(st.data())
def test_what_is_shown_can_be_set(data: st.DataObject) -> None:
    row = DIRECTIVES[data.draw(st.sampled_from(NAMES))]
    start = Config()[row.name]
    try:
        value = parse(row, data.draw(words_for(row)), start)
    except BadValueError:
        assume(False)
    assume(row.kind is not Kind.UPSTREAM)  # CONFIG SET refuses it; a host could hold blanks
    shown = show(row, value)
    again = parse(row, split_set_value(row, shown), start)
    assert show(row, again) == shown
    if row.kind not in (Kind.EVENTS, Kind.PERCENTILES):  # these show less than they know
        assert again == value


@pytest.mark.slow
@settings(deadline=None)
@given(configs())
def test_everything_can_be_shown(config: Config) -> None:
    shown = config.get([*DIRECTIVES])
    assert shown.keys() == DIRECTIVES.keys()
    assert all(isinstance(value, str) for value in shown.values())


POOL = [
    *("", "0", "1", "-1", "2", "10", "64", "99", "100", "101", "007", "+1", " 1", "1 ", "1e1"),
    *("1b", "1k", "1KB", "3mb", "3Mb", "1g", "1gb", "1.5", "0x10", "b", "kb", "k b", "1 kb"),
    *("yes", "NO", "Yes ", "maybe", "no one", "nan", "inf", "50%", "101%", "-5%", "%", "0%"),
    *("2147483647", "2147483648", "-2147483648", "-2147483649", "4294967295", "4294967296"),
    *("9223372036854775807", "9223372036854775808", "-9223372036854775808"),
    *("18446744073709551615", "18446744073709551616", "99999999999999999999999"),
    *("A", "KEA", "Kxn", "EmgA", "An", "q", "a/b", "a_b", "a.b", "{title}", "{x}", "{title", "{{"),
    *("1 2 3", "1 2", "1 2 3 4", "60 1", "60 1 30", "60  1", "0 1", "60 -1", "60 x", "60 "),
    *("50 99", "50  99", "100.0 0", "100.1", "99.123456789", "1e1 .5 5.", "-0"),
    *("default", "now force", "save nosave", "FORCE", "now  force", "local", "debug", "everysec"),
    *("allkeys-lru", "ALLKEYS-LFU", "relative", "clients", "swapdb", "hostname", "panic"),
    *("caf\u00e9", "a b", 'a"b', "replica 0 0 0", "pubsub 1 2 3 pubsub 4 5 6", "replica 1kb 2k 9"),
    *("master 1 2 3", "replica x 2 3", "replica 1 2 -3", "replica 1 2", "slave 1 2 3"),
]

#: What 7.2 added to the end of lists of choices.
ADDED_CHOICES = {"loglevel": ", nothing"}

#: Directives whose new value a stock server acts upon in a way that spoils the comparison.
NOT_COMPARED = {
    "activedefrag": "a stock server may have an allocator that can",
    "appendonly": "starts writing a file",
    "bind": "listens on the new addresses",
    "dir": "depends on the machine",
    "maxclients": "depends on how many files the process may open",
    "maxmemory-clients": "closes the connection of the test; compared by itself",
    "oom-score-adj": "depends on rights",
    "oom-score-adj-values": "depends on rights",
    "port": "listens on the new port",
    "proc-title-template": "a stock server expands the template to decide; compared by itself",
    "timeout": "closes the connection of the test",
    "tls-cluster": "needs certificates",
    "tls-port": "needs certificates",
    "tls-replication": "needs certificates",
    "watchdog-period": "starts to interrupt the process",
}


@pytest.fixture(scope="module")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """Yield a connection to a stock server of this module's own."""
    command = redis_command()
    if command is None:
        pytest.skip("redis-server is not installed")
    command += ["--enable-protected-configs", "yes"]
    with (
        running("redis", command, tmp_path_factory.mktemp("redis")) as server,
        Client(server.address) as client,
    ):
        yield client


def our_config() -> Config:
    config = Config()
    config.assign("enable-protected-configs", "yes")
    config.assign("save", "")
    return config


def ours(config: Config, name: str, text: str) -> str:
    try:
        config.set_many([(name, text)])
    except ConfigSetError as refused:
        return refused.message
    return "OK"


@pytest.mark.parametrize("name", sorted(DIRECTIVES.keys() - NOT_COMPARED.keys()))
def test_same_as_a_stock_server(stock: Client, name: str) -> None:
    row = DIRECTIVES[name]
    if not row.since_7_0:
        pytest.skip("newer than the stock server of the tests")
    asked = row.alias if "cpulist" in name else name
    config = our_config()
    before = stock.config_get(asked)[asked]
    if row.kind is not Kind.UPSTREAM:
        config.assign(name, *split_set_value(row, before))
    for text in POOL:
        reply = stock.call("CONFIG", "SET", asked, text)
        expected = reply if isinstance(reply, ErrorReply) else "OK"
        expected += ADDED_CHOICES.get(name, "") if "one of the following" in expected else ""
        assert ours(config, asked, text) == expected, text
        assert config.get([asked]) == stock.config_get(asked), text
    stock.call("CONFIG", "SET", asked, before)


@pytest.mark.parametrize("text", ["0", "1gb", "50%", "0%", "100%", "101%", "-5%", "%", "x", "-1"])
def test_share_of_memory_same_as_a_stock_server(stock: Client, text: str) -> None:
    config = our_config()
    reply = stock.call("CONFIG", "SET", "maxmemory-clients", text)
    expected = reply if isinstance(reply, ErrorReply) else "OK"
    assert ours(config, "maxmemory-clients", text) == expected
    stock.call("CONFIG", "SET", "maxmemory-clients", "0")


@pytest.mark.parametrize("text", ["{title} {port}", "{nosuch}", "{title", "", "{}", "a}", "x{port}"])
def test_title_template_same_as_a_stock_server(stock: Client, text: str) -> None:
    reply = stock.call("CONFIG", "SET", "proc-title-template", text)
    expected = reply if isinstance(reply, ErrorReply) else "OK"
    assert ours(our_config(), "proc-title-template", text) == expected


@pytest.mark.parametrize(
    "pairs",
    [
        ["maxmemory", "1", "maxmemory", "2"],
        ["Maxmemory", "1", "maxmemory", "2"],
        ["slave-priority", "3", "replica-priority", "4"],
        ["nosuch", "1", "daemonize", "no"],
        ["daemonize", "no", "nosuch", "1"],
        ["DAEMONIZE", "no"],
        ["maxmemory", "1kb", "lfu-decay-time", "-2"],
        ["lfu-decay-time", "7", "lfu-log-factor", "x"],
        ["Lfu-Decay-Time", "x"],
        ["nosuch*", "1"],
        ["", "1"],
    ],
)
def test_pairs_same_as_a_stock_server(stock: Client, pairs: list[str]) -> None:
    config = our_config()
    reply = stock.call("CONFIG", "SET", *pairs)
    try:
        config.set_many(list(zip(pairs[::2], pairs[1::2], strict=True)))
        result = "OK"
    except ConfigSetError as refused:
        result = refused.message
    assert result == (reply if isinstance(reply, ErrorReply) else "OK")
    names = ["maxmemory", "replica-priority", "lfu-decay-time", "lfu-log-factor"]
    assert config.get(names) == stock.config_get(*names)
    for name in names:
        stock.call("CONFIG", "SET", name, Config().get([name])[name])


@pytest.mark.parametrize(
    "patterns",
    [
        ["maxmemory"],
        ["MAXMEMORY", "maxmemory"],
        ["maxmemory", "MAXMEMORY", "Maxmem*"],
        ["MAXMEM*", "maxmemory"],
        ["Maxmemory", "maxmemory*"],
        ["slave-prio*", "replica-prio*"],
        ["watchdog*"],
        ["watchdog-period", "key-load-delay"],
        ["[l]u*"],
        ["lua\\-time*"],
        ["hz\\"],
        ["h\\z"],
        ["nosuch"],
        ["?z"],
        ["*-[a-b]*-[^c]*"],
        ["loadmodule", "user", "include", "rename-command"],
        [""],
    ],
)
def test_get_same_as_a_stock_server(stock: Client, patterns: list[str]) -> None:
    found, expected = Config().get(patterns), stock.config_get(*patterns)
    newer = {name for name in found if not DIRECTIVES.get(name, DIRECTIVES["hz"]).since_7_0}
    assert found.keys() - newer == expected.keys() - {"aof-disable-auto-gc"}  # hidden since 7.2
