"""Virtual time: a queue of calls, in the order of their times, then of their creation."""

from __future__ import annotations

import heapq
from collections.abc import Callable

from musig2.protocol.interface.inputs import Now

EPOCH_MS = 1_700_000_000_000


class Clock:
    """Nothing waits: time jumps to the next call."""

    def __init__(self) -> None:
        self.mono_ms = 0
        self._queue: list[tuple[int, int, Callable[[], None]]] = []
        self._made = 0

    def now(self, skew_ms: int = 0) -> Now:
        return Now(EPOCH_MS + self.mono_ms + skew_ms, self.mono_ms)

    def at(self, time_ms: int, what: Callable[[], None]) -> None:
        self._made += 1
        heapq.heappush(self._queue, (max(time_ms, self.mono_ms), self._made, what))

    def after(self, delay_ms: int, what: Callable[[], None]) -> None:
        self.at(self.mono_ms + delay_ms, what)

    def run(self, until_ms: int) -> None:
        """Do everything that is due by then."""
        while self._queue and self._queue[0][0] <= until_ms:
            self.mono_ms, _, what = heapq.heappop(self._queue)
            what()
        self.mono_ms = max(self.mono_ms, until_ms)
