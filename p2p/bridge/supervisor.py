"""Restarts the libp2p side with growing pauses when it dies, and tells the sink."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from p2p.bridge.portal import Portal
from p2p.errors import P2PError
from p2p.ports import NetState, NetStatus

log = logging.getLogger(__name__)
LAST_PAUSE_S = 30.0
HEALTHY_S = 60.0  # after a life of this length the pauses start from the beginning
Begin = Callable[[], Awaitable[Portal]]


class Supervisor:
    """`begin()` starts a life and returns its portal; `ended()` cleans up after one; `tell` is the sink's on_state."""

    def __init__(
        self,
        begin: Begin,
        ended: Callable[[], None],
        up: Callable[[], NetState],
        tell: Callable[[NetState], None],
        pause_s: float,
    ) -> None:
        self._begin = begin
        self._ended = ended
        self._up = up
        self._tell = tell
        self._first_pause_s = pause_s
        self._task: asyncio.Task[None] | None = None
        self._portal: Portal | None = None
        self.restarts = 0

    async def start(self) -> None:
        """Start the first life. Raises what it raises."""
        self._portal = await self._begin()
        self._tell(self._up())
        self._task = asyncio.create_task(self._watch(self._portal), name="p2p supervisor")

    async def stop(self) -> None:
        """End the current life, or the attempts to start another."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        if self._portal is not None:
            portal, self._portal = self._portal, None
            try:
                await portal.stop()
            finally:
                self._ended()

    async def _watch(self, portal: Portal) -> None:
        pause_s = self._first_pause_s
        while True:
            born_s = time.monotonic()
            error = await asyncio.shield(portal.dead)
            log.error("the libp2p side ended and is started again", exc_info=error)
            self._portal = None
            self._ended()
            self._tell(NetState(NetStatus.RESTARTING, sentence="The libp2p side failed and is being started again."))
            if time.monotonic() - born_s > HEALTHY_S:
                pause_s = self._first_pause_s
            portal, pause_s = await self._again(pause_s)
            self._tell(self._up())

    async def _again(self, pause_s: float) -> tuple[Portal, float]:
        """Try until a life starts; the pause keeps growing from life to life until one is healthy."""
        while True:
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, LAST_PAUSE_S)
            try:
                self._portal = await self._begin()
            except P2PError as error:
                self._tell(NetState(NetStatus.DOWN, sentence=f"The libp2p side cannot start: {error}"))
            else:
                self.restarts += 1
                return self._portal, pause_s
