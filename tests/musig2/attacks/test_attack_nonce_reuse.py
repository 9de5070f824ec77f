"""Two signatures with one nonce give the key away; the one-shot nonce makes the second impossible."""

import threading
from collections.abc import Callable

import pytest

from musig2 import LibraryError, NonceConsumed, NonceMismatch, SecretKey, SessionContext, scheme
from musig2.curve import secp
from tests.musig2.musig2_world import SCHEMES, World, secret, world
from tests.musig2.slow_musig2 import SLOW, N


@pytest.mark.parametrize("name", SCHEMES)
def test_what_a_second_use_would_give_away(name: str) -> None:
    """s - s' = (e - e') * a * d, everything but d being public: shown with the slow implementation."""
    slow, d, k = SLOW[name], 0xD5, (0xA1, 0)
    first, second = (slow.schnorr_sign(d, msg, k[0]) for msg in (b"\x01" * 32, b"\x02" * 32))
    difference = int.from_bytes(first[32:]) - int.from_bytes(second[32:])
    pubkey = scheme_pubkey(d)
    e = [challenge(name, signature[:32], pubkey, bytes((i,)) * 32) for i, signature in ((1, first), (2, second))]
    assert difference * pow(e[0] - e[1], -1, N) % N in (d, N - d)


def scheme_pubkey(d: int) -> bytes:
    return SecretKey.from_buffer(bytearray(d.to_bytes(32))).pubkey


def challenge(name: str, r_x: bytes, pubkey: bytes, msg: bytes) -> int:
    from tests.musig2.slow_musig2 import SlowLotus, integer, tagged

    if name == "lotus":
        return SlowLotus().challenge(r_x, pubkey, msg)
    return integer(tagged("BIP0340/challenge", r_x + pubkey[1:] + msg)) % N


@pytest.mark.parametrize("name", SCHEMES)
def test_the_second_use_raises(name: str) -> None:
    made = world(scheme(name))
    made.sign(0)
    assert made.secnonces[0].consumed
    for _ in range(2):
        with pytest.raises(NonceConsumed):
            made.sign(0)


