"""libsecp256k1 made to fail: every return code is looked at, and no failure is taken for an answer."""

import importlib.util
import os
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from musig2_world import SCHEMES, world
from slow_musig2 import G, N, base_mul, encode

from musig2 import (
    ForkDetected,
    InvalidArgumentError,
    InvalidContributionError,
    LibraryError,
    LibraryMismatch,
    NonceConsumed,
    SecretKey,
    SigningFault,
    Tweak,
    TweakKind,
    known_answers,
    lotus,
    scheme,
    secp,
)
from musig2.memory import take_slot
from musig2.points import combination

TAPROOT = (Tweak(TweakKind.TAPROOT),)


class FailingLibrary:
    """The real library, but for one function: that one does nothing and returns 0, from its nth call on."""

    def __init__(self, function: str, nth: int = 1) -> None:
        self._function = f"secp256k1_{function}"
        self._left = nth
        self.reached = False

    def __getattr__(self, name: str) -> Any:
        if name != self._function:
            return getattr(REAL, name)
        self._left -= 1
        if self._left > 0:
            return getattr(REAL, name)
        self.reached = True
        return lambda *_: 0


REAL = secp.lib


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
    drawn, answers = [], iter([False, True])
    real = secp.rfc6979_nonce
    monkeypatch.setattr(secp, "rfc6979_nonce", lambda *args: (drawn.append(args[-1]), real(*args)))
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


@pytest.mark.parametrize("symbol", secp._SYMBOLS.split())
def test_a_missing_symbol_is_named(symbol: str, monkeypatch: pytest.MonkeyPatch) -> None:
    class OlderLibrary:
        def __getattr__(self, name: str) -> Any:
            if name == f"secp256k1_{symbol}":
                raise AttributeError(name)
            return getattr(REAL, name)

    monkeypatch.setattr(secp, "lib", OlderLibrary())
    with pytest.raises(LibraryMismatch, match=f"no secp256k1_{symbol}") as refused:
        secp._probe()
    assert isinstance(refused.value, ImportError)
    assert "install coincurve" in str(refused.value)


def test_another_layout_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(secp._SIZES, "secp256k1_musig_secnonce", 100)
    with pytest.raises(LibraryMismatch, match="musig_secnonce is not 100 bytes"):
        secp._probe()


@pytest.mark.parametrize("check", known_answers._CHECKS, ids=lambda check: check.__name__)
def test_a_wrong_known_answer_is_named(check: Callable[[], bool], monkeypatch: pytest.MonkeyPatch) -> None:
    assert check()

    def wrong() -> bool:
        return False

    wrong.__name__ = check.__name__
    checks = [wrong if each is check else each for each in known_answers._CHECKS]
    monkeypatch.setattr(known_answers, "_CHECKS", tuple(checks))
    with pytest.raises(LibraryMismatch, match=f"{check.__name__} gives another answer"):
        known_answers.check()


def test_a_known_answer_that_fails_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secp, "lib", FailingLibrary("musig_nonce_gen"))
    with pytest.raises(LibraryMismatch, match="_module_session failed"):
        known_answers.check()


def lie(target: str, answer: object) -> Callable[[pytest.MonkeyPatch], None]:
    return lambda monkeypatch: monkeypatch.setattr(target, lambda *_, **__: answer)


LIES = {
    "_generator": lie("musig2.secp.pubkey_serialize", bytes(33)),
    "_combination": lie("musig2.points.combination", secp.pubkey_parse(encode(G))),
    "_combination at infinity": lie("musig2.points.combination", None),
    "_tagged_hash": lie("musig2.secp.tagged_hash_into", None),
    "_residue of everything": lie("musig2.known_answers.is_square", True),
    "_residue of nothing": lie("musig2.known_answers.is_square", False),
    "_bip340_signature": lie("musig2.secp.schnorrsig_sign", bytes(64)),
    "_bip340_signature unverified": lie("musig2.secp.schnorrsig_verify", False),
    "_lotus_signature": lie("musig2.secp.rfc6979_nonce", None),
    "_lotus_signature unverified": lie("musig2.lotus.combination", None),
    "_module_session": lie("musig2.secp.musig_partial_sign", bytes(32)),
    "_generic_partial_signature": lie("musig2.secp.seckey_negate", None),
}


