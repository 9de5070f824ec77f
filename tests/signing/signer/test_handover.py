"""The delivery of a request to a peer: the table in the docstring is the one that runs."""

from __future__ import annotations

import pytest

from daemon.signing.engine import handover
from daemon.signing.engine.handover import REPEAT_MS, TABLE, Handover, HandoverState, Heard
from musig2.protocol.wire.frames import Have

PEER, SIGNER = b"p" * 34, 2


def test_the_table_that_is_read_is_the_one_that_runs() -> None:
    assert handover.__doc__ is not None
    lines = [line for line in handover.__doc__.splitlines() if line.startswith("    ")]
    assert lines[0].split() == list(HandoverState)
    read = {Heard(line[:14].strip()): dict(zip(HandoverState, line[14:].split(), strict=True)) for line in lines[1:]}
    assert read == {heard: {state: str(becomes) for state, becomes in row.items()} for heard, row in TABLE.items()}
    assert set(TABLE) == set(Heard)


def test_a_peer_that_was_pushed_the_request_or_holds_it_is_not_unknown() -> None:
    pushed, holding = Handover(), Handover()
    pushed.pushed(PEER, (SIGNER,), 0, anew=True)
    assert holding.shows(PEER)
    assert not holding.shows(PEER)
    assert (pushed.standing(PEER), pushed.delivered) == (HandoverState.PUSHED, {SIGNER})
    assert (holding.standing(PEER), holding.delivered) == (HandoverState.HOLDS, set())


def test_a_push_under_way_is_lost_with_the_connection_and_a_confirmed_one_is_not() -> None:
    facts = Handover()
    facts.pushed(PEER, (SIGNER,), 0, anew=True)
    facts.lost(PEER, (SIGNER,))
    assert (facts.standing(PEER), facts.delivered) == (HandoverState.UNKNOWN, set())
    facts.pushed(PEER, (SIGNER,), 0, anew=True)
    facts.shows(PEER)
    facts.lost(PEER, (SIGNER,))
    assert (facts.standing(PEER), facts.delivered) == (HandoverState.HOLDS, {SIGNER})


def test_a_stored_delivery_is_taken_back_when_the_peer_leaves_without_having_shown_the_request() -> None:
    facts = Handover({SIGNER, 5})
    facts.lost(PEER, (SIGNER,))
    assert facts.delivered == {5}


@pytest.mark.parametrize(("after_ms", "again"), [(999, False), (1_000, True)])
def test_an_answer_that_crossed_the_push_does_not_bring_a_second_one(after_ms: int, again: bool) -> None:
    facts = Handover()
    facts.pushed(PEER, (), 5_000, anew=True)
    facts.pushed(PEER, (), 5_500, anew=False)  # a frame that went after it is no new push
    assert facts.lacks(PEER, 5_000 + after_ms) is again


def test_a_peer_without_room_is_left_alone_until_the_pause_is_over() -> None:
    facts = Handover()
    facts.pushed(PEER, (), 0, anew=True)
    assert facts.no_room(PEER)
    assert not facts.no_room(PEER)
    facts.pushed(PEER, (), 1, anew=False)
    assert facts.standing(PEER) is HandoverState.BUSY
    facts.pause_over(PEER)
    assert facts.standing(PEER) is HandoverState.UNKNOWN


def test_a_pause_that_ends_after_the_peer_has_shown_the_request_changes_nothing() -> None:
    facts = Handover()
    facts.no_room(PEER)
    facts.shows(PEER)
    facts.pause_over(PEER)
    assert facts.standing(PEER) is HandoverState.CONFIRMED


def test_hints_may_be_repeated() -> None:
    facts, hint = Handover(), Have(b"r" * 32, 1, b"", b"", b"")
    assert [facts.repeats(hint, PEER, now) for now in (0, 0, REPEAT_MS)] == [False] * 3
