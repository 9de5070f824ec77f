"""Tweaks of an aggregate key: what is added to it, as a multiple of the generator, before it is used."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from musig2.curve.hashing import tagged_hash
from musig2.curve.secp import ORDER
from musig2.errors import InvalidArgumentError

NO_ROOT: Final = bytes(32)


class TweakKind(IntEnum):
    PLAIN = 0  # BIP-327, is_xonly_t = false: Q + t*G (BIP-32 derivation)
    XONLY = 1  # BIP-327, is_xonly_t = true: with_even_y(Q) + t*G
    TAPROOT = 2  # t is the TapTweak hash of the key and a merkle root


@dataclass(frozen=True, slots=True)
class Tweak:
    """One tweak. `value` is the scalar t (PLAIN, XONLY: 32 bytes, 0 < t < n) or the merkle root (TAPROOT).

    TAPROOT with None: `bip340` means no scripts at all (BIP-86), `lotus` a root of 32 zero bytes.
    """

    kind: TweakKind
    value: bytes | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.kind, TweakKind):
            raise InvalidArgumentError("tweak.kind", "must be a TweakKind")
        if self.kind is TweakKind.TAPROOT:
            if self.value is not None and not _is_bytes32(self.value):
                raise InvalidArgumentError("tweak.value", "a merkle root has 32 bytes, or is None")
        elif self.value is None or not _is_bytes32(self.value):
            raise InvalidArgumentError("tweak.value", "a plain or x-only tweak has 32 bytes")
        elif not 0 < int.from_bytes(self.value) < ORDER:
            raise InvalidArgumentError("tweak.value", "must be a scalar above 0 and below the group order")


def _is_bytes32(value: object) -> bool:
    return isinstance(value, bytes) and len(value) == 32


def taptweak_bip341(xonly: bytes, root: bytes | None) -> bytes:
    """BIP-341: hash_TapTweak(x(P) | root); without a root (BIP-86) the hash of x(P) alone."""
    return tagged_hash("TapTweak", xonly, root or b"")


def taptweak_lotus(pubkey: bytes, root: bytes | None) -> bytes:
    """lotus-lib (Taproot): hash_TapTweak(P33 | root), the root being 32 zero bytes for a key-path-only output."""
    return tagged_hash("TapTweak", pubkey, root or NO_ROOT)
