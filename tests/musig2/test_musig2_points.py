"""Sums of public points by public key recovery."""

import os

from musig2 import lotus
from musig2.curve import secp
from musig2.curve.points import combination
from tests.musig2.slow_musig2 import G, N, add, base_mul, decode, encode, lift, mul


def test_combination_takes_keys_whose_x_is_above_the_order() -> None:
    """Between n and p there are x-coordinates too: recovery has a flag for them."""
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
        assert point is not None
        assert secp.pubkey_serialize(point) == encode(add(base_mul(7), mul(9, decode(pubkey))))
        assert lotus.RULES.schnorr_verify(pubkey, bytes(32), os.urandom(32) + (1).to_bytes(32)) is False


def test_combination_at_infinity_is_none() -> None:
    assert combination(N - 6, 2, encode(base_mul(3))) is None
    assert combination(0, 0, encode(G)) is None
    point = combination(0, 1, encode(base_mul(3)))
    assert point is not None
    assert secp.pubkey_serialize(point) == encode(base_mul(3))
