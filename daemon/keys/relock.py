"""The timer that locks the keys again some time after they were unlocked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from daemon.clock import WallClock


class RelockTimer:
    """Calls `lock` once. `at_ms`: when, by the wall clock; None while it is not set."""

    def __init__(self, clock: WallClock, lock: Callable[[], None]) -> None:
        self._clock = clock
        self._lock = lock
        self._timer: asyncio.TimerHandle | None = None
        self.at_ms: int | None = None

    def set(self, duration_ms: int | None) -> None:
        """Set or move the timer; None cancels it."""
        self.cancel()
        if duration_ms is not None:
            self.at_ms = self._clock.wall_ms() + duration_ms
            self._timer = asyncio.get_running_loop().call_later(duration_ms / 1000, self._lock)

    def cancel(self) -> None:
        """Cancel the timer, if it is set."""
        self.at_ms = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
