"""How many bytes each peer may still take: a bucket per peer that refills."""

from __future__ import annotations

from collections import OrderedDict

from daemon.clock import Clock

REFILL_SHARE = 0.01  # of the whole, per second
PEERS = 4_096
AGAIN_MS = 1_000


class Allowance:
    """Whoever has spent everything waits until a hundredth is there again."""

    def __init__(self, most: int, clock: Clock) -> None:
        self._most = most
        self._clock = clock
        self._left: OrderedDict[bytes, tuple[float, int]] = OrderedDict()  # bytes left, monotonic time of that

    def wait_ms(self, peer: bytes) -> int:
        """0 when the peer may ask now, else when to come back."""
        return 0 if self._now(peer) > 0 else AGAIN_MS

    def spend(self, peer: bytes, size: int) -> None:
        """Take from a peer's bucket; it may go below zero once."""
        self._left[peer] = (self._now(peer) - size, self._clock.mono_ms())
        self._left.move_to_end(peer)
        if len(self._left) > PEERS:
            self._left.popitem(last=False)

    def _now(self, peer: bytes) -> float:
        left, at_ms = self._left.get(peer, (float(self._most), 0))
        gained = (self._clock.mono_ms() - at_ms) / 1000 * REFILL_SHARE * self._most
        return min(float(self._most), left + gained)
