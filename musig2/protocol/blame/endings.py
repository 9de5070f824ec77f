"""Why an attempt ended: the stable reasons, whether they end the request, and who is named."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from musig2.protocol.interface.effects import SessionRow, State
from musig2.protocol.records.records import Message, Record
from musig2.protocol.wire.frames import Signed


class Reason(StrEnum):
    """The reasons of an aborted session, as clients see them (docs/sessions.md has a sentence on each)."""

    BAD_PARTIAL = "bad_partial"
    EQUIVOCATION = "equivocation"
    INVALID_CONTRIBUTION = "invalid_contribution"
    JOIN_CONFLICT = "join_conflict"
    DECLINED = "declined"
    CANCELLED = "cancelled"
    ABORTED_BY_SIGNER = "aborted_by_signer"
    ABORTED_BY_OWNER = "aborted_by_owner"
    TIMEOUT_JOINING = "timeout_joining"
    TIMEOUT_READY = "timeout_ready"
    TIMEOUT_ROUND1 = "timeout_round1"
    TIMEOUT_ROUND2 = "timeout_round2"
    EXPIRED = "expired"
    NONCE_LOST = "nonce_lost"
    SUPERSEDED = "superseded"
    ATTEMPTS_EXHAUSTED = "attempts_exhausted"
    STORE_FAILED = "store_failed"
    LOCKED = "locked"
    POLICY = "policy"


PROVEN = frozenset({Reason.BAD_PARTIAL, Reason.EQUIVOCATION, Reason.INVALID_CONTRIBUTION})
"""Reasons that accuse somebody, and therefore never stand without a proof."""

TIMEOUT_OF = {
    State.JOINING: Reason.TIMEOUT_JOINING,
    State.READY: Reason.TIMEOUT_READY,
    State.ROUND1: Reason.TIMEOUT_ROUND1,
    State.ROUND2: Reason.TIMEOUT_ROUND2,
}

BROKEN_OFF = frozenset(
    {*TIMEOUT_OF.values(), Reason.ABORTED_BY_SIGNER, Reason.SUPERSEDED, Reason.STORE_FAILED, Reason.NONCE_LOST}
)
"""Reasons that end a round before a signer that sent two versions may have been exposed."""


class EndingScope(StrEnum):
    """Whether an ending leaves room for another attempt or ends the request."""

    ATTEMPT = "attempt"
    REQUEST = "request"


@dataclass(frozen=True, slots=True)
class Ending:
    """The end of an attempt as one own key records it, announces it and shows it to peers."""

    reason: Reason
    scope: EndingScope = EndingScope.ATTEMPT
    culprits: tuple[bytes, ...] = ()  # pubkeys, each with a proof among `evidence`
    missing: tuple[bytes, ...] = ()  # pubkeys that were waited for
    conflicting: tuple[bytes, ...] = ()  # pubkeys with two joins in this attempt
    by: bytes | None = None  # pubkey of the signer that ended it
    superseded_by: bytes | None = None  # session id of the attempt that takes over
    evidence: tuple[Signed[Record], ...] = ()  # what others need to verify it
    retrying: bool = False  # another attempt follows automatically
    told: bool = False  # the other signers learn of it in another way: no abort message
    text: str = ""  # what the own owner gave as its reason; for own clients, others are not told
    message: Signed[Message] | None = None  # another signer's abort message, sent to peers that do not know it


def aborted_data(row: SessionRow, *, retrying: bool, text: str) -> dict[str, object]:
    """The data of `session:aborted`: why an attempt ended, and whether another one follows automatically."""
    data: dict[str, object] = {
        "reason": row.reason,
        "culprits": row.culprits,
        "missing": row.missing,
        "retrying": retrying,
    }
    optional = {"supersededBy": row.superseded_by, "by": row.by, "conflicting": row.conflicting, "text": text}
    return data | {name: value for name, value in optional.items() if value}
