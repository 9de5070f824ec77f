"""What the engine has yet to do, in the order in which it came."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from daemon.signing.engine.turn import Turn

Work = Callable[[Turn], object]  # feeds machines of the turn


class Inbox:
    """Belongs to the event loop. Made before the engine, so that whoever gives it work needs nothing else of it."""

    def __init__(self) -> None:
        self._work: deque[Work] = deque()
        self._wake = asyncio.Event()

    def __len__(self) -> int:
        """How much waits."""
        return len(self._work)

    def put(self, *work: Work) -> None:
        """Give the next turn something to do."""
        self._work.extend(work)
        self._wake.set()

    def take(self) -> Work:
        """The oldest of what waits; there must be something."""
        return self._work.popleft()

    def wake(self) -> None:
        """End the wait, though there may be nothing to do."""
        self._wake.set()

    async def filled(self, longest_s: float | None) -> None:
        """Return when something is here, after `longest_s`, or after `wake`. Others get their turn in any case."""
        if self._work:
            await asyncio.sleep(0)
            return
        self._wake.clear()
        timer = None if longest_s is None else asyncio.get_running_loop().call_later(longest_s, self._wake.set)
        await self._wake.wait()
        if timer is not None:
            timer.cancel()
