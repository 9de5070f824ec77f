"""RPC methods of phase 3: sessions, their rounds, the signature, abort, close, broadcast, evidence."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Sequence

from daemon.errors import Fact, NotFound
from daemon.signing.api.endings import ENDINGS
from daemon.signing.api.errors import (
    AlreadySigned,
    KeyNotInSession,
    NotReady,
    NotSigned,
    OtherTransaction,
    RequestEnded,
    SessionAborted,
    Stopping,
)
from daemon.signing.api.late_signers import not_ready
from daemon.signing.api.pages import next_cursor, position_of
from daemon.signing.api.visible import Finder
from daemon.signing.engine.changes import AnswerOf, act
from daemon.signing.engine.engine import Engine
from daemon.signing.engine.turn import Part, Turn
from daemon.signing.ports import SigningStore
from daemon.signing.store import reads as reading
from daemon.signing.store import writes as rows
from daemon.signing.store.reads import StoredRequest, StoredSession
from daemon.signing.store.values import item_json
from daemon.signing.store.views import PHASES, ended_by, leading, signatures_json, states_of
from musig2.protocol.interface.effects import Emit, Outcome, State
from musig2.protocol.interface.inputs import Input, NotifyBroadcast, OwnerAbort, StartRound1, StartRound2
from rpc import answers
from rpc.caller import Caller
from rpc.models import sessions as wire
from rpc.ports import Once


class SessionMethods:
    """Handlers named as the API's methods in snake_case."""

    def __init__(self, *, store: SigningStore, engine: Engine, finder: Finder) -> None:
        self._store = store
        self._engine = engine
        self._finder = finder

    async def get_session(self, caller: Caller, params: wire.GetSession) -> answers.Session:
        """One attempt."""
        session = bytes.fromhex(params.session_id)
        unjoined = self._finder.unjoined_view(caller, session)
        if unjoined is not None:
            return unjoined
        self._finder.session(caller, session)
        return self._finder.session_view(caller, session)

    async def list_sessions(self, caller: Caller, params: wire.ListSessions) -> answers.SessionList:
        """Sessions of the caller's keys that are not closed, newest first."""
        keys = self._finder.keys_of(caller)
        if params.public_key is not None:
            keys &= {bytes.fromhex(params.public_key)}
        before = position_of(params.cursor)

        def page(conn: sqlite3.Connection) -> answers.SessionList:
            found = reading.sessions_page(
                conn,
                keys=keys,
                request_id=bytes.fromhex(params.request_id) if params.request_id else None,
                states=states_of(params.phase) if params.phase else None,
                before=before,
                limit=params.limit + 1,
            )
            shown: answers.SessionList = {
                "sessions": [self._finder.show_session(caller, conn, session) for _, session in found[: params.limit]]
            }
            cursor = next_cursor(found, params.limit, lambda row: row[0])
            if cursor is not None:
                shown["nextCursor"] = cursor
            return shown

        return await self._store.read_slow(page)

    async def start_round1(self, caller: Caller, params: wire.StartRound, once: Once | None = None) -> answers.Session:
        """Let nonces be made; if it is too early, the call is remembered."""
        return await self._start(caller, params, StartRound1, once)

    async def start_round2(self, caller: Caller, params: wire.StartRound, once: Once | None = None) -> answers.Session:
        """Let partial signatures be made; if it is too early, the call is remembered."""
        return await self._start(caller, params, StartRound2, once)

    async def _start(
        self, caller: Caller, params: wire.StartRound, kind: type[StartRound1] | type[StartRound2], once: Once | None
    ) -> answers.Session:
        session = bytes.fromhex(params.session_id)
        stored, found = self._finder.session(caller, session)
        chosen = self._chosen(caller, found, params.public_key)
        if leading(chosen).state is State.ABORTED:
            raise self._aborted(chosen)
        await self._feed(
            stored,
            [kind(session, row.row.key) for row in chosen],
            lambda conn: self._finder.show_session(caller, conn, session),
            once,
        )
        return self._finder.session_view(caller, session)

    async def abort_session(
        self, caller: Caller, params: wire.AbortSession, once: Once | None = None
    ) -> answers.Session:
        """End the request for one own key, or for all that the caller may use."""
        session = bytes.fromhex(params.session_id)
        stored, found = self._finder.session(caller, session)
        chosen = self._chosen(caller, found, params.public_key)
        if stored.outcome is Outcome.COMPLETE:
            raise AlreadySigned
        await self._feed(
            stored,
            [OwnerAbort(row.row.key, "aborted_by_owner", params.reason or "") for row in chosen],
            lambda conn: self._finder.show_session(caller, conn, session),
            once,
        )
        return self._finder.session_view(caller, session)

    async def close_session(
        self, caller: Caller, params: wire.CloseSession, once: Once | None = None
    ) -> answers.Closed:
        """End the request for the caller's keys, and take the session out of the lists."""
        session = bytes.fromhex(params.session_id)
        stored, found = self._finder.session(caller, session)
        chosen = self._chosen(caller, found, None)
        if all(row.closed for row in chosen):
            return {"closed": True}
        keys = tuple(row.row.key for row in chosen)
        alive = [row.row.key for row in chosen if row.row.state.live]
        closing = Emit("session:closed", stored.request, session, chosen[0].row.attempt, keys)

        def close(turn: Turn) -> Part:
            entry = turn.wake(stored.request)
            if entry is None:
                raise NotFound("session")
            part = turn.feed(entry, *(OwnerAbort(key, "aborted_by_owner", "closed") for key in alive))
            part.also.append(lambda conn: rows.close_session(conn, session, keys))
            part.events.append(closing)
            return part

        await act(self._engine, close, lambda conn: {"closed": True}, once)
        return {"closed": True}

    async def notify_broadcast_complete(
        self, caller: Caller, params: wire.NotifyBroadcastComplete, once: Once | None = None
    ) -> answers.Notified:
        """Tell all signers that the transaction was broadcast."""
        session, txid = bytes.fromhex(params.session_id), bytes.fromhex(params.txid)
        stored, found = self._finder.session(caller, session)
        chosen = self._chosen(caller, found, None)
        if stored.outcome is not Outcome.COMPLETE:
            raise NotSigned
        key = chosen[0].row.key if caller.keys is not None else None
        answer: answers.Notified = {"sessionId": params.session_id, "txid": params.txid}
        word = NotifyBroadcast(session, txid, key)

        def say(turn: Turn) -> Part:
            entry = turn.wake(stored.request)
            if entry is None:
                raise NotFound("session")
            said = entry.machine.broadcast.said(word)
            if said not in (None, txid):
                raise OtherTransaction(said)
            return turn.feed(entry, word)

        await act(self._engine, say, lambda conn: answer, once)
        return answer

    async def get_evidence(self, caller: Caller, params: wire.GetEvidence) -> answers.Evidence:
        """Signed messages that prove who broke the protocol."""
        session = bytes.fromhex(params.session_id)
        stored, found = self._finder.session(caller, session)
        row = leading(found)
        proof = self._store.read(lambda conn: reading.proof(conn, stored.request, row))
        evidence: answers.Evidence = {
            "sessionId": params.session_id,
            "culprits": [key.hex() for key in row.culprits],
            "evidence": [envelope.hex() for envelope in proof],
            "request": stored.envelope.hex(),
        }
        if row.reason is not None:
            evidence["reason"] = row.reason
        return evidence

    async def get_final_signature(self, caller: Caller, params: wire.GetFinalSignature) -> answers.FinalSignature:
        """The signature; waits for it up to `waitMs`."""
        loop = asyncio.get_running_loop()
        until = loop.time() + params.wait_ms / 1000
        while True:
            stored, found = self._signed_thing(caller, params)
            ended = self._engine.ended(stored.request)
            try:
                if stored.signatures:
                    return self._final(stored)
                self._require_unfinished(stored, found)
                left = until - loop.time()
                if left <= 0:
                    raise self._not_ready(caller, stored, found)
                await asyncio.wait([ended, self._engine.leaving], timeout=left, return_when=asyncio.FIRST_COMPLETED)
                if self._engine.leaving.done():
                    raise Stopping
            finally:
                ended.cancel()

    def _signed_thing(
        self, caller: Caller, params: wire.GetFinalSignature
    ) -> tuple[StoredRequest, Sequence[StoredSession]]:
        """The request, and the caller's part of the session in question; empty where it has none (yet)."""
        if params.session_id is not None:
            session = bytes.fromhex(params.session_id)
            unjoined = self._finder.unjoined_view(caller, session)
            if unjoined is not None:
                return self._finder.stored(caller, bytes.fromhex(unjoined["requestId"])), []
            stored, found = self._finder.session(caller, session)
            return stored, [row for row in found if caller.sees(row.row.key)]
        assert params.request_id is not None
        stored = self._finder.stored(caller, bytes.fromhex(params.request_id))
        if not stored.outcome.live:
            return stored, []
        attempts = self._store.read(lambda conn: reading.sessions_of(conn, stored.request))
        own = [row for row in attempts if caller.sees(row.row.key)]
        highest = max((row.row.attempt for row in own), default=0)
        return stored, [row for row in own if row.row.attempt == highest]

    def _final(self, stored: StoredRequest) -> answers.FinalSignature:
        request = self._finder.request(stored.request).record
        return {
            "signature": stored.signatures[0].hex(),
            "signatures": signatures_json(stored.signatures),
            "aggregatedPublicKey": request.items[0].agg.hex(),
            "message": request.items[0].msg.hex(),
            "messages": [item_json(item) for item in request.items],
            "scheme": request.scheme,
        }

    def _require_unfinished(self, stored: StoredRequest, found: Sequence[StoredSession]) -> None:
        """Raises RequestEnded or SessionAborted if there will be no signature."""
        if not stored.outcome.live:
            told = ENDINGS[stored.outcome]
            why: dict[str, Fact] = {} if stored.reason is None else {"sessionReason": stored.reason}
            why |= self._store.read(lambda conn: ended_by(conn, stored))
            raise RequestEnded(told.reason, told.no_signature, why)
        if found and leading(found).state is State.ABORTED and leading(found).scope == "request":
            raise self._aborted(found)

    def _not_ready(self, caller: Caller, stored: StoredRequest, found: Sequence[StoredSession]) -> NotReady:
        own = [key.hex() for key in self._finder.keys_of(caller)]
        if not found:
            return not_ready("joining", None, self._finder.view(caller, stored.request)["signers"], (), own)
        view = self._finder.session_view(caller, found[0].row.session)
        return not_ready(view["phase"], view.get("reason"), view["signers"], [row.row for row in found], own)

    def _aborted(self, found: Sequence[StoredSession]) -> SessionAborted:
        row = leading(found)
        return SessionAborted(
            PHASES[row.state], row.reason, culprits=row.culprits, missing=row.missing, superseded_by=row.superseded_by
        )

    def _chosen(self, caller: Caller, found: Sequence[StoredSession], public_key: str | None) -> list[StoredSession]:
        """The rows of the key that was named, or of every key that the caller may use."""
        if public_key is None:
            return [row for row in found if caller.sees(row.row.key)]
        key = bytes.fromhex(public_key)
        caller.require_key(key)
        chosen = [row for row in found if row.row.key == key]
        if not chosen:
            raise KeyNotInSession
        return chosen

    async def _feed(self, stored: StoredRequest, inputs: Sequence[Input], answer: AnswerOf, once: Once | None) -> None:
        def feed(turn: Turn) -> Part:
            entry = turn.wake(stored.request)
            if entry is None:
                raise NotFound("session")
            return turn.feed(entry, *inputs)

        await act(self._engine, feed, answer, once)
