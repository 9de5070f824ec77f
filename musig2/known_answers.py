"""Known answers, checked once at import: a libsecp256k1 that differs is refused before it sees a key.

coincurve's private module is not a stable interface, so its symbols are checked (secp.py) and its results compared with
published ones here, one for each way it is used. The secrets in this file are published test values.
"""

from collections.abc import Callable
from typing import Final

from musig2 import bip340, generic, lotus
from musig2.curve import points, secp
from musig2.curve.hashing import tagged_hash
from musig2.curve.jacobi import FIELD, is_square
from musig2.curve.memory import take_slot
from musig2.errors import LibraryError, LibraryMismatch
from musig2.keys import SecretKey

_G: Final = bytes.fromhex("0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798")
_MSG: Final = b"\x01" * 32


def _key(number: int) -> SecretKey:
    return SecretKey.from_buffer(bytearray(number.to_bytes(32)))


def _generator() -> bool:
    return _key(1).pubkey == _G


def _combination() -> bool:
    """2*G + 3*(5*G) = 17*G, by public key recovery."""
    point = points.combination(2, 3, _key(5).pubkey)
    return point is not None and secp.pubkey_serialize(point) == _key(17).pubkey


def _tagged_hash() -> bool:
    slot = take_slot()
    secp.tagged_hash_into(slot.view[:32], b"musigd", slot.view[32:64])
    return slot.view[:32] == tagged_hash("musigd", bytes(32))


def _residue() -> bool:
    """y(G) is a square; its negation is none, because -1 is none."""
    _, y = secp.pubkey_coordinates(points.parse_pubkey(_G))
    return is_square(y) and not is_square((FIELD - int.from_bytes(y)).to_bytes(32))


def _bip340_signature() -> bool:
    """BIP-340, test vector 0."""
    key, aux = _key(3), take_slot()
    expected = bytes.fromhex(
        "e907831f80848d1069a5371b402410364bdf1c5f8307b0084c55f1ce2dca8215"
        "25f66a4a85ea8b71e482a74f382d2ce5ebeee8fdb2172f477df4900d310536c0"
    )
    signature = bip340.RULES.seeded_sign(key, bytes(32), aux)
    return signature == expected and bip340.RULES.schnorr_verify(key.pubkey, bytes(32), signature)


def _lotus_signature() -> bool:
    """lotus-lib (Schnorr): the key 1 and a message of zeros."""
    expected = bytes.fromhex(
        "31ab79a6591ae4af37c4223bfa75b7396ac9c14950ea78d94afc14be3a6b61dc"
        "2a901f43c609dfb10dfe3f00015957f6461d48b61df9f452143ac6f6f7dd4edd"
    )
    signature = lotus.RULES.schnorr_sign(_key(1), bytes(32))
    return signature == expected and lotus.RULES.schnorr_verify(_G, bytes(32), signature)


def _module_session() -> bool:
    """One signer, fixed randomness: aggregate key, public nonce and partial signature of BIP-327."""
    key, slot = _key(int.from_bytes(b"\x02" * 32)), take_slot()
    aggregate = bip340.RULES.aggregate_keys((key.pubkey,), ())
    slot.view[160:192] = b"\x0f" * 32
    pubnonce = aggregate.seeded_nonce(slot, key, _MSG, b"\x08" * 32)
    psig = aggregate.signing_values(pubnonce, _MSG).partial_sign(slot, key, 0)
    return (aggregate.aggpubkey + pubnonce + psig).hex() == (
        "02253d5bbfae7a76ee2ce1370527e71f0b83107d817d24b6a7ee72f1d4b30166b8"
        "037f7c0c16b868c8c28765df7c5e456d6b62a93592ef803be48ebf9870c1375960"
        "02130f327ce09e9ac077e7182e4ede1c8c03b588e75b87e751566c448b7d8f3c94"
        "c77be09b2b436752321bfff44b5d143a05a74b676090d1dd18a64b983668544c"
    )


def _generic_partial_signature() -> bool:
    """k1 = 2, k2 = 3, d = 5, b = 7, e*a = 11: -(2 + 7*3) + 11*5 = 32."""
    slot = take_slot()
    slot.view[31], slot.view[63] = 2, 3
    seven, eleven = (7).to_bytes(32), (11).to_bytes(32)
    psig = generic.partial_sign(slot, _key(5), seven, eleven, negate_nonce=True, negate_key=False)
    return psig == (32).to_bytes(32)


def _misuse_is_an_exception() -> bool:
    """A sum of no points breaks the library's rules: its default answer is to abort the process."""
    try:
        secp.pubkey_combine([])
    except LibraryError as error:
        return "n >= 1" in str(error)
    return False


_CHECKS: Final[tuple[Callable[[], bool], ...]] = (
    _misuse_is_an_exception,
    _generator,
    _combination,
    _tagged_hash,
    _residue,
    _bip340_signature,
    _lotus_signature,
    _module_session,
    _generic_partial_signature,
)


def check() -> None:
    """Raise `LibraryMismatch` naming the first answer that differs."""
    for known_answer in _CHECKS:
        try:
            right = known_answer()
        except LibraryError as error:
            raise LibraryMismatch(f"{known_answer.__name__} failed: {error}") from error
        if not right:
            raise LibraryMismatch(f"{known_answer.__name__} gives another answer")
