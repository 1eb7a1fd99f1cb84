"""What is measured: a table of workloads, and the limits that each should keep.

To add one, add a row (or a comprehension) to ``WORKLOADS``. In commands, ``__rand_int__`` stands
for a random 12-digit number below ``keyspace``, ``__value__`` for ``value_bytes`` bytes, and in
``setup`` ``__i__`` for 0, 1, 2, ... with 12 digits.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

KEYS: Final = 100_000
CHANNEL: Final = "news"
MSET_KEYS: Final = 10


@dataclass(frozen=True, slots=True)
class Limits:
    """The largest or smallest allowed ratio, ours to the stock server's; None: not judged."""

    cpu_max: float | None = None  # CPU time per command
    throughput_min: float | None = 0.95
    p99_max: float | None = 1.5


@dataclass(frozen=True, slots=True)
class Setup:
    """One command that is sent ``count`` times before a workload begins."""

    command: tuple[str, ...]
    count: int = 1


@dataclass(frozen=True, slots=True)
class Workload:
    """One row of the report: a command sent over and over by ``clients`` in pipelines."""

    name: str
    command: tuple[str, ...]
    clients: int = 50
    pipeline: int = 1
    value_bytes: int = 3
    keyspace: int = KEYS
    setup: tuple[Setup, ...] = ()
    limits: Limits = Limits()
    quick: bool = False  # part of ``--quick``
    listeners: int = 0  # clients that have subscribed to CHANNEL and read
    module: str = ""  # the example module that has the command; empty: the server itself
    monitors: int = 0  # clients that have sent MONITOR and read
    repeats: int = 0  # MULTI, so often the command, EXEC are sent in one go; 0: no transaction
    directives: tuple[tuple[str, str, str], ...] = ()  # name, value for this workload, value afterwards
    own_directives: tuple[tuple[str, str, str], ...] = ()  # the same, for our server alone


KEY: Final = "key:__rand_int__"
FILL: Final = (Setup(("SET", "key:__i__", "__value__"), KEYS),)
CPU: Final = Limits(cpu_max=1.0)
COMMANDS: Final[dict[str, tuple[str, ...]]] = {
    "PING": ("PING",),
    "SET": ("SET", KEY, "__value__"),
    "GET": ("GET", KEY),
    "INCR": ("INCR", "counter:__rand_int__"),
    "MSET10": ("MSET", *(KEY, "__value__") * MSET_KEYS),
}
SHAPES: Final = ((50, 1), (50, 16), (1, 1), (1, 16), (500, 1), (500, 16))  # clients, pipeline


def _by_shape(clients: int, pipeline: int, verb: str) -> Workload:
    judged = clients == 50 and verb != "PING"
    return Workload(
        name=f"{verb} {clients}c P{pipeline}",
        command=COMMANDS[verb],
        clients=clients,
        pipeline=pipeline,
        setup=FILL if verb == "GET" else (),
        limits=CPU if judged else Limits(),
        quick=clients == 50,
    )


def _by_size(value_bytes: int, pipeline: int, keys: int, verb: str) -> Workload:
    size = f"{value_bytes // 1024}KB" if value_bytes >= 1024 else f"{value_bytes}B"
    return Workload(
        name=f"{verb} {size} 50c P{pipeline}",
        command=COMMANDS[verb],
        pipeline=pipeline,
        value_bytes=value_bytes,
        keyspace=keys,
        setup=(Setup(FILL[0].command, keys),) if verb == "GET" else (),
        limits=CPU if value_bytes < 1024 else Limits(),
    )


def _to_listeners(listeners: int, clients: int, pipeline: int, value_bytes: int = 32) -> Workload:
    size = "" if value_bytes == 32 else f" {value_bytes}B"
    return Workload(
        name=f"PUBLISH to {listeners}{size} {clients}c P{pipeline}",
        command=("PUBLISH", CHANNEL, "__value__"),
        clients=clients,
        pipeline=pipeline,
        value_bytes=value_bytes,
        listeners=listeners,
        limits=Limits(cpu_max=0.8) if listeners else CPU,
    )


def _notified(verb: str, pipeline: int) -> Workload:
    return Workload(
        name=f"{verb} notified P{pipeline}",
        command=COMMANDS[verb],
        pipeline=pipeline,
        setup=FILL,
        directives=(("notify-keyspace-events", "KEA", ""),),
        limits=CPU,
    )


MODULE_COMMANDS: Final[dict[str, tuple[str, tuple[str, ...], tuple[Setup, ...]]]] = {  # module, command, setup
    "no key": ("hello", ("HELLOMODULE.RAND",), ()),
    "reads a key": ("keys", ("KEYS.GET", KEY), FILL),
    "writes a key": ("keys", ("KEYS.SET", KEY, "__value__"), ()),
    "its own type": ("tally", ("TALLY.ADD", KEY, "apples", "1"), ()),
}


def _without_durability(clients: int, pipeline: int) -> Workload:
    plain = _of_module("its own type", clients, pipeline)
    return replace(plain, name=f"{plain.name}, not kept", own_directives=(("module-durability", "off", "on"),))


def _of_module(what: str, clients: int, pipeline: int) -> Workload:
    module, command, setup = MODULE_COMMANDS[what]
    floor = {("no key", 1): 0.8, ("no key", 16): 0.5}.get((what, pipeline), 0.7 if pipeline == 1 else 0.4)
    return Workload(
        name=f"module {what} {clients}c P{pipeline}",
        command=command,
        clients=clients,
        pipeline=pipeline,
        keyspace=1000 if what == "its own type" else KEYS,
        setup=setup,
        module=module,
        limits=Limits(throughput_min=floor, p99_max=None) if clients > 1 else Limits(throughput_min=None, p99_max=None),
    )


def _monitored(monitors: int, pipeline: int) -> Workload:
    return Workload(
        name=f"GET with {monitors} monitor{'s' * (monitors > 1)} P{pipeline}",
        command=COMMANDS["GET"],
        pipeline=pipeline,
        setup=FILL,
        monitors=monitors,
        limits=CPU,
    )


def _transaction(repeats: int, pipeline: int) -> Workload:
    return Workload(
        name=f"MULTI {repeats} SET EXEC P{pipeline}",
        command=COMMANDS["SET"],
        pipeline=pipeline,
        repeats=repeats,
        limits=CPU,
    )


SIZES: Final = (  # value_bytes, pipeline, keys
    (32, 1, KEYS),
    (32, 16, KEYS),
    (1024, 1, KEYS // 10),
    (1024, 16, KEYS // 10),
    (65536, 1, 100),
)

WORKLOADS: Final[tuple[Workload, ...]] = (
    *(_by_shape(clients, pipeline, verb) for clients, pipeline in SHAPES for verb in COMMANDS),
    *(_by_size(*size, verb) for size in SIZES for verb in ("SET", "GET")),
    *(_to_listeners(listeners, 50, pipeline) for listeners in (0, 1, 100, 1000) for pipeline in (1, 16)),
    _to_listeners(100, 50, 1, 4096),
    *(_monitored(monitors, pipeline) for monitors, pipeline in ((1, 1), (1, 16), (10, 16))),
    *(_transaction(10, pipeline) for pipeline in (1, 16)),
    *(_notified(verb, pipeline) for verb in ("GET", "SET") for pipeline in (1, 16)),
    *(_of_module(what, *shape) for what in MODULE_COMMANDS for shape in ((50, 1), (50, 16), (1, 1), (1, 16))),
    *(_without_durability(50, pipeline) for pipeline in (1, 16)),
)
