"""Every case of the standard's eight vector files.

Three kinds of case cannot reach the product's interface, and are shown otherwise:
- messages that are not 32 bytes (nonce_gen 2 and 3, sign 5 and 6, det_sign 3): libsecp256k1's musig module takes 32
  bytes only. Signing them is checked on the generic construction, nonce generation on the slow implementation.
- a given secret nonce: the interface draws its own. The tests forge the memory of a SecNonce instead.
- deterministic signing (det_sign): not offered at all. What it would produce is verified, what it refuses is refused.
"""

import hashlib
from typing import Any

import pytest
from coincurve._libsecp256k1 import ffi, lib  # type: ignore[import-not-found]  # without stubs

from musig2 import (
    InvalidContributionError,
    KeyAggContext,
    LibraryError,
    SessionContext,
    Tweak,
    TweakKind,
    generic,
    scheme,
)
from musig2.curve import secp
from musig2.curve.memory import take_slot
from tests.musig2.musig2_world import load, seckey, secnonce_of, tweaks, unhex
from tests.musig2.slow_musig2 import SLOW, N, base_mul, encode, integer, tagged

BIP340 = scheme("bip340")
SIGNED = load("bip327/sign") + [case for case in load("bip327/tweak") if "psig" in case]


def name(case: dict[str, Any]) -> str:
    return case.get("comment") or "plain"


def key_agg(case: dict[str, Any]) -> KeyAggContext:
    return BIP340.key_agg(unhex(case["pubkeys"]), tweaks(case.get("tweaks", [])))


def session(case: dict[str, Any]) -> SessionContext:
    return BIP340.session(key_agg(case), bytes.fromhex(case["aggnonce"]), bytes.fromhex(case["msg"]))


def assert_refuses(case: dict[str, Any], action: Any) -> None:
    """The action fails as the vector says: a value error, or a named contribution of a signer."""
    if case["error"] == "value":
        with pytest.raises(ValueError):
            action()
        return
    with pytest.raises(InvalidContributionError) as refused:
        action()
    assert (refused.value.signer, refused.value.contribution) == (case["signer"], case["contribution"])


@pytest.mark.parametrize("case", load("bip327/key_sort"))
def test_keys_sort(case: dict[str, Any]) -> None:
    assert BIP340.key_sort(unhex(case["pubkeys"])) == unhex(case["sorted"])


@pytest.mark.parametrize("case", load("bip327/key_agg"), ids=name)
def test_keys_aggregate(case: dict[str, Any]) -> None:
    if "error" in case:
        assert_refuses(case, lambda: key_agg(case))
    else:
        assert key_agg(case).xonly.hex() == case["xonly"]


@pytest.mark.parametrize("case", load("bip327/nonce_agg"), ids=name)
def test_nonces_aggregate(case: dict[str, Any]) -> None:
    if "error" in case:
        assert_refuses(case, lambda: BIP340.nonce_agg(unhex(case["pubnonces"])))
    else:
        assert BIP340.nonce_agg(unhex(case["pubnonces"])).hex() == case["aggnonce"]


def optional(value: str | None) -> bytes | None:
    return None if value is None else bytes.fromhex(value)


NONCE_GEN = load("bip327/nonce_gen")


@pytest.mark.parametrize("case", [NONCE_GEN[0], NONCE_GEN[3]], ids=["all given", "nothing given"])
def test_the_module_generates_the_nonces_of_the_standard(case: dict[str, Any]) -> None:
    """With a key aggregation cache forged around the vector's aggregate key, of which only x matters."""
    slot, fresh, key = take_slot(), take_slot(), take_slot()
    fresh.view[:32] = bytes.fromhex(case["rand"])
    key.view[:32] = optional(case["seckey"]) or bytes(32)
    point = secp.pubkey_parse(bytes.fromhex(case["pubkey"]))
    aggregate = optional(case["agg_xonly"])
    public, handle = secp._new(secp._PUBNONCE), ffi.cast(secp._SECNONCE, secp._secret(slot.view[:132]))
    assert lib.secp256k1_musig_nonce_gen(
        secp.ctx,
        handle,
        public,
        secp._secret(fresh.view[:32]),
        secp._secret(key.view[:32]) if case["seckey"] else ffi.NULL,
        point,
        optional(case["msg"]) or ffi.NULL,
        forged_cache(aggregate) if aggregate else ffi.NULL,
        optional(case["extra"]) or ffi.NULL,
    )
    out = ffi.new("unsigned char[66]")
    assert lib.secp256k1_musig_pubnonce_serialize(secp.ctx, out, public)
    assert bytes(slot.view[4:68]).hex() == case["secnonce"][:128]
    assert bytes(ffi.buffer(out)).hex() == case["pubnonce"]


