"""Work of the directory that can wait: beside a session it is done in small pieces, a small part of the time.

What peers ask for is charged to them, and so paced. What this daemon reads from others is its own wish, though a
stranger may cause it by a hello; without a pace, a crowd of them would hold up a session for a quarter of a second.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from daemon.clock import Clock

AT_ONCE = 250  # statements: a session may begin while they are taken in
AT_ONCE_BESIDE = 50  # the same beside a session: ten milliseconds of work
REST = 6  # so many times as long as a piece took, nothing else of this is done beside a session
NAP_MS = 250  # waits are cut into these, as the session may end meanwhile


class Unhurried:
    """Gives turns, first come first served. Belongs to the event loop."""

    def __init__(
        self, is_calm: Callable[[], bool], clock: Clock, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        """`is_calm` says whether no session has been under way lately; `sleep` waits so many seconds."""
        self._is_calm = is_calm
        self._clock = clock
        self._sleep = sleep
        self._turns = asyncio.Lock()
        self._free_ms = clock.mono_ms()

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[int]:
        """Enter when a piece of work may be done; gives how many statements that is at most."""
        if self._is_calm():
            await self._sleep(0)  # others come in between two pieces
            yield AT_ONCE
            return
        async with self._turns:
            while not self._is_calm() and (pause_ms := self._free_ms - self._clock.mono_ms()) > 0:
                await self._sleep(min(pause_ms, NAP_MS) / 1000)
            began_ms = self._clock.mono_ms()
            try:
                yield AT_ONCE_BESIDE
            finally:
                ended_ms = self._clock.mono_ms()
                self._free_ms = ended_ms + REST * (ended_ms - began_ms)
