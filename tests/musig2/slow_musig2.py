"""MuSig2 in plain integers, straight from the formulas: slow, not constant-time, and independent of the product.

BIP-327's algorithms and lotus-lib's, written again from their descriptions; only hashlib is shared with the product.
Points are (x, y) or None for infinity; sums run in Jacobian coordinates.
"""

import hashlib
from dataclasses import dataclass

P = 2**256 - 2**32 - 977
N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
G = (
    0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798,
    0x483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8,
)
Point = tuple[int, int] | None
Jacobian = tuple[int, int, int]  # z = 0 is infinity


def _double(a: Jacobian) -> Jacobian:
    x, y, z = a
    if z == 0:
        return a
    s = 4 * x * y * y % P
    m = 3 * x * x % P
    x3 = (m * m - 2 * s) % P
    return x3, (m * (s - x3) - 8 * y**4) % P, 2 * y * z % P


def _add(a: Jacobian, b: Jacobian) -> Jacobian:
    if a[2] == 0:
        return b
    if b[2] == 0:
        return a
    z1, z2 = a[2] * a[2] % P, b[2] * b[2] % P
    u1, u2 = a[0] * z2 % P, b[0] * z1 % P
    s1, s2 = a[1] * z2 * b[2] % P, b[1] * z1 * a[2] % P
    if u1 == u2:
        return _double(a) if s1 == s2 else (1, 1, 0)
    h, r = u2 - u1, s2 - s1
    h2 = h * h % P
    h3, v = h * h2 % P, u1 * h2 % P
    x3 = (r * r - h3 - 2 * v) % P
    return x3, (r * (v - x3) - s1 * h3) % P, h * a[2] * b[2] % P


def _jacobian(a: Point) -> Jacobian:
    return (1, 1, 0) if a is None else (a[0], a[1], 1)


def _affine(a: Jacobian) -> Point:
    if a[2] == 0:
        return None
    inverse = pow(a[2], -1, P)
    square = inverse * inverse % P
    return a[0] * square % P, a[1] * square * inverse % P


def add(*points: Point) -> Point:
    total = (1, 1, 0)
    for point in points:
        total = _add(total, _jacobian(point))
    return _affine(total)


def neg(a: Point) -> Point:
    return None if a is None else (a[0], -a[1] % P)


def mul(k: int, a: Point) -> Point:
    """k * a, four bits at a time."""
    table = [(1, 1, 0)]
    for _ in range(15):
        table.append(_add(table[-1], _jacobian(a)))
    total = (1, 1, 0)
    for place in range(252, -4, -4):
        total = _double(_double(_double(_double(total))))
        total = _add(total, table[k % N >> place & 15])
    return _affine(total)


def _comb() -> list[list[Jacobian]]:
    rows, base = [], _jacobian(G)
    for _ in range(64):
        row = [(1, 1, 0)]
        for _ in range(15):
            row.append(_add(row[-1], base))
        rows.append([_jacobian(_affine(entry)) for entry in row])
        base = _add(row[-1], base)
    return rows


_COMB = _comb()


def base_mul(k: int) -> Point:
    """k * G, from a table."""
    k, total = k % N, (1, 1, 0)
    for place in range(64):
        total = _add(total, _COMB[place][k >> (4 * place) & 15])
    return _affine(total)


