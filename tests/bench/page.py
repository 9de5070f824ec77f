"""Writes docs/performance.md, its plots and the figures in README.md: `python -m tests.bench.page FILE`.

The rows of the file take the place of those of the same cases in docs/performance/run.json; the others are kept with
the commit and date that they are from. So a test can show that page and README say what was measured, and anybody can
draw it anew.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from tests.bench.cases import CASES
from tests.bench.harness import machine_line, number, table
from tests.bench.plot import Point, svg

ROOT = Path(__file__).parents[2]
PAGE, FOLDER, README = ROOT / "docs/performance.md", ROOT / "docs/performance", ROOT / "README.md"
RUN = FOLDER / "run.json"
BEGIN, END = "<!-- figures: make bench-page -->\n\n", "<!-- end of figures -->"
ACROSS: Final = {
    "signers": ("Announcement to signature at every signer", "signers of a session"),
    "daemons": ("Bytes on the wire per advertisement and daemon", "daemons in the network"),
    "open-lotus": ("2-of-2 sessions of one pair of daemons", "sessions open at any time"),
    "directory": ("Search in the directory", "advertisements in the directory"),
    "subscribers": ("How late events come", "subscribers"),
}
HEAD: Final = """# Performance

`make bench` measures all of this; [CONTRIBUTING.md](../CONTRIBUTING.md) says how to measure one thing, or another
commit beside this one. `make bench-page` wrote it from [performance/run.json](performance/run.json). A case that was
measured again replaced its former figures; behind each case stands the commit that they are from.

{machines}

Each figure is the median of several samples, in parentheses what the middle half of them lies between. The floor is the
same work with nothing of musigd in it (the case says what), measured in turn with it. The ratio of the two says
something about the program; milliseconds say as much about the machine.

## Aims

