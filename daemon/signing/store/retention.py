"""What is deleted from the store, and when. The locks of signing are kept for ever."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from daemon.signing.limits import SigningLimits

_AT_ONCE = 200
_OLD = (
    "SELECT request FROM signing_requests WHERE settled = 1 AND finished IS NOT NULL AND finished < ? AND expires < ?"
    " ORDER BY finished LIMIT ?"
)

_UNWANTED = (
    "SELECT request FROM signing_requests AS r WHERE settled = 1 AND finished < ? AND source IS NOT NULL AND NOT EXISTS"
    " (SELECT 1 FROM signing_joins AS j WHERE j.request = r.request AND j.own = 1)"
    " ORDER BY finished DESC LIMIT 5000 OFFSET ?"
)

_OF_A_REQUEST = (
    "signing_sessions",
    "signing_joins",
    "signing_records",
    "signing_dismissed",
    "signing_keys",
    "signing_requests",
)


def delete_old(conn: sqlite3.Connection, wall_ms: int, limits: SigningLimits) -> int:
    """Remove requests that ended long ago with all that belongs to them, but for the locks; returns how many.

    Stored own joins prevent a second join of the same attempt, so nothing goes before `expires` plus `keep_joins_ms`.
    """
    params = (wall_ms - limits.keep_finished_ms, wall_ms - limits.keep_joins_ms, _AT_ONCE)
    old = conn.execute(_OLD, params).fetchall()
    _delete(conn, old)
    return len(old)


def unwanted(conn: sqlite3.Connection, wall_ms: int, limits: SigningLimits) -> list[bytes]:
    """Ended requests that peers brought and no own key has joined, without the newest: strangers make any number."""
    left_memory = wall_ms - 2 * limits.idle_ms
    return [row[0] for row in conn.execute(_UNWANTED, (left_memory, limits.ended_unsolicited))]


def delete_requests(conn: sqlite3.Connection, requests: Sequence[bytes]) -> None:
    """Remove some that no own key has joined."""
    _delete(conn, [(request,) for request in requests])


def delete_request(conn: sqlite3.Connection, request: bytes) -> None:
    """Remove one that no own key has joined."""
    _delete(conn, [(request,)])


def _delete(conn: sqlite3.Connection, old: Sequence[tuple[bytes]]) -> None:
    conn.executemany(
        "DELETE FROM signing_messages WHERE session IN (SELECT session FROM signing_sessions WHERE request = ?)", old
    )
    for table in _OF_A_REQUEST:
        conn.executemany(f"DELETE FROM {table} WHERE request = ?", old)  # noqa: S608  # constant names
