"""A second opinion on the final signature: none of the code that made it is used here.

Curve arithmetic comes from coincurve's public classes, hashes from hashlib, residuosity from Euler's criterion. All
inputs are public. Sources: BIP-340 (Verification); lotus-lib's Schnorr (R.y a quadratic residue, untagged challenge).
"""

from __future__ import annotations

import hashlib

from coincurve import PrivateKey, PublicKey, PublicKeyXOnly

P = 2**256 - 2**32 - 977
N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


def signature_holds(scheme: str, pubkey: bytes, msg: bytes, signature: bytes) -> bool:
    """True if `signature` (64 bytes) on `msg` (32 bytes) verifies under `pubkey` (33 bytes) by the rule of `scheme`."""
    if scheme == "bip340":
        return bool(PublicKeyXOnly(pubkey[1:]).verify(signature, msg))
    return _lotus_holds(pubkey, msg, signature)


def _lotus_holds(pubkey: bytes, msg: bytes, signature: bytes) -> bool:
    r, s = signature[:32], int.from_bytes(signature[32:], "big")
    if int.from_bytes(r, "big") >= P or not 0 < s < N:
        return False
    e = int.from_bytes(hashlib.sha256(r + pubkey + msg).digest(), "big") % N
    minus_e_p = PublicKey(pubkey).multiply((N - e).to_bytes(32, "big"))
    x, y = PublicKey.combine_keys([PrivateKey(s.to_bytes(32, "big")).public_key, minus_e_p]).point()
    return x.to_bytes(32, "big") == r and pow(y, (P - 1) // 2, P) == 1
