"""Rebuilds machines from the store: at the start for unsettled requests, later for any that is mentioned again."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator

from daemon.signing.engine.handover import Handover
from daemon.signing.engine.roster import OpenRequest
from daemon.signing.ports import Identity, SignerDirectory, SigningKeystore, SigningStore
from daemon.signing.store import reads as reading
from daemon.signing.store import writes as rows
from daemon.signing.store.reads import StoredJoin, StoredMessage, StoredRequest
from musig2.protocol.interface.effects import Outcome, SaveJoin, SaveMessage, SaveOutcome, SaveRecord, SessionRow, State
from musig2.protocol.records.envelope import open_envelope
from musig2.protocol.records.ids import session_id
from musig2.protocol.records.records import Join, Message, Request
from musig2.protocol.request.meeting.topology import MESH
from musig2.protocol.request.request_machine import RequestMachine
from musig2.protocol.wire.frames import Signed

STORED_BYTES = 1_048_576  # no stored envelope is larger


class Loader:
    """Makes the entries of the roster: from a new request, or from the store."""

    def __init__(
        self,
        *,
        store: SigningStore,
        keystore: SigningKeystore,
        identity: Identity,
        discovery: SignerDirectory,
        mesh: int = MESH,
    ) -> None:
        """`mesh`: up to so many signers everybody speaks to everybody."""
        self._mesh = mesh
        self._store = store
        self._keystore = keystore
        self._identity = identity
        self._discovery = discovery
        self._burn = False  # after a restore: every open attempt counts as having lost its secret nonces

    def begin(self) -> bool:
        """Check whether the database is a restored backup; then open attempts are abandoned until `burned`."""
        self._burn = self._store.read(reading.is_restored)
        return self._burn

    async def burned(self) -> None:
        """Store that every attempt which a backup brought back open was abandoned."""
        self._burn = False
        await self._store.write(rows.forget_restore)

    def own_keys(self, keys: Collection[bytes]) -> frozenset[bytes]:
        """Those of these keys that this daemon holds."""
        return frozenset(keys).intersection(self._keystore.keys())

    def create(self, signed: Signed[Request], source: bytes | None) -> OpenRequest:
        """A request that is not stored yet."""
        own = self.own_keys(signed.record.keys)
        machine = RequestMachine(signed, own, self._identity.sign, self._identity.peer, mesh=self._mesh)
        return OpenRequest(
            request=signed,
            machine=machine,
            own=own,
            source=source,
            candidates=self._candidates(signed.record, own),
            unsolicited=source is not None,
        )

    def load(self, request: bytes) -> OpenRequest | None:
        """A stored request with its machine as it was; the caller feeds `Restarted` if the process is new."""
        return self._store.read(lambda conn: self._load(conn, request))

    def request_of(self, session: bytes) -> bytes | None:
        """The request of a stored session."""
        return self._store.read(lambda conn: reading.request_of_session(conn, session))

    def _load(self, conn: sqlite3.Connection, request: bytes) -> OpenRequest | None:
        stored = reading.request(conn, request)
        if stored is None:
            return None
        signed = open_request(stored.envelope)
        own = self.own_keys(signed.record.keys)
        sessions = [session_id(request, attempt) for attempt in range(1, signed.record.max_attempts + 1)]
        messages = reading.messages(conn, sessions)
        stored_rows = [session.row for session in reading.sessions_of(conn, request)]
        machine = RequestMachine.restore(
            signed,
            own,
            self._identity.sign,
            self._identity.peer,
            joins=[_save_join(join) for join in reading.joins(conn, request)],
            messages=[_save_message(message) for message in messages],
            rows=_burned(signed.record, stored_rows, messages) if self._burn else stored_rows,
            outcome=_save_outcome(stored),
            records=[
                SaveRecord(request, session, open_envelope(envelope, max_bytes=STORED_BYTES), culprit)
                for session, culprit, envelope in reading.records(conn, request)
            ],
            mesh=self._mesh,
        )
        return OpenRequest(
            request=signed,
            machine=machine,
            own=own,
            source=stored.source,
            candidates=self._candidates(signed.record, own),
            handover=Handover(reading.delivered(conn, request)),
            resumed=False,
            unsolicited=stored.source is not None and not stored_rows,
        )

    def _candidates(self, request: Request, own: frozenset[bytes]) -> list[tuple[bytes, ...]]:
        return [self._peers_of(key) if key not in own else () for key in request.keys]

    def _peers_of(self, key: bytes) -> tuple[bytes, ...]:
        return tuple(peer for peer, _ in self._discovery.peers_of(key) if peer != self._identity.peer)


def open_request(envelope: bytes) -> Signed[Request]:
    """Decode a stored request, which was verified before it was stored."""
    signed = open_envelope(envelope, max_bytes=STORED_BYTES)
    assert isinstance(signed.record, Request)
    return Signed(signed.record, signed.id, signed.envelope)


def _save_join(stored: StoredJoin) -> SaveJoin:
    signed = open_envelope(stored.envelope, max_bytes=STORED_BYTES)
    assert isinstance(signed.record, Join)
    return SaveJoin(Signed(signed.record, signed.id, signed.envelope), stored.position, stored.own)


def _save_message(stored: StoredMessage) -> SaveMessage:
    signed = open_envelope(stored.envelope, max_bytes=STORED_BYTES)
    assert isinstance(signed.record, Message)
    message = Signed(signed.record, signed.id, signed.envelope)
    return SaveMessage(message, stored.session, stored.position, stored.seq, stored.own)


def _save_outcome(stored: StoredRequest) -> SaveOutcome | None:
    if stored.outcome is Outcome.OPEN:
        return None
    return SaveOutcome(
        request=stored.request,
        outcome=stored.outcome,
        reason=stored.reason,
        by=stored.by,
        signatures=stored.signatures,
        completed_ms=stored.completed_ms,
        turn=stored.turn,
    )


def _burned(request: Request, rows: list[SessionRow], messages: list[StoredMessage]) -> Iterator[SessionRow]:
    """The rows, with open attempts that have no own partial signature marked as if their nonces were sent and lost."""
    signed = {(message.session, message.position) for message in messages if message.own and message.seq == 2}
    for row in rows:
        if row.state.live and (row.session, request.keys.index(row.key)) not in signed:
            yield row._replace(state=State.ROUND1, nonce_sent=True)
        else:
            yield row
