"""Answers to calls with an idempotency key, kept for a day and across restarts."""

from __future__ import annotations

import sqlite3
from typing import Final, Protocol

from daemon.store import Store
from rpc.ports import StoredAnswer

KEPT_MS: Final = 24 * 3_600_000


class WallClock(Protocol):
    def wall_ms(self) -> int: ...


class Idempotency:
    """Implements `rpc.ports.IdempotencyStore`."""

    def __init__(self, *, store: Store, clock: WallClock) -> None:
        self._store = store
        self._clock = clock

    async def find(self, token_id: str, key: str) -> StoredAnswer | None:
        since = self._clock.wall_ms() - KEPT_MS

        def select(conn: sqlite3.Connection) -> tuple[bytes, bytes] | None:
            query = "SELECT digest, result FROM idempotency WHERE token_id = ? AND key = ? AND time > ?"
            row: tuple[bytes, bytes] | None = conn.execute(query, (token_id, key, since)).fetchone()
            return row

        row = self._store.read(select)
        return None if row is None else StoredAnswer(*row)

    async def save(self, token_id: str, key: str, answer: StoredAnswer) -> None:
        row = (token_id, key, answer.digest, answer.result, self._clock.wall_ms())
        await self._store.write(
            lambda conn: conn.execute(
                "INSERT OR REPLACE INTO idempotency (token_id, key, digest, result, time) VALUES (?, ?, ?, ?, ?)", row
            )
        )

    async def forget_old(self) -> None:
        """Remove what is older than a day."""
        since = self._clock.wall_ms() - KEPT_MS
        await self._store.write(lambda conn: conn.execute("DELETE FROM idempotency WHERE time <= ?", (since,)))
