"""Bad arguments: a ValueError that names the argument, or the signer that sent them; never a crash, never False."""

import os
from collections.abc import Callable
from typing import Any

import pytest

import musig2
from musig2 import InvalidContributionError, KeyAggContext, SecretKey, SessionContext, Tweak, TweakKind, scheme
from musig2.errors import MusigError
from tests.musig2.musig2_world import SCHEMES, assert_names, world

OFF_CURVE = b"\x02" + (5).to_bytes(32)  # 5**3 + 7 is no square
NOT_BYTES: list[Any] = [None, "text", bytearray(66), 7, memoryview(bytes(32))]


def assert_blames(signer: int | None, contribution: str, action: Callable[[], object]) -> None:
    with pytest.raises(InvalidContributionError) as blamed:
        action()
    assert (blamed.value.signer, blamed.value.contribution) == (signer, contribution)


def test_schemes_are_two_and_one_object_each() -> None:
    assert scheme("lotus") is scheme("lotus")
    assert [scheme(name).name for name in SCHEMES] == list(SCHEMES)
    assert repr(scheme("lotus")) == "<Scheme lotus>"
    for unknown in ("", "BIP340", "ecdsa", None):
        assert_names("scheme", lambda unknown=unknown: scheme(unknown))


@pytest.mark.parametrize("name", SCHEMES)
@pytest.mark.parametrize(
    "bad", [b"", bytes(32), bytes(33), b"\x04" + bytes(32), OFF_CURVE, b"\x02" + b"\xff" * 32, None]
)
def test_a_bad_key_in_a_list_is_its_signers_fault(name: str, bad: Any) -> None:
    good = SecretKey.generate().pubkey
    assert_blames(1, "pubkey", lambda: scheme(name).key_agg([good, bad, good]))
    assert_blames(0, "pubkey", lambda: scheme(name).key_agg([bad]))


@pytest.mark.parametrize("name", SCHEMES)
def test_an_empty_list_is_refused(name: str) -> None:
    assert_names("pubkeys", lambda: scheme(name).key_agg([]))
    assert_names("pubnonces", lambda: scheme(name).nonce_agg([]))


@pytest.mark.parametrize("name", SCHEMES)
@pytest.mark.parametrize("bad", [b"", bytes(31), bytes(33), *NOT_BYTES])
def test_messages_have_32_bytes(name: str, bad: Any) -> None:
    made = world(scheme(name))
    key = made.keys[0]
    signature = made.scheme.schnorr_sign(key, made.msg)
    assert_names("msg", lambda: made.scheme.nonce_gen(key, key.pubkey, made.keyagg, bad))
    assert_names("msg", lambda: made.scheme.session(made.keyagg, made.session.aggnonce, bad))
    assert_names("msg", lambda: made.scheme.schnorr_sign(key, bad))
    assert_names("msg", lambda: made.scheme.schnorr_verify(key.pubkey, bad, signature))


@pytest.mark.parametrize("name", SCHEMES)
@pytest.mark.parametrize("bad", [b"\x01", bytes(31), bytes(33), "x"])
def test_extra_has_32_bytes_or_none(name: str, bad: Any) -> None:
    made = world(scheme(name))
    key = made.keys[0]
    assert_names("extra", lambda: made.scheme.nonce_gen(key, key.pubkey, made.keyagg, made.msg, bad))
    _, pubnonce = made.scheme.nonce_gen(key, key.pubkey, made.keyagg, made.msg, os.urandom(32))
    made.scheme.validate_pubnonce(pubnonce)


