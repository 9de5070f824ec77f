"""Lotus gives the list [P, P, X] two coefficients for one secret: one nonce in both places would reveal it."""

import pytest

from musig2 import NonceConsumed, SecretKey, scheme
from tests.musig2.musig2_world import SCHEMES, assert_names, world
from tests.musig2.slow_musig2 import SLOW, N, base_mul, encode, nonce_agg


def test_one_nonce_in_two_places_gives_the_key() -> None:
    """s_0 - s_1 = e * (a_0 - a_1) * d: shown with the slow implementation."""
    slow, d, k = SLOW["lotus"], 0xC0DE, (0x123, 0x456)
    p, x = encode(base_mul(d)), encode(base_mul(0x99))
    keys = slow.keys([p, p, x], [])
    own, theirs = encode(base_mul(k[0])) + encode(base_mul(k[1])), encode(base_mul(7)) + encode(base_mul(8))
    values = slow.values(keys, nonce_agg([own, own, theirs]), bytes(32))
    s = [slow.sign(keys, values, k, d, index) for index in (0, 1)]
    a = keys.coefficients
    assert a[1] == 1 != a[0]
    assert (s[0] - s[1]) * pow(values.e * (a[0] - a[1]), -1, N) % N == d


@pytest.mark.parametrize("name", SCHEMES)
def test_a_repeated_key_signs_by_position_with_a_nonce_each(name: str) -> None:
    key, other = SecretKey.generate(), SecretKey.generate()
    made = world(scheme(name), keys=[key, key, other])
    assert made.pubnonces[0] != made.pubnonces[1]
    psigs = made.psigs()
    assert psigs[0] != psigs[1]
    assert all(made.verify(psig, index) for index, psig in enumerate(psigs))
    assert len(made.scheme.partial_sig_agg(psigs, made.session)) == 64


@pytest.mark.parametrize("name", SCHEMES)
@pytest.mark.parametrize("gap", [0, 1, 5])
def test_without_a_position_it_does_not_sign(name: str, gap: int) -> None:
    key = SecretKey.generate()
    made = world(scheme(name), keys=[key, *(SecretKey.generate() for _ in range(gap)), key])
    last = gap + 1
    assert_names("signer_index", lambda: made.scheme.sign(made.secnonces[0], key, made.session), "more than once")
    with pytest.raises(NonceConsumed):
        made.sign(0)
    psig = made.sign(last)
    arguments = (psig, made.pubnonces[last], key.pubkey, made.session)
    assert_names("signer_index", lambda: made.scheme.partial_sig_verify(*arguments), "more than once")
    assert made.verify(psig, last)


@pytest.mark.parametrize("name", SCHEMES)
def test_one_nonce_cannot_serve_two_positions(name: str) -> None:
    key = SecretKey.generate()
    made = world(scheme(name), keys=[key, key])
    made.scheme.sign(made.secnonces[0], key, made.session, 0)
    with pytest.raises(NonceConsumed):
        made.scheme.sign(made.secnonces[0], key, made.session, 1)


def test_the_partial_signature_of_one_position_is_wrong_at_the_other() -> None:
    key = SecretKey.generate()
    made = world(scheme("lotus"), keys=[key, key, SecretKey.generate()])
    psig = made.sign(0)
    assert made.verify(psig, 0)
    assert not made.scheme.partial_sig_verify(psig, made.pubnonces[0], key.pubkey, made.session, 1)


def test_only_index_one_and_only_as_a_copy_of_key_zero_has_coefficient_one() -> None:
    from musig2.lotus import coefficients

    p, q = (SecretKey.generate().pubkey for _ in range(2))
    assert coefficients((p, p))[1] == 1
    assert coefficients((p, p, p))[1:] == (1, coefficients((p, p, p))[0])
    assert 1 not in coefficients((p, q, p))
    assert 1 not in coefficients((p, q))
    assert 1 not in coefficients((p,))
