"""Values at the border of the API: what params accept, and how they are converted."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from musig2 import Tweak, TweakKind
from musig2.protocol.records.open_maps import open_to_json
from rpc.caller import Caller, scopes_of
from rpc.calls.call import CallContext, require_right
from rpc.calls.envelope import BrokenItem, item_of
from rpc.calls.params import params_of
from rpc.convert import open_of, pubkeys_of, tweak_to_json, tweaks_of
from rpc.errors import ApiError
from rpc.methods import samples
from rpc.methods.table import METHODS
from rpc.models.advertisements import AdvertiseSigner, Criteria
from rpc.models.keys import CreateKey, ImportKey
from rpc.models.open import SignerMetadata
from rpc.models.requests import AnnounceSigningRequest
from rpc.models.sessions import GetFinalSignature
from rpc.models.transactions.tweaks import FINDINGS, MessageItem, ReviewedItem
from rpc.sent_secret import SentSecret
from tests.rpc.secret_params import as_received

ROOT = "ab" * 32
WHOLE = "must be a whole number"
FORMS = (
    'must be {"taprootMerkleRoot": 32 bytes hex or null} (the last one; on lotus the only one), '
    'or on bip340 {"tweak": 32 bytes hex, "xOnly": true or false}'
)
ANNOUNCE = {
    "requiredPublicKeys": [samples.KEY_A, samples.KEY_B],
    "publicKey": samples.KEY_A,
    "message": samples.MESSAGE,
}


def test_the_verdict_on_a_message_is_not_part_of_it() -> None:
    findings = {name for name in ReviewedItem.model_fields if name not in MessageItem.model_fields}
    assert {str(ReviewedItem.model_fields[name].alias) for name in findings} == set(FINDINGS)
    shown = {**samples.REVIEWED, "uncheckedReason": "no_transaction"}
    assert MessageItem.model_validate(shown) == MessageItem.model_validate(
        {**samples.ITEM, "aggregatedPublicKey": samples.AGGREGATE}
    )


def announce(**changes: Any) -> AnnounceSigningRequest:
    given = {**ANNOUNCE, **changes}
    return params_of(AnnounceSigningRequest, {name: value for name, value in given.items() if value is not ...})


def test_tweaks_become_those_of_musig2_and_come_back() -> None:
    sent = [{"tweak": ROOT, "xOnly": False}, {"tweak": ROOT, "xOnly": True}, {"taprootMerkleRoot": ROOT}]
    sent.append({"taprootMerkleRoot": None})
    item = MessageItem.model_validate({"message": samples.MESSAGE, "tweaks": sent}, by_name=False)
    tweaks = tweaks_of(item.tweaks)
    assert tweaks == (
        Tweak(TweakKind.PLAIN, bytes.fromhex(ROOT)),
        Tweak(TweakKind.XONLY, bytes.fromhex(ROOT)),
        Tweak(TweakKind.TAPROOT, bytes.fromhex(ROOT)),
        Tweak(TweakKind.TAPROOT, None),
    )
    assert [tweak_to_json(tweak.kind, tweak.value) for tweak in tweaks] == sent
    assert item.model_dump(by_alias=True, exclude_none=True)["tweaks"] == tuple(sent)


def test_metadata_survives_the_way_into_records_and_back() -> None:
    written = {"nickname": "Bob", "fees": 0, "more": {"list": [1, None, True, "é"]}}
    model = SignerMetadata.model_validate(written, by_name=False)
    shown = model.model_dump(by_alias=True, exclude_unset=True)
    assert open_to_json(open_of(shown)) == written
    assert open_to_json({"raw": b"\x01"}) == {"raw": "01"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"x": 1.5},
        {"x": -1},
        {"x": 2**53},
        {"x": {"a": {"b": {"c": {"d": 1}}}}},
        {"x" * 25: 1},
        {"": 1},
        {"x": "e\u0301"},
        {"e\u0301": 1},
        {"nickname": 5},
        {"fees": -1},
        {"reputation": {"score": 101}},
        {"response_time": 5},
    ],
)
def test_metadata_that_no_record_could_hold_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        SignerMetadata.model_validate(wrong, by_name=False)


@pytest.mark.parametrize(
    "changes",
    [
        {"message": ...},
        {"messages": [{"message": samples.MESSAGE}]},
        {"message": ..., "messages": []},
        {"message": ..., "messages": [{"message": samples.MESSAGE}], "tweaks": []},
        {"requiredPublicKeys": [samples.KEY_A, samples.KEY_A]},
        {"requiredPublicKeys": [samples.KEY_A]},
        {"requiredPublicKeys": [samples.KEY_A] * 101},
        {"publicKey": samples.KEY_C},
        {"message": samples.MESSAGE.upper()},
        {"publicKey": "04" + samples.KEY_A[2:]},
        {"ttl": 7 * 86_400_000 + 1},
        {"election": {"method": "loudest"}},
        {"tweaks": [{"taprootMerkleRoot": None, "tweak": ROOT}]},
        {"required_public_keys": []},
    ],
)
def test_request_that_makes_no_sense_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ApiError) as caught:
        announce(**changes)
    assert caught.value.reason == "invalid_params"
    assert caught.value.data["errors"]


def test_request_has_one_list_of_items_whichever_way_they_were_given() -> None:
    single = announce(tweaks=[{"taprootMerkleRoot": None}])
    several = announce(message=..., messages=[{"message": samples.MESSAGE, "tweaks": [{"taprootMerkleRoot": None}]}])
    assert single.items == several.items
    assert announce().election is not None
    assert announce(election=None).election is None


def test_other_params_with_a_rule_of_their_own() -> None:
    with pytest.raises(ValidationError, match="maxAmount"):
        Criteria.model_validate({"transactionTypes": ["spend"], "minAmount": 2, "maxAmount": 1}, by_name=False)
    wrong: Any
    for wrong in ({}, {"requestId": ROOT, "sessionId": ROOT}, {"requestId": ROOT, "waitMs": 60_001}):
        with pytest.raises(ApiError):
            params_of(GetFinalSignature, wrong)
    for wrong in ({"transactionTypes": []}, {"transactionTypes": ["Spend"]}, {"transactionTypes": "spend"}):
        with pytest.raises(ApiError):
            params_of(AdvertiseSigner, {"publicKey": samples.KEY_A, "criteria": wrong})


@pytest.mark.parametrize(
    ("method", "params", "error"),
    [
        ("announceSigningRequest", {**ANNOUNCE, "message": None}, ("message", "give either this or messages")),
        (
            "announceSigningRequest",
            {**ANNOUNCE, "publicKey": samples.KEY_C},
            ("publicKey", "must be one of requiredPublicKeys"),
        ),
        (
            "announceSigningRequest",
            {**ANNOUNCE, "requiredPublicKeys": [samples.KEY_A] * 2},
            ("requiredPublicKeys", "must be distinct"),
        ),
        (
            "advertiseSigner",
            {
                "publicKey": samples.KEY_A,
                "criteria": {"transactionTypes": ["spend"], "minAmount": 2, "maxAmount": 1},
            },
            ("criteria.minAmount", "must not be above maxAmount"),
        ),
        ("getFinalSignature", {}, ("requestId", "give either this or sessionId")),
        ("createKey", {"scheme": "ecdsa"}, ("scheme", "must be lotus or bip340")),
        ("createKey", {"scheme": 3}, ("scheme", "must be lotus or bip340")),
        ("createKey", {"scheme": "lotus", "label": 3}, ("label", "must be text")),
        ("createKey", {"scheme": "lotus", "label": "x" * 101}, ("label", "must have at most 100 characters")),
        ("banPeer", {"peerId": "x", "durationMs": 0}, ("durationMs", "must be at least 1")),
        ("banPeer", {"peerId": "x", "durationMs": "1"}, ("durationMs", "must be a whole number")),
        ("banPeer", {"peerId": "x", "durationMs": 1.5}, ("durationMs", "must be a whole number")),
        (
            "unlock",
            as_received({"passphrase": "x", "durationMs": 2**53 - 1}),
            ("durationMs", "must be at most 315360000000"),
        ),
        ("getEvents", {"fromSeq": 0, "limit": 1_001}, ("limit", "must be at most 1000")),
        ("getEvents", {"fromSeq": 0, "events": []}, ("events", "must have at least 1 item")),
        ("createToken", {"scopes": ["read"], "createKey": 1}, ("createKey", "must be true or false")),
        ("createToken", {"scopes": ["root"]}, ("scopes[0]", "must be read, discover, sign, approve, webhook or admin")),
        ("listSessions", {"phase": "over"}, ("phase", "must be joining, ready, round1, round2, complete or aborted")),
        (
            "announceSigningRequest",
            {**ANNOUNCE, "metadata": {"amount": -1}},
            ("metadata.amount", "must be from 0 to 2^53 - 1"),
        ),
        ("announceSigningRequest", {**ANNOUNCE, "metadata": {"amount": 1.5}}, ("metadata.amount", WHOLE)),
        ("announceSigningRequest", {**ANNOUNCE, "metadata": {"amount": "5"}}, ("metadata.amount", WHOLE)),
        ("announceSigningRequest", {**ANNOUNCE, "metadata": {"a": [1, {"b": 0.5}]}}, ("metadata.a[1].b", WHOLE)),
        (
            "announceSigningRequest",
            {**ANNOUNCE, "metadata": {"a": {"b": {"c": {"d": {"e": 1}}}}}},
            ("metadata.a.b.c.d.e", "must not be nested more than 4 levels deep"),
        ),
        (
            "announceSigningRequest",
            {**ANNOUNCE, "metadata": {"a": {"e\u0301": 1}}},
            ("metadata.a", "names must be text in Unicode normal form C: normalise them (NFC)"),
        ),
        (
            "announceSigningRequest",
            {**ANNOUNCE, "metadata": {"transaction_hex": ""}},
            ("metadata.transaction_hex", "is written transactionHex"),
        ),
        ("announceSigningRequest", {**ANNOUNCE, "tweaks": [{}]}, ("tweaks[0]", FORMS)),
        ("announceSigningRequest", {**ANNOUNCE, "tweaks": ["x"]}, ("tweaks[0]", FORMS)),
        (
            "announceSigningRequest",
            {**ANNOUNCE, "tweaks": [{"taprootMerkleRoot": None, "tweak": ROOT}]},
            ("tweaks[0]", FORMS),
        ),
        ("announceSigningRequest", {**ANNOUNCE, "tweaks": [{"tweak": ROOT}]}, ("tweaks[0].xOnly", "is required")),
        (
            "announceSigningRequest",
            {**ANNOUNCE, "roundMS": 5_000},
            ("roundMS", "there is no such parameter (did you mean roundMs?)"),
        ),
        (
            "announceSigningRequest",
            {**ANNOUNCE, "election": {"methd": "hash-based"}},
            ("election.methd", "there is no such parameter (did you mean method?)"),
        ),
        (
            "announceSigningRequest",
            {**ANNOUNCE, "message": None, "messages": [{"message": samples.MESSAGE, "input_index": 0}]},
            ("messages[0].input_index", "there is no such parameter (did you mean inputIndex?)"),
        ),
        (
            "getEvents",
            {"fromSeq": 0, "events": ["session:redy"]},
            ("events[0]", "must be the name of an event, or such as session:* (did you mean session:ready?)"),
        ),
        (
            "getEvents",
            {"fromSeq": 0, "events": ["sesion:*"]},
            ("events[0]", "must be the name of an event, or such as session:* (did you mean session:*?)"),
        ),
        ("getSession", {}, ("sessionId", "is required")),
    ],
)
def test_wrong_params_are_named_by_path_in_plain_words(
    method: str, params: dict[str, Any], error: tuple[str, str]
) -> None:
    with pytest.raises(ApiError) as caught:
        params_of(METHODS[method].params, params)
    assert caught.value.data["errors"] == [{"path": error[0], "message": error[1]}]
    assert caught.value.message == f"{error[0]}: {error[1]}"


def test_secrets_do_not_show_in_a_repr() -> None:
    params = params_of(ImportKey, {"privateKey": SentSecret.of(ROOT), "scheme": "lotus"})
    assert ROOT not in repr(params)
    assert params.private_key is not None
    assert params.private_key.view == ROOT.encode()


def test_public_keys_keep_their_order() -> None:
    assert pubkeys_of([samples.KEY_B, samples.KEY_A])[0].hex() == samples.KEY_B


def test_a_mistyped_name_is_reported_before_the_missing_one() -> None:
    with pytest.raises(ApiError, match=r"^shceme: .*scheme"):
        params_of(CreateKey, {"shceme": "lotus"})


def test_an_unknown_member_of_a_call_is_refused_with_the_one_that_was_meant() -> None:
    item = item_of({"jsonrpc": "2.0", "id": 1, "method": "getInfo", "parms": {}})
    assert isinstance(item, BrokenItem)
    assert item.problem.reason == "invalid_request"
    assert "params" in item.problem.message.split(":")[0]


def test_a_token_that_may_not_make_keys_hears_which_one_may() -> None:
    method = next(each for each in METHODS.values() if each.makes_key)
    caller = Caller("t", scopes_of(["sign"]), frozenset(), create_key=False)
    with pytest.raises(ApiError, match="createKey: true") as caught:
        require_right(method, CallContext(caller))
    assert caught.value.data["bound"] is True
