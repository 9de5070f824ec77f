"""Requests and sessions as clients see them, made from what is stored (so a client never sees what is not)."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Sequence

from daemon.signing.store import reads as reading
from daemon.signing.store.criteria import CriteriaOf, outside_criteria
from daemon.signing.store.reads import StoredJoin, StoredRequest, StoredSession
from daemon.signing.store.values import Json, item_json, items_json
from musig2.protocol.broadcast.election import priority
from musig2.protocol.interface.effects import Outcome, SessionRow, State
from musig2.protocol.records.ids import session_id
from musig2.protocol.records.open_maps import open_to_json
from musig2.protocol.records.peers import peer_text
from musig2.protocol.records.records import Request
from musig2.protocol.wire.frames import Signed

PHASES = {
    State.JOINING: "joining",
    State.READY: "ready",
    State.ROUND1: "round1",
    State.ROUND2: "round2",
    State.COMPLETE: "complete",
    State.ABORTED: "aborted",
}
_PROGRESS = tuple(State)
_GIVEN = {Outcome.DECLINED: "declineReason", Outcome.CANCELLED: "cancelReason"}


def states_of(phase: str) -> tuple[str, ...]:
    """The machine's states behind one phase of the API."""
    return tuple(state.value for state, name in PHASES.items() if name == phase)


def request_view(
    conn: sqlite3.Connection,
    signed: Signed[Request],
    stored: StoredRequest,
    sent: Collection[int] = (),
    *,
    criteria_of: CriteriaOf,
    keys: frozenset[bytes] | None = None,
) -> Json:
    """The `request` value of the API. `sent`: signers the request was handed to, as memory knows it.

    `keys`: the own keys that the caller may know of, None for all; the others look like anybody's.
    """
    request = signed.record
    joins = reading.joins(conn, signed.id)
    attempt = max((join.attempt for join in joins), default=1)
    peers = {join.position: join.peer for join in joins if join.attempt == attempt}
    rows = reading.sessions_of(conn, signed.id)
    view: Json = {
        "requestId": signed.id.hex(),
        "sessionId": session_id(signed.id, attempt).hex(),
        "attempt": attempt,
        "state": stored.outcome.value,
        "scheme": request.scheme,
        "requiredPublicKeys": [request.keys[position].hex() for position in request.order],
        "messages": items_json(signed),
        "message": request.items[0].msg.hex(),
        "tweaks": item_json(request.items[0])["tweaks"],
        "aggregatedPublicKey": request.items[0].agg.hex(),
        "creator": request.creator.hex(),
        "createdAt": request.created,
        "expiresAt": request.expires,
        "metadata": open_to_json(request.metadata),
        "signers": _request_signers(conn, signed, stored, peers, set(sent), keys=keys),
        "partialReleased": any(s.row.partial_released for s in rows if keys is None or s.row.key in keys),
        "envelope": signed.envelope.hex(),
    }
    asked = [bytes.fromhex(each["publicKey"]) for each in view["signers"] if each["own"]]
    others = (key for key in asked if key != request.creator)
    view["outsideCriteria"] = outside_criteria(request, others, criteria_of)
    if request.election is not None:
        election = request.election
        view["election"] = {"method": election.method, "broadcastTimeoutMs": election.broadcast_ms}
    if stored.signatures:
        view |= signatures_view(stored.signatures)
    if stored.reason is not None:
        view["reason"] = stored.reason
    if stored.outcome is Outcome.CANCELLED and (given := reading.given_reason(conn, signed.id)):
        view["cancelReason"] = given
    return view


def signatures_view(signatures: Sequence[bytes]) -> Json:
    """All signatures, and the first under its own name."""
    return {"signature": signatures[0].hex(), "signatures": [signature.hex() for signature in signatures]}


