"""Removes what has been kept long enough: events, idempotent answers, expired tokens, ended bans, old peers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Final

import structlog

from daemon.access.idempotency import StoredAnswers
from daemon.access.tokens import Tokens
from daemon.audit import log as audit_log
from daemon.clock import WallClock
from daemon.events import EventLog
from daemon.host.memory import GARBAGE
from daemon.peers.bans import Bans
from daemon.peers.known_peers import KnownPeers
from daemon.store import Store, StoreError

EVERY_S: Final = 600.0
FIRST_S: Final = 120.0  # until peers have said whether the clock is right
TIDY_S: Final = 10.0  # between two looks at whether memory has to be looked through

log = structlog.get_logger("musigd.retention")


class Retention:
    """Runs soon after the start, every ten minutes, and when the event log has grown.

    While peers say that the clock is wrong, nothing is deleted for its age. Signing and discovery clean up their own.
    """

    def __init__(
        self,
        *,
        clock: WallClock,
        keep_events_ms: int,
        keep_audit_ms: int,
        store: Store,
        events: EventLog,
        idempotency: StoredAnswers,
        tokens: Tokens,
        bans: Bans,
        known_peers: KnownPeers,
        clock_is_wrong: Callable[[], bool],
        is_calm: Callable[[], bool],
    ) -> None:
        self._is_calm = is_calm
        self._clock_is_wrong = clock_is_wrong
        self._clock = clock
        self._keep_events_ms = keep_events_ms
        self._keep_audit_ms = keep_audit_ms
        self._store = store
        self._events = events
        self._idempotency = idempotency
        self._tokens = tokens
        self._bans = bans
        self._known_peers = known_peers
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        self._tasks.append(asyncio.create_task(self._run(), name="retention"))
        self._tasks.append(asyncio.create_task(self._tidy(), name="garbage"))

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def run_once(self) -> None:
        """Remove everything that is due. Raises StoreError."""
        await self._events.forget_surplus()
        await self._known_peers.trim()
        if self._clock_is_wrong():
            return
        await self._events.forget_before(self._clock.wall_ms() - self._keep_events_ms)
        await self._forget_audit(self._clock.wall_ms() - self._keep_audit_ms)
        await self._idempotency.forget_old()
        await self._tokens.forget_expired()
        await self._bans.forget_ended()

    async def _forget_audit(self, cutoff_ms: int) -> None:
        while await self._store.write(lambda conn: audit_log.forget_before(conn, cutoff_ms)):
            pass

    async def _run(self) -> None:
        await self._pause(FIRST_S)
        while True:
            self._events.grown.clear()
            try:
                await self.run_once()
            except StoreError as error:  # a full disk must not end this task, which frees space later
                log.warning("old rows could not be removed", reason=error.reason, detail=str(error))
            except Exception:
                log.exception("old rows could not be removed")
            await self._pause(EVERY_S)

    async def _tidy(self) -> None:
        """Connections are cycles that come apart when they end: those that were set aside while open add up."""
        while True:
            await asyncio.sleep(TIDY_S)
            GARBAGE.tidy(calm=self._is_calm())

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._events.grown.wait()
