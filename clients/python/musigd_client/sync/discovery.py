"""Calls about discovery.

Written by `python -m rpc.schema.python_kit`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from musigd_client.models.discovery import (
    Advertised,
    AdvertisementList,
    Criteria,
    FollowedTypes,
    FoundSigners,
    SignerMetadata,
    Withdrawn,
)
from musigd_client.sync.asking import Asking


class DiscoveryMethods(Asking):
    """Discovery."""

    def advertise_signer(
        self,
        *,
        public_key: str,
        criteria: Criteria | Mapping[str, Any],
        scheme: Literal["lotus", "bip340"] | None = None,
        ttl: int | None = None,
        metadata: SignerMetadata | Mapping[str, Any] | None = None,
        idempotency_key: str | None = None,
    ) -> Advertised:
        """Publishes an own key and its terms, so that others find it; it is renewed until withdrawn.

        Scope `discover`.

        - `public_key`: public key (33 bytes hex)
        - `criteria`: Criteria
        - `scheme`: lotus or bip340; follows from what is named; another one is scheme_mismatch
        - `ttl`: integer (1000 to 604800000); milliseconds; 24 hours when absent, at most 7 days
        - `metadata`: SignerMetadata
        - `idempotency_key`: text (1 to 64 printable ASCII characters); repeating the call with the same key and
          params gives the same answer for 24 hours
        """
        return self._ask(
            Advertised,
            "advertiseSigner",
            {
                "publicKey": public_key,
                "criteria": criteria,
                "scheme": scheme,
                "ttl": ttl,
                "metadata": metadata,
                "idempotencyKey": idempotency_key,
            },
        )

    def withdraw_advertisement(
        self, *, public_key: str, scheme: Literal["lotus", "bip340"] | None = None, idempotency_key: str | None = None
    ) -> Withdrawn:
        """Withdraws an own advertisement everywhere.

        Scope `discover`.

        - `public_key`: public key (33 bytes hex)
        - `scheme`: lotus or bip340; follows from what is named; another one is scheme_mismatch
        - `idempotency_key`: text (1 to 64 printable ASCII characters); repeating the call with the same key and
          params gives the same answer for 24 hours
        """
        return self._ask(
            Withdrawn,
            "withdrawAdvertisement",
            {"publicKey": public_key, "scheme": scheme, "idempotencyKey": idempotency_key},
        )

    def list_advertisements(self) -> AdvertisementList:
        """Own advertisements in force.

        Scope `read`.
        """
        return self._ask(AdvertisementList, "listAdvertisements", {})

    def find_available_signers(
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
        """Signers whose terms match, each with its signed advertisement.

        Scope `read`.

        - `transaction_type`: name (1 to 32 of a-z, 0-9, -)
        - `purpose`: text (at most 2000 characters); the whole of metadata.purpose, in any case of letters
        - `scheme`: lotus or bip340
        - `min_amount`: integer; an amount that the signer must take
        - `max_amount`: integer; another one
        - `min_reputation`: integer (0 to 100); of localReputation; a signer without evidence fails any above 0
        - `max_results`: integer (1 to 500)
        - `cursor`: text (1 to 500 characters)
        - `refresh`: boolean; ask the network before answering
        - `include_own`: boolean; own keys too
        """
        return self._ask(
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

    def subscribe_to_signer_discovery(
        self, *, transaction_types: Sequence[str], idempotency_key: str | None = None
    ) -> FollowedTypes:
        """Follows transaction types: each new signer is announced by signer:discovered. Kept across restarts.

        Scope `discover`.

        - `transaction_types`: array (1 to 32) of name (1 to 32 of a-z, 0-9, -)
        - `idempotency_key`: text (1 to 64 printable ASCII characters); repeating the call with the same key and
          params gives the same answer for 24 hours
        """
        return self._ask(
            FollowedTypes,
            "subscribeToSignerDiscovery",
            {"transactionTypes": transaction_types, "idempotencyKey": idempotency_key},
        )

    def unsubscribe_from_signer_discovery(
        self, *, transaction_types: Sequence[str] | None = None, idempotency_key: str | None = None
    ) -> FollowedTypes:
        """Stops following some transaction types, or all.

        Scope `discover`.

        - `transaction_types`: array (1 to 32) of name (1 to 32 of a-z, 0-9, -)
        - `idempotency_key`: text (1 to 64 printable ASCII characters); repeating the call with the same key and
          params gives the same answer for 24 hours
        """
        return self._ask(
            FollowedTypes,
            "unsubscribeFromSignerDiscovery",
            {"transactionTypes": transaction_types, "idempotencyKey": idempotency_key},
        )
