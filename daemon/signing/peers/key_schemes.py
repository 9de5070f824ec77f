"""Which scheme a key signs: from the keystore, advertisements, and delegations that peers have shown."""

from __future__ import annotations

from collections.abc import Collection

from daemon.keys.errors import UnknownKey
from daemon.signing.errors import SchemeMismatch
from daemon.signing.ports import SignerDirectory, SigningKeystore
from musig2.protocol.records.records import Advertisement

SHOWN = 4_096  # keys remembered from delegations


class KeySchemes:
    """Answers from the keystore, the directory, and delegations, whose signatures the gate has checked."""

    def __init__(self, *, keystore: SigningKeystore, discovery: SignerDirectory) -> None:
        self._keystore = keystore
        self._discovery = discovery
        self._shown: dict[bytes, str] = {}

    def shown(self, delegation: Advertisement) -> None:
        """A peer showed this delegation."""
        self._shown.pop(delegation.pubkey, None)
        self._shown[delegation.pubkey] = delegation.scheme
        if len(self._shown) > SHOWN:
            del self._shown[next(iter(self._shown))]

    def of(self, key: bytes) -> frozenset[str]:
        """The schemes that this key is known to sign; empty where nothing is known."""
        try:
            return frozenset((self._keystore.scheme_of(key),))
        except UnknownKey:
            pass  # not an own key
        shown = self._shown.get(key)
        return self._discovery.schemes_of(key) | (frozenset() if shown is None else {shown})

    def require(self, keys: Collection[bytes], name: str, member: str) -> None:
        """One secret has one scheme: raises SchemeMismatch for a key of `member` known for another only."""
        for index, key in enumerate(keys):
            known = self.of(key)
            if known and name not in known:
                raise SchemeMismatch(f"{member}[{index}]", key, known, name)
