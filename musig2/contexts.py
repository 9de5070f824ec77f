"""BIP-327's two values: an aggregated list of keys, and a signing session over it.

What differs between the schemes is behind two small protocols, `AggregateKey` and `SigningValues`; both are immutable
and hold public data only, so contexts may be shared between threads and kept for any time.
"""

from dataclasses import dataclass, field
from typing import Protocol

from musig2.curve.memory import Slot
from musig2.errors import InvalidArgumentError
from musig2.keys import SecretKey
from musig2.tweaks import Tweak


class SigningValues(Protocol):
    """What follows from aggregate key, aggregate nonce and message (BIP-327, GetSessionValues)."""

    def partial_sign(self, nonce: Slot, seckey: SecretKey, index: int) -> bytes: ...

    def partial_verify(self, psig: bytes, pubnonce: bytes, index: int) -> bool: ...

    def aggregate(self, psigs: tuple[bytes, ...]) -> bytes: ...


class AggregateKey(Protocol):
    """The aggregate of a list of keys and tweaks in one scheme."""

    @property
    def aggpubkey(self) -> bytes: ...

    @property
    def internal_pubkey(self) -> bytes: ...

    def new_nonce(self, nonce: Slot, seckey: SecretKey, msg: bytes, extra: bytes) -> bytes: ...

    def signing_values(self, aggnonce: bytes, msg: bytes) -> SigningValues: ...


class SchemeRules(Protocol):
    """A signature scheme, as far as it differs from the other one."""

    @property
    def name(self) -> str: ...

    def aggregate_keys(self, pubkeys: tuple[bytes, ...], tweaks: tuple[Tweak, ...]) -> AggregateKey: ...

    def schnorr_sign(self, seckey: SecretKey, msg: bytes) -> bytes: ...

    def schnorr_verify(self, pubkey: bytes, msg: bytes, signature: bytes) -> bool: ...


@dataclass(frozen=True, slots=True)
class KeyAggContext:
    """The aggregate of `pubkeys` (in the order given) with `tweaks` applied."""

    scheme: str
    pubkeys: tuple[bytes, ...]
    tweaks: tuple[Tweak, ...]
    aggpubkey: bytes  # 33 bytes, after the tweaks
    internal_pubkey: bytes  # 33 bytes, before them
    rules: AggregateKey = field(repr=False, compare=False)

    @property
    def xonly(self) -> bytes:
        """The x-coordinate of the aggregate key, 32 bytes."""
        return self.aggpubkey[1:]

    def index_of(self, pubkey: bytes, signer_index: int | None) -> int:
        """The position of a signer: the one given, if this key stands there; else the only one of this key."""
        if signer_index is not None:
            if not 0 <= signer_index < len(self.pubkeys):
                raise InvalidArgumentError("signer_index", f"must be between 0 and {len(self.pubkeys) - 1}")
            if self.pubkeys[signer_index] != pubkey:
                raise InvalidArgumentError("pubkey", f"is not the key at position {signer_index}")
            return signer_index
        try:
            index = self.pubkeys.index(pubkey)
        except ValueError:
            raise InvalidArgumentError("pubkey", "must be in the list of keys") from None
        if pubkey in self.pubkeys[index + 1 :]:
            raise InvalidArgumentError("signer_index", "must be given, because this key occurs more than once")
        return index


@dataclass(frozen=True, slots=True)
class SessionContext:
    """One message to be signed under one aggregate nonce."""

    keyagg: KeyAggContext
    aggnonce: bytes
    msg: bytes
    values: SigningValues = field(repr=False, compare=False)
