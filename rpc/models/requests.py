"""Signing requests (phase 2)."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from rpc.models.open import RequestMetadata
from rpc.models.transactions.review import Review
from rpc.models.transactions.tweaks import MessageItem, ReviewedItem, Tweaks
from rpc.models.values import (
    Count,
    Cursor,
    Hex32,
    Hex64,
    HexBytes,
    Millis,
    PageSize,
    PublicKey,
    Reason,
    SchemeName,
    Score,
    Ttl,
)
from rpc.models.wire import Change, Changed, Many, OfScheme, Shown, Value, misfit

ElectionMethod = Literal["lexicographic", "hash-based", "first-signer", "last-signer"]
RequestState = Literal["open", "signing", "complete", "declined", "cancelled", "expired", "failed"]
RequiredKeys = Annotated[Many[PublicKey], Field(min_length=2, max_length=100)]
RoundMs = Annotated[int, Field(ge=1_000, le=24 * 3600 * 1000)]


class Election(Value):
    """Who broadcasts first, and how long the others wait before it is their turn."""

    method: ElectionMethod = "lexicographic"
    broadcast_timeout_ms: Annotated[int, Field(ge=1_000, le=24 * 3600 * 1000)] | None = Field(
        default=None, description="5 minutes when absent"
    )


class RequestSigner(Shown):
    """One required key, and how far its signer is."""

    public_key: PublicKey
    peer_id: str | None = None
    own: bool
    delivered: bool
    joined: bool
    declined: bool
    considering_since: Millis | None = Field(
        default=None, description="its signer says that its owner was asked then and has not decided yet"
    )
    decline_reason: str | None = Field(default=None, description="what its owner gave as the reason, if anything")


class OutsideCriterion(Shown):
    """A criterion that an own key advertises and the request does not meet; a hint, nothing is refused for it."""

    public_key: PublicKey
    criterion: Literal["transactionTypes", "minAmount", "maxAmount"]
    message: str


class SigningRequest(Shown):
    """A request and its state. `message` and `tweaks` are those of the first item."""

    request_id: Hex32
    session_id: Hex32
    attempt: Count
    state: RequestState
    scheme: SchemeName
    required_public_keys: Many[PublicKey]
    messages: Many[ReviewedItem]
    message: Hex32
    tweaks: Tweaks
    aggregated_public_key: PublicKey
    creator: PublicKey
    created_at: Millis
    expires_at: Millis
    metadata: dict[str, Any]
    election: Election | None = None
    signers: Many[RequestSigner]
    partial_released: bool
    review: Review | None = Field(default=None, description="what is signed, as this daemon has checked and decoded it")
    outside_criteria: Many[OutsideCriterion] = Field(
        default=(),
        description="what own keys do not advertise to do, going by what `metadata` states",
    )
    reason: str | None = Field(default=None, description="why it ended without a signature")
    cancel_reason: str | None = Field(default=None, description="what its creator gave as the reason, if anything")
    signature: Hex64 | None = None
    signatures: Many[Hex64] | None = None
    envelope: HexBytes


class ChangedRequest(SigningRequest, Changed):
    """The request after the change."""


class AnnounceSigningRequest(OfScheme, Change):
    """Asks exactly those keys to sign; `publicKey` is the own key that creates it and joins."""

    required_public_keys: RequiredKeys
    message: Hex32 | None = Field(default=None, description="either this or `messages`")
    messages: Annotated[Many[MessageItem], Field(min_length=1, max_length=100)] | None = None
    public_key: PublicKey
    tweaks: Tweaks | None = Field(default=None, description="of `message`; in `messages` each item has its own")
    input_index: Count | None = Field(
        default=None, description="the input that `message` belongs to; in `messages` each item has its own"
    )
    ttl: Ttl | None = Field(default=None, description="milliseconds; 24 hours when absent, at most 7 days")
    round_ms: RoundMs | None = Field(
        default=None, description="how long an attempt may take once all have joined; 10 minutes when absent"
    )
    metadata: RequestMetadata | None = None
    election: Election | None = Field(default=Election(), description="null: no coordinator is elected")
    auto_advance: bool = Field(default=True, description="false: startRound1 and startRound2 are called by the wallet")

    @model_validator(mode="after")
    def _one_or_many(self) -> Self:
        if (self.message is None) == (self.messages is None):
            raise misfit("message", "give either this or messages")
        if self.messages is not None and self.tweaks is not None:
            raise misfit("tweaks", "goes with message; in messages each item has its own")
        if self.messages is not None and self.input_index is not None:
            raise misfit("inputIndex", "goes with message; in messages each item has its own")
        return self

    @model_validator(mode="after")
    def _keys_fit(self) -> Self:
        if len(set(self.required_public_keys)) != len(self.required_public_keys):
            raise misfit("requiredPublicKeys", "must be distinct")
        if self.public_key not in self.required_public_keys:
            raise misfit("publicKey", "must be one of requiredPublicKeys")
        return self

    @property
    def items(self) -> tuple[MessageItem, ...]:
        """The messages to sign, whichever way they were given."""
        if self.messages is not None:
            return self.messages
        assert self.message is not None
        return (MessageItem(message=self.message, tweaks=self.tweaks or (), input_index=self.input_index),)


class Announced(Changed):
    """The request is stored and on its way; its creator has joined."""

    request_id: Hex32
    session_id: Hex32
    request: SigningRequest


class FindSigningRequestsForMe(OfScheme):
    """Requests in which an own key is required, own ones included."""

    public_key: PublicKey | None = None
    state: RequestState | None = Field(default=None, description="open and signing when absent")
    creators: Annotated[Many[PublicKey], Field(min_length=1, max_length=100)] | None = Field(
        default=None, description="only requests of these"
    )
    min_reputation: Score = Field(
        default=0, description="only requests of creators with at least this localReputation; own ones pass"
    )
    include_hidden: bool = Field(default=False, description="true: dismissed ones and those of muted creators too")
    refresh: bool = False
    limit: PageSize = 50
    cursor: Cursor | None = None

    @model_validator(mode="after")
    def _names_a_key(self) -> Self:
        if self.scheme is not None and self.public_key is None:
            raise misfit("scheme", "goes with publicKey")
        return self


class RequestList(Shown):
    """A page of requests, newest first; of those that wait, the ones of known creators before all others."""

    requests: Many[SigningRequest]
    known_creators: Many[PublicKey] = Field(
        default=(),
        description="which creators on this page are own keys, pinned ones, contacts, or have signed with this daemon",
    )
    next_cursor: Cursor | None = None


class GetSigningRequest(OfScheme):
    """Names a request."""

    request_id: Hex32


class CancelSigningRequest(OfScheme, Change):
    """Ends a request for all; by its creator."""

    request_id: Hex32
    reason: Reason | None = None


class JoinSigningRequest(OfScheme, Change):
    """Approves a request with an own key; after an aborted attempt it starts the next one."""

    request_id: Hex32
    public_key: PublicKey
    auto_advance: bool = Field(
        default=True,
        description="false: startRound1 and startRound2 are called by the wallet; given again it changes a join that "
        "stands, as long as a round is left to wait",
    )
    require_checked: bool = Field(
        default=False, description="true: only if every message is `checked` and leaves nothing `uncovered`"
    )


class Joined(Changed):
    """The current attempt, and the keys that have joined it."""

    request_id: Hex32
    session_id: Hex32
    joined: Many[PublicKey]


class DeclineSigningRequest(OfScheme, Change):
    """Declines a request for good; that ends it for all."""

    request_id: Hex32
    public_key: PublicKey
    reason: Reason | None = None


class Declined(Changed):
    """It is declined."""

    declined: bool


class DismissRequest(OfScheme, Change):
    """Takes a request that no own key has joined out of lists; nobody else hears of it."""

    request_id: Hex32
    dismissed: bool = Field(default=True, description="false: brings it back")


class Dismissed(Changed):
    """Whether it is out of lists."""

    request_id: Hex32
    dismissed: bool


class MuteCreator(Change):
    """Names a creator by its key."""

    public_key: PublicKey


class Muted(Changed):
    """Whether its requests are kept away."""

    public_key: PublicKey
    muted: bool


class MutedCreator(Shown):
    """A creator whose requests are not taken."""

    public_key: PublicKey
    since: Millis
    for_public_keys: Many[PublicKey] | None = Field(
        default=None, description="the own keys for which it is muted; absent: for all"
    )


class MutedList(Shown):
    """Muted creators, oldest first."""

    creators: Many[MutedCreator]
