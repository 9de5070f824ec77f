"""Writes a run into the table of docs/security.md, between its marks: python -m tests.adversary.table FILE

FILE is what `python -m tests.adversary --json` wrote; if an attack is in it more than once, the last counts. What was
measured before work was charged is taken from the page as it is there, for that commit cannot be measured again alike.
What an undisturbed signature takes is told twice: in the stretch before each attack, and in all of them together.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from tests.adversary.honest import NEVER

PAGE: Final = Path(__file__).parents[2] / "docs/security.md"
BEGIN, END = "<!-- attacks: written by python -m tests.adversary.table -->", "<!-- end of attacks -->"
AFTER: Final = ("p50", "p99", "undisturbed p99", "longest", "newcomer seen", "/livez", "processor", "memory")
HEAD: Final = (f"| attack | {' | '.join(AFTER)} |", "|---" * (len(AFTER) + 1) + "|")
ALONE: Final = 2  # the column of what is told of the time after only
NONE: Final = "-"
LONGEST_S, SEEN_S, LIVEZ_S, GROWTH_MIB, TIMES = 1.0, 2.0, 0.3, 32, 2  # the aim
AIMS: Final = ("p99", "p99 beside all", "longest", "newcomer", "/livez", "memory")
Found = Mapping[str, Any]
Run = Mapping[str, Found]


def rank(values: Sequence[float], share: float) -> float:
    """The value that this share of the values does not exceed."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))] if values else float("nan")


def read(path: Path) -> dict[str, Found]:
    """The figures of a run, by attack."""
    return {found["attack"]: found for found in map(json.loads, path.read_text().splitlines())}


def together(run: Run, kind: str) -> list[float]:
    """What signatures took in all stretches: `undisturbed` or `attacked`."""
    return [seconds for found in run.values() for seconds in found[kind]]


def said(seconds: float) -> str:
    return "never" if seconds == NEVER else f"{seconds:.3f}" if seconds < 0.1 else f"{seconds:.2f}"


def cells(found: Found) -> tuple[str, ...]:
    """One attack's figures: seconds, percent of a core, MiB."""
    if found["failed"]:
        return (f"not measured: {found['failed']}", *(NONE,) * (len(AFTER) - 1))
    signed, seen = found["attacked"], found["seen"]
    return (
        said(rank(signed, 0.5)),
        said(rank(signed, 0.99)),
        said(rank(found["undisturbed"], 0.99)),
        said(max(signed, default=NEVER)),
        said(max(found["newcomers"], default=NEVER)),
        f"{max(seen['livez_s']):.2f}",
        f"{100 * seen['cpu_s'] / seen['seconds']:.0f} %",
        f"+{seen['growth']:.0f}" if found["alive"] else "died",
    )


def misses(found: Found, p99: float) -> Iterable[str]:
    """Where the aim was missed; `p99`: of all undisturbed signatures."""
    signed, seen = found["attacked"], found["seen"]
    reached = (
        rank(signed, 0.99) < TIMES * rank(found["undisturbed"], 0.99),
        rank(signed, 0.99) < TIMES * p99,
        max(signed, default=NEVER) <= LONGEST_S,
        max(found["newcomers"], default=NEVER) <= SEEN_S,
        max(seen["livez_s"]) < LIVEZ_S,
        seen["growth"] < GROWTH_MIB,
    )
    return (aim for aim, held in zip(AIMS, reached, strict=True) if not held)


def before(page: str) -> dict[str, tuple[str, Sequence[str]]]:
    """By attack: the mark behind its name, and the first figure of each cell that has two."""
    found: dict[str, tuple[str, Sequence[str]]] = {}
    for line in page.splitlines():
        name, *rest = (cell.strip() for cell in line.strip("|").split("|"))
        if line.startswith("| ") and all(", " in cell for cell in (*rest[:2], *rest[-4:])) and len(rest) >= 7:
            title = re.split(r" [†\\]", name)[0]
            sign = name[len(title) :]
            found[title] = (sign, [cell.partition(", ")[0] for cell in rest if ", " in cell])
    return found


def row(name: str, new: Sequence[str], old: tuple[str, Sequence[str]]) -> str:
    """A row: before and after in each cell, but one."""
    mark, figures = old
    pairs = [f"{was}, {now}" for was, now in zip(figures, (*new[:ALONE], *new[ALONE + 1 :]), strict=True)]
    return f"| {name}{mark} | {' | '.join((*pairs[:ALONE], new[ALONE], *pairs[ALONE:]))} |"


def reached(run: Run) -> list[str]:
    """Where the aim was missed, in words."""
    measured = {name: found for name, found in run.items() if not found["failed"]}
    calm, late = together(measured, "undisturbed"), together(measured, "attacked")
    p99 = rank(calm, 0.99)
    missed = {name: set(misses(found, p99)) for name, found in measured.items()}
    lines = [
        f"Of {len(measured)} attacks, so many were held to the aim:",
        "",
        "| aim | held under | not under |",
        "|---|---|---|",
    ]
    names = (
        f"p99 under {TIMES} times that of the stretch before the attack",
        f"p99 under {TIMES} times that of all {len(calm):,} undisturbed signatures, {said(p99)} s",
        f"no signature over {LONGEST_S:g} s, of {len(late):,}",
        f"a new creator seen within {SEEN_S:g} s",
        f"`/livez` under {LIVEZ_S:g} s",
        f"less than {GROWTH_MIB} MiB of memory more",
    )
    for aim, name in zip(AIMS, names, strict=True):
        under = [each.replace("_", " ") for each, found in missed.items() if aim in found]
        lines.append(f"| {name} | {len(measured) - len(under)} | {', '.join(under) or NONE} |")
    return lines


def conditions(run: Run) -> str:
    """How it was measured."""
    measured = [found for found in run.values() if not found["failed"]]
    calm = together(run, "undisturbed")
    loads = [found["load"] for found in run.values()]
    spans = [found["seen"]["seconds"] for found in measured]
    commits = sorted({found["commit"] for found in run.values()})
    figures = ", ".join(
        f"{name} {said(value)} s"
        for name, value in (("p50", rank(calm, 0.5)), ("p99", rank(calm, 0.99)), ("longest", max(calm, default=NEVER)))
    )
    return (
        f"After: commit {', '.join(commits)}, {min(spans):.0f} to {max(spans):.0f} s per attack "
        f"after as long without one, "
        f"{min(len(found['attacked']) for found in measured)} signatures or more each; "
        f"load {min(loads):.1f} to {max(loads):.1f}, "
        f"of which one is the attackers' own. Undisturbed, all together: {figures} of {len(calm):,}."
    )


def written(page: str, run: Run) -> str:
    """The page with this run."""
    old, new = before(page), {name.replace("_", " "): cells(found) for name, found in run.items()}
    nothing = (NONE,) * len(AFTER)
    rows = [row(name, new.get(name, nothing), old.get(name, ("", nothing[1:]))) for name in sorted({*old, *new})]
    text = "\n".join([BEGIN, conditions(run), "", *HEAD, *rows, "", *reached(run), END])
    return re.sub(f"{re.escape(BEGIN)}.*{re.escape(END)}", lambda _: text, page, flags=re.DOTALL)


def main(path: str) -> None:
    """Write the page, and say on the error output where the aim was missed."""
    run = read(Path(path))
    PAGE.write_text(written(PAGE.read_text(), run))
    print("\n".join(reached(run)), file=sys.stderr)


if __name__ == "__main__":
    main(*sys.argv[1:])
