"""The event stream: what can be followed, and the two ways of following it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, Field, RootModel
from pydantic_core import PydanticCustomError

from rpc.models.values import Count, Hex32, Millis, PublicKey
from rpc.models.wire import Many, Params, Shown, Value

GAP = "events:gap"
PROGRESS = "events:progress"

# Name of every stored event, and what it means to a wallet.
EVENTS: Mapping[str, str] = {
    "signer:advertised": "an own advertisement was published",
    "signer:discovered": "a new or renewed signer of a followed type (advertisement, renewed)",
    "signer:withdrawn": "a signer took its advertisement back (publicKey)",
    "signer:unavailable": "a signer is gone (publicKey, reason: peer_left or expired)",
    "signer:expiring": "an own advertisement ends in an hour and cannot be renewed",
    "signing-request:created": "an own request was announced (request)",
    "signing-request:received": "a request that needs an own key arrived (request)",
    "signing-request:joined": "an own key joined a request",
    "signing-request:declined": "a signer declined; final for all (publicKey, reason)",
    "signing-request:cancelled": "the creator cancelled; final for all (publicKey, reason)",
    "signing-request:expired": "the request ran out of time; final for all",
    "participant:joined": "another signer joined (publicKey, peerId)",
    "session:created": "the first join of an attempt is known",
    "session:joined": "an own key joined the attempt",
    "session:announced": "the peers were told of the attempt",
    "session:ready": "all joined; call startRound1 unless autoAdvance",
    "round1:complete": "all nonces are in; call startRound2 unless autoAdvance",
    "session:nonces-complete": "the same moment as round1:complete",
    "round2:complete": "all partial signatures are in",
    "signature:finalized": "the signature is there (signature, signatures, aggregatedPublicKey)",
    "session:complete": "the attempt ended with a signature",
    "session:should-broadcast": "it is your turn to broadcast (signatures, transactionHex, deadline)",
    "session:coordinator-failed": "the coordinator did not broadcast in time (failed, next)",
    "session:failover-exhausted": "nobody confirmed a broadcast (attempts)",
    "session:broadcast-confirmed": "a signer says it broadcast (publicKey, txid)",
    "session:aborted": "an attempt ended (reason, culprits, missing, retrying; only retrying false is final)",
    "session:closed": "the session was closed",
    "session:error": "something went wrong that the session survived (code)",
    "session:participant-disconnected": "the peer of a signer is away (peerId)",
    "peer:connected": "a peer connected (peerId)",
    "peer:disconnected": "a peer left (peerId)",
    "peer:banned": "a peer was banned (peerId)",
}


def check_pattern(pattern: str) -> str:
    """An event name, or `prefix:*`; anything else is refused, so that a typing mistake is not silence for ever."""
    known = pattern in EVENTS or (pattern.endswith(":*") and any(name.startswith(pattern[:-1]) for name in EVENTS))
    if not known:
        raise PydanticCustomError("event", "must be the name of an event, or such as session:*")
    return pattern


class EventFilter(Value):
    """Only events that concern all of these."""

    public_key: PublicKey | None = None
    session_id: Hex32 | None = None
    request_id: Hex32 | None = None


EventPattern = Annotated[str, AfterValidator(check_pattern)]
EventPatterns = Annotated[Many[EventPattern], Field(min_length=1, max_length=64)]
LogId = Annotated[str, Field(min_length=1, max_length=64)]


class Subscribe(Params):
    """Follow events on this WebSocket. `fromSeq` 0 is the oldest kept; absent is from now."""

    events: EventPatterns | None = None
    from_seq: Count | None = None
    log_id: LogId | None = None
    filter: EventFilter | None = None


class Subscribed(Shown):
    """Sent before the first notification of this subscription."""

    subscription: str
    next_seq: Count
    log_id: str


class Unsubscribe(Params):
    """Ends a subscription of this connection."""

    subscription: Annotated[str, Field(min_length=1, max_length=64)]


class Unsubscribed(RootModel[bool]):
    """Always true."""


class GetEvents(Params):
    """A page of events from `fromSeq` on, waiting for the first one up to `waitMs`."""

    from_seq: Count
    log_id: LogId | None = None
    limit: Annotated[int, Field(ge=1, le=1_000)] = 100
    wait_ms: Annotated[int, Field(ge=0, le=60_000)] = 0
    events: EventPatterns | None = None
    filter: EventFilter | None = None


class StoredEvent(Shown):
    """One event. Two notifications, events:gap and events:progress, have no seq."""

    seq: Count | None = None
    event: str
    time: Millis
    data: dict[str, Any]


class Gap(Value):
    """Events from..to are not to be had here; read the lists again."""

    from_seq: Annotated[Count, Field(alias="from")]
    to_seq: Annotated[Count, Field(alias="to")]


class EventPage(Shown):
    """Events in order; ask again from `nextSeq`."""

    events: Many[StoredEvent]
    next_seq: Count
    log_id: str
    gap: Gap | None = None