{aims}
"""


def files(run: Mapping[str, Any], readme: str) -> dict[Path, str]:
    """Every file that this writes, with its content; `readme` is README.md as it is."""
    drawn = dict(_plots(run["rows"]))
    written = {FOLDER / f"{growth}.svg": picture for growth, picture in drawn.items()}
    return {**written, PAGE: _page(run["rows"], list(drawn)), README: _with_figures(readme, run["rows"])}


def combined(kept: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, Any]:
    """The rows of both, of each case those that were measured last. Of cases and figures that still exist, and whole:
    what `--small` measures is left out.
    """
    figures = {case.name: {None, *(figure.name for figure in case.figures)} for case in CASES}
    rows = [row for row in (*kept["rows"], *found["rows"]) if row.get("figure") in figures.get(row["case"], ())]
    rows = [row for row in rows if not row["run"].get("small")]
    latest: dict[str, Mapping[str, Any]] = {}
    for row in rows:
        latest[row["case"]] = max(latest.get(row["case"], row["run"]), row["run"], key=lambda run: str(run["date"]))
    newest = {(row["case"], row.get("figure")): row for row in rows if row["run"] == latest[row["case"]]}
    return {"rows": [row for case in figures for (name, _), row in newest.items() if name == case]}


def _run_of(case: str, rows: Sequence[Mapping[str, Any]]) -> str:
    """The commit and the date of its figures, as they stand behind a case."""
    runs = dict.fromkeys(f"{row['run']['commit']}, {row['run']['date']}" for row in rows if row["case"] == case)
    return f" ({'; '.join(runs)})" if runs else ""


def _page(rows: Sequence[Mapping[str, Any]], drawn: Sequence[str]) -> str:
    runs: dict[str, set[int]] = {}
    measured: dict[str, set[str]] = {}
    for row in rows:
        line = machine_line(row["run"])
        runs.setdefault(line, set()).add(row["value"]["count"] if "value" in row else 0)
        measured.setdefault(line, set()).add(row["case"])
    said = "\n".join(
        f"- {line}; cases: {len(measured[line])}; samples of a figure: {min(of)} to {max(of)}"
        for line, of in sorted(runs.items())
    )
    parts = [HEAD.format(machines=f"Measured:\n\n{said}", aims=_aims(rows))]
    for title, start in SECTIONS:
        cases = [case for case in CASES if case.name.startswith(start)]
        found = [row for row in rows if any(row["case"] == case.name for case in cases)]
        if not found:
            continue
        parts += [
            f"\n## {title}\n",
            *(f"- `{case.name}`: {case.what}{_run_of(case.name, rows)}" for case in cases),
            "",
            *table(found),
        ]
        growths = dict.fromkeys(case.growth for case in cases if case.growth in drawn)
        parts += [f"\n![{ACROSS[growth][0]}, by {ACROSS[growth][1]}](performance/{growth}.svg)" for growth in growths]
    return "\n".join(parts) + "\n"


def _aims(rows: Sequence[Mapping[str, Any]]) -> str:
    """How many are met, and each that is not."""
    aimed = [row for row in rows if "met" in row and not row.get("unmeasured")]
    missed = [row for row in aimed if not row["met"]]
    said = [f"{len(aimed) - len(missed)} of {len(aimed)} are met{'. Missed:' if missed else '.'}"]
    for row in missed:
        got = number(row.get("ratio", row["value"])["median"])
        least = "least" if row["more"] else "most"
        unit = "" if "ratio" in row or not row["unit"] else f" {row['unit']}"
        said.append(f"- `{row['case']}`, {row['figure']}: {got}{unit}, aimed at {number(row['aim'])}{unit} at {least}")
    return "\n".join(said)


SECTIONS: Final = (
    ("Start", "start"),
    ("Signing", "signing"),
    ("API", "rpc"),
    ("Discovery", "discovery"),
    ("Directory", "directory"),
    ("Cryptography", "musig2"),
    ("Policy", "policy"),
    ("Audit log", "audit"),
    ("What peers are charged for", "prices"),
)


def _plots(rows: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """One per growth, of the figures that share the unit of the first."""
    for growth, (title, across) in ACROSS.items():
        cases = {case.name: case for case in CASES if case.growth == growth}
        found = [row for row in rows if row["case"] in cases and "value" in row]
        if not found:
            continue
        unit, lines = found[0]["unit"], dict[str, list[Point]]()
        for row in found:
            if row["unit"] == unit:
                value = row["value"]
                point = Point(cases[row["case"]].x, value["median"], value["low"], value["high"])
                lines.setdefault(row["figure"], []).append(point)
        yield growth, svg(title, across, unit, lines)


def _with_figures(readme: str, rows: Sequence[Mapping[str, Any]]) -> str:
    before, _, rest = readme.partition(BEGIN)
    _, _, after = rest.partition(END)
    return before + BEGIN + "\n".join(_figures(rows)) + "\n\n" + END + after


def _figures(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """The table in README: ratios first."""
    by = {(row["case"], row.get("figure")): row for row in rows}
    yield "| what | times its floor | here | command |"
    yield "|---|---|---|---|"
    for what, case, figure, command in TOLD:
        row = by.get((case, figure))
        if row is not None:
            ratio = number(row["ratio"]["median"]) if "ratio" in row else ""
            value = f"{number(row['value']['median'])} {row['unit']}"
            yield f"| {what} | {ratio} | {value} | `make {command}` |"


TOLD: Final = (
    ("2-of-2: last join to signature at every signer", "signing-2of2-lotus", "last join to signature", "bench-signing"),
    ("3-of-3", "signing-3of3-lotus", "last join to signature", "bench-signing"),
    ("5-of-5", "signing-5of5-lotus", "last join to signature", "bench-signing"),
    ("2-of-2 sessions of one pair of daemons, 50 open", "signing-open50-lotus", "sessions", "bench-signing"),
    ("start until ready", "start", "ready, beside its libraries", "bench-start"),
    ("memory when idle", "start", "memory when idle", "bench-start"),
    ("`getInfo` over HTTP: processor", "rpc-calls", "processor per HTTP call", "bench-rpc"),
    ("`getInfo` over WebSocket: processor", "rpc-calls", "processor per WebSocket call", "bench-rpc"),
    ("an advertisement taken in: processor", "discovery-ingest", "processor per advertisement", "bench-discovery"),
    ("advertised to discovered at another daemon", "discovery-heard", "advertised to discovered", "bench-discovery"),
    ("search among 100,000, slowest filter", "directory-100000", "slowest filter", "bench-discovery"),
    ("key aggregation of 100", "musig2-lotus", "key aggregation, n = 100", "bench-musig2"),
    ("partial verification", "musig2-lotus", "partial verification", "bench-musig2"),
)


def main() -> int:
    """Keep the run and write everything from it."""
    kept = json.loads(RUN.read_text()) if RUN.exists() else {"rows": []}
    run = combined(kept, json.loads(Path(sys.argv[1]).read_text()) if len(sys.argv) > 1 else kept)
    FOLDER.mkdir(exist_ok=True)
    RUN.write_text(json.dumps(run, indent=1) + "\n")
    for file, content in files(run, README.read_text()).items():
        file.write_text(content)
    return 0


if __name__ == "__main__":
    sys.exit(main())
