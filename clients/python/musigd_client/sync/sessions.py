"""Calls about sessions.

Written by `python -m rpc.schema.python_kit`.
"""

from __future__ import annotations

from typing import Literal

from musigd_client.models.sessions import (
    ChangedSession,
    Closed,
    Evidence,
    FinalSignature,
    Notified,
    Session,
    SessionList,
)
from musigd_client.sync.asking import Asking


class SessionsMethods(Asking):
    """Sessions."""

    def get_session(self, *, session_id: str, scheme: Literal["lotus", "bip340"] | None = None) -> Session:
        """One attempt: its phase, who has sent what, and why it ended.

        Scope `read`.

        - `session_id`: 32 bytes hex
        - `scheme`: lotus or bip340; follows from what is named; another one is scheme_mismatch
        """
        return self._ask(Session, "getSession", {"sessionId": session_id, "scheme": scheme})

    def list_sessions(
        self,
        *,
        scheme: Literal["lotus", "bip340"] | None = None,
        phase: Literal["joining", "ready", "round1", "round2", "complete", "aborted"] | None = None,
        request_id: str | None = None,
        public_key: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> SessionList:
        """Sessions of own keys, newest first, without closed ones.

        Scope `read`.

        - `scheme`: lotus or bip340; follows from what is named; another one is scheme_mismatch
        - `phase`: joining or ready or round1 or round2 or complete or aborted
        - `request_id`: 32 bytes hex
        - `public_key`: public key (33 bytes hex)
        - `limit`: integer (1 to 500)
        - `cursor`: text (1 to 500 characters)
        """
        return self._ask(
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

    def start_round1(
        self,
        *,
        session_id: str,
        scheme: Literal["lotus", "bip340"] | None = None,
        public_key: str | None = None,
        idempotency_key: str | None = None,
    ) -> ChangedSession:
        """Sends the nonces; needed after autoAdvance: false. Safe to repeat; remembered if too early.

        Scope `sign`.

        - `session_id`: 32 bytes hex
        - `scheme`: lotus or bip340; follows from what is named; another one is scheme_mismatch
        - `public_key`: public key (33 bytes hex); which own key, where several take part
        - `idempotency_key`: text (1 to 64 printable ASCII characters); repeating the call with the same key and
          params gives the same answer for 24 hours
        """
        return self._ask(
            ChangedSession,
            "startRound1",
            {"sessionId": session_id, "scheme": scheme, "publicKey": public_key, "idempotencyKey": idempotency_key},
        )

    def start_round2(
        self,
        *,
        session_id: str,
        scheme: Literal["lotus", "bip340"] | None = None,
        public_key: str | None = None,
        idempotency_key: str | None = None,
    ) -> ChangedSession:
        """Sends the partial signatures; needed after autoAdvance: false. Safe to repeat; kept if too early.

        Scope `sign`.

        - `session_id`: 32 bytes hex
        - `scheme`: lotus or bip340; follows from what is named; another one is scheme_mismatch
        - `public_key`: public key (33 bytes hex); which own key, where several take part
        - `idempotency_key`: text (1 to 64 printable ASCII characters); repeating the call with the same key and
          params gives the same answer for 24 hours
        """
        return self._ask(
            ChangedSession,
            "startRound2",
            {"sessionId": session_id, "scheme": scheme, "publicKey": public_key, "idempotencyKey": idempotency_key},
        )

    def get_final_signature(
        self,
        *,
        scheme: Literal["lotus", "bip340"] | None = None,
        request_id: str | None = None,
        session_id: str | None = None,
        wait_ms: int | None = None,
    ) -> FinalSignature:
        """The signature, once it is there; with waitMs it waits. With requestId it follows attempts.

        Scope `read`.

        - `scheme`: lotus or bip340; follows from what is named; another one is scheme_mismatch
        - `request_id`: 32 bytes hex
        - `session_id`: 32 bytes hex
        - `wait_ms`: integer (0 to 60000); how long to wait for it, at most 60 000
        """
        return self._ask(
            FinalSignature,
            "getFinalSignature",
            {"scheme": scheme, "requestId": request_id, "sessionId": session_id, "waitMs": wait_ms},
        )

    def abort_session(
        self,
        *,
        session_id: str,
        scheme: Literal["lotus", "bip340"] | None = None,
        public_key: str | None = None,
        reason: str | None = None,
        idempotency_key: str | None = None,
    ) -> ChangedSession:
        """Ends the request for this key. A partial signature already sent cannot be recalled.

        Scope `sign`.

        - `session_id`: 32 bytes hex
        - `scheme`: lotus or bip340; follows from what is named; another one is scheme_mismatch
        - `public_key`: public key (33 bytes hex)
        - `reason`: text (at most 200 characters); for the own event session:aborted; no peer is told
        - `idempotency_key`: text (1 to 64 printable ASCII characters); repeating the call with the same key and
          params gives the same answer for 24 hours
        """
        return self._ask(
            ChangedSession,
            "abortSession",
            {
                "sessionId": session_id,
                "scheme": scheme,
                "publicKey": public_key,
                "reason": reason,
                "idempotencyKey": idempotency_key,
            },
        )

    def close_session(
        self, *, session_id: str, scheme: Literal["lotus", "bip340"] | None = None, idempotency_key: str | None = None
    ) -> Closed:
        """Ends the request for this key and takes the session out of the lists; a signature is kept.

        Scope `sign`.

        - `session_id`: 32 bytes hex
        - `scheme`: lotus or bip340; follows from what is named; another one is scheme_mismatch
        - `idempotency_key`: text (1 to 64 printable ASCII characters); repeating the call with the same key and
          params gives the same answer for 24 hours
        """
        return self._ask(
            Closed, "closeSession", {"sessionId": session_id, "scheme": scheme, "idempotencyKey": idempotency_key}
        )

    def notify_broadcast_complete(
        self,
        *,
        session_id: str,
        txid: str,
        scheme: Literal["lotus", "bip340"] | None = None,
        idempotency_key: str | None = None,
    ) -> Notified:
        """Tells all signers that the transaction was broadcast, which ends failover.

        Scope `sign`.

        - `session_id`: 32 bytes hex
        - `txid`: 32 bytes hex
        - `scheme`: lotus or bip340; follows from what is named; another one is scheme_mismatch
        - `idempotency_key`: text (1 to 64 printable ASCII characters); repeating the call with the same key and
          params gives the same answer for 24 hours
        """
        return self._ask(
            Notified,
            "notifyBroadcastComplete",
            {"sessionId": session_id, "txid": txid, "scheme": scheme, "idempotencyKey": idempotency_key},
        )

    def get_evidence(self, *, session_id: str, scheme: Literal["lotus", "bip340"] | None = None) -> Evidence:
        """Signed messages that prove a culprit; anybody can check them.

        Scope `sign`.

        - `session_id`: 32 bytes hex
        - `scheme`: lotus or bip340; follows from what is named; another one is scheme_mismatch
        """
        return self._ask(Evidence, "getEvidence", {"sessionId": session_id, "scheme": scheme})
