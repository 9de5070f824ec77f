"""Muted creators in memory: their requests are refused before anything is computed for them."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from daemon.signing.ports import SigningStore
from daemon.signing.store import unwanted


class Mutes:
    """The rows of `signing_muted`; belongs to the event loop."""

    def __init__(self, store: SigningStore) -> None:
        self._store = store
        self._muted: Mapping[bytes, Mapping[bytes, int]] = {}

    def load(self) -> None:
        """Load what is stored: at the start, and after each change."""
        self._muted = self._store.read(unwanted.muted)

    def refuses(self, creator: bytes, own: Collection[bytes]) -> bool:
        """Whether a request of this creator is wanted by none of these own keys."""
        keys = self._muted.get(creator)
        return keys is not None and (unwanted.EVERY_KEY in keys or all(key in keys for key in own))
