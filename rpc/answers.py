"""The answers of discovery, signing and the event stream as JSON: a type for each model in them.

Written by `python -m rpc.schema.generate_answers` from the table. `seq` of a change is left out: the server adds it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NotRequired, TypedDict


class ShownCriteria(TypedDict):
    """The criteria as the signer wrote them; `trustRequirements` is an open map."""

    transactionTypes: list[str]
    minAmount: NotRequired[int]
    maxAmount: NotRequired[int]
    trustRequirements: NotRequired[Mapping[str, Any]]


class LocalReputation(TypedDict):
    """What this daemon itself saw of a signer."""

    score: int
    completed: int
    failed: int
    aborted: int
    responseTime: NotRequired[int]


class Reach(TypedDict):
    """How far a publication got: peers pushed to, topic peers, and whether the DHT took it."""

    direct: int
    gossip: int
    dht: bool


class Advertised(TypedDict):
    """The advertisement as published."""

    publicKey: str
    scheme: str
    peerId: str
    multiaddrs: list[str]
    criteria: ShownCriteria
    metadata: NotRequired[Mapping[str, Any]]
    timestamp: int
    expiresAt: int
    signature: str
    envelope: str
    own: bool
    localReputation: NotRequired[LocalReputation]
    reach: Reach


class Withdrawn(TypedDict):
    """It is withdrawn."""

    withdrawn: bool


class Advertisement(TypedDict):
    """A signer's signed offer."""

    publicKey: str
    scheme: str
    peerId: str
    multiaddrs: list[str]
    criteria: ShownCriteria
    metadata: NotRequired[Mapping[str, Any]]
    timestamp: int
    expiresAt: int
    signature: str
    envelope: str
    own: bool
    localReputation: NotRequired[LocalReputation]


class AdvertisementList(TypedDict):
    """Own advertisements in force."""

    advertisements: list[Advertisement]


class FoundSigners(TypedDict):
    """Signers that match, and how many came from which channel."""

    signers: list[Advertisement]
    nextCursor: NotRequired[str]
    sources: Mapping[str, int]
    revision: int


class FollowedTypes(TypedDict):
    """What this token now follows."""

    transactionTypes: list[str]


class TaprootTweak(TypedDict):
    """Commits to a script tree by its merkle root."""

    taprootMerkleRoot: str | None


class PlainTweak(TypedDict):
    """Adds a tweak to the aggregate key as BIP-327 says, plain or x-only; bip340 alone."""

    tweak: str
    xOnly: bool


class ReviewedItem(TypedDict):
    """A message of a request, and whether this daemon has found it to be what the request shows."""

    message: str
    tweaks: NotRequired[list[TaprootTweak | PlainTweak]]
    inputIndex: NotRequired[int]
    aggregatedPublicKey: str
    checked: bool
    uncheckedReason: NotRequired[str]
    uncheckedMessage: NotRequired[str]
    uncovered: NotRequired[list[str]]


class Election(TypedDict):
    """Who broadcasts first, and how long the others wait before it is their turn."""

    method: NotRequired[str]
    broadcastTimeoutMs: NotRequired[int]


class RequestSigner(TypedDict):
    """One required key, and how far its signer is."""

    publicKey: str
    peerId: NotRequired[str]
    own: bool
    delivered: bool
    joined: bool
    declined: bool
    consideringSince: NotRequired[int]
    declineReason: NotRequired[str]


class ReviewedInput(TypedDict):
    """An output being spent; `signed`: by this request."""

    txid: str
    vout: int
    value: int
    script: str
    address: NotRequired[str]
    sequence: int
    signed: bool


class ReviewedOutput(TypedDict):
    """An output being made, and whether it comes back."""

    value: int
    script: str
    address: NotRequired[str]
    returns: NotRequired[str]
    publicKey: NotRequired[str]


class ReviewedTransaction(TypedDict):
    """The transaction that a checked message signs. Amounts and fee are satoshis."""

    version: int
    lockTime: int
    inputs: list[ReviewedInput]
    outputs: list[ReviewedOutput]
    inputAmount: int
    outputAmount: int
    fee: NotRequired[int]
    feeRate: NotRequired[int]
    size: int


class Review(TypedDict):
    """What the daemon found."""

    status: str
    reason: NotRequired[str]
    message: NotRequired[str]
    uncovered: NotRequired[list[str]]
    transaction: NotRequired[ReviewedTransaction]
    text: NotRequired[str]
    textTag: NotRequired[str]


class OutsideCriterion(TypedDict):
    """A criterion that an own key advertises and the request does not meet."""

    publicKey: str
    criterion: str
    message: str


class SigningRequest(TypedDict):
    """A request and its state. `message` and `tweaks` are those of the first item."""

    requestId: str
    sessionId: str
    attempt: int
    state: str
    scheme: str
    requiredPublicKeys: list[str]
    messages: list[ReviewedItem]
    message: str
    tweaks: list[TaprootTweak | PlainTweak]
    aggregatedPublicKey: str
    creator: str
    createdAt: int
    expiresAt: int
    metadata: Mapping[str, Any]
    election: NotRequired[Election]
    signers: list[RequestSigner]
    partialReleased: bool
    review: NotRequired[Review]
    outsideCriteria: NotRequired[list[OutsideCriterion]]
    reason: NotRequired[str]
    cancelReason: NotRequired[str]
    signature: NotRequired[str]
    signatures: NotRequired[list[str]]
    envelope: str


class Announced(TypedDict):
    """The request is stored and on its way; its creator has joined."""

    requestId: str
    sessionId: str
    request: SigningRequest


class RequestList(TypedDict):
    """A page of requests, newest first; of those that wait, the ones of known creators before all others."""

    requests: list[SigningRequest]
    knownCreators: NotRequired[list[str]]
    nextCursor: NotRequired[str]


