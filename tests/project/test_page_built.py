"""The built page is that of its sources; `make page` builds it anew, which needs Node, as nothing else here does."""

from __future__ import annotations

import gzip
import json
import re
from hashlib import sha256
from pathlib import Path
from typing import Any

from tests.clients.named_weights import named_kb, out_of_date

PROJECT = Path(__file__).parents[2]
BUILT = PROJECT / "rpc" / "server" / "static"
SOURCES = PROJECT / "clients" / "page" / "src"
# What turns text into markup or code. The policy of the page has the browser refuse it too; here it is seen earlier.
DANGEROUS = re.compile(
    r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|srcdoc|javascript:"
)


def record() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((BUILT / "built.json").read_text(encoding="utf-8"))
    return found


def digest(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest() if path.exists() else "gone"


def test_page_was_built_from_its_sources_as_they_are() -> None:
    changed = {path for path, known in record()["sources"].items() if digest(PROJECT / path) != known}
    assert changed == set(), "run `make page`: it writes the page anew from these"


def test_every_source_of_the_page_is_in_it() -> None:
    known = set(record()["sources"])
    # A file of types alone leaves no trace in what is built.
    there = {str(path.relative_to(PROJECT)) for path in SOURCES.rglob("*") if path.is_file()}
    assert there - known == set(), "`make page` has not seen them: nothing imports them, or they are new"


def test_built_files_are_as_the_build_left_them() -> None:
    found = {path.name: digest(path) for path in BUILT.iterdir() if path.name != "built.json"}
    assert found == record()["files"], "run `make page`; nobody edits what it writes"


def test_docs_name_the_weight_of_the_page_as_it_is() -> None:
    served = [path for path in BUILT.iterdir() if path.name != "built.json"]
    weight = sum(len(gzip.compress(path.read_bytes())) for path in served)
    assert out_of_date("page", weight) == []
    assert weight < 100_000


def test_sources_of_the_page_never_make_markup_of_text() -> None:
    texts = {path.name: path.read_text(encoding="utf-8") for path in SOURCES.rglob("*.ts*")}
    assert len(texts) > 10
    assert {name: found for name, text in texts.items() if (found := DANGEROUS.findall(text))} == {}


def test_docs_name_each_size_in_words_that_the_targets_which_measure_it_find() -> None:
    assert all(size > 0 for size in named_kb().values())
