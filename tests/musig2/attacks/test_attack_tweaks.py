"""Tweaks that would leave the key as it is, wrap around the order, or cancel it."""

import os
from typing import Any

import pytest

from musig2 import SecretKey, Tweak, TweakKind, scheme
from musig2.curve import secp
from tests.musig2.musig2_world import SCHEMES, assert_names, world
from tests.musig2.slow_musig2 import SLOW, N, encode


@pytest.mark.parametrize("kind", [TweakKind.PLAIN, TweakKind.XONLY])
@pytest.mark.parametrize("value", [0, N, N + 1, 2**256 - 1])
def test_zero_and_overflow_are_refused(kind: TweakKind, value: int) -> None:
    assert_names("tweak.value", lambda: Tweak(kind, value.to_bytes(32)))


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (TweakKind.PLAIN, None),
        (TweakKind.PLAIN, bytes(31)),
        (TweakKind.XONLY, b"\x01" * 33),
        (TweakKind.TAPROOT, b"\x01" * 31),
        (TweakKind.TAPROOT, b""),
        (TweakKind.PLAIN, bytearray(b"\x01" * 32)),
        (0, b"\x01" * 32),
    ],
)
def test_wrong_sizes_and_kinds_are_refused(kind: Any, value: Any) -> None:
    assert_names("tweak.value" if isinstance(kind, TweakKind) else "tweak.kind", lambda: Tweak(kind, value))


@pytest.mark.parametrize("value", [1, N - 1])
@pytest.mark.parametrize("kind", [TweakKind.PLAIN, TweakKind.XONLY])
def test_the_smallest_and_the_largest_tweak_sign(kind: TweakKind, value: int) -> None:
    made = world(scheme("bip340"), 2, (Tweak(kind, value.to_bytes(32)),))
    assert made.scheme.partial_sig_agg(made.psigs(), made.session)


@pytest.mark.parametrize("kind", [TweakKind.PLAIN, TweakKind.XONLY])
def test_a_tweak_that_cancels_the_key_is_refused(kind: TweakKind) -> None:
    """Only the owner of all keys can find one: minus the aggregate secret, computed with the slow implementation."""
    from tests.musig2.musig2_world import secret

    keys = [SecretKey.generate(), SecretKey.generate()]
    pubkeys = [key.pubkey for key in keys]
    aggregate = SLOW["bip340"].keys(pubkeys, [])
    d = sum(a * secret(key) for a, key in zip(aggregate.coefficients, keys, strict=True)) % N
    if kind is TweakKind.XONLY and encode(aggregate.q)[0] == 3:
        d = N - d
    cancelling = Tweak(kind, (N - d).to_bytes(32))
    assert_names("tweaks[0]", lambda: scheme("bip340").key_agg(pubkeys, (cancelling,)), "infinity")


def test_the_position_of_a_cancelling_tweak_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    pubkeys = [SecretKey.generate().pubkey]
    one = Tweak(TweakKind.PLAIN, (1).to_bytes(32))
    answers = iter([True, False])
    monkeypatch.setattr(secp, "musig_tweak", lambda *_, **__: next(answers))
    assert_names("tweaks[1]", lambda: scheme("bip340").key_agg(pubkeys, (one, one)))


def test_a_taproot_tweak_comes_last() -> None:
    pubkeys = [SecretKey.generate().pubkey]
    plain, taproot = Tweak(TweakKind.PLAIN, b"\x01" * 32), Tweak(TweakKind.TAPROOT)
    scheme("bip340").key_agg(pubkeys, (plain, taproot))
    for wrong in ((taproot, plain), (taproot, taproot)):
        assert_names("tweaks", lambda wrong=wrong: scheme("bip340").key_agg(pubkeys, wrong), "last")


def test_lotus_takes_one_taproot_tweak_at_most() -> None:
    pubkeys = [SecretKey.generate().pubkey]
    plain, taproot = Tweak(TweakKind.PLAIN, b"\x01" * 32), Tweak(TweakKind.TAPROOT)
    for wrong in ((plain,), (Tweak(TweakKind.XONLY, b"\x01" * 32),), (taproot, taproot), (taproot, plain)):
        assert_names("tweaks", lambda wrong=wrong: scheme("lotus").key_agg(pubkeys, wrong), "lotus takes none, or one")


@pytest.mark.parametrize("name", SCHEMES)
def test_tweaks_of_another_type_are_refused(name: str) -> None:
    not_tweaks: Any = [(2, None)]
    assert_names("tweaks", lambda: scheme(name).key_agg([SecretKey.generate().pubkey], not_tweaks), "Tweak objects")


@pytest.mark.parametrize("name", SCHEMES)
def test_the_tweaked_key_is_another_key(name: str) -> None:
    pubkeys = [SecretKey.generate().pubkey for _ in range(2)]
    roots = (None, os.urandom(32), os.urandom(32))
    made = [scheme(name).key_agg(pubkeys, (Tweak(TweakKind.TAPROOT, root),)) for root in roots]
    assert len({context.aggpubkey for context in made} | {made[0].internal_pubkey}) == 4
    assert len({context.internal_pubkey for context in made}) == 1
    assert made[0].tweaks == (Tweak(TweakKind.TAPROOT),)


def test_a_lotus_commitment_at_infinity_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody can find a root that hashes to minus the key, so the library is made to say so."""
    monkeypatch.setattr(secp, "pubkey_add", lambda *_: False)
    pubkey = SecretKey.generate().pubkey
    assert_names("tweaks[0]", lambda: scheme("lotus").key_agg([pubkey], (Tweak(TweakKind.TAPROOT),)), "infinity")
