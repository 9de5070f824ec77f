"""A co-signer that announces x*G - P would own a plain sum of keys; the coefficients take that from it."""

import pytest

from musig2 import SecretKey, scheme
from tests.musig2.musig2_world import SCHEMES, secret, world
from tests.musig2.slow_musig2 import SLOW, add, base_mul, decode, encode, neg


@pytest.mark.parametrize("name", SCHEMES)
@pytest.mark.parametrize("order", [(0, 1), (1, 0)], ids=["victim first", "rogue first"])
def test_a_rogue_key_does_not_own_the_aggregate(name: str, order: tuple[int, int]) -> None:
    victim, x = SecretKey.generate(), 0xE71
    rogue = encode(add(base_mul(x), neg(decode(victim.pubkey))))
    assert add(decode(victim.pubkey), decode(rogue)) == base_mul(x), "a plain sum would be the attacker's own key"

    pubkeys = [(victim.pubkey, rogue)[position] for position in order]
    keyagg = scheme(name).key_agg(pubkeys)
    assert keyagg.xonly != encode(base_mul(x))[1:]
    forged = SLOW[name].schnorr_sign(x, b"\x01" * 32, 0x77)
    assert not scheme(name).schnorr_verify(keyagg.aggpubkey, b"\x01" * 32, forged)
    assert scheme(name).schnorr_verify(encode(base_mul(x)), b"\x01" * 32, forged)


@pytest.mark.parametrize("name", SCHEMES)
def test_a_negated_key_does_not_cancel(name: str) -> None:
    key = SecretKey.generate()
    negated = bytes((key.pubkey[0] ^ 1,)) + key.pubkey[1:]
    keyagg = scheme(name).key_agg([key.pubkey, negated])
    assert len(keyagg.aggpubkey) == 33


@pytest.mark.parametrize("name", SCHEMES)
def test_one_signer_alone_is_not_its_own_key(name: str) -> None:
    """Even a list of one has a coefficient, so a signature of the key cannot pass for one of the list."""
    made = world(scheme(name), 1)
    signature = made.scheme.partial_sig_agg(made.psigs(), made.session)
    assert made.keyagg.aggpubkey != made.keys[0].pubkey
    assert made.scheme.schnorr_verify(made.keyagg.aggpubkey, made.msg, signature)
    assert not made.scheme.schnorr_verify(made.keys[0].pubkey, made.msg, signature)
    assert secret(made.keys[0])
