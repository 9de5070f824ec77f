"""Every Lotus vector, as made by lotus-lib where it follows the chain's residue rule."""

from typing import Any

import pytest

from musig2 import SessionContext, Tweak, TweakKind, generic, lotus, scheme, tagged_hash
from musig2.chain.address import address, script_pubkey
from musig2.curve.memory import take_slot
from musig2.tweaks import taptweak_lotus
from tests.musig2.musig2_world import load, nonce_scalars, seckey, secnonce_of, unhex
from tests.musig2.slow_musig2 import N

LOTUS = scheme("lotus")
SESSIONS = load("lotus/musig2") + load("lotus/taproot")


def name(case: dict[str, Any]) -> str:
    return case.get("comment") or case.get("label") or "case"


@pytest.mark.parametrize("case", load("lotus/schnorr") + load("lotus/schnorr_even_y"), ids=name)
def test_signatures_are_judged_by_the_residue_rule(case: dict[str, Any]) -> None:
    pubkey, msg, signature = (bytes.fromhex(case[field]) for field in ("pubkey", "msg", "sig"))
    assert LOTUS.schnorr_verify(pubkey, msg, signature) == case["valid"]
    assert LOTUS.verify_many([(pubkey, msg, signature)]) == [case["valid"]]


@pytest.mark.parametrize("case", [case for case in load("lotus/schnorr") if "privkey" in case], ids=name)
def test_signing_agrees(case: dict[str, Any]) -> None:
    key = seckey(case["privkey"])
    assert key.pubkey.hex() == case["pubkey"]
    if case["valid"]:
        assert LOTUS.schnorr_sign(key, bytes.fromhex(case["msg"])).hex() == case["sig"]


@pytest.mark.parametrize("case", load("lotus/keyagg"), ids=name)
def test_keys_aggregate_with_their_coefficients(case: dict[str, Any]) -> None:
    pubkeys = LOTUS.key_sort(unhex(case["pubkeys_in"]))
    assert [pubkey.hex() for pubkey in pubkeys] == case["pubkeys_sorted"]
    assert tagged_hash("KeyAgg list", *pubkeys).hex() == case["keyagg_list_hash"]
    assert list(lotus.coefficients(tuple(pubkeys))) == [int(value, 16) % N for value in case["coefficients"]]
    assert LOTUS.key_agg(pubkeys).aggpubkey.hex() == case["aggregated"]


def tweaks(case: dict[str, Any]) -> tuple[Tweak, ...]:
    return (Tweak(TweakKind.TAPROOT, bytes.fromhex(case["merkle_root"])),) if "merkle_root" in case else ()


def session(case: dict[str, Any]) -> SessionContext:
    keyagg = LOTUS.key_agg(unhex(case["pubkeys_sorted"]), tweaks(case))
    pubnonces = [bytes.fromhex("".join(pair)) for pair in case["pubnonces"]]
    assert LOTUS.nonce_agg(pubnonces).hex() == "".join(case["aggnonce"])
    return LOTUS.session(keyagg, LOTUS.nonce_agg(pubnonces), bytes.fromhex(case["msg"]))


@pytest.mark.parametrize("case", SESSIONS, ids=name)
def test_session_values_agree(case: dict[str, Any]) -> None:
    values = session(case).values
    assert isinstance(values, lotus._SigningValues)
    assert values.b == int(case["nonce_coef_b"], 16) % N
    assert values.e == int(case["challenge_e"], 16)
    assert values.r_x.hex() == case["effective_R"][2:]
    assert values.negate_nonce == case["R_negated"]
    assert list(values.key.coefficients) == [int(value, 16) % N for value in case["coefficients"]]


