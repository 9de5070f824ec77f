"""Who is refused, until when. Written on the asyncio side, read on both: every operation is one dict access."""

from __future__ import annotations

from collections.abc import Callable


class BanTimes:
    """Peers (binary ids) with the wall-clock milliseconds at which their ban ends."""

    def __init__(self, clock_ms: Callable[[], int]) -> None:
        self._clock_ms = clock_ms
        self._until: dict[bytes, int] = {}

    def set(self, peer: bytes, until_ms: int) -> None:
        """Refuse the peer until then; the later end counts."""
        self._until[peer] = max(until_ms, self._until.get(peer, 0))

    def lift(self, peer: bytes) -> None:
        """Let the peer in again."""
        self._until.pop(peer, None)

    def refuses(self, peer: bytes) -> bool:
        """True while the peer is banned; an ended ban is forgotten."""
        until = self._until.get(peer)
        if until is None:
            return False
        if until > self._clock_ms():
            return True
        self._until.pop(peer, None)
        return False

    def __len__(self) -> int:
        return len(self._until)
