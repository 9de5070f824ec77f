"""Stores how sessions with other signers ended: counts that may wait a moment, so that many are one write.

A daemon that is killed meanwhile has not counted them; one that is stopped has.
"""

from __future__ import annotations

import asyncio
import sqlite3
from dataclasses import dataclass
from typing import Final

from daemon.clock import Clock
from daemon.discovery.directory import reputation
from daemon.discovery.directory.reputation import SessionOutcome
from daemon.store import Store
from daemon.tasks import BackgroundTasks

GATHERED_S: Final = 0.25


@dataclass(frozen=True, slots=True)
class Observation:
    """One session with one other signer."""

    pubkey: bytes
    outcome: SessionOutcome
    response_ms: int | None
    at_ms: int


class Observations:
    """Belongs to the event loop."""

    def __init__(self, *, store: Store, clock: Clock, tasks: BackgroundTasks) -> None:
        self._store = store
        self._clock = clock
        self._tasks = tasks
        self._waiting: list[Observation] = []
        self.written = 0

    def note(self, pubkey: bytes, outcome: SessionOutcome, response_ms: int | None) -> None:
        """Count it; returns at once."""
        self._waiting.append(Observation(pubkey, outcome, response_ms, self._clock.wall_ms()))
        if len(self._waiting) == 1:
            self._tasks.once("reputation", self._write_soon())

    async def _write_soon(self) -> None:
        await asyncio.sleep(GATHERED_S)
        await self.write()

    async def write(self) -> None:
        """Store what was noted by now."""
        waiting, self._waiting = self._waiting, []
        if not waiting:
            return

        def write(conn: sqlite3.Connection) -> None:
            for seen in waiting:
                reputation.record(conn, seen.pubkey, seen.outcome, seen.response_ms, seen.at_ms)
                if seen.outcome is SessionOutcome.COMPLETED:
                    reputation.keep(conn, seen.pubkey)

        await self._store.write(write)
        self.written += len(waiting)
