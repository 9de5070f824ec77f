"""Signing sessions and their outcome (phase 3)."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from rpc.models.transactions.tweaks import MessageItem, ReviewedItem
from rpc.models.values import Count, Cursor, Hex32, Hex64, HexBytes, Millis, PageSize, PublicKey, Reason, SchemeName
from rpc.models.wire import Change, Changed, Many, OfScheme, Shown, misfit

SessionPhase = Literal["joining", "ready", "round1", "round2", "complete", "aborted"]
WaitMs = Annotated[int, Field(ge=0, le=60_000)]


class SessionSigner(Shown):
    """One signer, and which of its contributions have arrived."""

    public_key: PublicKey
    peer_id: str | None = None
    joined: bool
    considering_since: Millis | None = Field(
        default=None, description="its signer says that its owner was asked then and has not decided yet"
    )
    nonce: bool
    partial_signature: bool


class Coordinator(Shown):
    """The signer elected to broadcast."""

    public_key: PublicKey
    peer_id: str | None = None


class Session(Shown):
    """One attempt at a request. `culprits` are proved, `missing` were only absent."""

    session_id: Hex32
    request_id: Hex32
    attempt: Count
    phase: SessionPhase
    scheme: SchemeName
    aggregated_public_key: PublicKey
    message: Hex32
    messages: Many[ReviewedItem]
    signers: Many[SessionSigner]
    coordinator: Coordinator | None = None
    deadline: Millis | None = None
    partial_released: bool
    reason: str | None = None
    culprits: Many[PublicKey] | None = None
    missing: Many[PublicKey] | None = None
    superseded_by: Hex32 | None = None


class ChangedSession(Session, Changed):
    """The session after the change."""


class GetSession(OfScheme):
    """Names a session."""

    session_id: Hex32


class ListSessions(OfScheme):
    """Which sessions to list; closed ones never are."""

    phase: SessionPhase | None = None
    request_id: Hex32 | None = None
    public_key: PublicKey | None = None
    limit: PageSize = 50
    cursor: Cursor | None = None

    @model_validator(mode="after")
    def _names_something(self) -> Self:
        if self.scheme is not None and self.public_key is None and self.request_id is None:
            raise misfit("scheme", "goes with publicKey or requestId")
        return self


class SessionList(Shown):
    """A page of sessions, newest first."""

    sessions: Many[Session]
    next_cursor: Cursor | None = None


class StartRound(OfScheme, Change):
    """Continues a session that joined with `autoAdvance: false`; remembered if it is too early."""

    session_id: Hex32
    public_key: PublicKey | None = Field(default=None, description="which own key, where several take part")


class GetFinalSignature(OfScheme):
    """The signature of a request (following its attempts) or of one session."""

    request_id: Hex32 | None = None
    session_id: Hex32 | None = None
    wait_ms: WaitMs = Field(default=0, description="how long to wait for it, at most 60 000")

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.request_id is None) == (self.session_id is None):
            raise misfit("requestId", "give either this or sessionId")
        return self


class FinalSignature(Shown):
    """One signature per message; `signature` and `message` are the first."""

    signature: Hex64
    signatures: Many[Hex64]
    aggregated_public_key: PublicKey
    message: Hex32
    messages: Many[MessageItem]
    scheme: SchemeName


class AbortSession(OfScheme, Change):
    """Ends the request for this key."""

    session_id: Hex32
    public_key: PublicKey | None = None
    reason: Reason | None = Field(default=None, description="for the own event session:aborted; no peer is told")


class CloseSession(OfScheme, Change):
    """Ends the request for this key and takes the session out of the lists; a signature is kept."""

    session_id: Hex32


class Closed(Changed):
    """It is closed."""

    closed: bool


class NotifyBroadcastComplete(OfScheme, Change):
    """Tells all signers that the transaction was broadcast, which ends failover."""

    session_id: Hex32
    txid: Hex32


class Notified(Changed):
    """The signers are being told."""

    session_id: Hex32
    txid: Hex32


class GetEvidence(OfScheme):
    """Names a session that ended with a culprit."""

    session_id: Hex32


class Evidence(Shown):
    """Signed messages (envelopes) that prove who broke the protocol, checkable by anyone."""

    session_id: Hex32
    reason: str | None = None
    culprits: Many[PublicKey]
    request: HexBytes | None = Field(default=None, description="envelope of the request that they belong to")
    evidence: Many[HexBytes]
