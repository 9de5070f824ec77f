"""Dismissed requests and muted creators: their rows, and the condition they put on lists."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator, Mapping
from typing import Final

EVERY_KEY: Final = b""  # a creator that is muted for all keys of this daemon, those made later included

# A request of the list is hidden from a key that dismissed it or muted its creator, unless an own key has joined it.
_NOT_HIDDEN: Final = (
    " AND (EXISTS (SELECT 1 FROM signing_joins j WHERE j.request = k.request AND j.own = 1)"
    " OR NOT EXISTS (SELECT 1 FROM signing_dismissed d WHERE d.request = k.request AND d.key = k.key)"
    " AND NOT EXISTS (SELECT 1 FROM signing_muted m WHERE m.creator = r.creator AND m.key IN (k.key, x'')))"
)


def asked_of(
    conn: sqlite3.Connection, *, keys: Collection[bytes], outcomes: Collection[str], before: int, hidden: bool
) -> Iterator[tuple[int, bytes]]:
    """(number, creator) of requests that require one of `keys`, newest first, lazily. `hidden`: the unwanted too."""
    query = (
        "SELECT r.number, r.creator FROM signing_requests r INDEXED BY signing_requests_by_outcome"  # noqa: S608  # marks only
        f" WHERE r.outcome IN ({_marks(outcomes)}) AND r.number < ?"
        f" AND EXISTS (SELECT 1 FROM signing_keys k WHERE k.request = r.request AND k.key IN ({_marks(keys)})"
        f"{'' if hidden else _NOT_HIDDEN}) ORDER BY r.number DESC"
    )
    yield from conn.execute(query, (*outcomes, before, *keys))


def dismiss(conn: sqlite3.Connection, request: bytes, keys: Collection[bytes]) -> None:
    """This request leaves the lists of these keys."""
    rows = [(request, key) for key in keys]
    conn.executemany("INSERT OR IGNORE INTO signing_dismissed (request, key) VALUES (?, ?)", rows)


def is_dismissed(conn: sqlite3.Connection, request: bytes, key: bytes) -> bool:
    """Whether the owner of that key took the request out of its lists."""
    found = conn.execute("SELECT 1 FROM signing_dismissed WHERE request = ? AND key = ?", (request, key))
    return found.fetchone() is not None


def bring_back(conn: sqlite3.Connection, request: bytes, keys: Collection[bytes]) -> None:
    """This request is in the lists of these keys again."""
    conn.executemany("DELETE FROM signing_dismissed WHERE request = ? AND key = ?", [(request, key) for key in keys])


def mute(conn: sqlite3.Connection, creator: bytes, keys: Collection[bytes], now_ms: int) -> None:
    """Requests of this creator are not wanted for these keys."""
    rows = [(creator, key, now_ms) for key in keys]
    conn.executemany("INSERT OR IGNORE INTO signing_muted (creator, key, since) VALUES (?, ?, ?)", rows)


def unmute(conn: sqlite3.Connection, creator: bytes, keys: Collection[bytes] | None) -> None:
    """Requests of this creator are wanted again for these keys; None: for all."""
    if keys is None:
        conn.execute("DELETE FROM signing_muted WHERE creator = ?", (creator,))
        return
    conn.executemany("DELETE FROM signing_muted WHERE creator = ? AND key = ?", [(creator, key) for key in keys])


def muted(conn: sqlite3.Connection) -> Mapping[bytes, Mapping[bytes, int]]:
    """Each muted creator: the keys, and since when."""
    found: dict[bytes, dict[bytes, int]] = {}
    for creator, key, since in conn.execute("SELECT creator, key, since FROM signing_muted ORDER BY since, creator"):
        found.setdefault(creator, {})[key] = since
    return found


def has_own_join(conn: sqlite3.Connection, request: bytes) -> bool:
    """Whether an own key has joined a request."""
    query = "SELECT 1 FROM signing_joins WHERE request = ? AND own = 1 LIMIT 1"
    return conn.execute(query, (request,)).fetchone() is not None


def _marks(values: Collection[object]) -> str:
    return ", ".join("?" * len(values))