@pytest.mark.parametrize("name", SCHEMES)
def test_bad_nonces_are_refused(name: str) -> None:
    made = world(scheme(name))
    good, psig, key = made.pubnonces[0], bytes(32), made.keys[0].pubkey
    for bad in (b"", good[:65], good + b"\x00", OFF_CURVE + good[33:], good[:33] + OFF_CURVE, bytes(66), None):
        assert_names("pubnonce", lambda bad=bad: made.scheme.validate_pubnonce(bad))
        assert_blames(1, "pubnonce", lambda bad=bad: made.scheme.nonce_agg([good, bad]))
    for bad in (b"", good[:65], good + b"\x00", *NOT_BYTES):
        assert_names("pubnonce", lambda bad=bad: made.scheme.partial_sig_verify(psig, bad, key, made.session))
        assert_names("aggnonce", lambda bad=bad: made.scheme.session(made.keyagg, bad, made.msg))
        assert_names(
            "pubnonces[0]", lambda bad=bad: made.scheme.partial_sig_agg([psig, psig], made.session, [bad, good])
        )
    for bad in (OFF_CURVE + good[33:], good[:33] + OFF_CURVE, b"\x04" + good[1:]):
        assert_blames(None, "aggnonce", lambda bad=bad: made.scheme.session(made.keyagg, bad, made.msg))
        assert_blames(0, "pubnonce", lambda bad=bad: made.scheme.partial_sig_verify(psig, bad, key, made.session))
    made.scheme.validate_pubnonce(good)


@pytest.mark.parametrize("name", SCHEMES)
def test_partial_signatures_have_32_bytes_and_one_for_each_key(name: str) -> None:
    made = world(scheme(name))
    psigs = made.psigs()
    for bad in (b"", bytes(31), bytes(33), *NOT_BYTES):
        assert_names(
            "psig",
            lambda bad=bad: made.scheme.partial_sig_verify(bad, made.pubnonces[0], made.keys[0].pubkey, made.session),
        )
        assert_names("psigs[1]", lambda bad=bad: made.scheme.partial_sig_agg([psigs[0], bad], made.session))
    for wrong in ([], psigs[:1], [*psigs, psigs[0]]):
        assert_names("psigs", lambda wrong=wrong: made.scheme.partial_sig_agg(wrong, made.session))
        assert_names("pubnonces", lambda: made.scheme.partial_sig_agg(psigs, made.session, made.pubnonces[:1] * 3))


@pytest.mark.parametrize("name", SCHEMES)
def test_contexts_belong_to_their_scheme(name: str) -> None:
    own, other = world(scheme(name)), world(scheme(SCHEMES[1 - SCHEMES.index(name)]))
    key, used = own.keys[0], own.scheme
    assert_names("keyagg", lambda: used.nonce_gen(key, key.pubkey, other.keyagg, own.msg))
    assert_names("keyagg", lambda: used.session(other.keyagg, own.session.aggnonce, own.msg))
    assert_names("session", lambda: used.partial_sig_verify(bytes(32), own.pubnonces[0], key.pubkey, other.session))
    assert_names("session", lambda: used.partial_sig_agg([bytes(32)] * 2, other.session))
    assert_names("session", lambda: used.sign(own.secnonces[0], key, other.session))


@pytest.mark.parametrize("name", SCHEMES)
def test_signatures_under_no_key_are_the_callers_error(name: str) -> None:
    made = world(scheme(name))
    key = made.keys[0].pubkey
    signature = made.scheme.schnorr_sign(made.keys[0], made.msg)
    assert made.scheme.schnorr_verify(key, made.msg, signature) is True
    for bad in (b"", key[1:], key + b"\x00", OFF_CURVE, b"\x04" + key[1:], b"\x00" + key[1:], bytes(33), *NOT_BYTES):
        assert_names("pubkey", lambda bad=bad: made.scheme.schnorr_verify(bad, made.msg, signature))
        assert_names("pubkey", lambda bad=bad: made.scheme.validate_pubkey(bad))
    for bad in (b"", signature[:63], signature + b"\x00", *NOT_BYTES[:2]):
        assert_names("signature", lambda bad=bad: made.scheme.schnorr_verify(key, made.msg, bad))
    made.scheme.validate_pubkey(key)


