"""A cheat that cancels the sum of nonces gains nothing: R := G, signing goes on, and its own partial fails."""

import pytest

from musig2 import InvalidContributionError, SecretKey, lotus, scheme
from tests.musig2.musig2_world import SCHEMES, World, world
from tests.musig2.slow_musig2 import SLOW, G, base_mul, decode, encode, mul, neg

INFINITY = bytes(33)
HALVES = {"first": (True, False), "second": (False, True), "both": (True, True)}


def cancelled(pubnonce: bytes, which: tuple[bool, bool]) -> bytes:
    halves = (pubnonce[:33], pubnonce[33:])
    return b"".join(
        encode(neg(decode(half))) if cancel else encode(base_mul(5 + i))
        for i, (half, cancel) in enumerate(zip(halves, which, strict=True))
    )


def cheated(name: str, which: tuple[bool, bool]) -> World:
    """Signer 1 answers signer 0's nonce with its negation."""
    made = world(scheme(name))
    made.pubnonces[1] = cancelled(made.pubnonces[0], which)
    aggnonce = made.scheme.nonce_agg(made.pubnonces)
    assert [aggnonce[:33] == INFINITY, aggnonce[33:] == INFINITY] == list(which)
    made.session = made.scheme.session(made.keyagg, aggnonce, made.msg)
    return made


@pytest.mark.parametrize("name", SCHEMES)
@pytest.mark.parametrize("which", HALVES.values(), ids=HALVES)
def test_signing_goes_on_and_the_cheat_is_blamed(name: str, which: tuple[bool, bool]) -> None:
    made = cheated(name, which)
    honest = made.sign(0)
    assert made.verify(honest, 0)
    guess = (12345).to_bytes(32)
    assert not made.verify(guess, 1)
    with pytest.raises(InvalidContributionError) as blamed:
        made.scheme.partial_sig_agg([honest, guess], made.session, made.pubnonces)
    assert (blamed.value.signer, blamed.value.contribution) == (1, "psig")


@pytest.mark.parametrize("name", SCHEMES)
@pytest.mark.parametrize("which", HALVES.values(), ids=HALVES)
def test_both_implementations_see_the_same_session(name: str, which: tuple[bool, bool]) -> None:
    from tests.musig2.musig2_world import nonce_scalars, secret

    made, slow = cheated(name, which), SLOW[name]
    keys = slow.keys([key.pubkey for key in made.keys], [])
    values = slow.values(keys, made.session.aggnonce, made.msg)
    if all(which):
        assert values.r == G
    expected = slow.sign(keys, values, nonce_scalars(made.secnonces[0]), secret(made.keys[0]), 0)
    assert made.sign(0) == expected.to_bytes(32)


def test_the_generator_needs_no_negation_in_either_scheme() -> None:
    from musig2.curve.jacobi import is_square

    assert is_square(G[1].to_bytes(32))
    assert G[1] % 2 == 0


def test_halves_that_cancel_each_other_give_the_generator() -> None:
    """R1 = -b*R2 needs a b that does not hash them; what would follow is the same."""
    second, b = base_mul(99), 0xB0B
    aggnonce = encode(neg(mul(b, second))) + encode(second)
    assert lotus._effective_nonce(aggnonce, b) == (G[0].to_bytes(32), G[1].to_bytes(32))


@pytest.mark.parametrize("name", SCHEMES)
@pytest.mark.parametrize("half", [0, 1])
def test_a_single_nonce_at_infinity_is_refused(name: str, half: int) -> None:
    made = world(scheme(name))
    halves = [made.pubnonces[1][:33], made.pubnonces[1][33:]]
    halves[half] = INFINITY
    bad = b"".join(halves)
    with pytest.raises(InvalidContributionError) as blamed:
        made.scheme.nonce_agg([made.pubnonces[0], bad])
    assert (blamed.value.signer, blamed.value.contribution) == (1, "pubnonce")
    with pytest.raises(ValueError, match="pubnonce"):
        made.scheme.validate_pubnonce(bad)
    with pytest.raises(InvalidContributionError) as blamed:
        made.scheme.partial_sig_verify(bytes(31) + b"\x01", bad, made.keys[1].pubkey, made.session)
    assert (blamed.value.signer, blamed.value.contribution) == (1, "pubnonce")


def test_a_partial_whose_check_meets_infinity_on_both_sides_is_false() -> None:
    """A lotus partial signature whose point is infinity: no signer can make its nonce cancel, so it is just wrong."""
    made = world(scheme("lotus"))
    values = made.session.values
    assert isinstance(values, lotus._SigningValues)
    first = mul(-values.b, base_mul(3))
    vanishing = encode(first) + encode(base_mul(3))
    key: SecretKey = made.keys[0]
    assert made.scheme.partial_sig_verify(bytes(32), vanishing, key.pubkey, made.session) is False
