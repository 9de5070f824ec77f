"""docs/sessions.md and the code say the same about states, inputs and reasons."""

from __future__ import annotations

import re
from pathlib import Path

from musig2.protocol.blame.endings import Reason
from musig2.protocol.interface.effects import State
from musig2.protocol.session.session_table import TABLE, Do, On
from musig2.protocol.session.signing_session import _ACTIONS

DOCS = (Path(__file__).parents[3] / "docs" / "sessions.md").read_text(encoding="utf-8")


def _rows(first_title: str) -> list[list[str]]:
    """The body of the table whose first column has that title."""
    after = DOCS.split(f"\n| {first_title} |", 1)[1].split("\n", 2)[2]
    lines = after.split("\n\n", 1)[0].splitlines()
    return [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines]


def test_the_documented_state_table_is_the_one_that_runs() -> None:
    documented = {}
    for name, *cells in _rows("input"):
        assert len(cells) == len(State)
        for state, cell in zip(State, cells, strict=True):
            if cell:
                documented[state, On(name)] = frozenset(State(target.strip()) for target in cell.split(","))
    assert documented == {key: step.next for key, step in TABLE.items()}


def test_every_input_is_documented_once() -> None:
    assert [row[0] for row in _rows("input")] == [on.value for on in On]


def test_the_diagram_shows_every_way_into_another_state() -> None:
    drawn = set(re.findall(r"(\w+) --> (\w+)", DOCS.replace("[*]", "start")))
    drawn.discard(("start", "joining"))
    moves = {(state.value, to.value) for (state, _), step in TABLE.items() for to in step.next if to is not state}
    assert drawn == moves


def test_every_reason_has_its_sentence() -> None:
    rows = [row for row in _rows("reason") + _reasons() if row[0].strip("`") in set(Reason)]
    assert {row[0].strip("`") for row in rows} == set(Reason)
    assert all(row[1].endswith(".") for row in _reasons())


def _reasons() -> list[list[str]]:
    body = DOCS.split("\n| reason | what it means |", 1)[1].split("\n", 2)[2].split("\n\n", 1)[0]
    return [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in body.splitlines()]


def test_every_action_of_the_table_exists() -> None:
    assert set(_ACTIONS) == set(Do)
    assert {step.do for step in TABLE.values()} == set(Do)


def test_a_final_state_is_left_only_by_a_signature() -> None:
    for (state, on), step in TABLE.items():
        if state in (State.COMPLETE, State.ABORTED) and step.next != frozenset({state}):
            assert (state, on) == (State.ABORTED, On.COMPLETE)
