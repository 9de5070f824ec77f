"""What the engine has to do: own work first, then what strangers ask, party by party in turns."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from daemon.fair_queue import FairQueue
from daemon.signing.engine.turn import Turn

ASKED_MS = 5  # of a turn, for what strangers ask
ASKED_BESIDE_MS = 1  # the same beside own work, whose next part would wait for the rest and for its commit
BESIDE_MS = 500  # since the last own work
Work = Callable[[Turn], object]  # called with the turn; feeds its machines


class Inbox:
    """Belongs to the event loop. Made before the engine, so that other parts can give it work without the engine."""

    def __init__(self, *, per_party: int, total: int) -> None:
        """The bounds are for what strangers ask; what does not fit is dropped, and `have` brings it again."""
        self._work: deque[Work] = deque()
        self._asked: FairQueue[Work] = FairQueue(per_party=per_party, total=total)
        self._wake = asyncio.Event()
        self._beside_until_ms = 0

    def __len__(self) -> int:
        """How many items wait."""
        return len(self._work) + len(self._asked)

    @property
    def own(self) -> int:
        """How many of them are own work."""
        return len(self._work)

    @property
    def asked(self) -> int:
        """How many of them strangers ask for."""
        return len(self._asked)

    def put(self, *work: Work) -> None:
        """Give the next turn something to do."""
        self._work.extend(work)
        self._wake.set()

    def ask(self, party: bytes, work: Work) -> None:
        """Queue work that no own session waits for, for that party; the parties take turns."""
        self._asked.put(party, work)
        self._wake.set()

    def take(self) -> Work:
        """The oldest own work; there must be some."""
        return self._work.popleft()

    def take_asked(self) -> Work:
        """The next item that strangers ask for; there must be one."""
        return self._asked.take()

    def asked_ms(self, now_ms: int, *, own: bool) -> int:
        """How long a turn may go on with what strangers ask; `own`: there was own work in it."""
        if own:
            self._beside_until_ms = now_ms + BESIDE_MS
        return ASKED_BESIDE_MS if now_ms < self._beside_until_ms else ASKED_MS

    def wake(self) -> None:
        """End the wait, though there may be nothing to do."""
        self._wake.set()

    async def filled(self, longest_s: float | None) -> None:
        """Return when something is here, after `longest_s`, or after `wake`; yields to the event loop in any case."""
        if self:
            await asyncio.sleep(0)
            return
        self._wake.clear()
        timer = None if longest_s is None else asyncio.get_running_loop().call_later(longest_s, self._wake.set)
        await self._wake.wait()
        if timer is not None:
            timer.cancel()
