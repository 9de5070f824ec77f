"""Each way in which a request ends has its reason and sentences, written once."""

from __future__ import annotations

from daemon.signing.api.endings import ENDINGS
from musig2.protocol.interface.effects import Outcome
from rpc.errors import CODES


def test_every_ending_of_a_request_has_its_reason_and_its_sentences() -> None:
    assert set(ENDINGS) == {outcome for outcome in Outcome if not outcome.live}
    assert {told.reason for told in ENDINGS.values()} <= CODES.keys()
    assert all(told.too_late for told in ENDINGS.values())
    assert [outcome for outcome, told in ENDINGS.items() if not told.no_signature] == [Outcome.COMPLETE]
