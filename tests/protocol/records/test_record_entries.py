"""Entries opened beside their advertisements: the same records and the same refusals as without."""

from random import Random
from typing import Any

import pytest
from hypothesis import given

from musig2.protocol.errors import BadEncoding
from musig2.protocol.records.entries import open_entry
from musig2.protocol.records.envelope import open_envelope
from musig2.protocol.wire.frames import Signed
from tests.protocol.record_strategies import advertisements
from tests.protocol.records.test_record_fuzz import damaged
from tests.protocol.records_world import ANNA, BEN, advertisement, entry

LARGEST = 50_000


def outcome(data: bytes, beside: Signed[Any] | None) -> Any:
    """The record and its id; the class of the error where it is refused."""
    try:
        if beside is None:
            signed = open_envelope(data, max_bytes=LARGEST)
        else:
            signed = open_entry(data, beside, max_bytes=LARGEST)
    except BadEncoding:
        return BadEncoding
    return signed.record, signed.id, signed.envelope


@given(advertisements())
def test_an_entry_opened_beside_its_advertisement_is_the_one_that_is_decoded(said: Any) -> None:
    whole = ANNA.seal(said)
    data = ANNA.seal(entry(whole)).envelope
    assert outcome(data, whole) == outcome(data, None)


def test_damaged_entries_and_those_of_others_are_answered_as_if_they_came_alone() -> None:
    dice, whole, other = Random(7), ANNA.seal(advertisement()), BEN.seal(advertisement(pubkey=BEN.pubkey))
    data = ANNA.seal(entry(whole)).envelope
    tried = [data, *(damaged(dice, data) for _ in range(3_000))]
    answers = [(outcome(one, beside), outcome(one, None)) for one in tried for beside in (whole, other)]
    assert all(beside == alone for beside, alone in answers)
    assert {answer is BadEncoding for answer, _ in answers} == {True, False}


def test_an_entry_that_is_too_large_is_refused() -> None:
    whole = ANNA.seal(advertisement())
    data = ANNA.seal(entry(whole)).envelope
    with pytest.raises(BadEncoding, match="larger"):
        open_entry(data, whole, max_bytes=len(data) - 1)
