"""`lotus`: the Lotus chain's Schnorr signatures and MuSig2, from libsecp256k1's functions on single scalars and points.

Source: lotus-lib (Schnorr, MuSig2, Taproot), with the chain's rule that the y-coordinate of R is a quadratic residue.
Against BIP-327: only position 1 can have coefficient 1, and only if it repeats key 0; keys and the aggregate keep their
parity; e = SHA256(R.x | Q33 | m); the nonce coefficient hashes Q33 first; and the tweak enters the partial signature
of signer 0. Where lotus-lib fails on infinity this follows BIP-327: 33 zero bytes in the hash, and R := G.
"""

from dataclasses import dataclass
from itertools import count
from typing import ClassVar, Final

from musig2 import generic
from musig2.contexts import AggregateKey, SigningValues
from musig2.curve import secp
from musig2.curve.hashing import midstate, sha256, tagged_hash
from musig2.curve.jacobi import FIELD, is_square
from musig2.curve.memory import Slot, take_slot
from musig2.curve.points import INFINITY, combination, negated, parse_contributed_keys, parse_pubkey, times
from musig2.curve.secp import ORDER
from musig2.errors import InvalidArgumentError, InvalidContributionError, LibraryError
from musig2.keys import SecretKey
from musig2.tweaks import NO_ROOT, Tweak, TweakKind, taptweak_lotus

_AUX_TAG: Final = b"musigd/lotus/aux"
_NONCE_TAG: Final = b"musigd/lotus/nonce"
_SCHNORR_ALGORITHM: Final = b"Schnorr+SHA256  "
_G: Final = bytes.fromhex("0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798")


def _scalar(value: int) -> bytes:
    return (value % ORDER).to_bytes(32)


def challenge(r_x: bytes, pubkey: bytes, msg: bytes) -> int:
    """e = SHA256(R.x | P33 | m) mod n."""
    return int.from_bytes(sha256(r_x + pubkey + msg)) % ORDER


def coefficients(pubkeys: tuple[bytes, ...]) -> tuple[int, ...]:
    """a_i = hash_KeyAgg coefficient(hash_KeyAgg list(P_0 | ... ) | P_i); 1 for index 1 where it repeats key 0."""
    head = midstate("KeyAgg coefficient").copy()
    head.update(tagged_hash("KeyAgg list", *pubkeys))
    values = []
    for pubkey in pubkeys:
        state = head.copy()
        state.update(pubkey)
        values.append(int.from_bytes(state.digest()) % ORDER)
    if len(pubkeys) > 1 and pubkeys[1] == pubkeys[0]:
        values[1] = 1
    return tuple(values)


def _effective_nonce(aggnonce: bytes, b: int) -> tuple[bytes, bytes]:
    """x and y of R = R1 + b*R2, or of G where R is the point at infinity."""
    first, second = _parse_half(aggnonce[:33]), _parse_half(aggnonce[33:])
    terms = [] if first is None else [first]
    if second is not None:
        terms.append(times(second, _scalar(b)))
    total = secp.pubkey_combine(terms) if terms else None
    return secp.pubkey_coordinates(total or parse_pubkey(_G))


def _parse_half(half: bytes) -> secp.Point | None:
    """One point of an aggregate nonce; None stands for infinity (BIP-327, cpoint_ext)."""
    if half == INFINITY:
        return None
    point = secp.pubkey_parse(half)
    if point is None:
        raise InvalidContributionError(None, "aggnonce")
    return point


@dataclass(frozen=True, slots=True)
class _SigningValues:
    key: "_AggregateKey"
    msg: bytes
    b: int
    e: int
    r_x: bytes
    negate_nonce: bool

    def partial_sign(self, nonce: Slot, seckey: SecretKey, index: int) -> bytes:
        """s_i = (+-)(k1 + b*k2) + e*a_i*d_i; signer 0 adds e*t, when s is public already."""
        ea = _scalar(self.e * self.key.coefficients[index])
        b = _scalar(self.b)
        psig = generic.partial_sign(nonce, seckey, b, ea, negate_nonce=self.negate_nonce, negate_key=False)
        return _scalar(int.from_bytes(psig) + self._tweak_part(index))

    def partial_verify(self, psig: bytes, pubnonce: bytes, index: int) -> bool:
        """s_i*G - e*a_i*P_i = (+-)(R1_i + b*R2_i), the tweak's part taken off first."""
        first, second = secp.pubkey_parse(pubnonce[:33]), secp.pubkey_parse(pubnonce[33:])
        if first is None or second is None:
            raise InvalidContributionError(index, "pubnonce")
        s = int.from_bytes(psig)
        if s >= ORDER:
            return False
        own = secp.pubkey_combine((first, times(second, _scalar(self.b))))
        ea = self.e * self.key.coefficients[index]
        claimed = combination(s - self._tweak_part(index), -ea, self.key.pubkeys[index])
        if own is None or claimed is None:
            return False
        expected = secp.pubkey_serialize(own)
        return secp.pubkey_serialize(claimed) == (negated(expected) if self.negate_nonce else expected)

    def aggregate(self, psigs: tuple[bytes, ...]) -> bytes:
        total = 0
        for index, psig in enumerate(psigs):
            s = int.from_bytes(psig)
            if s >= ORDER:
                raise InvalidContributionError(index, "psig")
            total += s
        signature = self.r_x + _scalar(total)
        if not RULES.schnorr_verify(self.key.aggpubkey, self.msg, signature):
            raise InvalidContributionError(None, "psig")
        return signature

    def _tweak_part(self, index: int) -> int:
        return self.e * self.key.tweak if index == 0 else 0


