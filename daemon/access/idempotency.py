"""Answers to calls with an idempotency key, kept for a day or a little longer and across restarts."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel

from daemon.clock import WallClock
from daemon.events import last_seq
from daemon.store import Store
from rpc.calls.call import with_seq
from rpc.ports import Once, StoredAnswer

KEPT_MS: Final = 24 * 3_600_000


@dataclass(slots=True)
class CallOnce:
    """Implements `rpc.ports.KeyedOnce`; `time` is when the call began."""

    token_id: str
    key: str
    digest: bytes
    time: int
    wants_answer: bool = True
    kept: bytes | None = None

    def keep(self, transaction: sqlite3.Connection, answer: Mapping[str, Any] | BaseModel) -> None:
        """Call it last in the write function of the change: the answer contains the position of the event log."""
        self.kept = with_seq(answer, last_seq(transaction))
        _store(transaction, self, self.kept)


def keeping(once: Once | None, answer: Mapping[str, Any] | BaseModel) -> Callable[[sqlite3.Connection], None]:
    """A function that keeps `answer` if the call has a key; run it last in the write function of the change."""
    return (lambda conn: None) if once is None else lambda conn: once.keep(conn, answer)


class StoredAnswers:
    """Implements `rpc.ports.IdempotencyStore`."""

    def __init__(self, *, store: Store, clock: WallClock) -> None:
        self._db = store
        self._clock = clock

    def once(self, token_id: str, key: str, digest: bytes) -> CallOnce:
        return CallOnce(token_id, key, digest, self._clock.wall_ms())

    async def find(self, token_id: str, key: str) -> StoredAnswer | None:
        """The stored answer, whatever its age by a clock that may have jumped: a change is never made twice."""

        def select(conn: sqlite3.Connection) -> tuple[bytes, bytes] | None:
            query = "SELECT digest, result FROM idempotency WHERE token_id = ? AND key = ?"
            row: tuple[bytes, bytes] | None = conn.execute(query, (token_id, key)).fetchone()
            return row

        row = self._db.query(select)
        return None if row is None else StoredAnswer(*row)

    async def save(self, token_id: str, key: str, answer: StoredAnswer) -> None:
        """Store the final answer in place of the one that the handler kept before anything was sent to peers."""
        call = self.once(token_id, key, answer.digest)
        await self._db.write(lambda conn: _store(conn, call, answer.result))

    async def forget_old(self) -> None:
        """Remove what is older than a day."""
        since = self._clock.wall_ms() - KEPT_MS
        await self._db.write(lambda conn: conn.execute("DELETE FROM idempotency WHERE time <= ?", (since,)))


def _store(conn: sqlite3.Connection, call: CallOnce, result: bytes) -> None:
    conn.execute(
        "INSERT OR REPLACE INTO idempotency (token_id, key, digest, result, time) VALUES (?, ?, ?, ?, ?)",
        (call.token_id, call.key, call.digest, result, call.time),
    )
