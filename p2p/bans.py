"""Banned peers, until when. Written on the asyncio side, read on both: every operation is one dict access."""

from __future__ import annotations

from collections.abc import Callable

MOST = 20_000  # ended bans are dropped first


class BanTimes:
    """Peers (binary ids) with the wall-clock milliseconds at which their ban ends."""

    def __init__(self, clock_ms: Callable[[], int]) -> None:
        self._clock_ms = clock_ms
        self._until: dict[bytes, int] = {}

    def set(self, peer: bytes, until_ms: int) -> None:
        """Refuse the peer until then; the later end counts."""
        if len(self._until) >= MOST:
            now_ms = self._clock_ms()
            self._until = {banned: until for banned, until in list(self._until.items()) if until > now_ms}
        self._until[peer] = max(until_ms, self._until.get(peer, 0))

    def lift(self, peer: bytes) -> None:
        """Let the peer in again."""
        self._until.pop(peer, None)

    def refuses(self, peer: bytes) -> bool:
        """True while the peer is banned. An ended ban is kept: the clock may be set back."""
        return self._until.get(peer, 0) > self._clock_ms()

    def __len__(self) -> int:
        now_ms = self._clock_ms()
        return sum(until > now_ms for until in list(self._until.values()))
