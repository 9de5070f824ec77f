"""Advertisements, and the methods of discovery (phases 0 and 1)."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from rpc.models.open import SignerMetadata
from rpc.models.values import (
    Count,
    Cursor,
    Hex64,
    HexBytes,
    Millis,
    PageSize,
    PublicKey,
    Sats,
    SchemeName,
    Score,
    Text,
    TransactionType,
    Ttl,
)
from rpc.models.wire import Change, Changed, Many, OfScheme, Params, Shown, Value, misfit

TransactionTypes = Annotated[Many[TransactionType], Field(min_length=1, max_length=32)]


class TrustRequirements(Value):
    """What the signer requires of a creator."""

    reputation: Score | None = None
    requires_verification: bool | None = None


class Criteria(Value):
    """What a signer is willing to sign. An absent bound is open."""

    transaction_types: TransactionTypes
    min_amount: Sats | None = None
    max_amount: Sats | None = None
    trust_requirements: TrustRequirements | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.min_amount is not None and self.max_amount is not None and self.min_amount > self.max_amount:
            raise misfit("minAmount", "must not be above maxAmount")
        return self


class ShownCriteria(Shown):
    """The criteria as the signer wrote them; `trustRequirements` is an open map."""

    transaction_types: Many[str]
    min_amount: Sats | None = None
    max_amount: Sats | None = None
    trust_requirements: dict[str, Any] | None = None


class LocalReputation(Shown):
    """What this daemon itself saw of a signer."""

    score: Score
    completed: Count
    failed: Count
    aborted: Count
    response_time: Millis | None = None


class Advertisement(Shown):
    """A signer's signed offer; `envelope` is for those who verify it themselves, `metadata` is whatever it wrote."""

    public_key: PublicKey
    scheme: SchemeName
    peer_id: str
    multiaddrs: Many[str]
    criteria: ShownCriteria
    metadata: dict[str, Any] | None = None
    timestamp: Millis
    expires_at: Millis
    signature: Hex64
    envelope: HexBytes
    own: bool
    local_reputation: LocalReputation | None = None


class Reach(Shown):
    """How far a publication got: peers pushed to, topic peers, and whether the DHT took it."""

    direct: Count
    gossip: Count
    dht: bool


class AdvertiseSigner(OfScheme, Change):
    """Publishes an own key and its terms; repeating it replaces the earlier advertisement."""

    public_key: PublicKey
    criteria: Criteria
    ttl: Ttl | None = Field(default=None, description="milliseconds; 24 hours when absent, at most 7 days")
    metadata: SignerMetadata | None = None


class Advertised(Advertisement, Changed):
    """The advertisement as published."""

    reach: Reach


class WithdrawAdvertisement(OfScheme, Change):
    """Withdraws an own advertisement everywhere."""

    public_key: PublicKey


class Withdrawn(Changed):
    """It is withdrawn."""

    withdrawn: bool


class AdvertisementList(Shown):
    """Own advertisements in force."""

    advertisements: Many[Advertisement]


class FindAvailableSigners(Params):
    """Which signers to look for; every absent restriction is open."""

    transaction_type: TransactionType | None = None
    purpose: Text | None = Field(default=None, description="the whole of metadata.purpose, in any case of letters")
    scheme: SchemeName | None = None
    min_amount: Sats | None = Field(default=None, description="an amount that the signer must take")
    max_amount: Sats | None = Field(default=None, description="another one")
    min_reputation: Score | None = Field(
        default=None, description="of localReputation; a signer without evidence fails any above 0"
    )
    max_results: PageSize = 50
    cursor: Cursor | None = None
    refresh: bool = Field(default=False, description="ask the network before answering")
    include_own: bool = Field(default=False, description="own keys too")


class FoundSigners(Shown):
    """Signers that match, and how many came from which channel."""

    signers: Many[Advertisement]
    next_cursor: Cursor | None = None
    sources: dict[str, Count]
    revision: Count = Field(description="another number when a signer came, renewed or withdrew since")


class SubscribeToSignerDiscovery(Change):
    """Follows these transaction types from now on, across restarts."""

    transaction_types: TransactionTypes


class UnsubscribeFromSignerDiscovery(Change):
    """Stops following these types, or all of them."""

    transaction_types: TransactionTypes | None = None


class FollowedTypes(Changed):
    """What this token now follows."""

    transaction_types: Many[TransactionType]
