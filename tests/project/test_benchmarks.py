"""The harness of the benchmarks, and that page and README say what its run measured."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from tests.bench.__main__ import chosen, merged
from tests.bench.cases import CASES
from tests.bench.harness import Case, Figure, Measured, Sample, Spread, Take, measure, rows_of, table
from tests.bench.page import PAGE, README, RUN, SECTIONS, combined, files
from tests.bench.plot import Point, svg
from tests.bench.price_ways import WAYS
from tests.bench.samplers import CaseFailed, tree_of, worker
from tests.bench.signing_parts import OTHER_TREE, program


@asynccontextmanager
async def nothing(folder: Path, small: bool) -> AsyncIterator[Take]:
    async def take() -> Sample:
        return {}

    yield take


CASE = Case(
    "one", "a case", (Figure("time", "ms", "floor", aim=1.4), Figure("rate", "per s", more=True)), nothing, warmup=1
)


class Given:
    """Samples as listed; notes who was asked."""

    def __init__(self, name: str, samples: list[Sample], asked: list[str]) -> None:
        self._name = name
        self._samples: Iterator[Sample] = iter(samples)
        self._asked = asked

    async def sample(self) -> Sample:
        self._asked.append(self._name)
        return next(self._samples)


def test_every_case_is_in_one_section_of_the_page() -> None:
    sections = {case.name: [title for title, start in SECTIONS if case.name.startswith(start)] for case in CASES}

    assert [name for name, titles in sections.items() if len(titles) != 1] == []


def test_every_way_that_prices_are_measured_by_is_asked_for() -> None:
    asks = (RUN.parents[2] / "tests/bench/price_asks.py").read_text()

    assert tuple(re.findall(r'^@way\("(.*)"\)$', asks, re.M)) == WAYS


async def test_two_commits_are_measured_in_turn_and_the_first_samples_do_not_count() -> None:
    asked: list[str] = []
    ours = Given("ours", [{"time": 9}, {"time": 1}, {"time": 2}], asked)
    theirs = Given("theirs", [{"time": 9}, {"time": 3}, {"time": 4}], asked)

    found = await measure(CASE, ours, theirs, pairs=2)

    assert asked == ["theirs", "ours", "ours", "theirs", "theirs", "ours"]
    assert (found.ours, found.theirs) == ([{"time": 1}, {"time": 2}], [{"time": 3}, {"time": 4}])


def a_tree(folder: Path) -> Path:
    python = folder / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.touch()
    return folder


def test_a_directory_without_an_environment_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(CaseFailed, match="has no environment: make env there"):
        tree_of(str(tmp_path))


async def test_a_directory_is_left_alone_and_only_cases_that_drive_daemons_from_outside_measure_it(
    tmp_path: Path,
) -> None:
    tree = tree_of(str(a_tree(tmp_path)))

    with pytest.raises(CaseFailed, match="measured from within"):
        async with worker(CASE, tree, tmp_path, small=True):
            pass

    assert [file.name for file in tmp_path.iterdir()] == [".venv"]


def test_the_daemons_of_another_tree_run_with_its_code_and_its_python(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(OTHER_TREE, str(a_tree(tmp_path)))

    assert list(program())[:3] == ["env", f"PYTHONPATH={tmp_path}", f"{tmp_path}/.venv/bin/python"]


def test_a_ratio_is_the_median_of_the_pairs_and_is_held_to_the_aim() -> None:
    samples = [{"time": 12.0, "floor": 10.0, "rate": 5}, {"time": 40.0, "floor": 20.0, "rate": 7}]
    samples.append({"time": 13.0, "floor": 10.0, "rate": 6})

    time, rate = rows_of(Measured(CASE, ours=list(samples)))

    assert time["ratio"]["median"] == pytest.approx(1.3)
    assert time["met"] is True
    assert time["value"]["median"] == 13
    assert rate["value"]["median"] == 6
    assert "met" not in rate


def test_a_cost_below_zero_is_no_figure_and_meets_no_aim() -> None:
    (time, _) = rows_of(Measured(CASE, ours=[{"time": -3.0, "floor": 10.0, "rate": 5}] * 3))

    assert time["unmeasured"]
    assert "met" not in time
    assert "| one | time |  | below what can be measured | 10.0 ms | at most 1.40 |  |" in table([time])


def test_another_commit_is_shown_as_the_ratio_of_each_pair() -> None:
    here: list[Sample] = [{"time": 10, "floor": 1, "rate": 1}, {"time": 30, "floor": 1, "rate": 1}]
    there: list[Sample] = [{"time": 20, "floor": 1, "rate": 1}, {"time": 60, "floor": 1, "rate": 1}]

    rows = rows_of(Measured(CASE, ours=here, theirs=there))

    assert rows[0]["against"]["median"] == 0.5
    assert "| here / there |" in table(rows)[0]


def test_a_case_that_fails_says_why_in_the_table() -> None:
    assert "| one | needs root |" in table(rows_of(Measured(CASE, failed="needs root")))[2]


def test_the_middle_half_never_reaches_past_what_was_measured() -> None:
    spread = Spread.of([1.0, 2.0])

    assert (spread.low, spread.median, spread.high) == (1.0, 1.5, 2.0)


def test_a_run_in_pieces_replaces_only_the_cases_that_were_run_again(tmp_path: Path) -> None:
    file = tmp_path / "run.json"
    file.write_text(json.dumps({"rows": [{"case": "start", "value": 1}, {"case": "rpc-calls", "value": 2}]}))

    both = merged(file, [{"case": "start", "value": 3}], {"commit": "c"})

    assert [(row["case"], row["value"]) for row in both["rows"]] == [("start", 3), ("rpc-calls", 2)]


def measured(case: str, figure: str, commit: str, date: str, **about: Any) -> dict[str, Any]:
    return {"case": case, "figure": figure, "unit": "s", "aim": None, "more": False} | {
        "value": {"median": 1.0, "low": 1.0, "high": 1.0, "count": 3},
        "run": {**json.loads(RUN.read_text())["rows"][0]["run"], "commit": commit, "date": date, **about},
    }


def test_a_page_from_a_partial_run_keeps_the_other_rows_with_their_own_commit_and_date() -> None:
    kept = {"rows": [measured("start", "ready", "aaa", "2026-01-01"), measured("prices", WAYS[0], "aaa", "2026-01-01")]}
    again = {"rows": [measured("prices", WAYS[0], "bbb", "2026-02-02")]}

    both = combined(kept, again)

    assert [(row["case"], row["run"]["commit"]) for row in both["rows"]] == [("start", "aaa"), ("prices", "bbb")]
    page = files(both, README.read_text())[PAGE]
    assert re.search(r"^- `start`: .* \(aaa, 2026-01-01\)$", page, re.M)
    assert re.search(r"^- `prices`: .* \(bbb, 2026-02-02\)$", page, re.M)
    assert len(re.findall(r"^- 2026-.*, commit (?:aaa|bbb), .*; cases: 1;", page, re.M)) == 2


def test_a_page_takes_no_older_rows_no_small_ones_and_none_of_cases_or_figures_that_are_gone() -> None:
    kept = {"rows": [measured("start", "ready", "new", "2026-02-02"), measured("start", "gone", "new", "2026-02-02")]}
    found = [
        measured("start", "ready", "old", "2026-01-01"),
        measured("start", "ready", "tiny", "2026-03-03", small=True),
        measured("gone", "ready", "new", "2026-03-03"),
    ]

    assert [(row["figure"], row["run"]["commit"]) for row in combined(kept, {"rows": found})["rows"]] == [
        ("ready", "new")
    ]


def test_a_name_means_its_case_alone_and_a_beginning_all_that_begin_with_it() -> None:
    assert [case.name for case in chosen(["signing-signers2"])] == ["signing-signers2"]
    assert {"signing-signers2", "signing-signers20"} < {case.name for case in chosen(["signing-signers"])}


def test_names_of_cases_are_unique_and_every_floor_is_a_number_of_its_own() -> None:
    names = [case.name for case in CASES]

    assert len(set(names)) == len(names)
    assert [case.name for case in CASES for figure in case.figures if figure.floor == figure.name] == []


def test_a_plot_is_valid_svg_with_a_point_for_each_value() -> None:
    line = [Point(x, 3.0 * x, 2.0 * x, 4.0 * x) for x in (1, 10, 100)]
    root = ElementTree.fromstring(svg("Title <&>", "signers", "ms", {"median": line, "slow end": line}))

    assert len(root.findall("{*}circle")) == 6
    assert "Title <&>, ms" in [text.text for text in root.findall("{*}text")]


def test_page_plots_and_readme_say_what_the_run_measured() -> None:
    run: dict[str, Any] = json.loads(RUN.read_text())

    for file, content in files(run, README.read_text()).items():
        assert file.read_text() == content, f"{file.name}: make bench-page"
