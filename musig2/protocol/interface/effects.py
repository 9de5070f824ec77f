"""What the session machine asks for. All saves of one input are one commit, then sends, then events.

The engine that executes them (a) answers `Need*` effects by feeding the matching input, in the same turn where it can,
(b) commits every `Save*` of the turn in ONE transaction, (c) writes the `Send`s, one write per peer, (d) tells clients.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple, TypeAlias

from musig2 import KeyAggContext, SessionContext
from musig2.protocol.made_quickly import made_quickly
from musig2.protocol.records.records import Join, Message, Record
from musig2.protocol.wire.frames import Frame, Signed


class State(StrEnum):
    """The states of one attempt for one own key (PROTOCOL: the session machine)."""

    JOINING = "joining"
    READY = "ready"
    ROUND1 = "round1"
    ROUND2 = "round2"
    COMPLETE = "complete"
    ABORTED = "aborted"

    @property
    def live(self) -> bool:
        """Whether the attempt is neither complete nor aborted."""
        return self not in OVER

    @property
    def in_round(self) -> bool:
        """Whether nonces or partial signatures are under way."""
        return self in _ROUNDS


OVER = (State.COMPLETE, State.ABORTED)
_ROUNDS = (State.ROUND1, State.ROUND2)


class Outcome(StrEnum):
    """The states of a request."""

    OPEN = "open"
    SIGNING = "signing"
    COMPLETE = "complete"
    DECLINED = "declined"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    FAILED = "failed"

    @property
    def live(self) -> bool:
        """Whether the request is open or signing. Nothing but a signature changes one that is not."""
        return self in _UNDECIDED


_UNDECIDED = (Outcome.OPEN, Outcome.SIGNING)


class SessionRow(NamedTuple):
    """All that must outlive the process about one attempt for one own key, except the messages themselves.

    A named tuple: it is made anew with each step, which takes a third of the time of a dataclass of 19 fields.
    """

    session: bytes
    request: bytes
    attempt: int
    key: bytes
    state: State
    auto: bool
    want_round1: bool
    want_round2: bool
    partial_released: bool
    nonce_sent: bool  # a restart in this state without a stored partial burns the attempt
    reason: str | None = None
    scope: str | None = None  # `attempt` or `request`, when aborted
    culprits: tuple[bytes, ...] = ()
    missing: tuple[bytes, ...] = ()
    superseded_by: bytes | None = None
    all_joined_wall_ms: int | None = None  # for the deadline in views; the machine itself uses the monotonic clock
    released_at_ms: int | None = None
    by: bytes | None = None  # pubkey whose abort, decline or cancel ended this attempt
    conflicting: tuple[bytes, ...] = ()  # keys with two joins in this attempt: named, not accused


@made_quickly
@dataclass(frozen=True, slots=True)
class SaveJoin:
    """Store a join; `own` ones are UNIQUE (request, key, attempt) for ever."""

    join: Signed[Join]
    index: int
    own: bool


@made_quickly
@dataclass(frozen=True, slots=True)
class SaveMessage:
    """Store a session message in its slot UNIQUE (session, index, seq); `own` ones are what is re-sent.

    The first abort (seq 3) and the first done (seq 4) of a signer count: a later one in a filled slot is ignored.
    """

    message: Signed[Message]
    session: bytes
    index: int
    seq: int
    own: bool


@made_quickly
@dataclass(frozen=True, slots=True)
class SaveLock:
    """The second lock: UNIQUE (session, key, item), never deleted. The transcript is frozen with it.

    `digest` is the nonceset (32 bytes) that the partial of this item answers.
    """

    session: bytes
    key: bytes
    item: int
    digest: bytes


@made_quickly
@dataclass(frozen=True, slots=True)
class SaveSession:
    """Insert or replace the row of one attempt and own key."""

    row: SessionRow


@made_quickly
@dataclass(frozen=True, slots=True)
class SaveOutcome:
    """The request's state changed; `signatures` when complete. A stored signature is never replaced or removed.

    Once complete, it is repeated with a higher `turn` whenever the turn to broadcast passed to the next signer.
    """

    request: bytes
    outcome: Outcome
    reason: str | None = None
    by: bytes | None = None  # pubkey that declined or cancelled
    signatures: tuple[bytes, ...] = ()
    completed_ms: int | None = None  # wall time of the completion, from which all broadcast deadlines derive
    turn: int = 0  # how often the turn to broadcast has passed on


@made_quickly
@dataclass(frozen=True, slots=True)
class SaveRecord:
    """Keep a decline, cancel, considering, or piece of evidence as its envelope; `culprit` is set for evidence."""

    request: bytes
    session: bytes | None
    signed: Signed[Record]
    culprit: bytes | None = None


@made_quickly
@dataclass(frozen=True, slots=True)
class Send:
    """Send a frame to signer `to` (index), to all other signers (None), or to the peer of the input (`peer`)."""

    frame: Frame
    to: int | None = None
    peer: bytes | None = None


@made_quickly
@dataclass(frozen=True, slots=True)
class Emit:
    """An event for clients, named as in API section 5; `keys` are the own keys it concerns. Bytes are not yet hex."""

    event: str
    request: bytes
    session: bytes | None
    attempt: int | None
    keys: tuple[bytes, ...]
    data: Mapping[str, Any] = field(default_factory=dict)


@made_quickly
@dataclass(frozen=True, slots=True)
class NeedJoin:
    """Make and sign the join of this own key for this attempt (current addresses, ts); answer with `JoinReady`."""

    request: bytes
    key: bytes
    attempt: int


@made_quickly
@dataclass(frozen=True, slots=True)
class NeedNonces:
    """Make fresh nonces, one per (keyagg, msg); answer with `NoncesReady`."""

    session: bytes
    key: bytes
    items: tuple[tuple[KeyAggContext, bytes], ...]


@made_quickly
@dataclass(frozen=True, slots=True)
class NeedPartials:
    """Consume the secret nonces and sign, one session context per item; answer with `PartialsReady`."""

    session: bytes
    key: bytes
    index: int
    contexts: tuple[SessionContext, ...]


@made_quickly
@dataclass(frozen=True, slots=True)
class WipeNonces:
    """Forget the secret nonces of this session and key, if there are any."""

    session: bytes
    key: bytes


@made_quickly
@dataclass(frozen=True, slots=True)
class Blame:
    """A proven misbehaviour of a signer's peer: counts in reputation and towards a ban."""

    key: bytes
    peer: bytes
    reason: str


@made_quickly
@dataclass(frozen=True, slots=True)
class KeyConflict:
    """Somebody else (`peer`) joined with this own key: stop signing with it (pause it) and tell its owner."""

    key: bytes
    peer: bytes
    join: Signed[Join]


Save: TypeAlias = SaveJoin | SaveMessage | SaveLock | SaveSession | SaveOutcome | SaveRecord
Need: TypeAlias = NeedJoin | NeedNonces | NeedPartials
Effect: TypeAlias = Save | Send | Emit | Need | WipeNonces | Blame | KeyConflict
