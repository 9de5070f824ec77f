"""Emits `node:locked` and `node:unlocked` when the keys were locked or unlocked by a call, a timer or a restart."""

from __future__ import annotations

import sqlite3
from typing import Final

import structlog

from daemon.events import EventLog
from daemon.keys.keystore import Keystore
from daemon.store import Store, StoreError
from daemon.tasks import BackgroundTasks

log = structlog.get_logger("musigd.keys")

TOLD: Final = "told_locked"  # name in the table meta: whether the last event said locked


class LockEvents:
    """Locking happens in memory and must work on a full disk, so its event is stored afterwards."""

    def __init__(self, *, store: Store, events: EventLog, keystore: Keystore) -> None:
        self._store = store
        self._events = events
        self._keystore = keystore
        self._tasks = BackgroundTasks("lock events")

    async def start(self) -> None:
        """Emit an event if a restart changed the state. Call it after the keystore has started."""
        self._keystore.on_lock(self._spawn)
        self._keystore.on_unlock(self._spawn)
        if self._keystore.locked is not self._store.read(_told_locked):
            self._spawn()
            await self.told()

    async def stop(self) -> None:
        """Wait for what is being stored."""
        await self.told()

    async def told(self) -> None:
        """Wait until all events so far are stored."""
        await self._tasks.finished()

    def _spawn(self) -> None:
        locked, until_ms = self._keystore.locked, self._keystore.locks_at_ms
        log.info("the keys are locked" if locked else "the keys are unlocked")
        self._tasks.once("tell", self._tell(locked=locked, until_ms=until_ms))

    async def _tell(self, *, locked: bool, until_ms: int | None) -> None:
        data = {} if locked or until_ms is None else {"until": until_ms}

        def save(conn: sqlite3.Connection) -> None:
            conn.execute("INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)", (TOLD, int(locked)))
            self._events.append(conn, "node:locked" if locked else "node:unlocked", data)

        try:
            await self._store.write(save)
        except StoreError as error:
            log.error("the event of a lock or unlock could not be stored", locked=locked, detail=str(error))
        else:
            self._events.publish()


def _told_locked(conn: sqlite3.Connection) -> bool:
    row = conn.execute("SELECT value FROM meta WHERE name = ?", (TOLD,)).fetchone()
    return row is not None and bool(row[0])
