"""One signature, one encoding: s + n and x(R) + p would be second ones. Both are so rare that they have to be built."""

import pytest

from musig2 import lotus, scheme
from musig2.curve.points import parse_contributed_keys
from tests.musig2.musig2_world import load
from tests.musig2.slow_musig2 import N, P, add, base_mul, encode, is_square, lift, mul, neg

MSG = b"\x4d" * 32
SMALL = pytest.mark.parametrize("s", [0, 5])  # fits into 32 bytes a second time, as s + n
LOTUS = scheme("lotus")


@SMALL
def test_a_lotus_partial_signature_has_one_encoding(s: int) -> None:
    k, b, e, a = (0xA1, 0xA2), 0xB, 0xE, 0xA
    d = (s - k[0] - b * k[1]) * pow(e * a, -1, N) % N
    key = lotus._AggregateKey((encode(base_mul(d)),), (a,), 0, encode(base_mul(1)), encode(base_mul(1)))
    values = lotus._SigningValues(key, MSG, b, e, bytes(32), negate_nonce=False)
    pubnonce = encode(base_mul(k[0])) + encode(base_mul(k[1]))
    assert parse_contributed_keys(key.pubkeys)
    assert values.partial_verify(s.to_bytes(32), pubnonce, 0)
    assert not values.partial_verify((s + N).to_bytes(32), pubnonce, 0)


@pytest.fixture
def e(monkeypatch: pytest.MonkeyPatch) -> int:
    """A challenge that does not hash anything, so that keys and signatures can be made to fit it."""
    monkeypatch.setattr(lotus, "challenge", lambda *_: 0xE)
    return 0xE


@SMALL
def test_a_lotus_signature_has_one_s(s: int, e: int) -> None:
    points = ((d, add(base_mul(s), neg(base_mul(e * d)))) for d in range(1, 50))
    d, r = next((d, r) for d, r in points if r is not None and is_square(r[1]))
    r_x, pubkey = r[0].to_bytes(32), encode(base_mul(d))
    assert LOTUS.schnorr_verify(pubkey, MSG, r_x + s.to_bytes(32))
    assert not LOTUS.schnorr_verify(pubkey, MSG, r_x + (s + N).to_bytes(32))


def test_a_lotus_signature_has_one_r(e: int) -> None:
    """A key for which R is the square point with the smallest x: x + p still fits into 32 bytes."""
    x = next(x for x in range(1, 50) if is_square((x**3 + 7) % P))
    r = next(point for point in (lift(x, 0), lift(x, 1)) if point is not None and is_square(point[1]))
    pubkey = encode(mul(pow(e, -1, N), add(base_mul(5), neg(r))))
    assert LOTUS.schnorr_verify(pubkey, MSG, x.to_bytes(32) + (5).to_bytes(32))
    assert not LOTUS.schnorr_verify(pubkey, MSG, (x + P).to_bytes(32) + (5).to_bytes(32))


def test_the_negated_nonce_makes_no_second_signature() -> None:
    """Of R and -R exactly one has a square y (p = 3 mod 4), so (r, s) cannot be turned into another (r, s')."""
    for case in load("lotus/schnorr"):
        if not case["valid"]:
            continue
        signature, pubkey, msg = (bytes.fromhex(case[field]) for field in ("sig", "pubkey", "msg"))
        e = lotus.challenge(signature[:32], pubkey, msg)
        mirrored = (2 * e * int(case["privkey"], 16) - int.from_bytes(signature[32:])) % N
        assert not LOTUS.schnorr_verify(pubkey, msg, signature[:32] + mirrored.to_bytes(32))
