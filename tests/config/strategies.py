"""Values for any directive: the words that a file could have after its name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from trioredis.config.directive import Directive, Kind
from trioredis.config.directives import DIRECTIVES
from trioredis.config.store import Config
from trioredis.config.values import BadValueError, to_text

if TYPE_CHECKING:
    from collections.abc import Callable

Words = tuple[str, ...]

NAMES = sorted(DIRECTIVES)
any_text = st.binary(max_size=12).map(lambda raw: to_text(raw.replace(b"\0", b"0")))
_small = st.integers(0, 2**31 - 1).map(str)
_size = st.one_of(_small, st.tuples(_small, st.sampled_from(["k", "kb", "m", "mb", "g"])).map("".join))


def words_for(directive: Directive) -> st.SearchStrategy[Words]:
    """Return words that mostly are a value of the directive."""
    return _STRATEGIES[directive.kind](directive)


def _one(strategy: st.SearchStrategy[str]) -> st.SearchStrategy[Words]:
    return strategy.map(lambda word: (word,))


def _number(directive: Directive) -> st.SearchStrategy[Words]:
    form = "o" if directive.kind is Kind.OCTAL else "d"
    return _one(st.integers(directive.low, directive.high).map(lambda number: format(number, form)))


def _limits(_directive: Directive) -> st.SearchStrategy[Words]:
    name = st.sampled_from(["normal", "replica", "slave", "pubsub"])
    one = st.tuples(name, _size, _size, _small)
    return st.lists(one, max_size=3).map(lambda found: tuple(word for row in found for word in row))


def _save(_directive: Directive) -> st.SearchStrategy[Words]:
    pair = st.tuples(st.integers(1, 10**9).map(str), _small)
    return st.lists(pair, max_size=3).map(lambda found: tuple(word for row in found for word in row) or ("",))


_STRATEGIES: dict[Kind, Callable[[Directive], st.SearchStrategy[Words]]] = {
    Kind.BOOL: lambda _: _one(st.sampled_from(["yes", "no", "YES", "No"])),
    Kind.INTEGER: _number,
    Kind.MEMORY: lambda row: st.one_of(_number(row), _one(_size)),
    Kind.MEMORY_OR_PERCENT: lambda _: _one(st.one_of(_size, st.integers(0, 100).map(lambda number: f"{number}%"))),
    Kind.OCTAL: _number,
    Kind.ENUM: lambda row: _one(st.sampled_from(row.choices)),
    Kind.FLAGS: lambda row: st.lists(st.sampled_from(row.choices), min_size=1).map(tuple),
    Kind.STRING: lambda _: _one(any_text),
    Kind.DIRECTORY: lambda _: _one(st.sampled_from(["/", "/usr", "/usr/../tmp", "."])),
    Kind.ADDRESSES: lambda _: st.lists(st.sampled_from(["*", "-::*", "127.0.0.1", "::1", "-::1"]), max_size=4).map(
        tuple
    ),
    Kind.EVENTS: lambda _: _one(st.text("g$lshzxetdAnKEm", max_size=9)),
    Kind.SAVE_POINTS: _save,
    Kind.OUTPUT_LIMITS: _limits,
    Kind.OOM_VALUES: lambda _: st.tuples(*[st.integers(-2000, 2000).map(str)] * 3),
    Kind.PERCENTILES: lambda _: st.lists(st.floats(0, 100).map(repr), max_size=4).map(tuple),
    Kind.UPSTREAM: lambda _: st.one_of(
        st.just(("no", "one")),
        st.tuples(st.sampled_from(["localhost", "::1", "a b"]), st.integers(0, 65535).map(str)),
    ),
}


@st.composite
def configs(draw: Any) -> Config:
    """Return a configuration with some values of any kind."""
    config = Config()
    for name in draw(st.lists(st.sampled_from(NAMES), max_size=12)):
        try:
            config.assign(name, *draw(words_for(DIRECTIVES[name])))
        except BadValueError:
            continue  # a text that the directive's own check refuses
    if config["replicaof"] is not None:
        config.assign("cluster-enabled", "no")  # a file must not have both
    return config
