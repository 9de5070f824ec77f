"""Envelopes prove who signed what, against everything that a forger may try."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musig2 import scheme
from musig2.protocol.errors import BadEncoding, BadSignature, InvalidRecord
from musig2.protocol.records.cbor import decode, encode
from musig2.protocol.records.envelope import (
    check_many,
    check_signatures,
    open_envelope,
    open_verified,
    seal,
    signer_peer,
    split,
)
from musig2.protocol.records.records import Advertisement, Message
from musig2.protocol.wire.frames import Signed
from tests.protocol.record_strategies import damaged
from tests.protocol.records_world import ANNA, BEN, advertisement, every_record, join, request

RECORDS = every_record()
SEALED = {name: ANNA.seal(record) for name, record in RECORDS.items()}
TYPE, ALG, PAYLOAD, PUBKEY, SIGNATURE, COSIG = range(6)


def opened(data: bytes) -> Signed[Any]:
    return open_envelope(data, max_bytes=50_000)


def with_fields(signed: Signed[Any], changes: dict[int, Any]) -> bytes:
    """The envelope with some of its six fields replaced."""
    fields: Any = decode(signed.envelope)
    return encode(tuple(changes.get(index, value) for index, value in enumerate(fields)))


@pytest.mark.parametrize("name", SEALED)
def test_a_sealed_record_opens_and_verifies(name: str) -> None:
    signed = open_verified(SEALED[name].envelope, max_bytes=50_000)
    assert signed.record == RECORDS[name]
    assert signed == SEALED[name]


@pytest.mark.parametrize("name", SEALED)
def test_an_envelope_is_split_into_what_decode_finds(name: str) -> None:
    assert split(SEALED[name].envelope) == decode(SEALED[name].envelope)


@given(st.sampled_from(sorted(SEALED)).flatmap(lambda name: damaged(SEALED[name].envelope)))
@settings(max_examples=300)
def test_what_decode_refuses_is_never_split(data: bytes) -> None:
    found = split(data)
    assert found is None or found == decode(data)


@pytest.mark.parametrize("name", SEALED)
def test_a_changed_signature_is_found(name: str) -> None:
    fields: Any = decode(SEALED[name].envelope)
    for index in (SIGNATURE, COSIG):
        if fields[index] is None:
            continue
        broken = bytes([*fields[index][:-1], fields[index][-1] ^ 1])
        signed = opened(with_fields(SEALED[name], {index: broken}))
        assert not check_signatures(signed)
        with pytest.raises(BadSignature):
            open_verified(signed.envelope, max_bytes=50_000)


@pytest.mark.parametrize("name", SEALED)
def test_a_changed_byte_of_the_payload_is_never_signed(name: str) -> None:
    fields: Any = decode(SEALED[name].envelope)
    payload = fields[PAYLOAD]
    survivors = []
    for at in range(len(payload)):
        changed = payload[:at] + bytes([payload[at] ^ 1]) + payload[at + 1 :]
        try:
            survivors.append(opened(with_fields(SEALED[name], {PAYLOAD: changed})))
        except BadEncoding:
            continue
    assert survivors
    assert not any(check_many(survivors))


def test_a_key_of_another_signer_cannot_be_advertised() -> None:
    ours = ANNA.seal(advertisement())
    for changes in ({PUBKEY: BEN.pubkey}, {PAYLOAD: decode_payload_of(BEN.seal(advertisement(pubkey=BEN.pubkey)))}):
        with pytest.raises(BadEncoding, match="different keys"):
            opened(with_fields(ours, changes))
    stolen = seal(advertisement(pubkey=BEN.pubkey), sign_as_anna, ANNA.peer.sign)
    assert not check_signatures(stolen)


def test_a_peer_that_did_not_countersign_cannot_be_named() -> None:
    pointing = seal(advertisement(peer=BEN.peer.peer), sign_as_anna, ANNA.peer.sign)
    assert not check_signatures(pointing)


def sign_as_anna(msg: bytes) -> bytes:
    return scheme("lotus").schnorr_sign(ANNA.key, msg)


def decode_payload_of(signed: Signed[Any]) -> Any:
    fields: Any = decode(signed.envelope)
    return fields[PAYLOAD]


def test_the_other_key_of_the_same_x_is_another_key() -> None:
    ours = ANNA.seal(advertisement(scheme="bip340"))
    twin = bytes([ANNA.pubkey[0] ^ 1]) + ANNA.pubkey[1:]
    with pytest.raises(BadEncoding, match="different keys"):
        opened(with_fields(ours, {PUBKEY: twin}))
    both: Any = dict(decode(decode_payload_of(ours)))  # type: ignore[arg-type]  # a payload is a map
    swapped = opened(with_fields(ours, {PUBKEY: twin, PAYLOAD: encode(both | {"pubkey": twin})}))
    assert not check_signatures(swapped)


def test_a_signature_of_one_type_does_not_hold_for_another() -> None:
    declined, cancelled = SEALED["decline"], SEALED["cancel"]
    crossed = opened(with_fields(declined, {TYPE: "cancel"}))
    assert type(crossed.record) is type(cancelled.record)
    assert not check_signatures(crossed)


def test_a_signature_of_one_scheme_does_not_hold_for_another() -> None:
    with pytest.raises(BadEncoding, match="different keys"):
        opened(with_fields(SEALED["withdrawal"], {ALG: "bip340"}))


REFUSED: list[tuple[str, dict[int, Any]]] = [
    ("withdrawal", {ALG: "ed25519"}),
    ("withdrawal", {ALG: "LOTUS"}),
    ("withdrawal", {ALG: b"lotus"}),
    ("withdrawal", {TYPE: "Withdrawal"}),
    ("withdrawal", {TYPE: 1}),
    ("withdrawal", {PAYLOAD: {}}),
    ("withdrawal", {SIGNATURE: bytes(63)}),
    ("withdrawal", {SIGNATURE: None}),
    ("withdrawal", {COSIG: bytes(64)}),
    ("advertisement", {COSIG: None}),
    ("join", {COSIG: None}),
    ("join", {COSIG: bytes(65)}),
    ("message_done", {ALG: "lotus"}),
    ("message_done", {PUBKEY: bytes(33)}),
    ("message_done", {COSIG: bytes(64)}),
    ("node", {PUBKEY: BEN.peer.peer[-32:]}),
    ("notice", {PUBKEY: BEN.peer.peer[-32:]}),
    ("request", {PUBKEY: BEN.pubkey}),
]


@pytest.mark.parametrize(("name", "changes"), REFUSED, ids=str)
def test_an_envelope_of_the_wrong_form_is_refused(name: str, changes: dict[int, Any]) -> None:
    with pytest.raises(BadEncoding):
        opened(with_fields(SEALED[name], changes))


@pytest.mark.parametrize("fields", [0, {}, (), (1,) * 5, (1,) * 7, (None,) * 6], ids=str)
def test_anything_but_an_array_of_six_is_refused(fields: Any) -> None:
    with pytest.raises(BadEncoding):
        opened(encode(fields))


def test_a_byte_too_many_is_refused_before_anything_is_decoded() -> None:
    data = SEALED["advertisement"].envelope
    assert open_envelope(data, max_bytes=len(data))
    with pytest.raises(BadEncoding, match="larger"):
        open_envelope(data, max_bytes=len(data) - 1)


def test_a_batch_is_answered_one_by_one_and_in_order() -> None:
    batch, expected = [], []
    for name, signed in [*SEALED.items()] * 9:
        fields: Any = decode(signed.envelope)
        batch += [signed, opened(with_fields(signed, {SIGNATURE: fields[SIGNATURE][::-1]}))]
        expected += [True, False]
        assert name in RECORDS
    assert check_many(batch) == expected
    assert check_many([]) == []


def test_a_key_that_is_no_point_is_a_bad_signature_and_spoils_no_other() -> None:
    nobody = next(key for key in (b"\x02" + bytes([*bytes(31), x]) for x in range(255)) if not is_point(key))
    forged = seal(advertisement(pubkey=nobody), lambda _: bytes(64), ANNA.peer.sign)
    good = SEALED["advertisement"]
    assert check_many([good, forged, good]) == [True, False, True]


def is_point(key: bytes) -> bool:
    try:
        scheme("lotus").validate_pubkey(key)
    except ValueError:
        return False
    return True


def test_the_peer_that_signed_is_known() -> None:
    for name, signed in SEALED.items():
        of_peer = name.split("_")[0] in ("message", "node", "notice", "advertisement", "join")
        assert signer_peer(signed) == (ANNA.peer.peer if of_peer else None)


def test_a_stranger_can_sign_the_same_message_and_is_told_apart_by_its_peer() -> None:
    ours = SEALED["message_done"]
    theirs: Signed[Message] = BEN.seal(ours.record)
    assert check_signatures(theirs)
    assert theirs.id == ours.id
    assert signer_peer(theirs) == BEN.peer.peer


def test_records_are_equal_whatever_their_signatures() -> None:
    again: Signed[Advertisement] = ANNA.seal(advertisement())
    fields: Any = decode(again.envelope)
    other = opened(with_fields(again, {SIGNATURE: fields[SIGNATURE][::-1]}))
    assert other == again
    assert len({other, again}) == 1


def test_a_countersignature_is_given_where_it_belongs_and_nowhere_else() -> None:
    asked = ANNA.seal(request())
    with pytest.raises(InvalidRecord, match="countersignature"):
        seal(join(asked), sign_as_anna)
    with pytest.raises(InvalidRecord, match="countersignature"):
        seal(request(), sign_as_anna, ANNA.peer.sign)
    with pytest.raises(InvalidRecord, match="peer"):
        seal(SEALED["message_done"].record, ANNA.peer.sign)


@settings(max_examples=400)
@given(st.data())
def test_a_damaged_envelope_is_refused_or_is_the_same_record(data: st.DataObject) -> None:
    signed = SEALED[data.draw(st.sampled_from(sorted(SEALED)))]
    try:
        other = open_verified(data.draw(damaged(signed.envelope)), max_bytes=50_000)
    except (BadEncoding, BadSignature):
        return
    assert other.id == signed.id
