"""Between JSON and dataclasses: what is absent, what is null, what is new, what is inside."""

from __future__ import annotations

from typing import Any

import pytest

from musigd_client.errors import CallFailed, ClientError
from musigd_client.models.discovery import Criteria
from musigd_client.models.keys import KeyMade, PlainTweak, TaprootTweak
from musigd_client.models.requests import ChangedRequest, Election, RequestMetadata, SigningRequest, SpentOutput
from musigd_client.wire import ABSENT, decoded, encoded, error_of, params_of
from rpc.methods import samples

KEY = {"publicKey": "02" * 33, "scheme": "lotus", "label": ""}


def test_decoded_records_encode_to_the_same_json() -> None:
    said: dict[str, Any] = samples.SIGNING_REQUEST
    request = decoded(SigningRequest, said)
    assert request.messages[0].message == said["messages"][0]["message"]
    assert decoded(SigningRequest, encoded(request)) == request


def test_an_unknown_member_is_ignored_and_a_missing_one_is_named() -> None:
    assert decoded(KeyMade, {**KEY, "colour": "red"}) == decoded(KeyMade, KEY)
    with pytest.raises(ClientError, match="a KeyMade, has no publicKey: update the daemon"):
        decoded(KeyMade, {"scheme": "lotus", "label": ""})
    with pytest.raises(ClientError, match="not a KeyMade"):
        decoded(KeyMade, [])


def test_null_is_sent_where_it_has_a_meaning_and_left_out_elsewhere() -> None:
    assert encoded([TaprootTweak(taproot_merkle_root=None), Election(method="first-signer")]) == [
        {"taprootMerkleRoot": None},
        {"method": "first-signer"},
    ]
    assert params_of({"a": None, "election": ABSENT, "limit": 1}) == {"limit": 1}
    assert encoded(PlainTweak(tweak="11" * 32, x_only=True)) == {"tweak": "11" * 32, "xOnly": True}


def test_an_open_map_takes_members_that_the_kit_does_not_know() -> None:
    spent = SpentOutput(value=5, script="51", extra={"height": 7})
    assert encoded(RequestMetadata(amount=5, spent_outputs=(spent,), extra={"wallet": [1]})) == {
        "amount": 5,
        "spentOutputs": [{"value": 5, "script": "51", "height": 7}],
        "wallet": [1],
    }
    assert encoded(Criteria(transaction_types=("spend",))) == {"transactionTypes": ["spend"]}


def test_a_request_after_a_change_is_a_request() -> None:
    assert issubclass(ChangedRequest, SigningRequest)


def test_a_reason_of_a_newer_daemon_is_a_refusal_like_any_other() -> None:
    error = error_of({"code": -32099, "message": "Too blue.", "data": {"reason": "too_blue"}})
    assert (type(error), error.reason, str(error)) == (CallFailed, "too_blue", "Too blue.")
    assert error.to_json() == {"code": -32099, "message": "Too blue.", "data": {"reason": "too_blue"}}
