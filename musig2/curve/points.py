"""Public points: encodings and the sums that verification needs. Variable time: public data only."""

from musig2.curve import secp
from musig2.curve.secp import ORDER
from musig2.errors import InvalidArgumentError, InvalidContributionError

INFINITY = bytes(33)  # BIP-327, cbytes_ext


def parse_pubkey(pubkey: bytes) -> secp.Point:
    """The point of a 33-byte public key; ValueError where it is none."""
    point = secp.pubkey_parse(pubkey) if isinstance(pubkey, bytes) and len(pubkey) == 33 else None
    if point is None:
        raise InvalidArgumentError("pubkey", "must be 33 bytes that encode a point of the curve")
    return point


def parse_contributed_keys(pubkeys: tuple[bytes, ...]) -> tuple[secp.Point, ...]:
    """The points of a list of keys; a bad one is its signer's fault."""
    points = []
    for index, pubkey in enumerate(pubkeys):
        point = secp.pubkey_parse(pubkey)
        if point is None:
            raise InvalidContributionError(index, "pubkey")
        points.append(point)
    return tuple(points)


def combination(g: int, p: int, pubkey: bytes) -> secp.Point | None:
    """g*G + p*P in one multiplication, None where that is the point at infinity.

    ECDSA's public key recovery computes (s*R - m*G) / r; with R = P, r = x(P), s = p*r and m = -g*r that is ours. (It
    also gives None where r or s is 0 mod n, which no signer can bring about.)
    """
    x = int.from_bytes(pubkey[1:])
    r = x % ORDER
    recovery_id = (pubkey[0] & 1) | (2 if x >= ORDER else 0)
    r_and_s = r.to_bytes(32) + (p * r % ORDER).to_bytes(32)
    return secp.recover(r_and_s, recovery_id, (-g * r % ORDER).to_bytes(32))


def times(point: secp.Point, scalar: bytes) -> secp.Point:
    """The point, multiplied in place; for a point that nobody else refers to."""
    secp.pubkey_mul(point, scalar)
    return point


def negated(pubkey: bytes) -> bytes:
    """The encoding of -P."""
    return bytes((pubkey[0] ^ 1,)) + pubkey[1:]
