"""Turns rows and figures into a table, JSON, and a comparison with an older run."""

from __future__ import annotations

import math
from dataclasses import asdict
from statistics import median
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.bench.footprint import Figure
    from tests.bench.rounds import Row, Samples

TOLERANCE: Final = 0.05  # a ratio may worsen by this much, plus both runs' spread
HEAD: Final = (
    f"{'workload':<20}"
    f"{'cpu us/cmd':>16}{'ratio':>14}"
    f"{'k commands/s':>18}{'ratio':>13}"
    f"{'p50 ms':>15}{'p99 ms':>15}{'ratio':>6}  limits"
)


def _pair(ours: Sequence[float], stock: Sequence[float], digits: int, scale: float = 1.0) -> str:
    return f"{median(ours) / scale:.{digits}f} / {median(stock) / scale:.{digits}f}"


def _verdict(row: Row) -> str:
    """Name the missed limits, and apart those that the spread of the rounds leaves open."""
    clear, near = row.misses(), row.misses(within_spread=True)
    words = ["MISS " + ",".join(clear)] if clear else []
    words += ["near " + ",".join(near)] if near else []
    return " ".join(words) or "ok"


def table_line(row: Row) -> str:
    """Format one row: ours / stock, the ratio of medians and its spread, and what is missed."""
    if row.problem:
        return f"{row.name:<20}  not run: {row.problem.splitlines()[0]}"
    a, b = row.ours, row.stock
    return (
        f"{row.name:<20}"
        f"{_pair(a.cpu_us, b.cpu_us, 2):>16}"
        f"{row.ratio('cpu_us'):>8.2f} ±{row.spread('cpu_us'):.2f}"
        f"{_pair(a.per_second, b.per_second, 1, 1000):>18}"
        f"{row.ratio('per_second'):>7.2f} ±{row.spread('per_second'):.2f}"
        f"{_pair(a.p50_ms, b.p50_ms, 2):>15}"
        f"{_pair(a.p99_ms, b.p99_ms, 2):>15}"
        f"{row.ratio('p99_ms'):>6.2f}"
        f"  {_verdict(row)}"
    )


def figure_line(figure: Figure) -> str:
    """Format one figure: ours / stock, and the ratio."""
    ours, stock = ("-" if v is None else f"{v:.1f}" for v in (figure.ours, figure.stock))
    ratio = f"{figure.ours / figure.stock:.2f}" if figure.ours and figure.stock else "-"
    return f"{figure.name:<34}{ours:>12} / {stock:<12}{figure.unit:<8}{ratio:>6}"


def _samples(samples: Samples) -> dict[str, Any]:
    return asdict(samples)


def to_json(rows: Sequence[Row], figures: Sequence[Figure], about: dict[str, Any]) -> dict[str, Any]:
    """Return everything that was measured as JSON data."""
    return {
        "about": about,
        "workloads": [
            {"name": row.name, "problem": row.problem}
            if row.problem
            else {
                "name": row.name,
                "requests": row.requests,
                "ours": _samples(row.ours),
                "stock": _samples(row.stock),
                "ratio": {w: row.ratio(w) for w in ("cpu_us", "per_second", "p99_ms")},
                "spread": {w: row.spread(w) for w in ("cpu_us", "per_second", "p99_ms")},
                "misses": row.misses(),
            }
            for row in rows
        ],
        "footprint": [figure.to_json() for figure in figures],
    }


def compare(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """Describe what became worse, by the ratios to the stock server: machines may differ."""
    before = {row["name"]: row for row in old["workloads"]}
    out = []
    for row in new["workloads"]:
        was = before.get(row["name"])
        if was is None or was.get("problem"):
            continue
        if row.get("problem"):
            out.append(f"{row['name']}: no longer runs: {row['problem']}")
            continue
        for what, sign in (("cpu_us", 1), ("per_second", -1)):
            then, now = was["ratio"][what], row["ratio"][what]
            slack = TOLERANCE + was["spread"][what] + row["spread"][what]
            if sign * (now - then) > slack:
                out.append(f"{row['name']}: {what} ratio {then:.2f} -> {now:.2f} (±{slack:.2f})")
    return out + _compare_footprint(old, new)


def _compare_footprint(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    before = {figure["name"]: figure["ours"] for figure in old["footprint"]}
    out = []
    for figure in new["footprint"]:
        then, now = before.get(figure["name"]), figure["ours"]
        if then and now and figure["unit"] != "%" and now > then * (1 + TOLERANCE):
            out.append(f"{figure['name']}: {then:.1f} -> {now:.1f} {figure['unit']}")
    return out


def summary(rows: Sequence[Row]) -> str:
    """Return one line: the rows that keep their limits, and the mean of the CPU ratios."""
    run = [row for row in rows if not row.problem]
    kept = sum(not row.misses() for row in rows)
    if not run:
        return "nothing was measured"
    mean = math.exp(sum(math.log(row.ratio("cpu_us")) for row in run) / len(run))
    return f"{kept} of {len(rows)} workloads keep their limits; mean CPU ratio {mean:.2f}"
