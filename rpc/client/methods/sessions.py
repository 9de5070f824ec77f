"""Methods of the client: sessions. Written by `python -m rpc.schema.generate_client` from the table."""

from __future__ import annotations

from typing import Literal

from rpc.client.methods.asking import Asking
from rpc.models.sessions import ChangedSession, Closed, Evidence, FinalSignature, Notified, Session, SessionList


class SessionsMethods(Asking):
    """Sessions."""

    async def get_session(self, *, scheme: Literal["lotus", "bip340"] | None = None, session_id: str) -> Session:
        """One attempt: its phase, who has sent what, and why it ended."""
        return await self._ask(Session, "getSession", {"scheme": scheme, "sessionId": session_id})

    async def list_sessions(
        self,
        *,
        scheme: Literal["lotus", "bip340"] | None = None,
        phase: Literal["joining", "ready", "round1", "round2", "complete", "aborted"] | None = None,
        request_id: str | None = None,
        public_key: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> SessionList:
        """Sessions of own keys, newest first, without closed ones."""
        return await self._ask(
            SessionList,
            "listSessions",
            {
                "scheme": scheme,
                "phase": phase,
                "requestId": request_id,
                "publicKey": public_key,
                "limit": limit,
                "cursor": cursor,
            },
        )

    async def start_round1(
        self,
        *,
        idempotency_key: str | None = None,
        scheme: Literal["lotus", "bip340"] | None = None,
        session_id: str,
        public_key: str | None = None,
    ) -> ChangedSession:
        """Sends the nonces; needed after autoAdvance: false. Safe to repeat; too early, it is remembered."""
        return await self._ask(
            ChangedSession,
            "startRound1",
            {
                "idempotencyKey": idempotency_key,
                "scheme": scheme,
                "sessionId": session_id,
                "publicKey": public_key,
            },
        )

    async def start_round2(
        self,
        *,
        idempotency_key: str | None = None,
        scheme: Literal["lotus", "bip340"] | None = None,
        session_id: str,
        public_key: str | None = None,
    ) -> ChangedSession:
        """Sends the partial signatures; needed after autoAdvance: false. Safe to repeat; too early, it is kept."""
        return await self._ask(
            ChangedSession,
            "startRound2",
            {
                "idempotencyKey": idempotency_key,
                "scheme": scheme,
                "sessionId": session_id,
                "publicKey": public_key,
            },
        )

    async def get_final_signature(
        self,
        *,
        scheme: Literal["lotus", "bip340"] | None = None,
        request_id: str | None = None,
        session_id: str | None = None,
        wait_ms: int | None = None,
    ) -> FinalSignature:
        """The signature, once it is there; with waitMs it waits. With requestId it follows attempts."""
        return await self._ask(
            FinalSignature,
            "getFinalSignature",
            {
                "scheme": scheme,
                "requestId": request_id,
                "sessionId": session_id,
                "waitMs": wait_ms,
            },
        )

    async def abort_session(
        self,
        *,
        idempotency_key: str | None = None,
        scheme: Literal["lotus", "bip340"] | None = None,
        session_id: str,
        public_key: str | None = None,
        reason: str | None = None,
    ) -> ChangedSession:
        """Ends the request for this key. A partial signature already sent cannot be recalled."""
        return await self._ask(
            ChangedSession,
            "abortSession",
            {
                "idempotencyKey": idempotency_key,
                "scheme": scheme,
                "sessionId": session_id,
                "publicKey": public_key,
                "reason": reason,
            },
        )

    async def close_session(
        self, *, idempotency_key: str | None = None, scheme: Literal["lotus", "bip340"] | None = None, session_id: str
    ) -> Closed:
        """Ends the request for this key and takes the session out of the lists; a signature is kept."""
        return await self._ask(
            Closed,
            "closeSession",
            {
                "idempotencyKey": idempotency_key,
                "scheme": scheme,
                "sessionId": session_id,
            },
        )

    async def notify_broadcast_complete(
        self,
        *,
        idempotency_key: str | None = None,
        scheme: Literal["lotus", "bip340"] | None = None,
        session_id: str,
        txid: str,
    ) -> Notified:
        """Tells all signers that the transaction is out, which ends failover."""
        return await self._ask(
            Notified,
            "notifyBroadcastComplete",
            {
                "idempotencyKey": idempotency_key,
                "scheme": scheme,
                "sessionId": session_id,
                "txid": txid,
            },
        )

    async def get_evidence(self, *, scheme: Literal["lotus", "bip340"] | None = None, session_id: str) -> Evidence:
        """Signed messages that prove a culprit, checkable by anyone."""
        return await self._ask(Evidence, "getEvidence", {"scheme": scheme, "sessionId": session_id})
