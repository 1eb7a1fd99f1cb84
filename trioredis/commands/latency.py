"""LATENCY: delays by what caused them, and how the run times of commands are spread."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from trioredis.commands.arguments import shown
from trioredis.commands.context import CommandView
from trioredis.commands.registry import CommandError, command
from trioredis.commands.reply import ReplyValue, Verbatim
from trioredis.commands.schema import Schema, load
from trioredis.engine import CommandStats, Delays, all_delays, delays_of, forget_delays
from trioredis.observability.histogram import Histogram

GRAPH_COLUMNS: Final = 72
GRAPH_ROWS: Final = 6
US_PER_S: Final = 1_000_000
OFTEN_S: Final = 60
"""Delays less than that apart on average come often."""
STEADY_PART: Final = 0.5
"""When the typical delay is at least this part of the longest, there are no outliers."""

ADVICE: Final[Mapping[bytes, str]] = {
    b"command": "Commands whose time grows with the data were among them: SLOWLOG GET names them.",
    b"fast-command": "Even commands that take constant time were late, so the process did not get the CPU: look for"
    " swapping, other busy processes on the same cores, and huge pages.",
    b"expire-cycle": "Many keys fall due in the same moment: spread their expiry times.",
    b"eviction-cycle": "Making room for new data takes long: raise maxmemory or write less at a time.",
    b"eviction-del": "A single value took long to free: split large values, or delete them with UNLINK.",
    b"pump-turn": "A turn of the loop serves many clients before any of them is answered: smaller pipelines help.",
    b"module-call": "A module's command kept the keyspace for long: the module's reports tell which one.",
    b"fork": "Forking takes the longer the more memory is in use: keep instances smaller, and switch huge pages off.",
}
"""What to do about the events that the server knows."""


@command("latency|latest")
def latency_latest(ctx: CommandView, argv: Sequence[bytes]) -> ReplyValue:
    """LATENCY LATEST: of each event its name, time and length of the newest delay, and the longest ever."""
    return [[one.name, *one.samples[-1], one.max_ms] for one in all_delays(ctx.server.engine)]


@command("latency|history")
def latency_history(ctx: CommandView, argv: Sequence[bytes]) -> ReplyValue:
    """LATENCY HISTORY event: pairs of time and length."""
    found = delays_of(ctx.server.engine, argv[2])
    return [list(sample) for sample in found.samples] if found else []


@command("latency|reset")
def latency_reset(ctx: CommandView, argv: Sequence[bytes]) -> ReplyValue:
    """LATENCY RESET [event ...]: the number of events that were forgotten."""
    engine = ctx.server.engine
    return sum(forget_delays(engine, name) for name in argv[2:]) if len(argv) > 2 else forget_delays(engine)


@command("latency|graph")
def latency_graph(ctx: CommandView, argv: Sequence[bytes]) -> ReplyValue:
    """LATENCY GRAPH event: its delays as columns of text."""
    found = delays_of(ctx.server.engine, argv[2])
    if found is None:
        raise CommandError(f"ERR No samples available for event '{shown(argv[2])}'")
    return Verbatim("txt", graph(found, ctx.server.engine.now_us // US_PER_S))


@command("latency|doctor")
def latency_doctor(ctx: CommandView, argv: Sequence[bytes]) -> ReplyValue:
    """LATENCY DOCTOR: what stands out, in sentences."""
    threshold = ctx.server.config.latency_monitor_threshold
    return Verbatim("txt", report(all_delays(ctx.server.engine), threshold))


@command("latency|histogram")
def latency_histogram(ctx: CommandView, argv: Sequence[bytes]) -> ReplyValue:
    """LATENCY HISTOGRAM [command ...]: a map of calls and of counts by run time; commands without any are left out."""
    stats = {one.fullname: one for one in ctx.server.engine.command_stats() if one.buckets}
    if len(argv) == 2:
        return _spreads(stats.values())
    found: dict[str, CommandStats] = {}  # a command named twice is shown once
    for word in argv[2:]:
        for name in _names(ctx.server.schema, word.decode("latin-1").lower(), stats):
            if name in stats:
                found[name] = stats[name]
    return _spreads(found.values())


def _names(schema: Schema, word: str, known: Iterable[str]) -> list[str]:
    """The full names of what ``word`` means: a command, and its subcommands. Those of modules are in no schema."""
    entry = schema.find(word)
    if entry is not None:
        return [named.fullname for named in entry.walk()]
    return [name for name in known if (name == word or name.startswith(f"{word}|")) and not load().find(name)]


def _spreads(found: Iterable[CommandStats]) -> ReplyValue:
    replies: dict[str, ReplyValue] = {}
    for stats in found:
        histogram = Histogram(stats.buckets)
        steps: dict[int, ReplyValue] = dict(histogram.doubling_steps())
        spread: dict[str, ReplyValue] = {"calls": histogram.total(), "histogram_usec": steps}
        replies[stats.fullname] = spread
    return replies


def graph(delays: Delays, now_s: int) -> str:
    """Return the newest delays as columns, each a part of the longest, with a heading and their ages below."""
    shown_ones = delays.samples[-GRAPH_COLUMNS:]
    amounts = [ms for _, ms in shown_ones]
    name = delays.name.decode("utf-8", "surrogateescape")
    heading = f"{name}: {min(amounts)} to {max(amounts)} ms (longest ever {delays.max_ms} ms)"
    top = max(max(amounts), 1)
    heights = [max(1, round(ms * GRAPH_ROWS / top)) for ms in amounts]
    rows = ["".join("#" if height >= row else " " for height in heights) for row in range(GRAPH_ROWS, 0, -1)]
    first, last = (_age(now_s - time_s) for time_s in (shown_ones[0][0], shown_ones[-1][0]))
    ages = f"{first} ago" if len(shown_ones) == 1 else f"from {first} ago (left) to {last} ago (right)"
    body = "\n".join(row.rstrip() for row in rows)
    return f"{heading}\n{body}\n{'-' * len(amounts)}\n{ages}\n"


def _age(seconds: int) -> str:
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= length:
            return f"{seconds // length} {unit}"
    return f"{max(seconds, 0)} s"


def report(events: Sequence[Delays], threshold_ms: int) -> str:
    """Return what LATENCY DOCTOR says of these events: lines of text."""
    if threshold_ms == 0 and not events:
        return "Nothing is recorded: set latency-monitor-threshold to the milliseconds that matter to you.\n"
    if not events:
        return f"No delay of {threshold_ms} ms or more has been seen.\n"
    return "What was slow:\n" + "".join(f" * {one}\n" for one in map(_finding, events))


def _finding(delays: Delays) -> str:
    """A sentence or two about one event."""
    amounts = sorted(ms for _, ms in delays.samples)
    count, typical = len(amounts), amounts[len(amounts) // 2]
    name = delays.name.decode("utf-8", "surrogateescape")
    parts = [f"{name}: {count} delay{'s' * (count > 1)}, {typical} ms typically, {delays.max_ms} ms at the longest"]
    if count > 1:
        apart = (delays.samples[-1][0] - delays.samples[0][0]) / (count - 1)
        often = "often" if apart < OFTEN_S else "seldom"
        spread = "of much the same length" if typical >= STEADY_PART * delays.max_ms else "with outliers"
        parts.append(f", {often} (every {_age(round(apart))}) and {spread}")
    advice = ADVICE.get(delays.name)
    return "".join(parts) + "." + (f" {advice}" if advice else "")
