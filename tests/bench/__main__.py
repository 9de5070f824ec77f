"""`make bench`: runs cases and shows them.

    .venv/bin/python -m tests.bench [--small] [--pairs N] [--against COMMIT | DIRECTORY] [--json FILE] [CASE]...

A CASE is a name or the beginning of one (`signing` is all of signing). Results are merged into the JSON file, so that a
long run may be made in pieces; `python -m tests.bench.page` writes docs/performance.md from it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from tests.bench.cases import CASES
from tests.bench.harness import Case, Measured, machine, machine_line, measure, rows_of, table
from tests.bench.samplers import BUILT, CaseFailed, Tree, commit_of_this_tree, this_tree, tree_of, worker

SMALL_PAIRS = 2


def chosen(names: Sequence[str]) -> list[Case]:
    """The cases with these names; a name that no case has means those that begin with it. Raises SystemExit."""
    meant = set[str]()
    for name in names:
        found = {case.name for case in CASES if case.name.startswith(name)}
        if not found:
            raise SystemExit(f"there is no case {name!r}; --list shows them")
        meant |= {name} & found or found
    return [case for case in CASES if not names or case.name in meant]


async def run(case: Case, other: Tree | None, *, small: bool, pairs: int) -> Measured:
    """One case, in new folders."""
    try:
        async with AsyncExitStack() as stack:
            samplers = []
            for tree in (this_tree(), other):
                if tree is not None:
                    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="musigd-bench-")))
                    samplers.append(await stack.enter_async_context(worker(case, tree, folder, small=small)))
            return await measure(case, samplers[0], samplers[1] if other else None, pairs=pairs)
    except CaseFailed as error:
        return Measured(case, failed=str(error))


def merged(file: Path, rows: Sequence[dict[str, Any]], about: dict[str, Any]) -> dict[str, Any]:
    """The content of the JSON file with these rows in the place of older ones of the same cases."""
    before = json.loads(file.read_text()) if file.exists() else {"rows": []}
    cases = {row["case"] for row in rows}
    kept = [row for row in before["rows"] if row["case"] not in cases]
    order = {case.name: place for place, case in enumerate(CASES)}
    both = [*kept, *({**row, "run": about} for row in rows)]
    return {"rows": sorted(both, key=lambda row: order.get(row["case"], len(order)))}


def main() -> int:
    """1 if a case failed; an aim that is missed is shown and is no failure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", metavar="CASE")
    parser.add_argument("--small", action="store_true", help="two pairs of a tenth of the work: that it runs")
    parser.add_argument("--pairs", type=int, help="samples of each case")
    parser.add_argument("--against", metavar="TREE", help="another commit, or a directory, in alternation")
    parser.add_argument("--json", type=Path, default=BUILT / "results.json", metavar="FILE")
    parser.add_argument("--list", action="store_true", help="the cases")
    asked = parser.parse_args()
    cases = chosen(asked.cases)
    if asked.list:
        print("\n".join(f"{case.name:<28}{case.what}" for case in cases))
        return 0
    about = machine(commit_of_this_tree())
    print(machine_line(about), flush=True)
    try:
        other = tree_of(asked.against) if asked.against else None
    except CaseFailed as error:
        raise SystemExit(f"--against {asked.against}: {error}") from None
    if asked.small:
        about["small"] = True  # such rows come on no page
    if other is not None:
        about["against"] = other.path.name
    failed = False
    asked.json.parent.mkdir(parents=True, exist_ok=True)
    for case in cases:
        pairs = asked.pairs or (SMALL_PAIRS if asked.small else case.pairs)
        found = asyncio.run(run(case, other, small=asked.small, pairs=pairs))
        failed |= bool(found.failed)
        rows = rows_of(found)
        asked.json.write_text(json.dumps(merged(asked.json, rows, about), indent=1) + "\n")
        print(f"\n{case.what} ({found.seconds:.0f} s)", *table(rows), sep="\n", flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
