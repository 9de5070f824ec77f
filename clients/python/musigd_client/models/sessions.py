"""What calls about sessions take and give.

Written by `python -m rpc.schema.python_kit`.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from musigd_client.models.requests import MessageItem, ReviewedItem
from musigd_client.record import Record
from musigd_client.wire import Inner


class SessionSigner(Record):
    """One signer, and which of its contributions have arrived."""

    public_key: str
    peer_id: str | None = None
    joined: bool
    considering_since: int | None = None
    """its signer says that its owner was asked then and has not decided yet"""
    nonce: bool
    partial_signature: bool


class Coordinator(Record):
    """The signer elected to broadcast."""

    public_key: str
    peer_id: str | None = None


class Session(Record):
    """One attempt at a request. `culprits` are proved, `missing` were only absent."""

    _inner: ClassVar[Inner] = {"messages": (ReviewedItem,), "signers": (SessionSigner,), "coordinator": (Coordinator,)}
    session_id: str
    request_id: str
    attempt: int
    phase: Literal["joining", "ready", "round1", "round2", "complete", "aborted"]
    scheme: Literal["lotus", "bip340"]
    aggregated_public_key: str
    message: str
    messages: tuple[ReviewedItem, ...]
    signers: tuple[SessionSigner, ...]
    coordinator: Coordinator | None = None
    deadline: int | None = None
    partial_released: bool
    reason: str | None = None
    culprits: tuple[str, ...] | None = None
    missing: tuple[str, ...] | None = None
    superseded_by: str | None = None


class SessionList(Record):
    """A page of sessions, newest first."""

    _inner: ClassVar[Inner] = {"sessions": (Session,)}
    sessions: tuple[Session, ...]
    next_cursor: str | None = None


class ChangedSession(Session):
    """The session after the change."""

    seq: int | None = None
    """position of the event log after the change"""


class FinalSignature(Record):
    """One signature per message; `signature` and `message` are the first."""

    _inner: ClassVar[Inner] = {"messages": (MessageItem,)}
    signature: str
    signatures: tuple[str, ...]
    aggregated_public_key: str
    message: str
    messages: tuple[MessageItem, ...]
    scheme: Literal["lotus", "bip340"]


class Closed(Record):
    """It is closed."""

    seq: int | None = None
    """position of the event log after the change"""
    closed: bool


class Notified(Record):
    """The signers are being told."""

    seq: int | None = None
    """position of the event log after the change"""
    session_id: str
    txid: str


class Evidence(Record):
    """Signed messages (envelopes) that prove who broke the protocol, checkable by anyone."""

    session_id: str
    reason: str | None = None
    culprits: tuple[str, ...]
    request: str | None = None
    """envelope of the request that they belong to"""
    evidence: tuple[str, ...]
