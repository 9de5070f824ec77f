"""Turns the `Emit`s of a machine into rows of the event log, inside the transaction."""

from __future__ import annotations

import sqlite3
from hashlib import sha256

from daemon.signing.engine.turn import Part
from daemon.signing.ports import SessionEvents
from daemon.signing.store import reads as reading
from daemon.signing.store.reviews import Showing
from daemon.signing.store.values import event_json
from daemon.signing.store.views import request_view
from musig2.protocol.interface.effects import Emit, SaveLock

# These carry the whole request as a view, which is made inside the transaction that stores it.
WITH_REQUEST = frozenset({"signing-request:created", "signing-request:received", "approval:needed"})


class Teller:
    """Appends events; the engine publishes them after the commit."""

    def __init__(self, events: SessionEvents, showing: Showing) -> None:
        self._events = events
        self._showing = showing

    def signed(self, conn: sqlite3.Connection, part: Part) -> None:
        """Put own partial signatures on record: which key signed how many items, and what each answers."""
        locks = [save for save in part.saves if isinstance(save, SaveLock)]
        for session, key in sorted({(lock.session, lock.key) for lock in locks}):
            answered = [lock.digest for lock in locks if (lock.session, lock.key) == (session, key)]
            facts = {
                "publicKey": key.hex(),
                "requestId": part.entry.request.id.hex(),
                "sessionId": session.hex(),
                "items": len(answered),
                "nonces": sha256(b"".join(answered)).hexdigest(),
            }
            self._events.record(conn, "partial", facts)

    def tell(self, conn: sqlite3.Connection, part: Part, emit: Emit) -> None:
        """Append one event; runs in the store's writer thread."""
        data = {name: event_json(name, value) for name, value in emit.data.items()}
        session, attempt = emit.session, emit.attempt
        stored = reading.request(conn, emit.request) if session is None else None
        if stored is not None:  # an event of the request as a whole carries its current session
            view = request_view(conn, part.entry.request, stored, showing=self._showing)
            session, attempt = bytes.fromhex(view["sessionId"]), view["attempt"]
            if emit.event in WITH_REQUEST:
                data["request"] = view
        self._events.append(
            conn,
            emit.event,
            data,
            keys=emit.keys,
            request_id=emit.request,
            session_id=session,
            attempt=attempt,
        )