def lift(x: int, odd: int) -> Point:
    square = (pow(x, 3, P) + 7) % P
    y = pow(square, (P + 1) // 4, P)
    if x >= P or y * y % P != square:
        raise ValueError("no point has this x-coordinate")
    return x, y if y & 1 == odd else P - y


def decode(data: bytes) -> Point:
    if data == bytes(33):
        return None
    if len(data) != 33 or data[0] not in (2, 3):
        raise ValueError("not a compressed point")
    return lift(int.from_bytes(data[1:]), data[0] & 1)


def encode(a: Point) -> bytes:
    return bytes(33) if a is None else bytes((2 + (a[1] & 1),)) + a[0].to_bytes(32)


def is_even(a: Point) -> bool:
    assert a is not None
    return a[1] % 2 == 0


def is_square(y: int) -> bool:
    return pow(y, (P - 1) // 2, P) == 1


def tagged(tag: str, data: bytes) -> bytes:
    head = hashlib.sha256(tag.encode()).digest()
    return hashlib.sha256(head + head + data).digest()


def integer(data: bytes) -> int:
    return int.from_bytes(data)


@dataclass(frozen=True)
class Keys:
    """An aggregated list: Q, and BIP-327's gacc and tacc (for lotus 1 and t)."""

    pubkeys: list[bytes]
    coefficients: list[int]
    internal: Point
    q: Point
    gacc: int
    tacc: int


@dataclass(frozen=True)
class Values:
    b: int
    e: int
    r: Point
    negate_nonce: bool


class SlowBip340:
    name = "bip340"

    def keys(self, pubkeys: list[bytes], tweaks: list[tuple[int, bytes | None]]) -> Keys:
        """`tweaks` are (kind, value): 0 plain, 1 x-only, 2 TapTweak of the root or of nothing."""
        heads = tagged("KeyAgg list", b"".join(pubkeys))
        second = next((pk for pk in pubkeys if pk != pubkeys[0]), None)
        factors = [1 if pk == second else integer(tagged("KeyAgg coefficient", heads + pk)) % N for pk in pubkeys]
        q = internal = add(*(mul(a, decode(pk)) for a, pk in zip(factors, pubkeys, strict=True)))
        gacc, tacc = 1, 0
        for kind, value in tweaks:
            t = integer(tagged("TapTweak", encode(q)[1:] + (value or b"")) if kind == 2 else value or b"")
            if t >= N:
                raise ValueError("tweak out of range")
            g = -1 if kind and not is_even(q) else 1
            q = add(q if g == 1 else neg(q), base_mul(t))
            if q is None:
                raise ValueError("tweaked to infinity")
            gacc, tacc = g * gacc % N, (t + g * tacc) % N
        return Keys(pubkeys, factors, internal, q, gacc, tacc)

    def values(self, keys: Keys, aggnonce: bytes, msg: bytes) -> Values:
        x = encode(keys.q)[1:]
        b = integer(tagged("MuSig/noncecoef", aggnonce + x + msg)) % N
        r = add(decode(aggnonce[:33]), mul(b, decode(aggnonce[33:]))) or G
        e = integer(tagged("BIP0340/challenge", encode(r)[1:] + x + msg)) % N
        return Values(b, e, r, not is_even(r))

    def key_factor(self, keys: Keys) -> int:
        return keys.gacc * (1 if is_even(keys.q) else -1)

    def sign(self, keys: Keys, values: Values, k: tuple[int, int], d: int, index: int) -> int:
        nonce = (k[0] + values.b * k[1]) * (-1 if values.negate_nonce else 1)
        return (nonce + values.e * keys.coefficients[index] * self.key_factor(keys) * d) % N

    def verify_partial(self, keys: Keys, values: Values, s: int, pubnonce: bytes, index: int) -> bool:
        own = add(decode(pubnonce[:33]), mul(values.b, decode(pubnonce[33:])))
        own = neg(own) if values.negate_nonce else own
        factor = values.e * keys.coefficients[index] * self.key_factor(keys)
        return s < N and base_mul(s) == add(own, mul(factor, decode(keys.pubkeys[index])))

    def signature(self, keys: Keys, values: Values, partials: list[int]) -> bytes:
        g = 1 if is_even(keys.q) else -1
        s = (sum(partials) + values.e * g * keys.tacc) % N
        return encode(values.r)[1:] + s.to_bytes(32)

    def verify(self, pubkey: bytes, msg: bytes, signature: bytes) -> bool:
        r, s = integer(signature[:32]), integer(signature[32:])
        if r >= P or s >= N:
            return False
        e = integer(tagged("BIP0340/challenge", signature[:32] + pubkey[1:] + msg)) % N
        point = add(base_mul(s), mul(-e, decode(b"\x02" + pubkey[1:])))
        return point is not None and is_even(point) and point[0] == r

    def schnorr_sign(self, d: int, msg: bytes, k: int) -> bytes:
        """With the nonce given. What two signatures under one nonce reveal is shown with this."""
        pubkey, point = base_mul(d), base_mul(k)
        d, k = (d if is_even(pubkey) else N - d), (k if is_even(point) else N - k)
        e = integer(tagged("BIP0340/challenge", encode(point)[1:] + encode(pubkey)[1:] + msg)) % N
        return encode(point)[1:] + ((k + e * d) % N).to_bytes(32)


class SlowLotus(SlowBip340):
    name = "lotus"

    def keys(self, pubkeys: list[bytes], tweaks: list[tuple[int, bytes | None]]) -> Keys:
        heads = tagged("KeyAgg list", b"".join(pubkeys))
        factors = [
            1 if i == 1 and pk == pubkeys[0] else integer(tagged("KeyAgg coefficient", heads + pk)) % N
            for i, pk in enumerate(pubkeys)
        ]
        internal = q = add(*(mul(a, decode(pk)) for a, pk in zip(factors, pubkeys, strict=True)))
        t = 0
        for _, root in tweaks:
            t = integer(tagged("TapTweak", encode(q) + (root or bytes(32))))
            q = add(q, base_mul(t))
        return Keys(pubkeys, factors, internal, q, 1, t)

    def values(self, keys: Keys, aggnonce: bytes, msg: bytes) -> Values:
        b = integer(tagged("MuSig/noncecoef", encode(keys.q) + aggnonce + msg)) % N
        r = add(decode(aggnonce[:33]), mul(b, decode(aggnonce[33:]))) or G
        return Values(b, self.challenge(encode(r)[1:], encode(keys.q), msg), r, not is_square(r[1]))

    def challenge(self, r_x: bytes, pubkey: bytes, msg: bytes) -> int:
        return integer(hashlib.sha256(r_x + pubkey + msg).digest()) % N

    def key_factor(self, keys: Keys) -> int:
        return 1

    def sign(self, keys: Keys, values: Values, k: tuple[int, int], d: int, index: int) -> int:
        tweak = values.e * keys.tacc if index == 0 else 0
        return (super().sign(keys, values, k, d, index) + tweak) % N

    def verify_partial(self, keys: Keys, values: Values, s: int, pubnonce: bytes, index: int) -> bool:
        if s >= N:
            return False
        tweak = values.e * keys.tacc if index == 0 else 0
        return super().verify_partial(keys, values, (s - tweak) % N, pubnonce, index)

    def signature(self, keys: Keys, values: Values, partials: list[int]) -> bytes:
        return encode(values.r)[1:] + (sum(partials) % N).to_bytes(32)

    def verify(self, pubkey: bytes, msg: bytes, signature: bytes) -> bool:
        r, s = integer(signature[:32]), integer(signature[32:])
        if r >= P or s >= N:
            return False
        e = self.challenge(signature[:32], pubkey, msg)
        point = add(base_mul(s), mul(-e, decode(pubkey)))
        return point is not None and is_square(point[1]) and point[0] == r

    def schnorr_sign(self, d: int, msg: bytes, k: int) -> bytes:
        point = base_mul(k)
        assert point is not None
        k = k if is_square(point[1]) else N - k
        e = self.challenge(encode(point)[1:], encode(base_mul(d)), msg)
        return encode(point)[1:] + ((k + e * d) % N).to_bytes(32)


SLOW = {"bip340": SlowBip340(), "lotus": SlowLotus()}


def nonce_agg(pubnonces: list[bytes]) -> bytes:
    halves = (slice(0, 33), slice(33, 66))
    return b"".join(encode(add(*(decode(pubnonce[half]) for pubnonce in pubnonces))) for half in halves)
