"""The vectors of hubs, shown transactions and evidence: the daemon's code comes to what stands in them."""

from __future__ import annotations

from typing import Any

import pytest

from musig2.chain.sighash import KeyPathSpend
from musig2.chain.transaction import Transaction, TxOutput
from musig2.protocol.blame.evidence import verify_evidence
from musig2.protocol.records.envelope import open_verified
from musig2.protocol.request.meeting.topology import hub_order, hubs_of
from musig2.protocol.vectors import vectors
from tests.protocol.make_meeting import evidence_file, hubs_file, transaction_file

KEPT = vectors()
SCHEMES = ("lotus", "bip340")
CASES = [(scheme, case["what"]) for scheme in SCHEMES for case in KEPT[f"evidence_{scheme}"]["cases"]]


def test_the_hubs_are_those_of_the_vectors() -> None:
    kept = KEPT["hubs"]
    order = hub_order(bytes.fromhex(kept["request"]), kept["signers"], kept["creator"])
    peers = [peer and bytes.fromhex(peer) for peer in kept["peers"]]

    assert list(order) == kept["order"]
    assert hubs_of(order, lambda index: peers[index]) == kept["hubs"]
    assert hubs_file() == kept


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_request_of_the_vectors_asks_for_the_hashes_of_its_transaction(scheme: str) -> None:
    kept = KEPT[f"transaction_{scheme}"]
    record: Any = open_verified(bytes.fromhex(kept["requestEnvelope"]), max_bytes=50_000).record
    spent = [TxOutput(each["value"], bytes.fromhex(each["script"])) for each in record.metadata["spentOutputs"]]
    path = KeyPathSpend(Transaction.parse(bytes.fromhex(record.metadata["transactionHex"])), spent)
    hashes = [path.sighash(scheme, item.input, None).hex() for item in record.items]

    assert hashes == [item.msg.hex() for item in record.items] == kept["messages"]
    assert {**transaction_file(scheme), "requestEnvelope": ""} == {**kept, "requestEnvelope": ""}


@pytest.mark.parametrize(("scheme", "what"), CASES)
def test_evidence_of_the_vectors_proves_what_they_say(scheme: str, what: str) -> None:
    kept = KEPT[f"evidence_{scheme}"]
    (case,) = [each for each in kept["cases"] if each["what"] == what]
    proven = verify_evidence(bytes.fromhex(kept["request"]), [bytes.fromhex(each) for each in case["evidence"]])

    assert proven == ([(bytes.fromhex(kept["pubkey"]), case["proves"])] if case["proves"] else [])


@pytest.mark.parametrize("scheme", SCHEMES)
def test_evidence_is_made_as_in_the_vectors(scheme: str) -> None:
    made, kept = evidence_file(scheme), KEPT[f"evidence_{scheme}"]

    assert [(each["what"], each["proves"]) for each in made["cases"]] == [
        (each["what"], each["proves"]) for each in kept["cases"]
    ]
