"""How many bytes each peer may still take: a bucket per peer that refills."""

from __future__ import annotations

from daemon.clock import Clock
from p2p.rates import Budget, Paces

REFILL_SHARE = 0.01  # of the whole, per second
AGAIN_MS = 1_000


class ByteAllowance:
    """A peer that has spent its allowance waits until it is refilled."""

    def __init__(self, most: int, clock: Clock) -> None:
        self._paces = Paces(REFILL_SHARE * most, most)
        self._clock = clock

    def wait_ms(self, peer: bytes) -> int:
        """0 when the peer may ask now, else when to come back."""
        return 0 if self._budget(peer).take(1, self._now()) else AGAIN_MS

    def spend(self, peer: bytes, size: int) -> None:
        """Take from a peer's bucket, which may go below zero."""
        self._budget(peer).owe(size, self._now())

    def _budget(self, peer: bytes) -> Budget:
        return self._paces.of(peer, self._now())

    def _now(self) -> float:
        return self._clock.mono_ms() / 1000