@dataclass(frozen=True, slots=True)
class _AggregateKey:
    pubkeys: tuple[bytes, ...]
    coefficients: tuple[int, ...]
    tweak: int  # t of the commitment C = Q + t*G; 0 without one
    aggpubkey: bytes
    internal_pubkey: bytes

    def new_nonce(self, nonce: Slot, seckey: SecretKey, msg: bytes, extra: bytes) -> bytes:
        """Pre-image: 32 fresh bytes | d | P33 | Q33 | m | extra (32 zero bytes without), under tags of our own."""
        view = nonce.view
        secp.fill_random(view[:32])
        view[32:64] = seckey.scalar()
        view[64:194] = seckey.pubkey + self.aggpubkey + msg + (extra or NO_ROOT)
        return generic.derive_nonces(nonce, 194, _AUX_TAG, _NONCE_TAG)

    def signing_values(self, aggnonce: bytes, msg: bytes) -> SigningValues:
        """b = hash_MuSig/noncecoef(Q33 | R1 | R2 | m); a non-residue y(R) makes every signer negate its nonce."""
        b = int.from_bytes(tagged_hash("MuSig/noncecoef", self.aggpubkey, aggnonce, msg)) % ORDER
        r_x, r_y = _effective_nonce(aggnonce, b)
        e = challenge(r_x, self.aggpubkey, msg)
        return _SigningValues(self, msg, b, e, r_x, not is_square(r_y))


def _commitment(point: secp.Point, internal: bytes, root: bytes | None) -> tuple[int, bytes]:
    """t and C = P + t*G, a full point: no parity is fixed (lotus-lib, Taproot)."""
    t = taptweak_lotus(internal, root)
    if not secp.pubkey_add(point, t):
        raise InvalidArgumentError("tweaks[0]", "leads to the point at infinity")
    return int.from_bytes(t), secp.pubkey_serialize(point)


class Lotus:
    """The rules of `lotus`."""

    name: ClassVar[str] = "lotus"

    def aggregate_keys(self, pubkeys: tuple[bytes, ...], tweaks: tuple[Tweak, ...]) -> AggregateKey:
        """Q = sum of a_i*P_i, as a full point; with a tweak, its Taproot commitment."""
        if len(tweaks) > 1 or any(tweak.kind is not TweakKind.TAPROOT for tweak in tweaks):
            raise InvalidArgumentError("tweaks", "lotus takes none, or one TAPROOT tweak")
        factors = coefficients(pubkeys)
        points = parse_contributed_keys(pubkeys)
        total = secp.pubkey_combine([times(point, _scalar(a)) for point, a in zip(points, factors, strict=True)])
        if total is None:
            raise LibraryError("the aggregate key is the point at infinity: choose other keys")
        internal = aggpubkey = secp.pubkey_serialize(total)
        t = 0
        for tweak in tweaks:
            t, aggpubkey = _commitment(total, internal, tweak.value)
        return _AggregateKey(pubkeys, factors, t, aggpubkey, internal)

    def schnorr_sign(self, seckey: SecretKey, msg: bytes) -> bytes:
        """k by RFC 6979, negated where y(R) is no residue; s = k + e*d."""
        slot = take_slot()
        k, u = slot.view[:32], slot.view[32:64]
        counters = count()
        secp.rfc6979_nonce(k, seckey.scalar(), msg, _SCHNORR_ALGORITHM, next(counters))
        while not secp.seckey_verify(k):
            secp.rfc6979_nonce(k, seckey.scalar(), msg, _SCHNORR_ALGORITHM, next(counters))
        r_x, r_y = secp.pubkey_coordinates(secp.seckey_pubkey(k))
        if not is_square(r_y):
            secp.seckey_negate(k)
        u[:] = seckey.scalar()
        secp.seckey_mul(u, _scalar(challenge(r_x, seckey.pubkey, msg)))
        secp.seckey_add(u, k)
        return r_x + bytes(u)

    def schnorr_verify(self, pubkey: bytes, msg: bytes, signature: bytes) -> bool:
        """R = s*G - e*P with x(R) = r and y(R) a residue; False also for r >= p, s >= n, or a key that is no point."""
        r, s = signature[:32], int.from_bytes(signature[32:])
        if s >= ORDER or int.from_bytes(r) >= FIELD:
            return False
        point = combination(s, -challenge(r, pubkey, msg), pubkey)
        if point is None:
            return False
        x, y = secp.pubkey_coordinates(point)
        return x == r and is_square(y)


RULES: Final = Lotus()
