"""Prints two runs as the table of docs/security.md: python -m tests.adversary.table BEFORE.json AFTER.json

Both are files that `python -m tests.adversary --json` wrote; if an attack is in a file more than once, the last counts.
What an undisturbed signature takes is one figure for each run: the stretches before all attacks together.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tests.adversary.__main__ import rank
from tests.adversary.honest import NEVER

HEAD = (
    "| attack | p50 | p99 | longest | newcomer seen | /livez | processor | memory |",
    "|---|---|---|---|---|---|---|---|",
)
LONGEST_S, SEEN_S, LIVEZ_S, GROWTH_MIB = 1.0, 2.0, 0.3, 32  # the aim
Found = Mapping[str, Any]


def read(path: str) -> dict[str, Found]:
    """The figures of a run, by attack."""
    return {found["attack"]: found for found in map(json.loads, Path(path).read_text().splitlines())}


def undisturbed(run: Mapping[str, Found]) -> list[float]:
    """What signatures took while nobody attacked."""
    return [seconds for found in run.values() for seconds in found["undisturbed"]]


def said(seconds: float) -> str:
    return "never" if seconds == NEVER else f"{seconds:.2f}"


def cells(found: Found | None) -> tuple[str, ...]:
    """One attack's figures: seconds, percent of a core, MiB."""
    if found is None:
        return ("?",) * 7
    signed, seen = found["attacked"], found["seen"]
    return (
        said(rank(signed, 0.5)),
        said(rank(signed, 0.99)),
        said(max(signed, default=NEVER)),
        said(max(found["newcomers"], default=NEVER)),
        f"{max(seen['livez_s']):.2f}",
        f"{100 * seen['cpu_s'] / seen['seconds']:.0f} %",
        f"+{seen['growth']:.0f}" if found["alive"] else "died",
    )


def misses(found: Found, p99: float) -> Iterable[str]:
    """Where the aim was missed; `p99`: of undisturbed signatures."""
    signed, seen = found["attacked"], found["seen"]
    if rank(signed, 0.99) >= 2 * p99:
        yield "p99"
    if max(signed, default=NEVER) > LONGEST_S:
        yield "longest"
    if max(found["newcomers"], default=NEVER) > SEEN_S:
        yield "newcomer"
    if max(seen["livez_s"]) >= LIVEZ_S:
        yield "/livez"
    if seen["growth"] >= GROWTH_MIB:
        yield "memory"


def main(before: str, after: str) -> None:
    """Print the rows, in the order of the second run, and below them where the aim was missed after."""
    old, new = read(before), read(after)
    print("\n".join(HEAD))
    for name in dict.fromkeys((*new, *old)):
        columns = zip(cells(old.get(name)), cells(new.get(name)), strict=True)
        print(f"| {name.replace('_', ' ')} | {' | '.join(', '.join(column) for column in columns)} |")
    for run in (old, new):
        calm = undisturbed(run)
        missed = {name: found for name, each in run.items() if (found := list(misses(each, rank(calm, 0.99))))}
        marks = " / ".join(said(each) for each in (rank(calm, 0.5), rank(calm, 0.99), max(calm, default=NEVER)))
        print(f"undisturbed {marks} of {len(calm)}; missed: {missed}", file=sys.stderr)


if __name__ == "__main__":
    main(*sys.argv[1:])
