"""MuSig2's two secret computations, built from libsecp256k1's functions on single scalars.

This signs `lotus`, and is checked against BIP-327's own vectors too. Secrets stay in the slot of the nonce; what comes
out is public. Layout of the slot: k1 | k2 | scratch.
"""

from typing import Final

from musig2.curve import secp
from musig2.curve.memory import Slot
from musig2.errors import LibraryError
from musig2.keys import SecretKey

_K1: Final = slice(0, 32)
_K2: Final = slice(32, 64)
_T: Final = slice(64, 96)
_U: Final = slice(96, 128)


def derive_nonces(slot: Slot, size: int, aux_tag: bytes, nonce_tag: bytes) -> bytes:
    """Turn the secret pre-image in the first `size` bytes of a slot into k1 and k2; returns the public nonce.

    aux = hash_aux(pre-image), k_j = hash_nonce(aux | byte j) for j = 1, 2: the shape of lotus-lib's nonces (MuSig2).
    The pre-image must hold 32 fresh random bytes, or two sessions on one message give the key away.
    """
    view = slot.view
    aux = view[size : size + 33]
    secp.tagged_hash_into(aux[:32], aux_tag, view[:size])
    points = []
    for j, part in ((1, _K1), (2, _K2)):
        aux[32] = j
        secp.tagged_hash_into(view[part], nonce_tag, aux)
        if not secp.seckey_verify(view[part]):
            raise LibraryError("the nonce drawn is 0 or at least n: draw again")  # once in 2^127 times
        points.append(secp.seckey_pubkey(view[part]))
    view[64:] = bytes(len(view) - 64)
    return secp.pubkey_serialize(points[0]) + secp.pubkey_serialize(points[1])


def partial_sign(slot: Slot, seckey: SecretKey, b: bytes, ea: bytes, *, negate_nonce: bool, negate_key: bool) -> bytes:
    """s = (+-)(k1 + b*k2) + (+-)(e*a)*d mod n, 32 bytes (BIP-327, Sign).

    b and e*a (public, below n) come reduced. A factor or a sum of 0, once in 2^256 times, is a `LibraryError`.
    """
    t, u = slot.view[_T], slot.view[_U]
    t[:] = slot.view[_K2]
    secp.seckey_mul(t, b)
    secp.seckey_add(t, slot.view[_K1])
    if negate_nonce:
        secp.seckey_negate(t)
    u[:] = seckey.scalar()
    secp.seckey_mul(u, ea)
    if negate_key:
        secp.seckey_negate(u)
    secp.seckey_add(u, t)
    return bytes(u)
