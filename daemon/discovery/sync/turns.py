"""Whose turn it is: long reads for peers are few at a time and one per peer, so that one who asks much keeps nobody."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

AT_ONCE = 1  # of the store's two reader threads: clients need them too


class PeerTurns:
    """Belongs to the event loop."""

    def __init__(self) -> None:
        self._places = asyncio.Semaphore(AT_ONCE)
        self._peers: dict[bytes, tuple[asyncio.Lock, int]] = {}  # with how many wait for it or hold it

    @asynccontextmanager
    async def of(self, peer: bytes) -> AsyncIterator[None]:
        """Enter when no other read of this peer is under way and a place is free."""
        lock, waiting = self._peers.get(peer, (asyncio.Lock(), 0))
        self._peers[peer] = (lock, waiting + 1)
        try:
            async with lock, self._places:
                yield
        finally:
            waiting = self._peers[peer][1] - 1
            if waiting:
                self._peers[peer] = (lock, waiting)
            else:
                del self._peers[peer]
