"""Turns the `Emit`s of a machine into rows of the event log, inside the transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from hashlib import sha256

from daemon.events import NewEvent, OnRecord
from daemon.signing.engine.turn import Part
from daemon.signing.ports import SessionEvents
from daemon.signing.store import reads as reading
from daemon.signing.store.reads import RequestRows, StoredRequest
from daemon.signing.store.reviews import Showing
from daemon.signing.store.values import event_json
from daemon.signing.store.views import attempt_of, request_view
from musig2.protocol.interface.effects import Emit, SaveLock
from musig2.protocol.records.ids import session_id

# These carry the whole request as a view, which is made inside the transaction that stores it.
WITH_REQUEST = frozenset({"signing-request:created", "signing-request:received", "approval:needed"})


class Teller:
    """Appends events; the engine publishes them after the commit."""

    def __init__(self, events: SessionEvents, showing: Showing) -> None:
        self._events = events
        self._showing = showing

    def tell(self, conn: sqlite3.Connection, parts: Iterable[Part]) -> int:
        """Append what these parts tell; runs in the store's writer thread, after their rows are written."""
        return self._events.append_all(conn, [told for part in parts for told in self._told(conn, part)])

    def _told(self, conn: sqlite3.Connection, part: Part) -> Iterator[NewEvent | OnRecord]:
        yield from signed_in(part)
        yield from (OnRecord(what, told) for what, told in part.records)
        for emit in part.events:
            yield self._event(conn, part, emit)

    def _event(self, conn: sqlite3.Connection, part: Part, emit: Emit) -> NewEvent:
        data = {name: event_json(name, value) for name, value in emit.data.items()}
        session, attempt = emit.session, emit.attempt
        if session is None and (found := _rows_of(conn, part)) is not None:
            stored, rows = found  # an event of the request as a whole carries its current session
            attempt = attempt_of(rows)
            session = session_id(emit.request, attempt)
            if emit.event in WITH_REQUEST:
                data["request"] = request_view(part.entry.request, stored, rows, showing=self._showing)
        key = emit.data.get("publicKey", b"")
        on_record = not part.entry.unsolicited or key in part.entry.own
        why = part.grounds.get((emit.event, key), {})
        return NewEvent(emit.event, data, emit.keys, emit.request, session, attempt, on_record, why)


def signed_in(part: Part) -> Iterator[OnRecord]:
    """For the record: own partial signatures, which key signed how many items by which rule, and what each answers."""
    locks = [save for save in part.saves if isinstance(save, SaveLock)]
    for session, key in sorted({(lock.session, lock.key) for lock in locks}):
        answered = [lock.digest for lock in locks if (lock.session, lock.key) == (session, key)]
        facts = {
            "publicKey": key.hex(),
            "requestId": part.entry.request.id.hex(),
            "sessionId": session.hex(),
            "items": len(answered),
            "nonces": sha256(b"".join(answered)).hexdigest(),
            **part.grounds.get(("partial", key), {}),
        }
        yield OnRecord("partial", facts)


def _rows_of(conn: sqlite3.Connection, part: Part) -> tuple[StoredRequest, RequestRows] | None:
    """What is stored of the request by now; None if that is nothing."""
    made = part.new_rows()
    if made is not None:
        return made
    stored = reading.request(conn, part.entry.request.id)
    return None if stored is None else (stored, reading.request_rows(conn, stored))
