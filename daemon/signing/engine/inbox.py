"""What the engine has yet to do: what belongs to own work first, and what strangers ask in turns, beside it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from daemon.fair_queue import FairQueue
from daemon.signing.engine.turn import Turn

Work = Callable[[Turn], object]  # feeds machines of the turn


class Inbox:
    """Belongs to the event loop. Made before the engine, so that whoever gives it work needs nothing else of it."""

    def __init__(self, *, per_party: int, total: int) -> None:
        """The bounds are of what strangers ask; what finds no room is dropped, and `have` brings it again."""
        self._work: deque[Work] = deque()
        self._asked: FairQueue[Work] = FairQueue(per_party=per_party, total=total)
        self._wake = asyncio.Event()

    def __len__(self) -> int:
        """How much waits."""
        return len(self._work) + len(self._asked)

    @property
    def own(self) -> int:
        """How much of it is own work."""
        return len(self._work)

    @property
    def asked(self) -> int:
        """How much of it is what strangers ask."""
        return len(self._asked)

    def put(self, *work: Work) -> None:
        """Give the next turn something to do."""
        self._work.extend(work)
        self._wake.set()

    def ask(self, party: bytes, work: Work) -> None:
        """Work that no own session waits for, on behalf of that party; the parties take turns."""
        self._asked.put(party, work)
        self._wake.set()

    def take(self) -> Work:
        """The oldest of own work; there must be some."""
        return self._work.popleft()

    def take_asked(self) -> Work:
        """The next of what strangers ask; there must be some."""
        return self._asked.take()

    def wake(self) -> None:
        """End the wait, though there may be nothing to do."""
        self._wake.set()

    async def filled(self, longest_s: float | None) -> None:
        """Return when something is here, after `longest_s`, or after `wake`. Others get their turn in any case."""
        if self:
            await asyncio.sleep(0)
            return
        self._wake.clear()
        timer = None if longest_s is None else asyncio.get_running_loop().call_later(longest_s, self._wake.set)
        await self._wake.wait()
        if timer is not None:
            timer.cancel()