def forged_cache(xonly: bytes) -> Any:
    generator, point = secp.pubkey_parse(encode(base_mul(1))), secp.pubkey_parse(b"\x02" + xonly)
    assert generator is not None
    any_list = secp.musig_pubkey_agg([generator])
    memory = ffi.buffer(any_list)
    memory[4:68] = bytes(ffi.buffer(point))
    return any_list


@pytest.mark.parametrize("case", NONCE_GEN, ids=["all given", "empty message", "38-byte message", "nothing given"])
def test_the_slow_implementation_generates_them_too(case: dict[str, Any]) -> None:
    rand, d, msg = bytes.fromhex(case["rand"]), optional(case["seckey"]), optional(case["msg"])
    if d is not None:
        rand = bytes(a ^ b for a, b in zip(d, tagged("MuSig/aux", rand), strict=True))
    aggregate, extra = optional(case["agg_xonly"]) or b"", optional(case["extra"]) or b""
    prefixed = b"\x00" if msg is None else b"\x01" + len(msg).to_bytes(8) + msg
    pubkey = bytes.fromhex(case["pubkey"])
    preimage = rand + b"\x21" + pubkey + bytes((len(aggregate),)) + aggregate + prefixed + len(extra).to_bytes(4)
    scalars = [integer(tagged("MuSig/nonce", preimage + extra + bytes((i,)))) % N for i in (0, 1)]
    assert b"".join(k.to_bytes(32) for k in scalars).hex() == case["secnonce"][:128]
    assert b"".join(encode(base_mul(k)) for k in scalars).hex() == case["pubnonce"]


@pytest.mark.parametrize("case", [case for case in SIGNED if len(case["msg"]) == 64], ids=name)
def test_the_module_signs_as_the_standard(case: dict[str, Any]) -> None:
    values = session(case)
    key = seckey(case["seckey"])
    secnonce = secnonce_of(bytes.fromhex(case["secnonce"])[:64], key, values.keyagg, values.msg)
    index = case["signer_index"]
    assert secnonce.pubnonce.hex() == case["pubnonces"][index]
    assert BIP340.sign(secnonce, key, values).hex() == case["psig"]
    psig, pubnonce = bytes.fromhex(case["psig"]), secnonce.pubnonce
    assert BIP340.partial_sig_verify(psig, pubnonce, key.pubkey, values, index)


@pytest.mark.parametrize("case", SIGNED, ids=name)
def test_the_generic_construction_signs_as_the_standard(case: dict[str, Any]) -> None:
    """The code that signs `lotus`, under BIP-327's coefficients and sign rules: messages of any length."""
    slow, index = SLOW["bip340"], case["signer_index"]
    keys = slow.keys(unhex(case["pubkeys"]), [(kind, bytes.fromhex(value)) for kind, value in case["tweaks"]])
    values = slow.values(keys, bytes.fromhex(case["aggnonce"]), bytes.fromhex(case["msg"]))
    slot = take_slot()
    slot.view[:64] = bytes.fromhex(case["secnonce"])[:64]
    psig = generic.partial_sign(
        slot,
        seckey(case["seckey"]),
        values.b.to_bytes(32),
        (values.e * keys.coefficients[index] % N).to_bytes(32),
        negate_nonce=values.negate_nonce,
        negate_key=slow.key_factor(keys) % N != 1,
    )
    assert psig.hex() == case["psig"]


@pytest.mark.parametrize("case", load("bip327/sign_errors"), ids=name)
def test_signing_refuses_what_the_standard_refuses(case: dict[str, Any]) -> None:
    key = seckey(case["seckey"])

    def sign() -> None:
        values = session(case)
        BIP340.sign(secnonce_of(bytes.fromhex(case["secnonce"])[:64], key, values.keyagg, values.msg), key, values)

    if set(case["secnonce"][:128]) == {"0"}:
        with pytest.raises(LibraryError):
            sign()
    else:
        assert_refuses(case, sign)


@pytest.mark.parametrize("case", [case for case in load("bip327/tweak") if "error" in case], ids=name)
def test_tweaks_out_of_range_are_refused(case: dict[str, Any]) -> None:
    assert_refuses(case, lambda: key_agg(case))


