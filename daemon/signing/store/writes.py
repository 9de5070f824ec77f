"""Every `Save*` effect as SQL, and its rows as values. Runs inside the store's transactions."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, assert_never

from musig2.protocol.interface.effects import (
    Outcome,
    Save,
    SaveJoin,
    SaveLock,
    SaveMessage,
    SaveOutcome,
    SaveRecord,
    SaveSession,
    SessionRow,
    State,
)
from musig2.protocol.records.records import Request
from musig2.protocol.wire.frames import Signed


@dataclass(frozen=True, slots=True)
class SaveRequest:
    """Store a request that was made here (`source` None) or passed intake; `own` are the keys of this daemon in it."""

    request: Signed[Request]
    own: frozenset[bytes]
    source: bytes | None
    received_ms: int


def save_request(conn: sqlite3.Connection, save: SaveRequest) -> None:
    """Insert the request and its keys; an IntegrityError if it is there already."""
    record, request = save.request.record, save.request.id
    conn.execute(
        "INSERT INTO signing_requests (request, scheme, envelope, creator, expires, received, source, outcome)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            request,
            record.scheme,
            save.request.envelope,
            record.creator,
            record.expires,
            save.received_ms,
            save.source,
            Outcome.OPEN.value,
        ),
    )
    conn.executemany(
        "INSERT INTO signing_keys (request, position, key, own) VALUES (?, ?, ?, ?)",
        [(request, position, key, key in save.own) for position, key in enumerate(record.keys)],
    )


def save(conn: sqlite3.Connection, request: bytes, effect: Save, now_ms: int) -> None:
    """Execute one Save effect of the machine of `request`.

    Own joins, own nonces and partials, and locks are inserted without OR IGNORE: a second one is an IntegrityError that
    fails the transaction, so that nothing is sent.
    """
    match effect:
        case SaveJoin():
            _save_join(conn, effect)
        case SaveMessage():
            _save_message(conn, effect)
        case SaveLock():
            conn.execute(
                "INSERT INTO signing_locks (session, key, item, digest) VALUES (?, ?, ?, ?)",
                (effect.session, effect.key, effect.item, effect.digest),
            )
        case SaveSession():
            _save_session(conn, effect.row)
        case SaveOutcome():
            _save_outcome(conn, effect, now_ms)
        case SaveRecord():
            _save_record(conn, request, effect)
        case _:
            assert_never(effect)


def _save_join(conn: sqlite3.Connection, effect: SaveJoin) -> None:
    join = effect.join
    verb = "INSERT" if effect.own else "INSERT OR IGNORE"
    conn.execute(
        f"{verb} INTO signing_joins (request, attempt, position, own, peer, envelope) VALUES (?, ?, ?, ?, ?, ?)",
        (join.record.request, join.record.attempt, effect.index, effect.own, join.record.peer, join.envelope),
    )


def _save_message(conn: sqlite3.Connection, effect: SaveMessage) -> None:
    verb = "INSERT" if effect.own and effect.seq <= 2 else "INSERT OR IGNORE"
    conn.execute(
        f"{verb} INTO signing_messages (session, position, seq, own, envelope) VALUES (?, ?, ?, ?, ?)",
        (effect.session, effect.index, effect.seq, effect.own, effect.message.envelope),
    )


SESSION_COLUMNS = (
    "session, key, request, attempt, state, auto, want_round1, want_round2, partial_released, nonce_sent, reason,"
    " scope, culprits, missing, superseded_by, all_joined, released_at, by_key, conflicting"
)
_UPSERT_SESSION = (
    f"INSERT INTO signing_sessions ({SESSION_COLUMNS})"  # noqa: S608  # constant column names
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (session, key) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in SESSION_COLUMNS.split(", ")[4:])
)


def _save_session(conn: sqlite3.Connection, row: SessionRow) -> None:
    conn.execute(
        _UPSERT_SESSION,
        (
            row.session,
            row.key,
            row.request,
            row.attempt,
            row.state.value,
            row.auto,
            row.want_round1,
            row.want_round2,
            row.partial_released,
            row.nonce_sent,
            row.reason,
            row.scope,
            b"".join(row.culprits),
            b"".join(row.missing),
            row.superseded_by,
            row.all_joined_wall_ms,
            row.released_at_ms,
            row.by,
            b"".join(row.conflicting),
        ),
    )


def _save_outcome(conn: sqlite3.Connection, effect: SaveOutcome, now_ms: int) -> None:
    finished = None if effect.outcome.live else now_ms
    conn.execute(
        "UPDATE signing_requests SET outcome = ?, reason = ?, by_key = ?, turn = ?, completed = coalesce(completed, ?),"
        " signatures = coalesce(signatures, ?), finished = coalesce(finished, ?) WHERE request = ?",
        (
            effect.outcome.value,
            effect.reason,
            effect.by,
            effect.turn,
            effect.completed_ms,
            b"".join(effect.signatures) or None,
            finished,
            effect.request,
        ),
    )


def _save_record(conn: sqlite3.Connection, request: bytes, effect: SaveRecord) -> None:
    conn.execute(
        "INSERT OR IGNORE INTO signing_records (request, id, session, culprit, envelope) VALUES (?, ?, ?, ?, ?)",
        (request, effect.signed.id, effect.session, effect.culprit, effect.signed.envelope),
    )


def settle(conn: sqlite3.Connection, request: bytes) -> None:
    """Mark that nothing is left to do for this request: it is not loaded at the next start."""
    conn.execute("UPDATE signing_requests SET settled = 1 WHERE request = ?", (request,))


def close_session(conn: sqlite3.Connection, session: bytes, keys: Iterable[bytes]) -> None:
    """Hide a session from lists."""
    conn.executemany(
        "UPDATE signing_sessions SET closed = 1 WHERE session = ? AND key = ?", [(session, key) for key in keys]
    )


def forget_restore(conn: sqlite3.Connection) -> None:
    """Note that every attempt which a backup brought back open was abandoned."""
    conn.execute("DELETE FROM meta WHERE name = 'burn_open_attempts'")


def pieces(data: bytes | None, size: int) -> tuple[bytes, ...]:
    """Split stored bytes into fields of `size` bytes."""
    return tuple(data[i : i + size] for i in range(0, len(data), size)) if data else ()


def session_row(values: Iterable[Any]) -> SessionRow:
    """One row of signing_sessions, selected in the order of `SESSION_COLUMNS`."""
    (
        session, key, request, attempt, state, auto, want1, want2, released, nonce_sent, reason, scope, culprits,
        missing, superseded_by, all_joined, released_at, by, conflicting,
    ) = values  # fmt: skip
    return SessionRow(
        session=session,
        key=key,
        request=request,
        attempt=attempt,
        state=State(state),
        auto=bool(auto),
        want_round1=bool(want1),
        want_round2=bool(want2),
        partial_released=bool(released),
        nonce_sent=bool(nonce_sent),
        reason=reason,
        scope=scope,
        culprits=pieces(culprits, 33),
        missing=pieces(missing, 33),
        superseded_by=superseded_by,
        all_joined_wall_ms=all_joined,
        released_at_ms=released_at,
        by=by,
        conflicting=pieces(conflicting, 33),
    )
