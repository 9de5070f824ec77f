"""Figures of two runs as the table of docs/security.md: python -m tests.adversary.table BEFORE.json AFTER.json

Both are files that `python -m tests.adversary --json` wrote; of an attack that is there more than once the last counts.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.adversary.__main__ import rank
from tests.adversary.honest import NEVER

HEAD = (
    "| attack | longest undisturbed | p50 | longest | newcomer seen | /livez | memory |",
    "|---|---|---|---|---|---|---|",
)


def read(path: str) -> dict[str, Mapping[str, Any]]:
    """The figures of each attack."""
    return {found["attack"]: found for found in map(json.loads, Path(path).read_text().splitlines())}


def pair(before: str, after: str) -> str:
    return f"{before}, {after}"


def said(seconds: float) -> str:
    return "never" if seconds == NEVER else f"{seconds:.2f}"


def cells(found: Mapping[str, Any] | None) -> tuple[str, ...]:
    """One run's figures: seconds and MiB."""
    if found is None:
        return ("?",) * 6
    newest = max(found["newcomers"], default=NEVER)
    return (
        said(max(found["undisturbed"])),
        said(rank(found["attacked"], 0.5)),
        said(max(found["attacked"], default=NEVER)),
        said(newest),
        f"{max(found['seen']['livez_s']):.2f}",
        f"+{found['seen']['growth']:.0f}" if found["alive"] else "died",
    )


def main(before: str, after: str) -> None:
    """Print the rows, in the order of the second run."""
    old, new = read(before), read(after)
    print("\n".join(HEAD))
    for name in dict.fromkeys((*new, *old)):
        columns = zip(cells(old.get(name)), cells(new.get(name)), strict=True)
        print(f"| {name.replace('_', ' ')} | {' | '.join(pair(*column) for column in columns)} |")


if __name__ == "__main__":
    main(*sys.argv[1:])
