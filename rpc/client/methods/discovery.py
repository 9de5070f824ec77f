"""Methods of the client: discovery. Written by `python -m rpc.schema.generate_client` from the table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from rpc.client.methods.asking import Asking
from rpc.models.advertisements import Advertised, AdvertisementList, Criteria, FollowedTypes, FoundSigners, Withdrawn
from rpc.models.open import SignerMetadata


class DiscoveryMethods(Asking):
    """Discovery."""

    async def advertise_signer(
        self,
        *,
        idempotency_key: str | None = None,
        scheme: Literal["lotus", "bip340"] | None = None,
        public_key: str,
        criteria: Criteria | Mapping[str, Any],
        ttl: int | None = None,
        metadata: SignerMetadata | Mapping[str, Any] | None = None,
    ) -> Advertised:
        """Publishes an own key and its terms, so that others find it; it is renewed until withdrawn."""
        return await self._ask(
            Advertised,
            "advertiseSigner",
            {
                "idempotencyKey": idempotency_key,
                "scheme": scheme,
                "publicKey": public_key,
                "criteria": criteria,
                "ttl": ttl,
                "metadata": metadata,
            },
        )

    async def withdraw_advertisement(
        self, *, idempotency_key: str | None = None, scheme: Literal["lotus", "bip340"] | None = None, public_key: str
    ) -> Withdrawn:
        """Takes an own advertisement back, everywhere."""
        return await self._ask(
            Withdrawn,
            "withdrawAdvertisement",
            {
                "idempotencyKey": idempotency_key,
                "scheme": scheme,
                "publicKey": public_key,
            },
        )

    async def list_advertisements(self) -> AdvertisementList:
        """Own advertisements in force."""
        return await self._ask(AdvertisementList, "listAdvertisements", {})

    async def find_available_signers(
        self,
        *,
        transaction_type: str | None = None,
        purpose: str | None = None,
        scheme: Literal["lotus", "bip340"] | None = None,
        min_amount: int | None = None,
        max_amount: int | None = None,
        min_reputation: int | None = None,
        max_results: int | None = None,
        cursor: str | None = None,
        refresh: bool | None = None,
        include_own: bool | None = None,
    ) -> FoundSigners:
        """Signers whose terms match, each with its signed advertisement."""
        return await self._ask(
            FoundSigners,
            "findAvailableSigners",
            {
                "transactionType": transaction_type,
                "purpose": purpose,
                "scheme": scheme,
                "minAmount": min_amount,
                "maxAmount": max_amount,
                "minReputation": min_reputation,
                "maxResults": max_results,
                "cursor": cursor,
                "refresh": refresh,
                "includeOwn": include_own,
            },
        )

    async def subscribe_to_signer_discovery(
        self, *, idempotency_key: str | None = None, transaction_types: Sequence[str]
    ) -> FollowedTypes:
        """Follows transaction types: signer:discovered tells of each new signer. Kept across restarts."""
        return await self._ask(
            FollowedTypes,
            "subscribeToSignerDiscovery",
            {
                "idempotencyKey": idempotency_key,
                "transactionTypes": transaction_types,
            },
        )

    async def unsubscribe_from_signer_discovery(
        self, *, idempotency_key: str | None = None, transaction_types: Sequence[str] | None = None
    ) -> FollowedTypes:
        """Stops following some transaction types, or all."""
        return await self._ask(
            FollowedTypes,
            "unsubscribeFromSignerDiscovery",
            {
                "idempotencyKey": idempotency_key,
                "transactionTypes": transaction_types,
            },
        )
