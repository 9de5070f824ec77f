"""What a caller may see of requests and sessions, found by their ids, and why something is refused."""

from __future__ import annotations

import sqlite3

from daemon.errors import NotFound
from daemon.signing.api.endings import ENDINGS
from daemon.signing.api.errors import KeyNotInRequest, RequestEnded
from daemon.signing.engine.restore import open_request
from daemon.signing.engine.roster import OpenRequest, Roster
from daemon.signing.engine.turn import Part
from daemon.signing.ports import SigningKeystore, SigningStore
from daemon.signing.store import reads as reading
from daemon.signing.store.reads import StoredRequest, StoredSession
from daemon.signing.store.reviews import Showing
from daemon.signing.store.views import ended_by, request_view, session_view
from musig2.protocol.interface.effects import Outcome, SessionRow, State
from musig2.protocol.records.records import Request
from musig2.protocol.review.remembered import Remembered
from musig2.protocol.wire.frames import Signed
from rpc import answers
from rpc.caller import Caller


class Finder:
    """Looks up requests and sessions for a caller. What a caller may not see is not found."""

    def __init__(self, *, store: SigningStore, keystore: SigningKeystore, roster: Roster, showing: Showing) -> None:
        self._store = store
        self._showing = showing
        self._keystore = keystore
        self._roster = roster
        self._open: Remembered[Signed[Request]] = Remembered()

    def keys_of(self, caller: Caller) -> frozenset[bytes]:
        """The own keys that this caller may use."""
        own = frozenset(self._keystore.keys())
        return own if caller.keys is None else own & caller.keys

    def stored(self, caller: Caller, request: bytes) -> StoredRequest:
        """The stored request; raises NotFound, also for one of other keys."""
        stored = self._store.read(lambda conn: reading.request(conn, request))
        if stored is None or not caller.sees_any(self._own_keys(stored)):
            raise NotFound("signing request")
        return stored

    def visible(self, caller: Caller, request: bytes) -> Signed[Request]:
        """The record of a request of the caller's keys; raises NotFound."""
        return self._opened(self.stored(caller, request))

    def _opened(self, stored: StoredRequest) -> Signed[Request]:
        envelope = stored.envelope
        return self._open.get(envelope, len(envelope), lambda: open_request(envelope))

    def request(self, request: bytes) -> Signed[Request]:
        """The record of a stored request; raises NotFound."""
        stored = self._store.read(lambda conn: reading.request(conn, request))
        if stored is None:
            raise NotFound("signing request")
        return self._opened(stored)

    def view(self, caller: Caller, request: bytes) -> answers.SigningRequest:
        """A stored request as that caller sees it."""

        def show(conn: sqlite3.Connection) -> answers.SigningRequest:
            stored = reading.request(conn, request)
            if stored is None:
                raise NotFound("signing request")
            return self.show(caller, conn, stored)

        return self._store.read(show)

    def show(self, caller: Caller, conn: sqlite3.Connection, stored: StoredRequest) -> answers.SigningRequest:
        """The same where a read is under way; on any thread."""
        entry = self._roster.get(stored.request)
        sent = frozenset(entry.handover.delivered) if entry is not None else frozenset[int]()
        signed = entry.request if entry is not None else self._opened(stored)
        rows = reading.request_rows(conn, stored)
        return request_view(signed, stored, rows, sent, showing=self._showing, keys=caller.keys)

    def show_new(self, caller: Caller, part: Part) -> answers.SigningRequest:
        """The same of a request that this part has just stored."""
        rows, entry = part.new_rows(), part.entry
        if rows is None:
            return self.view(caller, entry.request.id)
        sent = frozenset(entry.handover.delivered)
        return request_view(entry.request, *rows, sent, showing=self._showing, keys=caller.keys)

    def scheme_of_request(self, caller: Caller, request: bytes) -> str:
        """The scheme of a request of the caller's keys; raises NotFound."""
        return self._opened(self.stored(caller, request)).record.scheme

    def scheme_of_session(self, caller: Caller, session: bytes) -> str:
        """The scheme of a session of the caller's keys; raises NotFound."""
        request = self._roster.request_of(session)
        if request is None:
            raise NotFound("session")
        return self.scheme_of_request(caller, request)

    def session(self, caller: Caller, session: bytes) -> tuple[StoredRequest, list[StoredSession]]:
        """The rows of a session of the caller's keys with their request; raises NotFound."""
        rows = self._store.read(lambda conn: reading.session(conn, session))
        if not rows or not caller.sees_any(stored.row.key for stored in rows):
            raise NotFound("session")
        return self.stored(caller, rows[0].row.request), rows

    def session_view(self, caller: Caller, session: bytes) -> answers.Session:
        """A stored session as that caller sees it."""
        return self._store.read(lambda conn: self.show_session(caller, conn, session))

    def unjoined_view(self, caller: Caller, session: bytes) -> answers.Session | None:
        """A session that no key of the caller's has joined (yet), of a request in memory; None if it is another."""
        request = self._roster.request_of(session)
        entry = None if request is None else self._roster.get(request)
        if entry is None or not caller.sees_any(entry.own):
            return None
        if any(caller.sees(stored.row.key) for stored in self._store.read(lambda c: reading.session(c, session))):
            return None
        return self._store.read(lambda conn: session_view(conn, entry.request, [self._unjoined(entry, session)]))

    def _unjoined(self, entry: OpenRequest, session: bytes) -> StoredSession:
        state = State.JOINING if entry.machine.outcome.live else State.ABORTED
        row = SessionRow(
            session=session,
            request=entry.request.id,
            attempt=self._roster.attempt_of(session),
            key=min(entry.own),
            state=State.COMPLETE if entry.machine.outcome is Outcome.COMPLETE else state,
            auto=True,
            want_round1=False,
            want_round2=False,
            partial_released=False,
            nonce_sent=False,
            reason=entry.machine.reason,
        )
        return StoredSession(0, closed=False, row=row)

    def show_session(self, caller: Caller, conn: sqlite3.Connection, session: bytes) -> answers.Session:
        """The same where a read is under way; on any thread."""
        found = [row for row in reading.session(conn, session) if caller.sees(row.row.key)]
        stored = reading.request(conn, found[0].row.request) if found else None
        if stored is None:
            raise NotFound("session")
        return session_view(conn, self._opened(stored), found, stored.turn)

    def live_or_done(self, request: bytes) -> OpenRequest:
        """A stored request with its machine; raises NotFound."""
        entry = self._roster.find(request)
        if entry is None:
            raise NotFound("signing request")
        return entry

    def live(self, caller: Caller, request: bytes, key: bytes) -> OpenRequest:
        """A request that has not ended, for a call with that key of the caller's.

        Raises NotFound, KeyNotInRequest, or RequestEnded.
        """
        entry = self.live_or_done(request)
        if not caller.sees_any(entry.own):
            raise NotFound("signing request")
        if key not in entry.request.record.keys:
            raise KeyNotInRequest
        if not entry.machine.outcome.live:
            raise self.refusal(entry)
        return entry

    def refusal(self, entry: OpenRequest) -> RequestEnded:
        """Why this request, which has ended, cannot be joined, declined or cancelled any more."""
        told = ENDINGS[entry.machine.outcome]

        def ended(conn: sqlite3.Connection) -> dict[str, str]:
            stored = reading.request(conn, entry.request.id)
            return {} if stored is None else ended_by(conn, stored)

        return RequestEnded(told.reason, told.too_late, self._store.read(ended))

    def _own_keys(self, stored: StoredRequest) -> frozenset[bytes]:
        return frozenset(self._opened(stored).record.keys).intersection(self._keystore.keys())
