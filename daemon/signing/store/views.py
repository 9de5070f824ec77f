"""Requests and sessions as clients see them, made from stored rows, so that no client sees what is not stored."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Mapping, Sequence

from daemon.signing.store import reads as reading
from daemon.signing.store.criteria import outside_criteria
from daemon.signing.store.reads import RequestRows, StoredJoin, StoredRequest, StoredSession
from daemon.signing.store.reviews import Showing, review_json
from daemon.signing.store.values import items_json, tweaks_json
from musig2.protocol.broadcast.election import priority
from musig2.protocol.interface.effects import Outcome, SessionRow, State
from musig2.protocol.records.ids import session_id
from musig2.protocol.records.open_maps import open_to_json
from musig2.protocol.records.peers import peer_text
from musig2.protocol.records.records import Request
from musig2.protocol.wire.frames import Signed
from rpc import answers

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
    signed: Signed[Request],
    stored: StoredRequest,
    rows: RequestRows,
    sent: Collection[int] = (),
    *,
    showing: Showing,
    keys: frozenset[bytes] | None = None,
) -> answers.SigningRequest:
    """The `request` value of the API. `sent`: signers the request was handed to, as memory knows it.

    `keys`: the own keys that the caller may know of, None for all; the others look like those of other signers.
    """
    request = signed.record
    attempt = attempt_of(rows)
    peers = {join.position: join.peer for join in rows.joins if join.attempt == attempt}
    view: answers.SigningRequest = {
        "requestId": signed.id.hex(),
        "sessionId": session_id(signed.id, attempt).hex(),
        "attempt": attempt,
        "state": stored.outcome.value,
        "scheme": request.scheme,
        "requiredPublicKeys": [request.keys[position].hex() for position in request.order],
        "messages": items_json(signed),
        "message": request.items[0].msg.hex(),
        "tweaks": tweaks_json(request.items[0]),
        "aggregatedPublicKey": request.items[0].agg.hex(),
        "creator": request.creator.hex(),
        "createdAt": request.created,
        "expiresAt": request.expires,
        "metadata": open_to_json(request.metadata),
        "signers": _request_signers(signed, stored, rows, peers, {*rows.own, *rows.delivered, *sent, *peers}, keys),
        "partialReleased": any(row.partial_released for row in rows.sessions if keys is None or row.key in keys),
        "review": review_json(signed, showing, keys),
        "envelope": signed.envelope.hex(),
    }
    asked = [bytes.fromhex(each["publicKey"]) for each in view["signers"] if each["own"]]
    others = (key for key in asked if key != request.creator)
    view["outsideCriteria"] = outside_criteria(request, others, showing.criteria_of)
    if request.election is not None:
        election = request.election
        view["election"] = {"method": election.method, "broadcastTimeoutMs": election.broadcast_ms}
    if stored.signatures:
        view["signature"], view["signatures"] = stored.signatures[0].hex(), signatures_json(stored.signatures)
    if stored.reason is not None:
        view["reason"] = stored.reason
    if stored.outcome is Outcome.CANCELLED and rows.given:
        view["cancelReason"] = rows.given
    return view


def attempt_of(rows: RequestRows) -> int:
    """The highest attempt that somebody joined; 1 before."""
    return max((join.attempt for join in rows.joins), default=1)


def joined_view(conn: sqlite3.Connection, signed: Signed[Request]) -> answers.Joined:
    """The current attempt, and the keys that have joined it."""
    joins = reading.joins(conn, signed.id)
    attempt = max((join.attempt for join in joins), default=1)
    return {
        "requestId": signed.id.hex(),
        "sessionId": session_id(signed.id, attempt).hex(),
        "joined": [signed.record.keys[join.position].hex() for join in joins if join.attempt == attempt],
    }


def signatures_json(signatures: Sequence[bytes]) -> list[str]:
    """One signature per message."""
    return [signature.hex() for signature in signatures]


def _request_signers(  # noqa: PLR0917  # all of one kind: what is known of the request
    signed: Signed[Request],
    stored: StoredRequest,
    rows: RequestRows,
    peers: Mapping[int, bytes],
    reached: Collection[int],
    keys: frozenset[bytes] | None,
) -> list[answers.RequestSigner]:
    declined = stored.outcome is Outcome.DECLINED
    creator = signed.record.creator
    signers: list[answers.RequestSigner] = [
        {
            "publicKey": key.hex(),
            "own": position in rows.own and (keys is None or key in keys),
            "delivered": position in reached or key == creator,
            "joined": position in peers,
            "declined": declined and stored.by == key,
        }
        for position, key in enumerate(signed.record.keys)
    ]
    for position, peer in peers.items():
        signers[position]["peerId"] = peer_text(peer)
    _add_considering(signed, signers, rows.considering)
    if declined and rows.given and stored.by is not None:
        signers[signed.record.keys.index(stored.by)]["declineReason"] = rows.given
    return signers


def _add_considering(
    signed: Signed[Request],
    signers: Sequence[answers.RequestSigner | answers.SessionSigner],
    considering: Mapping[bytes, int],
) -> None:
    """Note whose owner has not decided yet."""
    for key, since_ms in considering.items():
        if not (signer := signers[signed.record.keys.index(key)])["joined"]:
            signer["consideringSince"] = since_ms


def session_view(
    conn: sqlite3.Connection, signed: Signed[Request], rows: Sequence[StoredSession], turn: int = 0
) -> answers.Session:
    """The `session` value of the API from the rows of one session (at least one), one per own key.

    `turn`: how often the duty to broadcast has passed on.
    """
    request, row = signed.record, leading(rows)
    joins = [join for join in reading.joins(conn, signed.id) if join.attempt == row.attempt]
    view: answers.Session = {
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
        _add_ending(view, row)
    return view


def ended_by(conn: sqlite3.Connection, stored: StoredRequest) -> dict[str, str]:
    """Who ended a request, and the reason given: members of the error data."""
    told = {} if stored.by is None else {"publicKey": stored.by.hex()}
    name = _GIVEN.get(stored.outcome)
    if name is not None and (given := reading.given_reason(conn, stored.request)):
        told[name] = given
    return told


def _add_ending(view: answers.Session, row: SessionRow) -> None:
    """Why an attempt ended: reason, culprits, missing, and the session that took its place."""
    view["culprits"] = [key.hex() for key in row.culprits]
    view["missing"] = [key.hex() for key in row.missing]
    if row.reason is not None:
        view["reason"] = row.reason
    if row.superseded_by is not None:
        view["supersededBy"] = row.superseded_by.hex()


def leading(rows: Sequence[StoredSession]) -> SessionRow:
    """The row that represents a session of several own keys: the complete one, else the slowest live one."""
    alive = [session.row for session in rows if session.row.state is not State.ABORTED]
    complete = [row for row in alive if row.state is State.COMPLETE]
    if complete or not alive:
        return complete[0] if complete else rows[0].row
    return min(alive, key=lambda row: _PROGRESS.index(row.state))


def _session_signers(
    conn: sqlite3.Connection, signed: Signed[Request], row: SessionRow, joins: Sequence[StoredJoin]
) -> list[answers.SessionSigner]:
    peers = {join.position: join.peer for join in joins}
    filled = reading.filled(conn, row.session)
    signers: list[answers.SessionSigner] = [
        {
            "publicKey": key.hex(),
            "joined": position in peers,
            "nonce": (position, 1) in filled,
            "partialSignature": (position, 2) in filled,
        }
        for position, key in enumerate(signed.record.keys)
    ]
    for position, peer in peers.items():
        signers[position]["peerId"] = peer_text(peer)
    if row.state is State.JOINING:
        _add_considering(signed, signers, reading.considering(conn, signed.id))
    return signers


def _deadline(request: Request, row: SessionRow) -> int:
    if row.all_joined_wall_ms is None:
        return request.expires
    return row.all_joined_wall_ms + request.round_ms


def _coordinator(request: Request, joins: Sequence[StoredJoin], turn: int) -> answers.Coordinator:
    order = priority(request)
    index = order[min(turn, len(order) - 1)]
    peer = next((join.peer for join in joins if join.position == index), None)
    coordinator: answers.Coordinator = {"publicKey": request.keys[index].hex()}
    if peer is not None:
        coordinator["peerId"] = peer_text(peer)
    return coordinator