class Joined(TypedDict):
    """The current attempt, and the keys that have joined it."""

    requestId: str
    sessionId: str
    joined: list[str]


class Declined(TypedDict):
    """It is declined."""

    declined: bool


class ChangedRequest(TypedDict):
    """The request after the change."""

    requestId: str
    sessionId: str
    attempt: int
    state: str
    scheme: str
    requiredPublicKeys: list[str]
    messages: list[ReviewedItem]
    message: str
    tweaks: list[TaprootTweak | PlainTweak]
    aggregatedPublicKey: str
    creator: str
    createdAt: int
    expiresAt: int
    metadata: Mapping[str, Any]
    election: NotRequired[Election]
    signers: list[RequestSigner]
    partialReleased: bool
    review: NotRequired[Review]
    outsideCriteria: NotRequired[list[OutsideCriterion]]
    reason: NotRequired[str]
    cancelReason: NotRequired[str]
    signature: NotRequired[str]
    signatures: NotRequired[list[str]]
    envelope: str


class SessionSigner(TypedDict):
    """One signer, and which of its contributions have arrived."""

    publicKey: str
    peerId: NotRequired[str]
    joined: bool
    consideringSince: NotRequired[int]
    nonce: bool
    partialSignature: bool


class Coordinator(TypedDict):
    """The signer elected to broadcast."""

    publicKey: str
    peerId: NotRequired[str]


class Session(TypedDict):
    """One attempt at a request. `culprits` are proved, `missing` were only absent."""

    sessionId: str
    requestId: str
    attempt: int
    phase: str
    scheme: str
    aggregatedPublicKey: str
    message: str
    messages: list[ReviewedItem]
    signers: list[SessionSigner]
    coordinator: NotRequired[Coordinator]
    deadline: NotRequired[int]
    partialReleased: bool
    reason: NotRequired[str]
    culprits: NotRequired[list[str]]
    missing: NotRequired[list[str]]
    supersededBy: NotRequired[str]


class SessionList(TypedDict):
    """A page of sessions, newest first."""

    sessions: list[Session]
    nextCursor: NotRequired[str]


class ChangedSession(TypedDict):
    """The session after the change."""

    sessionId: str
    requestId: str
    attempt: int
    phase: str
    scheme: str
    aggregatedPublicKey: str
    message: str
    messages: list[ReviewedItem]
    signers: list[SessionSigner]
    coordinator: NotRequired[Coordinator]
    deadline: NotRequired[int]
    partialReleased: bool
    reason: NotRequired[str]
    culprits: NotRequired[list[str]]
    missing: NotRequired[list[str]]
    supersededBy: NotRequired[str]


class MessageItem(TypedDict):
    """One message of 32 bytes."""

    message: str
    tweaks: NotRequired[list[TaprootTweak | PlainTweak]]
    inputIndex: NotRequired[int]
    aggregatedPublicKey: NotRequired[str]


class FinalSignature(TypedDict):
    """One signature per message; `signature` and `message` are the first."""

    signature: str
    signatures: list[str]
    aggregatedPublicKey: str
    message: str
    messages: list[MessageItem]
    scheme: str


class Closed(TypedDict):
    """It is closed."""

    closed: bool


class Notified(TypedDict):
    """The signers are being told."""

    sessionId: str
    txid: str


class Evidence(TypedDict):
    """Signed messages (envelopes) that prove who broke the protocol, checkable by anyone."""

    sessionId: str
    reason: NotRequired[str]
    culprits: list[str]
    request: NotRequired[str]
    evidence: list[str]


class GivenApproval(TypedDict):
    """A token that said yes."""

    label: str
    at: int
    until: NotRequired[int]
    own: NotRequired[bool]


class PendingApproval(TypedDict):
    """A request that waits for the yes of an owner of this key."""

    publicKey: str
    rule: NotRequired[str]
    line: NotRequired[int]
    message: str
    approvalsNeeded: int
    approvalsGiven: NotRequired[int]
    approvalsOf: NotRequired[list[str]]
    approvals: NotRequired[list[GivenApproval]]
    request: SigningRequest


class PendingApprovals(TypedDict):
    """A page of them, newest request first."""

    pending: list[PendingApproval]
    nextCursor: NotRequired[str]


class Approved(TypedDict):
    """How many have said yes, and whether that was enough, so that the key has joined."""

    requestId: str
    publicKey: str
    approvalsNeeded: int
    approvalsGiven: NotRequired[int]
    approvalsOf: NotRequired[list[str]]
    approvals: list[GivenApproval]
    joined: bool


class Rights(TypedDict):
    """What a token may do, so that a program offers nothing that would be refused."""

    scopes: list[str]
    publicKeys: NotRequired[list[str]]
    createKey: bool
    methods: list[str]


# An OpenRPC document.
OpenRpc = TypedDict(
    "OpenRpc",
    {
        "openrpc": str,
        "info": Mapping[str, Any],
        "methods": list[Any],
        "components": NotRequired[Mapping[str, Any]],
        "x-events": NotRequired[Mapping[str, Any]],
    },
)


class Subscribed(TypedDict):
    """Sent before the first notification of this subscription."""

    subscription: str
    nextSeq: int
    logId: str


class StoredEvent(TypedDict):
    """One event. Two notifications, events:gap and events:progress, have no seq."""

    seq: NotRequired[int]
    event: str
    time: int
    data: Mapping[str, Any]


# Events from..to are no longer available; read the lists again.
Gap = TypedDict(
    "Gap",
    {
        "from": int,
        "to": int,
    },
)


class EventPage(TypedDict):
    """Events in order; ask again from `nextSeq`."""

    events: list[StoredEvent]
    nextSeq: int
    logId: str
    gap: NotRequired[Gap]