@pytest.mark.parametrize("name", SCHEMES)
def test_of_many_threads_one_signs(name: str) -> None:
    for _ in range(20):
        made = world(scheme(name))
        start = threading.Barrier(8)
        results: list[object] = []

        def sign(made: World = made, start: threading.Barrier = start, results: list[object] = results) -> None:
            start.wait()
            try:
                results.append(made.sign(0))
            except NonceConsumed as error:
                results.append(error)

        workers = [threading.Thread(target=sign) for _ in range(8)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        assert len([result for result in results if isinstance(result, bytes)]) == 1
        assert len(results) == 8


@pytest.mark.parametrize("name", SCHEMES)
def test_a_wiped_nonce_does_not_sign(name: str) -> None:
    made = world(scheme(name))
    made.secnonces[0].wipe()
    made.secnonces[0].wipe()
    assert made.secnonces[0].consumed
    with pytest.raises(NonceConsumed):
        made.sign(0)


def other_key(made: World) -> tuple[SecretKey, SessionContext]:
    return made.keys[1], made.session


def other_aggregate(made: World) -> tuple[SecretKey, SessionContext]:
    pubkeys = [made.keys[0].pubkey, SecretKey.generate().pubkey]
    return made.keys[0], made.scheme.session(made.scheme.key_agg(pubkeys), made.session.aggnonce, made.msg)


def other_message(made: World) -> tuple[SecretKey, SessionContext]:
    return made.keys[0], made.scheme.session(made.keyagg, made.session.aggnonce, bytes(32))


@pytest.mark.parametrize("name", SCHEMES)
@pytest.mark.parametrize(
    ("swap", "field"), [(other_key, "key"), (other_aggregate, "aggregate key"), (other_message, "message")]
)
def test_a_nonce_made_for_something_else_is_burned(
    name: str, swap: Callable[[World], tuple[SecretKey, SessionContext]], field: str
) -> None:
    made = world(scheme(name))
    key, session = swap(made)
    with pytest.raises(NonceMismatch) as refused:
        made.scheme.sign(made.secnonces[0], key, session)
    assert refused.value.field == field
    assert isinstance(refused.value, ValueError)
    with pytest.raises(NonceConsumed):
        made.sign(0)


@pytest.mark.parametrize(("own", "foreign"), [SCHEMES, SCHEMES[::-1]])
def test_a_nonce_of_the_other_scheme_is_burned(own: str, foreign: str) -> None:
    made, other = world(scheme(own)), world(scheme(foreign))
    with pytest.raises(NonceMismatch) as refused:
        made.scheme.sign(other.secnonces[0], other.keys[0], made.session)
    assert refused.value.field == "scheme"
    with pytest.raises(ValueError, match="session"):
        other.scheme.sign(other.secnonces[1], other.keys[1], made.session)
    for index in (0, 1):
        with pytest.raises(NonceConsumed):
            other.sign(index)


@pytest.mark.parametrize("name", SCHEMES)
def test_every_failure_burns_the_nonce(name: str) -> None:
    made = world(scheme(name))
    with pytest.raises(ValueError, match="signer_index"):
        made.scheme.sign(made.secnonces[0], made.keys[0], made.session, 7)
    with pytest.raises(NonceConsumed):
        made.sign(0)


def test_the_library_itself_refuses_a_used_nonce_without_an_abort() -> None:
    """Should the guard in Python ever fail: the module's own check comes back as an exception, with its text."""
    made = world(scheme("bip340"))
    slot = made.secnonces[0].consume()
    values = made.session.values
    values.partial_sign(slot, made.keys[0], 0)
    assert not any(slot.view[: secp.SECNONCE_SIZE])
    with pytest.raises(LibraryError, match="secnonce"):
        values.partial_sign(slot, made.keys[0], 0)


def test_a_nonce_leaves_no_trace_in_its_slot() -> None:
    for name in SCHEMES:
        made = world(scheme(name))
        slot = made.secnonces[0]._cell[0]
        made.sign(0)
        assert not any(slot.view)
        assert secret(made.keys[0]) != 0


BINDINGS = ["scheme", "pubkey", "aggpubkey", "msg", "pubnonce"]


@pytest.mark.parametrize("name", SCHEMES)
@pytest.mark.parametrize("binding", [*BINDINGS, "_cell", "other"])
def test_what_a_nonce_is_bound_to_cannot_be_set_or_deleted(name: str, binding: str) -> None:
    nonce = world(scheme(name)).secnonces[0]
    with pytest.raises(AttributeError, match=f"{binding} of a SecNonce cannot be set"):
        setattr(nonce, binding, b"other")
    with pytest.raises(AttributeError, match=f"{binding} of a SecNonce cannot be deleted"):
        delattr(nonce, binding)
    assert not nonce.consumed


@pytest.mark.parametrize("name", SCHEMES)
def test_a_nonce_whose_message_was_forced_to_another_signs_nothing(name: str) -> None:
    made = world(scheme(name))
    key, session = other_message(made)
    object.__setattr__(made.secnonces[0], "msg", session.msg)
    with pytest.raises(NonceMismatch) as refused:
        made.scheme.sign(made.secnonces[0], key, session)
    assert refused.value.field == "binding"
    assert made.secnonces[0].consumed


@pytest.mark.parametrize("name", SCHEMES)
@pytest.mark.parametrize("binding", BINDINGS)
@pytest.mark.parametrize("value", [b"", None])
def test_a_nonce_with_any_binding_forced_to_another_is_wiped(name: str, binding: str, value: bytes | None) -> None:
    made = world(scheme(name))
    slot = made.secnonces[0]._cell[0]
    object.__setattr__(made.secnonces[0], binding, value)
    with pytest.raises(NonceMismatch):
        made.sign(0)
    assert not any(slot.view)


@pytest.mark.parametrize("name", SCHEMES)
def test_the_secret_of_another_nonce_put_into_this_one_is_refused(name: str) -> None:
    made, other = world(scheme(name)), world(scheme(name))
    object.__setattr__(made.secnonces[0], "_cell", other.secnonces[0]._cell)
    with pytest.raises(NonceMismatch):
        made.sign(0)
    assert other.secnonces[0].consumed
