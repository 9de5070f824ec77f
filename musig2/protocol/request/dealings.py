"""What this daemon and each peer recently exchanged about one attempt, so that nothing is sent twice in a moment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from musig2.protocol.interface.inputs import Now

RECENT_MS: Final = 1_000
PEERS_PER_SIGNER: Final = 4


@dataclass(slots=True)
class Dealing:
    """The recent exchange with one peer. Sets of signers: bit i is signer i."""

    attempt: int
    since_ms: int
    joins: int = 0  # sent within the last second
    nonces: int = 0
    partials: int = 0
    asked: tuple[int, int, int] = (0, 0, 0)  # what that peer had and this daemon lacked when last asked
    aborts: bool = False


class Dealings:
    """The recent exchanges with all peers of one request."""

    def __init__(self, n: int) -> None:
        self._most = PEERS_PER_SIGNER * n
        self._peers: dict[bytes, Dealing] = {}

    def with_peer(self, peer: bytes, attempt: int, now: Now) -> Dealing:
        """The exchange with a peer about this attempt, without what is older than a second."""
        found = self._peers.get(peer)
        if found is None or found.attempt != attempt:
            if len(self._peers) >= self._most:
                self._peers.clear()
            found = self._peers[peer] = Dealing(attempt, now.mono_ms)
        elif now.mono_ms - found.since_ms >= RECENT_MS:
            found.since_ms = now.mono_ms
            found.joins = found.nonces = found.partials = 0
            found.asked, found.aborts = (0, 0, 0), False
        return found

    def forget(self, peer: bytes) -> None:
        """Forget what was sent to a peer lately: it may be lost."""
        self._peers.pop(peer, None)
