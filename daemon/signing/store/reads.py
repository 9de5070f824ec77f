"""Queries on the signing tables: short, indexed, and answered as plain values."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

from daemon.signing.store.writes import SESSION_COLUMNS, pieces, session_row
from musig2.protocol.interface.effects import Outcome, SessionRow
from musig2.protocol.records.envelope import open_envelope
from musig2.protocol.records.records import Cancel, Considering, Decline

_REQUEST = "number, request, envelope, source, received, outcome, reason, by_key, signatures, completed, turn"
_SESSION = f"number, closed, {SESSION_COLUMNS}"


@dataclass(frozen=True, slots=True)
class StoredRequest:
    """One row of signing_requests."""

    number: int
    request: bytes
    envelope: bytes
    source: bytes | None
    received_ms: int
    outcome: Outcome
    reason: str | None
    by: bytes | None
    signatures: tuple[bytes, ...]
    completed_ms: int | None
    turn: int

    @classmethod
    def opened(cls, request: bytes, envelope: bytes, source: bytes | None, received_ms: int, outcome: Outcome) -> Self:
        """The row of a request that was just stored, and whose number nobody needs."""
        return cls(0, request, envelope, source, received_ms, outcome, None, None, (), None, 0)


@dataclass(frozen=True, slots=True)
class StoredSession:
    """One row of signing_sessions: an attempt as one own key sees it."""

    number: int
    closed: bool
    row: SessionRow


@dataclass(frozen=True, slots=True)
class StoredJoin:
    """One row of signing_joins."""

    attempt: int
    position: int
    own: bool
    peer: bytes
    envelope: bytes


@dataclass(frozen=True, slots=True)
class RequestRows:
    """What is stored of a request beside its own row."""

    joins: Sequence[StoredJoin]
    sessions: Sequence[SessionRow]  # all attempts, lowest first, one per own key
    own: Collection[int]  # positions of this daemon's keys
    delivered: Collection[int] = ()  # positions of the signers that are known to have been given the request
    given: str = ""  # the reason in the decline or cancel that ended it
    considering: Mapping[bytes, int] = field(default_factory=dict)  # keys whose owners have not decided yet, since when


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """One row of signing_messages."""

    session: bytes
    position: int
    seq: int
    own: bool
    envelope: bytes


def _requests(cursor: sqlite3.Cursor) -> Iterator[StoredRequest]:
    for number, request, envelope, source, received, outcome, reason, by, signatures, completed, turn in cursor:
        yield StoredRequest(
            number=number,
            request=request,
            envelope=envelope,
            source=source,
            received_ms=received,
            outcome=Outcome(outcome),
            reason=reason,
            by=by,
            signatures=pieces(signatures, 64),
            completed_ms=completed,
            turn=turn,
        )


def request(conn: sqlite3.Connection, request_id: bytes) -> StoredRequest | None:
    """The request with that id."""
    cursor = conn.execute(f"SELECT {_REQUEST} FROM signing_requests WHERE request = ?", (request_id,))  # noqa: S608  # constant names
    return next(_requests(cursor), None)


def is_restored(conn: sqlite3.Connection) -> bool:
    """Whether this database came out of a backup and its open attempts have not been abandoned yet."""
    return conn.execute("SELECT 1 FROM meta WHERE name = 'burn_open_attempts'").fetchone() is not None


def unsettled(conn: sqlite3.Connection) -> list[bytes]:
    """The ids of all requests with something left to do, oldest first."""
    query = "SELECT request FROM signing_requests WHERE settled = 0 ORDER BY number"
    return [row[0] for row in conn.execute(query)]


def partner_peers(conn: sqlite3.Connection) -> list[bytes]:
    """The peers with whose signers a signature was made, as far as it is stored, the latest last."""
    rows = conn.execute(
        "SELECT j.peer FROM signing_requests r JOIN signing_joins j ON j.request = r.request"
        " WHERE r.outcome = 'complete' AND j.own = 0 GROUP BY j.peer ORDER BY max(r.number)"
    )
    return [row[0] for row in rows]


def keys_about_to_sign(conn: sqlite3.Connection) -> list[bytes]:
    """All keys of the unsettled requests that an own key has joined.

    Requests that were only sent here do not count: otherwise a stranger could protect any key by sending many.
    """
    rows = conn.execute(
        "SELECT DISTINCT k.key FROM signing_requests r CROSS JOIN signing_keys k ON k.request = r.request"
        " WHERE r.settled = 0 AND EXISTS (SELECT 1 FROM signing_joins j WHERE j.request = r.request AND j.own = 1)"
    )
    return [row[0] for row in rows]


def own_requests_after(conn: sqlite3.Connection, received_ms: int) -> list[tuple[bytes, bytes, int]]:
    """(request id, creator, time) of the unsettled requests that were made here after that time."""
    query = "SELECT request, creator, received FROM signing_requests WHERE source IS NULL AND settled = 0"
    return conn.execute(f"{query} AND received > ?", (received_ms,)).fetchall()


def numbered(conn: sqlite3.Connection, numbers: Sequence[int]) -> list[StoredRequest]:
    """The requests with these numbers, in their order."""
    query = f"SELECT {_REQUEST} FROM signing_requests WHERE number IN ({_marks(numbers)})"  # noqa: S608  # marks and constant names only
    found = {stored.number: stored for stored in _requests(conn.execute(query, tuple(numbers)))}
    return [found[number] for number in numbers if number in found]


def open_requests_for(conn: sqlite3.Connection, key: bytes, limit: int) -> list[bytes]:
    """The ids of open requests that require that key, newest first."""
    query = (
        "SELECT r.request FROM signing_keys k JOIN signing_requests r ON r.request = k.request"
        " WHERE k.key = ? AND r.outcome IN ('open', 'signing') ORDER BY r.number DESC LIMIT ?"
    )
    return [row[0] for row in conn.execute(query, (key, limit))]


def has_unsettled(conn: sqlite3.Connection, key: bytes) -> bool:
    """Whether a request that this key has made or joined has something left to do. Anybody may name a key in one."""
    query = (
        "SELECT 1 FROM signing_keys k JOIN signing_requests r ON r.request = k.request"
        " WHERE k.key = ? AND r.settled = 0 AND (r.creator = k.key OR EXISTS (SELECT 1 FROM signing_joins j"
        " WHERE j.request = r.request AND j.position = k.position AND j.own = 1))"
    )
    return conn.execute(query, (key,)).fetchone() is not None


def delivered(conn: sqlite3.Connection, request_id: bytes) -> set[int]:
    """The positions of the signers that are known to have been given the request."""
    query = "SELECT position FROM signing_keys WHERE request = ? AND delivered = 1"
    return {row[0] for row in conn.execute(query, (request_id,))}


def request_rows(conn: sqlite3.Connection, stored: StoredRequest) -> RequestRows:
    """The rows that belong to a request."""
    query = "SELECT position, own, delivered FROM signing_keys WHERE request = ?"
    keys = conn.execute(query, (stored.request,)).fetchall()
    ended = stored.outcome in (Outcome.DECLINED, Outcome.CANCELLED)
    return RequestRows(
        joins=joins(conn, stored.request),
        sessions=[each.row for each in sessions_of(conn, stored.request)],
        own={position for position, own, _ in keys if own},
        delivered={position for position, _, delivered in keys if delivered},
        given=given_reason(conn, stored.request) if ended else "",
        considering=considering(conn, stored.request) if stored.outcome is Outcome.OPEN else {},
    )


def joins(conn: sqlite3.Connection, request_id: bytes) -> list[StoredJoin]:
    """All joins of a request, lowest attempt first."""
    query = (
        "SELECT attempt, position, own, peer, envelope FROM signing_joins WHERE request = ? ORDER BY attempt, position"
    )
    return [StoredJoin(a, p, bool(own), peer, env) for a, p, own, peer, env in conn.execute(query, (request_id,))]


def messages(conn: sqlite3.Connection, sessions: Sequence[bytes]) -> list[StoredMessage]:
    """All messages of these sessions, in order."""
    query = (
        "SELECT session, position, seq, own, envelope FROM signing_messages"  # noqa: S608  # marks only
        f" WHERE session IN ({_marks(sessions)}) ORDER BY session, position, seq"
    )
    return [StoredMessage(s, p, seq, bool(own), env) for s, p, seq, own, env in conn.execute(query, tuple(sessions))]


def filled(conn: sqlite3.Connection, session: bytes) -> set[tuple[int, int]]:
    """Which (position, seq) slots of a session are filled."""
    return set(conn.execute("SELECT position, seq FROM signing_messages WHERE session = ?", (session,)))


def _sessions(cursor: sqlite3.Cursor) -> Iterator[StoredSession]:
    for number, closed, *values in cursor:
        yield StoredSession(number, bool(closed), session_row(values))


def sessions_of(conn: sqlite3.Connection, request_id: bytes) -> list[StoredSession]:
    """All attempts of a request, lowest first, one row per own key."""
    query = f"SELECT {_SESSION} FROM signing_sessions WHERE request = ? ORDER BY attempt, number"  # noqa: S608  # constant names
    return list(_sessions(conn.execute(query, (request_id,))))


def session(conn: sqlite3.Connection, session_id: bytes) -> list[StoredSession]:
    """The rows of one session, one per own key."""
    query = f"SELECT {_SESSION} FROM signing_sessions WHERE session = ? ORDER BY number"  # noqa: S608  # constant names
    return list(_sessions(conn.execute(query, (session_id,))))


def request_of_session(conn: sqlite3.Connection, session_id: bytes) -> bytes | None:
    """The request that a stored session belongs to."""
    row = conn.execute("SELECT request FROM signing_sessions WHERE session = ? LIMIT 1", (session_id,)).fetchone()
    return None if row is None else row[0]


def sessions_page(
    conn: sqlite3.Connection,
    *,
    keys: Collection[bytes],
    request_id: bytes | None,
    states: Collection[str] | None,
    before: int,
    limit: int,
) -> list[tuple[int, bytes]]:
    """(number, session) of sessions of these keys that are not closed, newest first, each session once."""
    where, params = [f"$.key IN ({_marks(keys)}) AND $.closed = 0"], list[object](keys)
    if request_id is not None:
        where.append("$.request = ?")
        params.append(request_id)
    if states is not None:
        where.append(f"$.state IN ({_marks(states)})")
        params += states
    wanted = " AND ".join(where)
    query = (
        f"SELECT number, session FROM signing_sessions s WHERE {wanted.replace('$', 's')} AND number < ?"  # noqa: S608  # marks only
        " AND NOT EXISTS (SELECT 1 FROM signing_sessions o WHERE o.session = s.session AND o.number < s.number"
        f" AND {wanted.replace('$', 'o')}) ORDER BY number DESC LIMIT ?"
    )
    return conn.execute(query, (*params, before, *params, limit)).fetchall()


def records(conn: sqlite3.Connection, request_id: bytes) -> list[tuple[bytes | None, bytes | None, bytes]]:
    """(session, culprit, envelope) of stored declines, cancels and considerings (culprit None) and evidence."""
    query = "SELECT session, culprit, envelope FROM signing_records WHERE request = ? ORDER BY id"
    return conn.execute(query, (request_id,)).fetchall()


def given_reason(conn: sqlite3.Connection, request_id: bytes) -> str:
    """The reason given in the decline or cancel that ended a request; empty if there was none."""
    query = "SELECT envelope FROM signing_records WHERE request = ? AND session IS NULL AND culprit IS NULL"
    for (envelope,) in conn.execute(query, (request_id,)):
        record = open_envelope(envelope, max_bytes=len(envelope)).record
        if isinstance(record, Decline | Cancel):
            return record.reason
    return ""


def considering(conn: sqlite3.Connection, request_id: bytes) -> dict[bytes, int]:
    """The keys whose owners have not decided yet, as they said, and since when; also those that have joined since."""
    query = "SELECT envelope FROM signing_records WHERE request = ? AND session IS NULL AND culprit IS NULL"
    stored = conn.execute(query, (request_id,))
    found = (open_envelope(envelope, max_bytes=len(envelope)).record for (envelope,) in stored)
    return {record.pubkey: record.ts for record in found if isinstance(record, Considering)}


def proof(conn: sqlite3.Connection, request_id: bytes, row: SessionRow) -> list[bytes]:
    """The envelopes that prove what `row` says of its culprits: stored evidence, and the messages it refers to."""
    if not row.culprits and not row.conflicting:
        return []
    kept = [envelope for about, _, envelope in records(conn, request_id) if about == row.session]
    joined = [join.envelope for join in joins(conn, request_id) if join.attempt == row.attempt]
    sent = [message.envelope for message in messages(conn, [row.session]) if message.seq <= 2]
    return list(dict.fromkeys((*kept, *joined, *sent)))


def _marks(values: Collection[object]) -> str:
    return ", ".join("?" * len(values))
