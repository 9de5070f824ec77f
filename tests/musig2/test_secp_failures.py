"""libsecp256k1 is made to fail: every return code is checked, and no failure is taken for an answer."""

import os
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from coincurve._libsecp256k1 import ffi  # type: ignore[import-not-found]  # without stubs

from musig2 import (
    ForkDetected,
    InvalidArgumentError,
    InvalidContributionError,
    LibraryError,
    NonceConsumed,
    SecretKey,
    SigningFault,
    Tweak,
    TweakKind,
    scheme,
)
from musig2.curve import secp
from musig2.curve.memory import take_slot
from tests.musig2.musig2_world import REAL, SCHEMES, FailingLibrary, world

TAPROOT = (Tweak(TweakKind.TAPROOT),)


@pytest.fixture(autouse=True)
def _no_cached_keys() -> Iterator[None]:
    yield
    for name in SCHEMES:
        scheme(name)._key_agg.cache_clear()


def whole_life(name: str) -> None:
    """Everything the package does, once."""
    made = world(scheme(name), 2, TAPROOT)
    psigs = made.psigs()
    signature = made.scheme.partial_sig_agg(psigs, made.session)
    if not made.scheme.schnorr_verify(made.keyagg.aggpubkey, made.msg, signature):
        raise SigningFault
    if not made.scheme.schnorr_verify(made.keys[0].pubkey, made.msg, made.scheme.schnorr_sign(made.keys[0], made.msg)):
        raise SigningFault


USED = {
    "bip340": (
        "ec_pubkey_parse ec_pubkey_serialize keypair_create keypair_pub schnorrsig_sign32 schnorrsig_verify "
        "xonly_pubkey_parse musig_aggnonce_parse musig_aggnonce_serialize musig_nonce_agg musig_nonce_gen "
        "musig_nonce_process musig_partial_sig_agg musig_partial_sig_parse musig_partial_sig_serialize "
        "musig_partial_sig_verify musig_partial_sign musig_pubkey_agg musig_pubkey_get "
        "musig_pubkey_xonly_tweak_add musig_pubnonce_parse musig_pubnonce_serialize"
    ),
    "lotus": (
        "ec_pubkey_parse ec_pubkey_serialize ec_pubkey_combine ec_pubkey_create ec_pubkey_tweak_add "
        "ec_pubkey_tweak_mul ec_seckey_tweak_add ec_seckey_tweak_mul ecdsa_recover "
        "ecdsa_recoverable_signature_parse_compact keypair_create keypair_pub tagged_sha256 musig_pubnonce_parse "
        "musig_nonce_agg musig_aggnonce_serialize"
    ),
}


@pytest.mark.parametrize(
    ("name", "function"), [(name, function) for name in SCHEMES for function in USED[name].split()]
)
@pytest.mark.parametrize("nth", [1, 2, 3, 5])
def test_no_failure_passes_for_a_result(name: str, function: str, nth: int, monkeypatch: pytest.MonkeyPatch) -> None:
    library = FailingLibrary(function, nth)
    monkeypatch.setattr(secp, "lib", library)
    expected = (LibraryError, InvalidArgumentError, InvalidContributionError, SigningFault)
    try:
        whole_life(name)
    except expected:
        assert library.reached
    else:
        assert not library.reached


def test_a_failed_negation_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    slot = take_slot()
    slot.view[31] = 1
    monkeypatch.setattr(secp, "lib", FailingLibrary("ec_seckey_negate"))
    with pytest.raises(LibraryError):
        secp.seckey_negate(slot.view[:32])


def test_a_failed_plain_tweak_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    key = SecretKey.generate()
    monkeypatch.setattr(secp, "lib", FailingLibrary("musig_pubkey_ec_tweak_add"))
    with pytest.raises(InvalidArgumentError, match=r"tweaks\[0\]"):
        scheme("bip340").key_agg([key.pubkey], (Tweak(TweakKind.PLAIN, b"\x01" * 32),))


def test_a_failed_context_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secp, "lib", FailingLibrary("context_randomize"))
    with pytest.raises(LibraryError):
        secp._own_context()


def test_missing_randomness_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    class Libc:
        def getentropy(self, address: int, size: int) -> int:
            return -1

    made = world(scheme("lotus"))
    monkeypatch.setattr(secp, "_libc", Libc())
    actions: list[Callable[[], object]] = [
        SecretKey.generate,
        lambda: made.scheme.nonce_gen(made.keys[0], made.keys[0].pubkey, made.keyagg, made.msg),
        lambda: scheme("bip340").schnorr_sign(made.keys[0], made.msg),
    ]
    for action in actions:
        with pytest.raises(LibraryError, match="no randomness"):
            action()


def test_more_randomness_than_the_system_gives_at_once_is_an_error() -> None:
    with pytest.raises(LibraryError, match="no randomness"):
        secp.fill_random(memoryview(bytearray(257)))


