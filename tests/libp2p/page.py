"""The table of docs/decisions/libp2p.md, made from the guards: python -m tests.libp2p.page writes it."""

from __future__ import annotations

from pathlib import Path

from tests.libp2p.guards import GUARDS, Guard

PAGE = Path(__file__).parents[2] / "docs/decisions/libp2p.md"
BEGIN, END = "<!-- guards -->\n", "<!-- /guards -->\n"


def table() -> str:
    """One row for each guard."""
    head = "| guard | in | why | until the library has | the fault is shown by |\n|---|---|---|---|---|\n"
    return head + "".join(map(row, GUARDS))


def row(guard: Guard) -> str:
    shown = ", ".join(f"`{name}`" for name in guard.faults) or "nothing that is cheap"
    places = ", ".join(f"`{place}`" for place in places_of(guard))
    return f"| {guard.name} | {places} | {guard.why} | {guard.until} | {shown} |\n"


def places_of(guard: Guard) -> list[str]:
    """The files, each once."""
    names = [name.partition(":")[0] for name in guard.covers]
    files = [
        "/".join(n.split(".")[: 3 if n.count(".") > 2 else 2]) if n[:4] == "p2p." else f"p2p/compat/{n.split('.')[0]}"
        for n in names
    ]
    return [f"{name}.py" for name in dict.fromkeys(files)]


def page() -> str:
    """The page as it has to be."""
    before, rest = PAGE.read_text().split(BEGIN)
    return before + BEGIN + table() + END + rest.split(END)[1]


if __name__ == "__main__":
    PAGE.write_text(page())