@pytest.mark.parametrize("name", SCHEMES)
def test_signatures_out_of_range_do_not_verify(name: str) -> None:
    """As both standards say: these bytes come from a signer, and the answer about them is no."""
    from tests.musig2.slow_musig2 import N, P

    made = world(scheme(name))
    key, signature = made.keys[0].pubkey, made.scheme.schnorr_sign(made.keys[0], made.msg)
    for r, s in ((P, None), (2**256 - 1, None), (None, N), (None, 2**256 - 1), (0, 0), (None, 0)):
        bad = (signature[:32] if r is None else r.to_bytes(32)) + (signature[32:] if s is None else s.to_bytes(32))
        assert made.scheme.schnorr_verify(key, made.msg, bad) is False
        assert made.scheme.verify_many([(key, made.msg, bad)]) == [False]


@pytest.mark.parametrize("name", SCHEMES)
def test_each_bit_of_a_signature_counts(name: str) -> None:
    used, key, msg = scheme(name), SecretKey.generate(), os.urandom(32)
    signature = int.from_bytes(used.schnorr_sign(key, msg))
    changed = [(key.pubkey, msg, (signature ^ 1 << bit).to_bytes(64)) for bit in range(512)]
    messages = [
        (key.pubkey, (int.from_bytes(msg) ^ 1 << bit).to_bytes(32), signature.to_bytes(64)) for bit in range(256)
    ]
    assert not any(used.verify_many(changed + messages))


def test_a_lotus_signature_depends_on_the_parity_of_the_key_and_a_bip340_signature_does_not() -> None:
    key, msg = SecretKey.generate(), os.urandom(32)
    mirrored = bytes((key.pubkey[0] ^ 1,)) + key.pubkey[1:]
    for name, expected in (("bip340", True), ("lotus", False)):
        assert scheme(name).schnorr_verify(mirrored, msg, scheme(name).schnorr_sign(key, msg)) is expected


@pytest.mark.parametrize("name", SCHEMES)
@pytest.mark.parametrize("count", [0, 1, 63, 64, 65, 700])
def test_verify_many_answers_in_order(name: str, count: int) -> None:
    used, key = scheme(name), SecretKey.generate()
    msg = bytes(32)
    good, bad = (key.pubkey, msg, used.schnorr_sign(key, msg)), (key.pubkey, msg, bytes(64))
    expected = [i % 3 != 0 for i in range(count)]
    assert used.verify_many([good if right else bad for right in expected]) == expected


@pytest.mark.parametrize("name", SCHEMES)
def test_malformed_input_of_one_sender_spoils_no_answer_about_the_others(name: str) -> None:
    used, key = scheme(name), SecretKey.generate()
    good = (key.pubkey, bytes(32), used.schnorr_sign(key, bytes(32)))
    nonsense = [(bad, *good[1:]) for bad in (OFF_CURVE, b"\x04" + good[0][1:], bytes(33), b"\xff" * 33)]
    assert used.verify_many([good, *nonsense, good]) == [True, False, False, False, False, True]


@pytest.mark.parametrize("name", SCHEMES)
@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("bad", [b"", bytes(65), None])
def test_verify_many_wants_the_right_sizes(name: str, place: int, bad: Any) -> None:
    used, key = scheme(name), SecretKey.generate()
    good = (key.pubkey, bytes(32), used.schnorr_sign(key, bytes(32)))
    wrong: Any = tuple(bad if i == place else value for i, value in enumerate(good))
    assert_names("triples[1]", lambda: used.verify_many([good, wrong]))


@pytest.mark.parametrize("name", SCHEMES)
@pytest.mark.parametrize("n", [1, 2, 3, 100])
def test_lists_of_many_lengths_sign(name: str, n: int) -> None:
    made = world(scheme(name), n, (Tweak(TweakKind.TAPROOT),))
    signature = made.scheme.partial_sig_agg(made.psigs(), made.session)
    assert made.scheme.schnorr_verify(made.keyagg.aggpubkey, made.msg, signature)


@pytest.mark.parametrize("name", SCHEMES)
def test_a_thousand_signers_sign(name: str) -> None:
    made = world(scheme(name), 1000)
    signature = made.scheme.partial_sig_agg(made.psigs(), made.session)
    assert made.scheme.schnorr_verify(made.keyagg.aggpubkey, made.msg, signature)