@pytest.mark.parametrize("case", SESSIONS, ids=name)
def test_sessions_sign_verify_and_aggregate(case: dict[str, Any]) -> None:
    values = session(case)
    psigs = []
    for index, (secret, scalars) in enumerate(zip(case["privkeys_sorted"], case["secnonces"], strict=True)):
        key = seckey(secret)
        secnonce = secnonce_of(bytes.fromhex("".join(scalars)), key, values.keyagg, values.msg)
        assert secnonce.pubnonce.hex() == "".join(case["pubnonces"][index])
        assert nonce_scalars(secnonce) == tuple(int(scalar, 16) for scalar in scalars)
        psig = LOTUS.sign(secnonce, key, values)
        assert psig.hex() == case["partial_sigs"][index]
        assert LOTUS.partial_sig_verify(psig, secnonce.pubnonce, key.pubkey, values)
        psigs.append(psig)
    signature = LOTUS.partial_sig_agg(psigs, values)
    assert signature.hex() == case["final_sig"]
    assert LOTUS.schnorr_verify(values.keyagg.aggpubkey, values.msg, signature) == case["valid_under_key"]


@pytest.mark.parametrize("case", SESSIONS, ids=name)
def test_nonces_have_the_shape_of_lotus_lib(case: dict[str, Any]) -> None:
    """Its tags and its pre-image (d | Q | m | extra) through our derivation; our own adds 32 fresh bytes and P."""
    everyone = zip(
        case["privkeys_sorted"], case["nonce_extra_input"], case["secnonces"], case["pubnonces"], strict=True
    )
    for secret, extra, scalars, public in everyone:
        slot = take_slot()
        preimage = bytes.fromhex(secret + case["aggregated_pubkey"] + case["msg"] + extra)
        slot.view[: len(preimage)] = preimage
        assert generic.derive_nonces(slot, len(preimage), b"MuSig/aux", b"MuSig/nonce").hex() == "".join(public)
        assert bytes(slot.view[:64]).hex() == "".join(scalars)
        assert not any(slot.view[64:])


@pytest.mark.parametrize("case", load("lotus/taproot"), ids=name)
def test_taproot_commitment_script_and_address_agree(case: dict[str, Any]) -> None:
    keyagg = LOTUS.key_agg(unhex(case["pubkeys_sorted"]), tweaks(case))
    assert keyagg.internal_pubkey.hex() == case["aggregated_pubkey"]
    assert keyagg.aggpubkey.hex() == case["commitment"]
    assert taptweak_lotus(keyagg.internal_pubkey, bytes.fromhex(case["merkle_root"])).hex() == case["tap_tweak"]
    assert script_pubkey("lotus", keyagg.aggpubkey).hex() == case["script_pubkey"]
    assert address("lotus", keyagg.aggpubkey, "main") == case["address"]
    assert not LOTUS.schnorr_verify(
        keyagg.internal_pubkey, bytes.fromhex(case["msg"]), bytes.fromhex(case["final_sig"])
    )


def test_no_root_is_a_root_of_zeros() -> None:
    case = load("lotus/taproot")[0]
    assert not any(bytes.fromhex(case["merkle_root"]))
    keyagg = LOTUS.key_agg(unhex(case["pubkeys_sorted"]), (Tweak(TweakKind.TAPROOT),))
    assert keyagg.aggpubkey.hex() == case["commitment"]


@pytest.mark.parametrize("case", load("lotus/taproot_single"))
def test_a_single_tweaked_key_signs(case: dict[str, Any]) -> None:
    internal = seckey(case["internal_privkey"])
    assert internal.pubkey.hex() == case["internal_pubkey"]
    assert taptweak_lotus(internal.pubkey, bytes.fromhex(case["merkle_root"])).hex() == case["tap_tweak"]
    key = seckey(case["tweaked_privkey"])
    assert key.pubkey.hex() == case["commitment"]
    assert script_pubkey("lotus", key.pubkey).hex() == case["script_pubkey"]
    msg, signature = bytes.fromhex(case["msg"]), bytes.fromhex(case["sig"])
    assert LOTUS.schnorr_verify(key.pubkey, msg, signature) == case["valid"]
    assert LOTUS.schnorr_sign(key, msg) == signature
