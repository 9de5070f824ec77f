"""What calls about discovery take and give.

Written by `python -m rpc.schema.python_kit`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from musigd_client.wire import Inner


@dataclass(frozen=True, kw_only=True)
class TrustRequirements:
    """What the signer asks of a creator."""

    reputation: int | None = None
    requires_verification: bool | None = None


@dataclass(frozen=True, kw_only=True)
class Criteria:
    """For what a signer is there. An absent bound is open."""

    _inner: ClassVar[Inner] = {"trustRequirements": (TrustRequirements,)}
    transaction_types: tuple[str, ...]
    min_amount: int | None = None
    max_amount: int | None = None
    trust_requirements: TrustRequirements | None = None


@dataclass(frozen=True, kw_only=True)
class ClaimedReputation:
    """What a signer says of itself; a claim, nothing more."""

    score: int | None = None
    completed_signings: int | None = None
    failed_signings: int | None = None
    average_response_time: int | None = None
    verified_identity: bool | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)
    """any other members, as on the wire"""


@dataclass(frozen=True, kw_only=True)
class SignerMetadata:
    """What a signer tells about itself; unknown members travel too."""

    _inner: ClassVar[Inner] = {"reputation": (ClaimedReputation,)}
    nickname: str | None = None
    description: str | None = None
    purpose: str | None = None
    fees: int | None = None
    """satoshis per signature, shown, never charged"""
    response_time: int | None = None
    reputation: ClaimedReputation | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)
    """any other members, as on the wire"""


@dataclass(frozen=True, kw_only=True)
class ShownCriteria:
    """The criteria as the signer wrote them; `trustRequirements` is an open map."""

    transaction_types: tuple[str, ...]
    min_amount: int | None = None
    max_amount: int | None = None
    trust_requirements: Mapping[str, Any] | None = None


@dataclass(frozen=True, kw_only=True)
class LocalReputation:
    """What this daemon itself saw of a signer."""

    score: int
    completed: int
    failed: int
    aborted: int
    response_time: int | None = None


@dataclass(frozen=True, kw_only=True)
class Reach:
    """How far a publication got: peers pushed to, topic peers, and whether the DHT took it."""

    direct: int
    gossip: int
    dht: bool


@dataclass(frozen=True, kw_only=True)
class Advertised:
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


@dataclass(frozen=True, kw_only=True)
class Withdrawn:
    """It is withdrawn."""

    seq: int | None = None
    """position of the event log after the change"""
    withdrawn: bool


@dataclass(frozen=True, kw_only=True)
class Advertisement:
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


@dataclass(frozen=True, kw_only=True)
class AdvertisementList:
    """Own advertisements in force."""

    _inner: ClassVar[Inner] = {"advertisements": (Advertisement,)}
    advertisements: tuple[Advertisement, ...]


@dataclass(frozen=True, kw_only=True)
class FoundSigners:
    """Signers that match, and how many came from which channel."""

    _inner: ClassVar[Inner] = {"signers": (Advertisement,)}
    signers: tuple[Advertisement, ...]
    next_cursor: str | None = None
    sources: Mapping[str, int]
    revision: int
    """another number when a signer came, renewed or withdrew since"""


@dataclass(frozen=True, kw_only=True)
class FollowedTypes:
    """What this token now follows."""

    seq: int | None = None
    """position of the event log after the change"""
    transaction_types: tuple[str, ...]