@pytest.mark.parametrize("name", SCHEMES)
def test_key_aggregation_is_remembered(name: str) -> None:
    pubkeys = [SecretKey.generate().pubkey for _ in range(3)]
    first = scheme(name).key_agg(pubkeys)
    assert scheme(name).key_agg(tuple(pubkeys)) is first
    assert scheme(name).key_agg(pubkeys[::-1]) is not first
    assert scheme(name).key_agg(pubkeys, (Tweak(TweakKind.TAPROOT),)) is not first
    for _ in range(200):
        scheme(name).key_agg([os.urandom(0) + SecretKey.generate().pubkey])
    assert scheme(name)._key_agg.cache_info().currsize == 128


@pytest.mark.parametrize("name", SCHEMES)
def test_the_contexts_hold_what_they_were_made_of(name: str) -> None:
    made = world(scheme(name), 3)
    pubkeys = tuple(key.pubkey for key in made.keys)
    assert (made.keyagg.scheme, made.keyagg.pubkeys, made.keyagg.tweaks) == (name, pubkeys, ())
    assert made.keyagg.aggpubkey == made.keyagg.internal_pubkey
    assert made.keyagg.xonly == made.keyagg.aggpubkey[1:]
    assert made.session.keyagg is made.keyagg
    assert (made.session.msg, len(made.session.aggnonce)) == (made.msg, 66)
    nothing: Any = None
    assert made.keyagg == KeyAggContext(name, pubkeys, (), made.keyagg.aggpubkey, made.keyagg.aggpubkey, rules=nothing)
    assert made.session == SessionContext(made.keyagg, made.session.aggnonce, made.msg, values=nothing)
    assert "rules" not in repr(made.keyagg)
    assert "values" not in repr(made.session)
    with pytest.raises(AttributeError):
        setattr(made.keyagg, "aggpubkey", b"")  # noqa: B010  # the checker would refuse the plain statement


@pytest.mark.parametrize("name", SCHEMES)
def test_the_order_of_the_keys_counts(name: str) -> None:
    pubkeys = scheme(name).key_sort([SecretKey.generate().pubkey for _ in range(3)])
    assert pubkeys == sorted(pubkeys)
    assert scheme(name).key_agg(pubkeys).aggpubkey != scheme(name).key_agg(pubkeys[::-1]).aggpubkey


def test_a_tagged_hash_joins_its_parts() -> None:
    from tests.musig2.slow_musig2 import tagged

    for tag in ("BIP0340/challenge", "musigd/session/v1"):
        assert musig2.tagged_hash(tag, b"ab", b"", b"c") == tagged(tag, b"abc")
        assert musig2.tagged_hash(tag) == tagged(tag, b"")


def test_every_error_has_a_reason_of_its_own() -> None:
    errors = [value for value in vars(musig2).values() if isinstance(value, type) and issubclass(value, MusigError)]
    assert {error.__name__: error.reason for error in errors} == {
        "ForkDetected": "fork_detected",
        "InvalidArgumentError": "invalid_argument",
        "InvalidContributionError": "invalid_contribution",
        "KeyWiped": "key_wiped",
        "LibraryError": "library_error",
        "LibraryMismatch": "library_mismatch",
        "MusigError": "musig",
        "NonceConsumed": "nonce_consumed",
        "NonceMismatch": "nonce_mismatch",
        "SigningFault": "signing_fault",
    }


def test_errors_say_what_to_do() -> None:
    assert str(InvalidContributionError(3, "psig")) == (
        "psig from signer 3 is invalid: leave that signer out and start a new session"
    )
    assert str(InvalidContributionError(None, "aggnonce")).startswith("aggnonce from the signers together is invalid: ")
    assert "start a new session" in str(musig2.NonceConsumed())
    assert "made for another key" in str(musig2.NonceMismatch("key"))
    assert "load it again" in str(musig2.KeyWiped())
