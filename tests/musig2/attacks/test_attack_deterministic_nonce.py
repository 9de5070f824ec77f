"""Nonces derived from key and message alone let a co-signer compute the key from three sessions. Ours are never so."""

import os

import pytest

from musig2 import SecretKey, scheme
from tests.musig2.musig2_world import SCHEMES
from tests.musig2.slow_musig2 import SLOW, G, N, base_mul, encode, integer, mul, nonce_agg, tagged


def solve(rows: list[list[int]]) -> list[int]:
    """Three equations in three unknowns modulo n (Gauss)."""
    size = len(rows)
    for i in range(size):
        pivot = next(j for j in range(i, size) if rows[j][i] % N)
        rows[i], rows[pivot] = rows[pivot], rows[i]
        inverse = pow(rows[i][i], -1, N)
        rows[i] = [value * inverse % N for value in rows[i]]
        for j in range(size):
            if j != i:
                rows[j] = [(a - rows[j][i] * b) % N for a, b in zip(rows[j], rows[i], strict=True)]
    return [row[-1] for row in rows]


@pytest.mark.parametrize("name", SCHEMES)
def test_three_sessions_with_deterministic_nonces_give_the_key(name: str) -> None:
    """The victim (slow implementation) repeats k1 and k2; the attacker only changes its own nonce each time."""
    slow, msg = SLOW[name], b"\x4d" * 32
    victim, attacker = 0xBADC0FFEE, 0x5EED
    pubkeys = [encode(base_mul(victim)), encode(base_mul(attacker))]
    keys = slow.keys(pubkeys, [])
    k1, k2 = (integer(tagged("deterministic", bytes((j,)) + victim.to_bytes(32) + msg)) % N for j in (1, 2))
    k = (k1, k2)
    own = encode(base_mul(k[0])) + encode(base_mul(k[1]))
    equations = []
    for i in range(1, 4):
        theirs = encode(base_mul(1000 + i)) + encode(base_mul(2000 + i))
        values = slow.values(keys, nonce_agg([own, theirs]), msg)
        s = slow.sign(keys, values, k, victim, 0)
        sign = -1 if values.negate_nonce else 1
        equations.append([sign, sign * values.b, values.e * keys.coefficients[0] * slow.key_factor(keys), s])
    k1, k2, d = solve(equations)
    assert (k1, k2, d) == (*k, victim)
    assert mul(d, G) == base_mul(victim)


@pytest.mark.parametrize("name", SCHEMES)
@pytest.mark.parametrize("extra", [b"", os.urandom(32)], ids=["no extra", "extra"])
def test_our_nonces_never_repeat(name: str, extra: bytes) -> None:
    used, key = scheme(name), SecretKey.generate()
    keyagg = used.key_agg([key.pubkey])
    halves = []
    for _ in range(200):
        _, pubnonce = used.nonce_gen(key, key.pubkey, keyagg, bytes(32), extra)
        halves += [pubnonce[:33], pubnonce[33:]]
    assert len(set(halves)) == 400


@pytest.mark.parametrize("name", SCHEMES)
def test_the_three_sessions_give_nothing_against_ours(name: str) -> None:
    used, victim, msg = scheme(name), SecretKey.generate(), b"\x4d" * 32
    other = SecretKey.generate()
    keyagg = used.key_agg([victim.pubkey, other.pubkey])
    slow, keys = SLOW[name], SLOW[name].keys([victim.pubkey, other.pubkey], [])
    equations = []
    for _ in range(3):
        nonce, own = used.nonce_gen(victim, victim.pubkey, keyagg, msg)
        _, theirs = used.nonce_gen(other, other.pubkey, keyagg, msg)
        aggnonce = used.nonce_agg([own, theirs])
        values = slow.values(keys, aggnonce, msg)
        psig = used.sign(nonce, victim, used.session(keyagg, aggnonce, msg))
        sign = -1 if values.negate_nonce else 1
        row = [sign, sign * values.b, values.e * keys.coefficients[0] * slow.key_factor(keys)]
        equations.append([*row, int.from_bytes(psig)])
    assert encode(base_mul(solve(equations)[2])) != victim.pubkey
