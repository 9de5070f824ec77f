"""What the engine has to do: own work first, then what others ask, party by party in turns.

Of these, every second item is one of a peer that this daemon knows, while there is one: so a request of a partner waits
for one item of a crowd, and not for one of each, but a partner does not shut out newcomers either.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from daemon.fair_queue import FairQueue
from daemon.signing.engine.turn import Turn

Work = Callable[[Turn], object]  # called with the turn; feeds its machines


class Inbox:
    """Belongs to the event loop. Made before the engine, so that other parts can give it work without the engine."""

    def __init__(
        self, *, per_party: int, total: int, source_of: Callable[[bytes], bytes], is_known: Callable[[bytes], bool]
    ) -> None:
        """The bounds are for what others ask: known peers, and the rest. What does not fit, `have` brings again.

        `source_of`: the party of a peer.
        """
        self._source_of, self._is_known = source_of, is_known
        self._work: deque[Work] = deque()
        self._asked: FairQueue[Work] = FairQueue(per_party=per_party, total=total)
        self._known: FairQueue[Work] = FairQueue(per_party=per_party, total=total)
        self._strangers_turn = False
        self._wake = asyncio.Event()

    def __len__(self) -> int:
        """How many items wait."""
        return len(self._work) + self.asked

    @property
    def own(self) -> int:
        """How many of them are own work."""
        return len(self._work)

    @property
    def asked(self) -> int:
        """How many of them others ask for."""
        return len(self._known) + len(self._asked)

    def put(self, *work: Work) -> None:
        """Give the next turn something to do."""
        self._work.extend(work)
        self._wake.set()

    def ask(self, peer: bytes, work: Work) -> None:
        """Queue work that no own session waits for, for the party of that peer; the parties take turns."""
        queue = self._known if self._is_known(peer) else self._asked
        queue.put(self._source_of(peer), work)
        self._wake.set()

    def take(self) -> Work:
        """The oldest own work; there must be some."""
        return self._work.popleft()

    def take_asked(self) -> Work:
        """The next item that others ask for; there must be one."""
        stranger = not self._known or (self._strangers_turn and len(self._asked) > 0)
        self._strangers_turn = not stranger
        return (self._asked if stranger else self._known).take()

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