def _request_signers(
    conn: sqlite3.Connection,
    signed: Signed[Request],
    stored: StoredRequest,
    peers: dict[int, bytes],
    sent: set[int],
    *,
    keys: frozenset[bytes] | None,
) -> list[Json]:
    own = reading.own_positions(conn, signed.id)
    declined = stored.outcome is Outcome.DECLINED
    given = reading.given_reason(conn, signed.id) if declined else ""
    reached = own | sent | peers.keys() | reading.delivered(conn, signed.id)
    creator = signed.record.creator
    return [
        {
            "publicKey": key.hex(),
            **({"peerId": peer_text(peers[position])} if position in peers else {}),
            "own": position in own and (keys is None or key in keys),
            "delivered": position in reached or key == creator,
            "joined": position in peers,
            "declined": declined and stored.by == key,
            **({"declineReason": given} if given and stored.by == key else {}),
        }
        for position, key in enumerate(signed.record.keys)
    ]


def session_view(
    conn: sqlite3.Connection, signed: Signed[Request], rows: Sequence[StoredSession], turn: int = 0
) -> Json:
    """The `session` value of the API from the rows of one session (at least one), one per own key.

    `turn`: how often the duty to broadcast has passed on.
    """
    request, row = signed.record, leading(rows)
    joins = [join for join in reading.joins(conn, signed.id) if join.attempt == row.attempt]
    view: Json = {
        "sessionId": row.session.hex(),
        "requestId": signed.id.hex(),
        "attempt": row.attempt,
        "phase": PHASES[row.state],
        "scheme": request.scheme,
        "aggregatedPublicKey": request.items[0].agg.hex(),
        "message": request.items[0].msg.hex(),
        "messages": items_json(signed),
        "signers": _session_signers(conn, signed, row, joins),
        "deadline": _deadline(request, row),
        "partialReleased": any(session.row.partial_released for session in rows),
    }
    if request.election is not None:
        view["coordinator"] = _coordinator(request, joins, turn)
    if row.state is State.ABORTED:
        view |= ending(row)
    return view


def ended_by(conn: sqlite3.Connection, stored: StoredRequest) -> Json:
    """Who ended a request, and what was given as the reason: members of the errors that say so."""
    told: Json = {} if stored.by is None else {"publicKey": stored.by.hex()}
    name = _GIVEN.get(stored.outcome)
    if name is not None and (given := reading.given_reason(conn, stored.request)):
        told[name] = given
    return told


def ending(row: SessionRow) -> Json:
    """Why an attempt ended: reason, culprits, missing, and the session that took its place."""
    view: Json = {
        "culprits": [key.hex() for key in row.culprits],
        "missing": [key.hex() for key in row.missing],
    }
    if row.reason is not None:
        view["reason"] = row.reason
    if row.superseded_by is not None:
        view["supersededBy"] = row.superseded_by.hex()
    return view


def leading(rows: Sequence[StoredSession]) -> SessionRow:
    """The row that speaks for a session of several own keys: complete, else the slowest that is alive."""
    alive = [session.row for session in rows if session.row.state is not State.ABORTED]
    complete = [row for row in alive if row.state is State.COMPLETE]
    if complete or not alive:
        return complete[0] if complete else rows[0].row
    return min(alive, key=lambda row: _PROGRESS.index(row.state))


def _session_signers(
    conn: sqlite3.Connection, signed: Signed[Request], row: SessionRow, joins: Sequence[StoredJoin]
) -> list[Json]:
    peers = {join.position: join.peer for join in joins}
    filled = reading.filled(conn, row.session)
    return [
        {
            "publicKey": key.hex(),
            **({"peerId": peer_text(peers[position])} if position in peers else {}),
            "joined": position in peers,
            "nonce": (position, 1) in filled,
            "partialSignature": (position, 2) in filled,
        }
        for position, key in enumerate(signed.record.keys)
    ]


def _deadline(request: Request, row: SessionRow) -> int:
    if row.all_joined_wall_ms is None:
        return request.expires
    return row.all_joined_wall_ms + request.round_ms


def _coordinator(request: Request, joins: Sequence[StoredJoin], turn: int) -> Json:
    order = priority(request)
    index = order[min(turn, len(order) - 1)]
    peer = next((join.peer for join in joins if join.position == index), None)
    return {"publicKey": request.keys[index].hex(), **({"peerId": peer_text(peer)} if peer is not None else {})}
