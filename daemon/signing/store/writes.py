"""Every `Save*` effect as SQL, and its rows as values. Runs inside the store's transactions."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias, assert_never

from daemon.store.inserts import insert_rows
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

_Row: TypeAlias = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class SaveRequest:
    """Store a request that was made here (`source` None) or passed intake; `own` are the keys of this daemon in it."""

    request: Signed[Request]
    own: frozenset[bytes]
    source: bytes | None
    received_ms: int


def save_requests(conn: sqlite3.Connection, saves: Sequence[SaveRequest]) -> None:
    """Insert requests and their keys; an IntegrityError if one is there already."""
    insert_rows(
        conn,
        "INSERT INTO signing_requests (request, scheme, envelope, creator, expires, received, source, outcome)",
        [
            (
                save.request.id,
                save.request.record.scheme,
                save.request.envelope,
                save.request.record.creator,
                save.request.record.expires,
                save.received_ms,
                save.source,
                Outcome.OPEN.value,
            )
            for save in saves
        ],
    )
    insert_rows(
        conn,
        "INSERT INTO signing_keys (request, position, key, own)",
        [
            (save.request.id, position, key, key in save.own)
            for save in saves
            for position, key in enumerate(save.request.record.keys)
        ],
    )


class SaveBatch:
    """The Save effects of some requests, as rows: one statement for each table, and each row written once.

    Own joins, own nonces and partials, and locks are inserted without OR IGNORE: a second one is an IntegrityError that
    fails the transaction, so that nothing is sent.
    """

    def __init__(self, now_ms: int) -> None:
        self._now_ms = now_ms
        self._joins: dict[bool, list[_Row]] = {True: [], False: []}  # by whether a second one is a fault
        self._messages: dict[bool, list[_Row]] = {True: [], False: []}
        self._locks: list[_Row] = []
        self._sessions: dict[tuple[bytes, bytes], _Row] = {}  # the last state of each
        self._outcomes: dict[bytes, SaveOutcome] = {}
        self._records: list[_Row] = []
        self._settled: set[bytes] = set()

    def add(self, request: bytes, saves: Iterable[Save], *, settled: bool) -> None:
        """The effects of the machine of `request`, in order; `settled`: it is not loaded at the next start."""
        for save in saves:
            self._add(request, save)
        if settled:
            self._settled.add(request)

    def _add(self, request: bytes, effect: Save) -> None:
        match effect:
            case SaveMessage():
                self._messages[effect.own and effect.seq <= 2].append(
                    (effect.session, effect.index, effect.seq, effect.own, effect.message.envelope)
                )
            case SaveSession(row=row):
                self._sessions[row.session, row.key] = _session_values(row)
            case SaveJoin(join=join):
                about = join.record
                self._joins[effect.own].append(
                    (about.request, about.attempt, effect.index, effect.own, about.peer, join.envelope)
                )
            case SaveLock():
                self._locks.append((effect.session, effect.key, effect.item, effect.digest))
            case SaveOutcome():
                self._outcomes[effect.request] = _later(self._outcomes.get(effect.request), effect)
            case SaveRecord():
                self._records.append(
                    (request, effect.signed.id, effect.session, effect.culprit, effect.signed.envelope)
                )
            case _:
                assert_never(effect)

    def write(self, conn: sqlite3.Connection) -> None:
        """Execute them."""
        for fault, verb in ((True, "INSERT"), (False, "INSERT OR IGNORE")):
            insert_rows(conn, f"{verb} INTO {_JOINS}", self._joins[fault])
            insert_rows(conn, f"{verb} INTO {_MESSAGES}", self._messages[fault])
        insert_rows(conn, "INSERT INTO signing_locks (session, key, item, digest)", self._locks)
        insert_rows(conn, _INTO_SESSIONS, list(self._sessions.values()), _UPDATE_SESSION)
        records = "INSERT OR IGNORE INTO signing_records (request, id, session, culprit, envelope)"
        insert_rows(conn, records, self._records)
        for outcome in self._outcomes.values():
            conn.execute(_UPDATE_REQUEST, self._outcome_values(outcome))
        for request in self._settled - self._outcomes.keys():
            conn.execute("UPDATE signing_requests SET settled = 1 WHERE request = ?", (request,))

    def _outcome_values(self, effect: SaveOutcome) -> _Row:
        return (
            effect.outcome.value,
            effect.reason,
            effect.by,
            effect.turn,
            effect.completed_ms,
            b"".join(effect.signatures) or None,
            None if effect.outcome.live else self._now_ms,
            effect.request in self._settled,
            effect.request,
        )


_JOINS = "signing_joins (request, attempt, position, own, peer, envelope)"
_MESSAGES = "signing_messages (session, position, seq, own, envelope)"
SESSION_COLUMNS = (
    "session, key, request, attempt, state, auto, want_round1, want_round2, partial_released, nonce_sent, reason,"
    " scope, culprits, missing, superseded_by, all_joined, released_at, by_key, conflicting"
)
_INTO_SESSIONS = f"INSERT INTO signing_sessions ({SESSION_COLUMNS})"
_UPDATE_SESSION = "ON CONFLICT (session, key) DO UPDATE SET " + ", ".join(
    f"{name} = excluded.{name}" for name in SESSION_COLUMNS.split(", ")[4:]
)
_UPDATE_REQUEST = (
    "UPDATE signing_requests SET outcome = ?, reason = ?, by_key = ?, turn = ?, completed = coalesce(completed, ?),"
    " signatures = coalesce(signatures, ?), finished = coalesce(finished, ?), settled = max(settled, ?)"
    " WHERE request = ?"
)


def _later(earlier: SaveOutcome | None, effect: SaveOutcome) -> SaveOutcome:
    """Both in one: a signature is never replaced, and what completed stays completed."""
    if earlier is None or not earlier.signatures:
        return effect
    return replace(effect, signatures=earlier.signatures, completed_ms=earlier.completed_ms)


def _session_values(row: SessionRow) -> _Row:
    return (
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
    )


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
    ) = values  # fmt: skip  # a table
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