@pytest.mark.parametrize("case", load("bip327/verify"), ids=name)
def test_wrong_partial_signatures_are_found(case: dict[str, Any]) -> None:
    pubnonces, index = unhex(case["pubnonces"]), case["signer_index"]

    def verify() -> bool:
        values = BIP340.session(key_agg(case), BIP340.nonce_agg(pubnonces), bytes.fromhex(case["msg"]))
        pubkey = bytes.fromhex(case["pubkeys"][index])
        return BIP340.partial_sig_verify(bytes.fromhex(case["psig"]), pubnonces[index], pubkey, values, index)

    if "error" in case:
        assert_refuses(case, verify)
    else:
        assert not verify()


@pytest.mark.parametrize("case", load("bip327/sig_agg"), ids=name)
def test_partial_signatures_aggregate(case: dict[str, Any]) -> None:
    values, psigs = session(case), unhex(case["psigs"])
    assert BIP340.nonce_agg(unhex(case["pubnonces"])).hex() == case["aggnonce"]
    if "error" in case:
        assert_refuses(case, lambda: BIP340.partial_sig_agg(psigs, values))
        return
    for index, (psig, pubnonce, pubkey) in enumerate(zip(psigs, case["pubnonces"], case["pubkeys"], strict=True)):
        assert BIP340.partial_sig_verify(psig, bytes.fromhex(pubnonce), bytes.fromhex(pubkey), values, index)
    assert BIP340.partial_sig_agg(psigs, values).hex() == case["signature"]


DETERMINISTIC = load("bip327/det_sign")


@pytest.mark.parametrize("case", [c for c in DETERMINISTIC if "psig" in c and len(c["msg"]) == 64], ids=name)
def test_deterministic_partial_signatures_verify(case: dict[str, Any]) -> None:
    key, pubnonce = seckey(case["seckey"]), bytes.fromhex(case["pubnonce"])
    aggnonce = BIP340.nonce_agg([pubnonce, bytes.fromhex(case["aggothernonce"])])
    values = BIP340.session(key_agg(case), aggnonce, bytes.fromhex(case["msg"]))
    assert BIP340.partial_sig_verify(bytes.fromhex(case["psig"]), pubnonce, key.pubkey, values, case["signer_index"])


@pytest.mark.parametrize("case", [c for c in DETERMINISTIC if "psig" in c], ids=name)
def test_deterministic_partial_signatures_verify_slowly(case: dict[str, Any]) -> None:
    from tests.musig2.slow_musig2 import nonce_agg

    slow, pubnonce = SLOW["bip340"], bytes.fromhex(case["pubnonce"])
    keys = slow.keys(unhex(case["pubkeys"]), [(kind, bytes.fromhex(value)) for kind, value in case["tweaks"]])
    aggnonce = nonce_agg([pubnonce, bytes.fromhex(case["aggothernonce"])])
    values = slow.values(keys, aggnonce, bytes.fromhex(case["msg"]))
    assert slow.verify_partial(keys, values, int(case["psig"], 16), pubnonce, case["signer_index"])


@pytest.mark.parametrize("case", [c for c in DETERMINISTIC if "error" in c], ids=name)
def test_what_deterministic_signing_refuses_is_refused(case: dict[str, Any]) -> None:
    key = seckey(case["seckey"])

    def prepare() -> None:
        keyagg = key_agg(case)
        _, pubnonce = BIP340.nonce_gen(key, key.pubkey, keyagg, bytes.fromhex(case["msg"]))
        BIP340.nonce_agg([pubnonce, bytes.fromhex(case["aggothernonce"])])

    if case.get("contribution") == "aggothernonce":
        with pytest.raises(InvalidContributionError) as refused:
            prepare()
        assert (refused.value.signer, refused.value.contribution) == (1, "pubnonce")
    else:
        assert_refuses(case, prepare)


def test_no_deterministic_mode_is_offered() -> None:
    assert not [attribute for attribute in dir(BIP340) if "determin" in attribute or "seed" in attribute]


def test_taptweak_is_an_xonly_tweak_of_the_hash_of_the_key() -> None:
    """BIP-341: with a root, and without (BIP-86), over the x-only key after the earlier tweaks."""
    pubkeys = [encode(base_mul(3)), encode(base_mul(5))]
    plain = Tweak(TweakKind.PLAIN, (7).to_bytes(32))
    for root in (None, hashlib.sha256(b"root").digest()):
        before = BIP340.key_agg(pubkeys, (plain,))
        t = tagged("TapTweak", before.xonly + (root or b""))
        by_hand = BIP340.key_agg(pubkeys, (plain, Tweak(TweakKind.XONLY, t)))
        made = BIP340.key_agg(pubkeys, (plain, Tweak(TweakKind.TAPROOT, root)))
        assert made.aggpubkey == by_hand.aggpubkey
        assert made.internal_pubkey == BIP340.key_agg(pubkeys).aggpubkey
