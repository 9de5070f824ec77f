"""The sizes that the docs name, to be held beside what is measured."""

from __future__ import annotations

import re

from tests.project.locks import PROJECT

APART = 0.05  # of what is measured: a figure in the docs is rounded, and may be this old
_KB = r"([\d.]+) kB"
_PLACES = {
    "wheel": {"docs/wallets.md": rf"\| weight \| {_KB}, ", "docs/decisions/kits.md": rf"The wheel has {_KB} and "},
    "python": {
        "docs/wallets.md": rf"\| weight \| [\d.]+ kB, {_KB} installed",
        "docs/decisions/kits.md": rf"The wheel has [\d.]+ kB and {_KB} installed",
    },
    "typescript": {
        "docs/wallets.md": rf"no dependency; {_KB} installed",
        "docs/decisions/kits.md": rf"no dependency, {_KB} installed",
    },
    "bundle": {
        "docs/wallets.md": rf"all of it in a browser {_KB}, ",
        "docs/decisions/kits.md": rf"for a browser {_KB}, ",
    },
    "bundle compressed": {
        "docs/wallets.md": rf"in a browser [\d.]+ kB, {_KB} compressed",
        "docs/decisions/kits.md": rf"browser [\d.]+ kB, {_KB} by gzip",
    },
    "page": {"docs/decisions/page.md": rf"The whole page is {_KB} compressed"},
}


def named_kb() -> dict[tuple[str, str], float]:
    """Each size that the docs name, by what it is of and the file. Raises LookupError for a place without a figure."""
    named = {}
    for what, places in _PLACES.items():
        for path, pattern in places.items():
            found = re.search(pattern, " ".join((PROJECT / path).read_text(encoding="utf-8").split()))
            if found is None:
                raise LookupError(f"{path} names no size of the {what} in the words: {pattern}")
            named[what, path] = float(found[1])
    return named


def out_of_date(what: str, measured: int) -> list[str]:
    """A sentence for each place that names another size of this; `measured` in bytes."""
    said = []
    for (of, path), named in named_kb().items():
        if of == what and abs(named * 1_000 - measured) > max(APART * measured, 500):
            said.append(f"{path} says {named:g} kB of the {what}; it is {measured / 1_000:.1f} kB")
    return said