@pytest.mark.parametrize(("answer", "tell"), LIES.items(), ids=LIES)
def test_each_known_answer_finds_its_lie(
    answer: str, tell: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    check = next(check for check in known_answers._CHECKS if check.__name__ == answer.split(maxsplit=1)[0])
    monkeypatch.setattr(known_answers, "_CHECKS", (check,))
    known_answers.check()
    tell(monkeypatch)
    if answer.startswith("_lotus_signature") and "unverified" not in answer:  # a k of 0 is drawn again and again
        monkeypatch.setattr(secp, "seckey_verify", lambda _: True)
    with pytest.raises(LibraryMismatch, match=check.__name__):
        known_answers.check()


def test_a_library_that_tolerates_misuse_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secp, "pubkey_combine", lambda _: None)
    with pytest.raises(LibraryMismatch, match="_misuse_is_an_exception"):
        known_answers.check()


IMPORTS = {
    "no module": ("sys.modules['coincurve._libsecp256k1'] = None", "cannot be imported"),
    "no musig": (
        "import coincurve._libsecp256k1 as real, types; old = types.SimpleNamespace(ffi=real.ffi, "
        "lib=types.SimpleNamespace()); sys.modules['coincurve._libsecp256k1'] = old",
        "no secp256k1_context_create",
    ),
}


@pytest.mark.parametrize(("prepare", "text"), IMPORTS.values(), ids=IMPORTS)
def test_the_import_fails_clearly_without_the_library(prepare: str, text: str) -> None:
    script = textwrap.dedent(f"""
        import sys
        {prepare}
        try:
            import musig2
        except ImportError as error:
            print(type(error).__name__, error)
    """)
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert ran.stdout.startswith("LibraryMismatch libsecp256k1 differs"), ran.stderr
    assert text in ran.stdout


def test_it_loads_where_no_page_may_be_writable_and_executable() -> None:
    """As in a service with MemoryDenyWriteExecute; a kernel that knows no such switch answers -1 and is not asked."""
    script = "import ctypes; ctypes.CDLL(None).prctl(65, 1, 0, 0, 0); import musig2; print('loaded')"
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert ran.stdout == "loaded\n", ran.stderr


def test_every_context_is_randomised_anew() -> None:
    size = REAL.secp256k1_context_preallocated_size(REAL.SECP256K1_CONTEXT_NONE)
    first, second = (bytes(secp.ffi.buffer(secp.ffi.cast("char *", secp._own_context()), size)) for _ in range(2))
    assert first != second


def test_combination_takes_keys_whose_x_is_above_the_order() -> None:
    """Between n and p there are x-coordinates too: recovery has a flag for them."""
    from slow_musig2 import add, decode, lift, mul

    x = N + 1
    while True:
        try:
            lift(x, 0)
            break
        except ValueError:
            x += 1
    for prefix in (b"\x02", b"\x03"):
        pubkey = prefix + x.to_bytes(32)
        point = combination(7, 9, pubkey)
        assert secp.pubkey_serialize(point) == encode(add(base_mul(7), mul(9, decode(pubkey))))
        assert lotus.RULES.schnorr_verify(pubkey, bytes(32), os.urandom(32) + (1).to_bytes(32)) is False


def test_combination_at_infinity_is_none() -> None:
    assert combination(N - 6, 2, encode(base_mul(3))) is None
    assert combination(0, 0, encode(G)) is None
    assert secp.pubkey_serialize(combination(0, 1, encode(base_mul(3)))) == encode(base_mul(3))


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


def test_the_module_names_a_library_that_cannot_be_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "coincurve._libsecp256k1", None)
    spec = importlib.util.spec_from_file_location("secp_again", secp.__file__)
    with pytest.raises(LibraryMismatch, match="cannot be imported"):
        spec.loader.exec_module(importlib.util.module_from_spec(spec))
