"""The own signing keys, with a refusal of discovery's own where the keystore refuses."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from daemon.discovery.errors import KeyUnusable
from daemon.discovery.ports import AdvertisedKeys
from daemon.keys.errors import KeyRefused


class OwnKeys:
    """Both raise KeyUnusable while the keys are locked, for a paused key, and for one that is not here."""

    def __init__(self, keystore: AdvertisedKeys) -> None:
        self._keystore = keystore

    def scheme_of(self, pubkey: bytes) -> str:
        """The one scheme that this key signs."""
        with _refused():
            return self._keystore.scheme_of(pubkey)

    def sign(self, pubkey: bytes, digest: bytes, *, even_paused: bool = False) -> bytes:
        """64 bytes over a digest of 32."""
        with _refused():
            return self._keystore.sign(pubkey, digest, even_paused=even_paused)


@contextmanager
def _refused() -> Iterator[None]:
    try:
        yield
    except KeyRefused as error:
        raise KeyUnusable(error.reason, str(error), error.facts) from error
