"""Every event that is stored: what it means to a wallet, and what its data hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

GAP: Final = "events:gap"
PROGRESS: Final = "events:progress"


class HeardBy(Enum):
    """Which tokens hear of an event. `rpc.events.filter` decides by it."""

    KEYS = "a token bound to keys if one of them is in `publicKeys`; any other token"
    SIGNERS = "a token that follows a type of the signer; where `publicKeys` is, as KEYS"
    EVERYBODY = "every token"
    ADMINS = "a token with `admin` that is not bound to keys, and the token itself"


@dataclass(frozen=True, slots=True)
class EventKind:
    """`data`: the members of its data beside the common ones; a name that ends in `?` is not always there."""

    when: str
    data: tuple[str, ...] = ()
    heard_by: HeardBy = HeardBy.KEYS


# What the data hold beside that: the own keys concerned, and to which request and session the event belongs.
COMMON: Final = frozenset({"publicKeys", "requestId", "sessionId", "attempt"})

_SIGNED = ("signature", "signatures", "aggregatedPublicKey", "aggregatedPublicKeys?")

EVENTS: Final[Mapping[str, EventKind]] = {
    "signer:advertised": EventKind("an own advertisement was published", ("advertisement",)),
    "signer:discovered": EventKind(
        "a new or renewed signer of a type that this token follows; sameDaemon: another wallet of this daemon",
        ("advertisement", "renewed", "sameDaemon?"),
        HeardBy.SIGNERS,
    ),
    "signer:withdrawn": EventKind(
        "a signer of a type that this token follows withdrew its advertisement, or an own key did",
        ("publicKey", "transactionTypes?", "sameDaemon?"),
        HeardBy.SIGNERS,
    ),
    "signer:unavailable": EventKind(
        "a signer of a type that this token follows is gone; reason: peer_left (away for 30 s) or expired",
        ("publicKey", "reason", "transactionTypes"),
        HeardBy.SIGNERS,
    ),
    "signer:expiring": EventKind(
        "an own advertisement expires in an hour and cannot be renewed", ("publicKey", "expiresAt")
    ),
    "signing-request:created": EventKind("an own request was announced", ("request",)),
    "signing-request:received": EventKind("a request that needs an own key arrived", ("request",)),
    "signing-request:joined": EventKind("an own key joined a request", ("publicKey",)),
    "signing-request:declined": EventKind("a signer declined; final for all", ("publicKey", "reason")),
    "signing-request:cancelled": EventKind("the creator cancelled; final for all", ("publicKey", "reason")),
    "signing-request:expired": EventKind("the request ran out of time; final for all", ("reason",)),
    "signing-request:dismissed": EventKind(
        "an owner took a request out of his lists, or back into them", ("dismissed",)
    ),
    "creator:muted": EventKind(
        "requests of a creator are not taken any more, or are again; without publicKeys: for all own keys",
        ("publicKey", "muted"),
    ),
    "signing-request:dropped": EventKind(
        "a request that no own key had joined is not kept: its key was deleted, or others ask for less"
    ),
    "participant:joined": EventKind("another signer joined", ("publicKey", "peerId")),
    "session:created": EventKind("the first join of an attempt is known"),
    "session:joined": EventKind("an own key joined the attempt", ("publicKey",)),
    "session:announced": EventKind("the peers were told of the attempt", ("publicKey",)),
    "session:ready": EventKind("all joined; call startRound1 unless autoAdvance"),
    "round1:complete": EventKind("all nonces are in; call startRound2 unless autoAdvance"),
    "session:nonces-complete": EventKind("the same moment as round1:complete"),
    "round2:complete": EventKind("all partial signatures are in", _SIGNED),
    "signature:finalized": EventKind("the signature is there", _SIGNED),
    "session:complete": EventKind("the attempt ended with a signature", _SIGNED),
    "session:should-broadcast": EventKind(
        "it is your turn to broadcast", ("signatures", "deadline", "transactionHex?")
    ),
    "session:coordinator-failed": EventKind(
        "the coordinator did not broadcast in time; next is null when nobody is left", ("failed", "next")
    ),
    "session:failover-exhausted": EventKind("nobody confirmed a broadcast", ("attempts",)),
    "session:broadcast-confirmed": EventKind("a signer says it broadcast", ("publicKey", "txid")),
    "session:broadcast-conflict": EventKind(
        "signers name different transactions for one session; claims: [{publicKey, txid}]", ("claims",)
    ),
    "session:aborted": EventKind(
        "an attempt ended; only retrying false is final; text: what the owner gave to abortSession, told to no peer",
        ("reason", "culprits", "missing", "retrying", "supersededBy?", "by?", "conflicting?", "text?"),
    ),
    "session:closed": EventKind("the session was closed"),
    "session:error": EventKind("something went wrong that the session survived", ("code", "publicKey?", "peerId?")),
    "session:participant-disconnected": EventKind("the peer of a signer is away", ("peerId",)),
    "peer:connected": EventKind("a peer connected", ("peerId",)),
    "peer:disconnected": EventKind("a peer left", ("peerId",)),
    "peer:banned": EventKind("a peer was banned", ("peerId", "until", "reason")),
    "peer:unbanned": EventKind("a ban was lifted", ("peerId",)),
    "key:created": EventKind("a key was created or imported", ("publicKey", "scheme", "label", "imported")),
    "key:paused": EventKind(
        "a key signs nothing until resumeKey; reason: key_conflict when the daemon found it used elsewhere",
        ("publicKey", "reason?"),
    ),
    "key:resumed": EventKind("a paused key signs again", ("publicKey",)),
    "key:deleted": EventKind("a key was removed for good", ("publicKey",)),
    "node:locked": EventKind(
        "the keys were locked: by lock, when the time given to unlock was over, or by a restart; every token hears it",
        heard_by=HeardBy.EVERYBODY,
    ),
    "node:unlocked": EventKind(
        "the keys were unlocked, until then or for good; every token hears it", ("until?",), HeardBy.EVERYBODY
    ),
    "node:passphrase-changed": EventKind("the keys were encrypted under a new passphrase"),
    "approval:needed": EventKind(
        "a request waits for the yes of an owner of this key; rule and line: of the policy; once per request and key",
        ("publicKey", "request", "message", "needed", "rule?", "line?"),
    ),
    "signing-request:considering": EventKind(
        "a signer says that the request waits for its owner; consideringSince: when it asked",
        ("publicKey", "consideringSince"),
    ),
    "approval:given": EventKind(
        "a token said yes; with given = needed the key joins", ("publicKey", "label", "given", "needed")
    ),
    "policy:reloaded": EventKind(
        "the policy was read again: the names of its rules, in order, and its digest or none; for tokens with admin",
        ("active", "rules", "policy?"),
        HeardBy.ADMINS,
    ),
    "token:created": EventKind(
        "a token was made; publicKeys are those it is bound to; for tokens with admin, and the token itself",
        ("tokenId", "scopes", "createKey", "label", "expiresAt?"),
        HeardBy.ADMINS,
    ),
    "token:revoked": EventKind(
        "a token ended; reason: revoked or expired; for tokens with admin", ("tokenId", "reason"), HeardBy.ADMINS
    ),
}
