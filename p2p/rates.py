"""Budgets that refill and counts that decay: how much a peer may do before it is slowed down, dropped or refused."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager

import trio

REMEMBERED = 4_096
EARLY_READS, EARLY_PAUSE_S = 32, 0.02


class Budget:
    """A token bucket: `rate` per second, at most `burst` at once. Times are seconds of any steady clock."""

    __slots__ = ("_at", "_burst", "_left", "_rate")

    def __init__(self, rate: float, burst: float, now: float) -> None:
        self._rate = rate
        self._burst = burst
        self._left = burst
        self._at = now

    def _refill(self, now: float) -> None:
        self._left = min(self._burst, self._left + (now - self._at) * self._rate)
        self._at = now

    def take(self, amount: float, now: float) -> bool:
        """Spend `amount` if it is there."""
        self._refill(now)
        if self._left < amount:
            return False
        self._left -= amount
        return True

    def owe(self, amount: float, now: float) -> float:
        """Spend `amount` in any case; returns how many seconds the spender must pause until nothing is owed."""
        self._refill(now)
        self._left -= amount
        return max(0.0, -self._left / self._rate)


class Paces:
    """One budget per peer; those of the most recently active peers are remembered."""

    def __init__(self, rate: float, burst: float) -> None:
        self._rate = rate
        self._burst = burst
        self._budgets: OrderedDict[bytes, Budget] = OrderedDict()

    def of(self, peer: bytes, now: float) -> Budget:
        """The peer's budget."""
        budget = self._budgets.get(peer)
        if budget is None:
            budget = self._budgets[peer] = Budget(self._rate, self._burst, now)
            if len(self._budgets) > REMEMBERED:
                self._budgets.popitem(last=False)
        else:
            self._budgets.move_to_end(peer)
        return budget


class Fading:
    """A count of which half is forgotten after each `half_life` seconds."""

    __slots__ = ("_at", "_count", "_half_life")

    def __init__(self, half_life: float, now: float) -> None:
        self._half_life = half_life
        self._count = 0.0
        self._at = now

    def add(self, now: float, amount: float = 1.0) -> float:
        """Add to the count and return it."""
        self._count = self.value(now) + amount
        self._at = now
        return self._count

    def value(self, now: float) -> float:
        """The count now."""
        return float(self._count * 0.5 ** ((now - self._at) / self._half_life))


@contextmanager
def counted(counts: Counter[str], name: str) -> Iterator[None]:
    """Count something while it lasts; names of which nothing is left are forgotten."""
    counts[name] += 1
    try:
        yield
    finally:
        counts[name] -= 1
        if not counts[name]:
            del counts[name]


class EarlyReads:
    """Reads of a connection before it is known who is at the other end: a few at once, then one each 20 ms.

    Nobody can be charged for them yet but the handshake itself, and an honest one takes a dozen. Whoever sends each
    byte for itself would wake this process thousands of times in the three seconds that it has; so what comes meanwhile
    gathers in the kernel, and is read at once.
    """

    def __init__(self) -> None:
        self.over = False  # the peer is known, and charged for each read
        self._left = EARLY_READS

    async def turn(self) -> None:
        """Return when the next read may be made."""
        if self.over:
            return
        if self._left:
            self._left -= 1
        else:
            await trio.sleep(EARLY_PAUSE_S)
