"""One form for every benchmark: warm-up, pairs, medians with their spread, a line about the machine, JSON and a table.

A case opens what it measures (daemons, nodes, servers), then gives samples: dicts of numbers. The floor of a figure is
a number of the same sample, the same work with nothing of ours in it: a busy moment of the machine hits both, and the
ratio of the two is what counts. With `--against`, a second process gives samples of another commit in turn with ours.
Samples are taken in processes of their own (worker.py).
"""

from __future__ import annotations

import os
import platform
import statistics
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol

Sample = Mapping[str, float]
Take = Callable[[], Awaitable[Sample]]
MOST_RATIOS: Final = 1e-9  # below it a floor is none
UNMEASURED: Final = "below what can be measured"


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of a sample. `floor`: the name of the number beside which it stands in the same sample.

    `aim`: the largest ratio to the floor, or the largest value where there is no floor; the smallest with `more`.
    """

    name: str
    unit: str
    floor: str = ""
    aim: float | None = None
    more: bool = False  # more is better


@dataclass(frozen=True, slots=True)
class Case:
    """`open(folder, small)` gives the function that takes a sample. `alone`: in a network namespace of its own (root).

    `outside`: it meets daemons only as processes, so that those of another tree can be driven by these benchmarks.
    `growth` and `x`: the plot that it is a point of, and where on its horizontal axis.
    """

    name: str
    what: str
    figures: tuple[Figure, ...]
    open: Callable[[Path, bool], AbstractAsyncContextManager[Take]]
    pairs: int = 11
    warmup: int = 1
    alone: bool = False
    outside: bool = False
    growth: str = ""
    x: float = 0


class Sampler(Protocol):
    """Gives samples of one case from one commit."""

    async def sample(self) -> Sample: ...


@dataclass(frozen=True, slots=True)
class Spread:
    """The median of some values, and what the middle half of them lies between."""

    median: float
    low: float
    high: float
    count: int

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Of at least one value."""
        low, median, high = statistics.quantiles(values, n=4) if len(values) > 1 else (values[0],) * 3
        return cls(median, max(low, min(values)), min(high, max(values)), len(values))

    def text(self, unit: str = "") -> str:
        """Such as `1.24 (1.20 to 1.31) ms`."""
        return f"{number(self.median)} ({number(self.low)} to {number(self.high)}){' ' if unit else ''}{unit}"


@dataclass(slots=True)
class Measured:
    """The samples of one case, of this tree and of the other commit."""

    case: Case
    ours: list[Sample] = field(default_factory=list)
    theirs: list[Sample] = field(default_factory=list)
    failed: str = ""
    seconds: float = 0.0


def number(value: float) -> str:
    """Three digits that mean something."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def machine(commit: str) -> dict[str, Any]:
    """What the figures depend on, in one line."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "commit": commit,
        "date": time.strftime("%Y-%m-%d %H:%M", time.gmtime()),
        "cores": cores,
        "processor": _processor(),
        "python": platform.python_version(),
        "system": f"{os.uname().sysname} {os.uname().release.partition('-')[0]}",
        "load": round(os.getloadavg()[0], 1),
    }


def machine_line(about: Mapping[str, Any]) -> str:
    """The same to be read."""
    return (
        f"{about['date']} UTC, commit {about['commit']}, {about['cores']} cores ({about['processor']}), "
        f"Python {about['python']}, {about['system']}, load before {about['load']}"
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


async def measure(case: Case, ours: Sampler, theirs: Sampler | None, *, pairs: int) -> Measured:
    """Warm up, then take samples, ours and theirs in turn; which comes first alternates too."""
    found, begun = Measured(case), time.monotonic()
    for turn in range(-case.warmup, pairs):
        order = [(ours, found.ours)] if theirs is None else [(ours, found.ours), (theirs, found.theirs)]
        for sampler, kept in order if turn % 2 == 0 else reversed(order):
            sample = await sampler.sample()
            if turn >= 0:
                kept.append(sample)
    found.seconds = time.monotonic() - begun
    return found


def rows_of(found: Measured) -> list[dict[str, Any]]:
    """One row per figure: what the table and the JSON show."""
    if found.failed:
        return [{"case": found.case.name, "failed": found.failed}]
    return [_row(found, figure) for figure in found.case.figures]


def _row(found: Measured, figure: Figure) -> dict[str, Any]:
    values = [sample[figure.name] for sample in found.ours]
    spread = Spread.of(values)
    row: dict[str, Any] = {
        "case": found.case.name,
        "figure": figure.name,
        "unit": figure.unit,
        "value": _numbers(spread),
        "aim": figure.aim,
        "more": figure.more,
    }
    counted = spread
    if figure.floor:
        floors = [sample[figure.floor] for sample in found.ours]
        counted = Spread.of([value / max(floor, MOST_RATIOS) for value, floor in zip(values, floors, strict=True)])
        row |= {"floor": _numbers(Spread.of(floors)), "ratio": _numbers(counted)}
    if spread.median < 0:  # what was taken off it was more than all of it: that says nothing, and meets no aim
        row["unmeasured"] = True
    elif figure.aim is not None:
        row["met"] = counted.median >= figure.aim if figure.more else counted.median <= figure.aim
    if found.theirs:
        others = [sample[figure.name] for sample in found.theirs]
        row["there"] = _numbers(Spread.of(others))
        row["against"] = _numbers(Spread.of([ours / theirs for ours, theirs in zip(values, others, strict=True)]))
    return row


def _numbers(spread: Spread) -> dict[str, float]:
    return {"median": spread.median, "low": spread.low, "high": spread.high, "count": spread.count}


def shown(numbers: Mapping[str, float], unit: str = "") -> str:
    """A spread out of the JSON as text."""
    return Spread(numbers["median"], numbers["low"], numbers["high"], int(numbers["count"])).text(unit)


def table(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """A Markdown table: medians, in parentheses what the middle half lies between."""
    against = any("against" in row for row in rows)
    heads = ["case", "figure", "ratio to the floor", "value", "floor", "aim", "met"]
    heads += ["there", "here / there"] if against else []
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    for row in rows:
        if "failed" in row:
            cells = [row["case"], row["failed"]]
        else:
            cells = _cells(row) + ([_shown(row, "there", row["unit"]), _shown(row, "against")] if against else [])
        lines.append("| " + " | ".join([*cells, *[""] * (len(heads) - len(cells))]) + " |")
    return lines


def _shown(row: Mapping[str, Any], key: str, unit: str = "") -> str:
    return shown(row[key], unit) if key in row else ""


def _cells(row: Mapping[str, Any]) -> list[str]:
    aim = ""
    if row["aim"] is not None:
        aim = (
            f"at {'least' if row['more'] else 'most'} {number(row['aim'])}{'' if 'ratio' in row else ' ' + row['unit']}"
        )
    floor = f"{number(row['floor']['median'])} {row['unit']}" if "floor" in row else ""
    met = {True: "yes", False: "no", None: ""}[row.get("met")]
    is_known = not row.get("unmeasured")
    return [
        row["case"],
        row["figure"],
        _shown(row, "ratio") if is_known else "",
        _shown(row, "value", row["unit"]) if is_known else UNMEASURED,
        floor,
        aim,
        met,
    ]
