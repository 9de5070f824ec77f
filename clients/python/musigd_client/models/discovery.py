"""What calls about discovery take and give.

Written by `python -m rpc.schema.python_kit`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from musigd_client.record import EMPTY, Record
from musigd_client.wire import Inner


class TrustRequirements(Record):
    """What the signer requires of a creator."""

    reputation: int | None = None
    requires_verification: bool | None = None


class Criteria(Record):
    """What a signer is willing to sign. An absent bound is open."""

    _inner: ClassVar[Inner] = {"trustRequirements": (TrustRequirements,)}
    transaction_types: tuple[str, ...]
    min_amount: int | None = None
    max_amount: int | None = None
    trust_requirements: TrustRequirements | None = None


class ClaimedReputation(Record):
    """What a signer says of itself; a claim, nothing more."""

    score: int | None = None
    completed_signings: int | None = None
    failed_signings: int | None = None
    average_response_time: int | None = None
    verified_identity: bool | None = None
    extra: Mapping[str, Any] = EMPTY
    """any other members, as on the wire"""


class SignerMetadata(Record):
    """What a signer tells about itself; unknown members travel too."""

    _inner: ClassVar[Inner] = {"reputation": (ClaimedReputation,)}
    nickname: str | None = None
    description: str | None = None
    purpose: str | None = None
    fees: int | None = None
    """satoshis per signature, shown, never charged"""
    response_time: int | None = None
    reputation: ClaimedReputation | None = None
    extra: Mapping[str, Any] = EMPTY
    """any other members, as on the wire"""


class ShownCriteria(Record):
    """The criteria as the signer wrote them; `trustRequirements` is an open map."""

    transaction_types: tuple[str, ...]
    min_amount: int | None = None
    max_amount: int | None = None
    trust_requirements: Mapping[str, Any] | None = None


class LocalReputation(Record):
    """What this daemon itself saw of a signer."""

    score: int
    completed: int
    failed: int
    aborted: int
    response_time: int | None = None


class Reach(Record):
    """How far a publication got: peers pushed to, topic peers, and whether the DHT took it."""

    direct: int
    gossip: int
    dht: bool


class Advertised(Record):
    """The advertisement as published."""

    _inner: ClassVar[Inner] = {"criteria": (ShownCriteria,), "localReputation": (LocalReputation,), "reach": (Reach,)}
    seq: int | None = None
    """position of the event log after the change"""
    public_key: str
    scheme: Literal["lotus", "bip340"]
    peer_id: str
    multiaddrs: tuple[str, ...]
    criteria: ShownCriteria
    metadata: Mapping[str, Any] | None = None
    timestamp: int
    expires_at: int
    signature: str
    envelope: str
    own: bool
    local_reputation: LocalReputation | None = None
    reach: Reach


class Withdrawn(Record):
    """It is withdrawn."""

    seq: int | None = None
    """position of the event log after the change"""
    withdrawn: bool


class Advertisement(Record):
    """A signer's signed offer; `envelope` is for those who verify it themselves, `metadata` is whatever it wrote."""

    _inner: ClassVar[Inner] = {"criteria": (ShownCriteria,), "localReputation": (LocalReputation,)}
    public_key: str
    scheme: Literal["lotus", "bip340"]
    peer_id: str
    multiaddrs: tuple[str, ...]
    criteria: ShownCriteria
    metadata: Mapping[str, Any] | None = None
    timestamp: int
    expires_at: int
    signature: str
    envelope: str
    own: bool
    local_reputation: LocalReputation | None = None


class AdvertisementList(Record):
    """Own advertisements in force."""

    _inner: ClassVar[Inner] = {"advertisements": (Advertisement,)}
    advertisements: tuple[Advertisement, ...]


class FoundSigners(Record):
    """Signers that match, and how many came from which channel."""

    _inner: ClassVar[Inner] = {"signers": (Advertisement,)}
    signers: tuple[Advertisement, ...]
    next_cursor: str | None = None
    sources: Mapping[str, int]
    revision: int
    """another number when a signer came, renewed or withdrew since"""


class FollowedTypes(Record):
    """What this token now follows."""

    seq: int | None = None
    """position of the event log after the change"""
    transaction_types: tuple[str, ...]