@pytest.mark.parametrize("name", SCHEMES)
def test_a_faulty_partial_signature_is_withheld_and_its_nonce_gone(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made = world(scheme(name))
    values = type(made.session.values)
    real = values.partial_sign
    monkeypatch.setattr(values, "partial_sign", lambda *args: bytes(31) + bytes((real(*args)[31] ^ 1,)))
    with pytest.raises(SigningFault, match="withheld"):
        made.sign(0)
    with pytest.raises(NonceConsumed):
        made.sign(0)


@pytest.mark.parametrize("name", SCHEMES)
def test_a_faulty_signature_is_withheld(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    used, key = scheme(name), SecretKey.generate()
    monkeypatch.setattr(type(used._rules), "schnorr_sign", lambda *_: bytes(64))
    with pytest.raises(SigningFault):
        used.schnorr_sign(key, bytes(32))


def test_a_nonce_of_rfc6979_that_is_out_of_range_is_drawn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first V with 0 < k < n: the library refuses one, the next counter is tried."""
    drawn: list[int] = []
    answers = iter([False, True])
    real = secp.rfc6979_nonce

    def drawing(*args: Any) -> Any:
        drawn.append(args[-1])
        return real(*args)

    monkeypatch.setattr(secp, "rfc6979_nonce", drawing)
    monkeypatch.setattr(secp, "seckey_verify", lambda _: next(answers))
    used, key = scheme("lotus"), SecretKey.generate()
    second = used.schnorr_sign(key, bytes(32))
    assert drawn == [0, 1]
    monkeypatch.undo()
    assert used.schnorr_verify(key.pubkey, bytes(32), second)
    assert second != used.schnorr_sign(key, bytes(32))


def test_an_aggregate_at_infinity_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secp, "pubkey_combine", lambda _: None)
    with pytest.raises(LibraryError, match="point at infinity"):
        scheme("lotus").key_agg([SecretKey.generate().pubkey])


def test_a_nonce_out_of_range_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    made = world(scheme("lotus"))
    for nth in (1, 2):
        monkeypatch.setattr(secp, "lib", FailingLibrary("ec_seckey_verify", nth))
        with pytest.raises(LibraryError, match="draw again"):
            made.scheme.nonce_gen(made.keys[0], made.keys[0].pubkey, made.keyagg, made.msg)


def test_a_misuse_is_an_exception_with_the_words_of_the_library() -> None:
    texts = []
    for misuse in (lambda: secp.pubkey_combine([]), lambda: secp.musig_nonce_agg([]), lambda: secp.pubkey_combine([])):
        with pytest.raises(LibraryError) as raised:
            misuse()
        texts.append(str(raised.value))
    assert ["n >= 1" in texts[0], "n_pubnonces > 0" in texts[1], texts[0] == texts[2]] == [True] * 3


def test_a_misuse_is_never_an_answer() -> None:
    """A function that judges its input raises where the library says that it was called wrongly."""
    broken = secp._new(secp._PUBKEY)  # all zeros: no function ever made this point
    with pytest.raises(LibraryError, match="is_zero"):
        secp.pubkey_add(broken, (1).to_bytes(32))
    assert secp.pubkey_parse(b"\x02" + b"\xff" * 32) is None


def test_misuse_in_many_threads_stays_an_exception() -> None:
    outcomes: list[type] = []

    def misuse() -> None:
        for _ in range(50):
            try:
                secp.musig_nonce_agg([])
            except LibraryError as error:
                outcomes.append(type(error))

    threads = [threading.Thread(target=misuse) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes == [LibraryError] * 200


def test_every_context_is_randomised_anew() -> None:
    size = REAL.secp256k1_context_preallocated_size(REAL.SECP256K1_CONTEXT_NONE)
    first, second = (bytes(ffi.buffer(ffi.cast("char *", secp._own_context()), size)) for _ in range(2))
    assert first != second


def test_secrets_are_refused_in_another_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """The check itself; test_attack_fork.py forks for real."""
    made = world(scheme("bip340"))
    monkeypatch.setattr(secp, "_pid", os.getpid() + 1)
    for action in (lambda: made.sign(0), SecretKey.generate, made.keys[0].scalar):
        with pytest.raises(ForkDetected, match="fresh process"):
            action()
    with pytest.raises(ForkDetected):
        made.secnonces[1].consume()
    made.secnonces[1].wipe()
    monkeypatch.undo()
    for index in (0, 1):
        with pytest.raises(NonceConsumed):
            made.sign(index)


@pytest.mark.parametrize("name", SCHEMES)
def test_a_signature_that_fails_though_all_partials_hold_blames_nobody(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = world(scheme(name))
    psigs = made.psigs()
    monkeypatch.setattr(type(made.scheme._rules), "schnorr_verify", lambda *_: False)
    with pytest.raises(InvalidContributionError) as nameless:
        made.scheme.partial_sig_agg(psigs, made.session, made.pubnonces)
    assert nameless.value.signer is None
