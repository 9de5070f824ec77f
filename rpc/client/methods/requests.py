"""Methods of the client: requests. Written by `python -m rpc.schema.generate_client` from the table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from rpc.client.methods.asking import ABSENT, Absent, Asking
from rpc.models.open import RequestMetadata
from rpc.models.requests import Announced, ChangedRequest, Declined, Election, Joined, RequestList, SigningRequest
from rpc.models.tweaks import MessageItem, PlainTweak, TaprootTweak


class RequestsMethods(Asking):
    """Requests."""

    async def announce_signing_request(
        self,
        *,
        idempotency_key: str | None = None,
        scheme: Literal["lotus", "bip340"] | None = None,
        required_public_keys: Sequence[str],
        message: str | None = None,
        messages: Sequence[MessageItem | Mapping[str, Any]] | None = None,
        public_key: str,
        tweaks: Sequence[TaprootTweak | Mapping[str, Any] | PlainTweak] | None = None,
        input_index: int | None = None,
        ttl: int | None = None,
        round_ms: int | None = None,
        metadata: RequestMetadata | Mapping[str, Any] | None = None,
        election: Election | Mapping[str, Any] | Absent | None = ABSENT,
        auto_advance: bool | None = None,
    ) -> Announced:
        """Asks exactly those keys to sign one message or up to 100; the creator joins at once."""
        return await self._ask(
            Announced,
            "announceSigningRequest",
            {
                "idempotencyKey": idempotency_key,
                "scheme": scheme,
                "requiredPublicKeys": required_public_keys,
                "message": message,
                "messages": messages,
                "publicKey": public_key,
                "tweaks": tweaks,
                "inputIndex": input_index,
                "ttl": ttl,
                "roundMs": round_ms,
                "metadata": metadata,
                "election": election,
                "autoAdvance": auto_advance,
            },
        )

    async def find_signing_requests_for_me(
        self,
        *,
        scheme: Literal["lotus", "bip340"] | None = None,
        public_key: str | None = None,
        state: Literal["open", "signing", "complete", "declined", "cancelled", "expired", "failed"] | None = None,
        refresh: bool | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> RequestList:
        """Requests in which an own key is required, own ones included; open and signing ones unless asked."""
        return await self._ask(
            RequestList,
            "findSigningRequestsForMe",
            {
                "scheme": scheme,
                "publicKey": public_key,
                "state": state,
                "refresh": refresh,
                "limit": limit,
                "cursor": cursor,
            },
        )

    async def get_signing_request(
        self, *, scheme: Literal["lotus", "bip340"] | None = None, request_id: str
    ) -> SigningRequest:
        """One request and how far each signer is."""
        return await self._ask(SigningRequest, "getSigningRequest", {"scheme": scheme, "requestId": request_id})

    async def join_signing_request(
        self,
        *,
        idempotency_key: str | None = None,
        scheme: Literal["lotus", "bip340"] | None = None,
        request_id: str,
        public_key: str,
        auto_advance: bool | None = None,
        require_checked: bool | None = None,
    ) -> Joined:
        """Approves a request with an own key; after a dead attempt it starts the next."""
        return await self._ask(
            Joined,
            "joinSigningRequest",
            {
                "idempotencyKey": idempotency_key,
                "scheme": scheme,
                "requestId": request_id,
                "publicKey": public_key,
                "autoAdvance": auto_advance,
                "requireChecked": require_checked,
            },
        )

    async def decline_signing_request(
        self,
        *,
        idempotency_key: str | None = None,
        scheme: Literal["lotus", "bip340"] | None = None,
        request_id: str,
        public_key: str,
        reason: str | None = None,
    ) -> Declined:
        """Refuses a request with an own key; that ends it for all."""
        return await self._ask(
            Declined,
            "declineSigningRequest",
            {
                "idempotencyKey": idempotency_key,
                "scheme": scheme,
                "requestId": request_id,
                "publicKey": public_key,
                "reason": reason,
            },
        )

    async def cancel_signing_request(
        self,
        *,
        idempotency_key: str | None = None,
        scheme: Literal["lotus", "bip340"] | None = None,
        request_id: str,
        reason: str | None = None,
    ) -> ChangedRequest:
        """Ends an own request for all."""
        return await self._ask(
            ChangedRequest,
            "cancelSigningRequest",
            {
                "idempotencyKey": idempotency_key,
                "scheme": scheme,
                "requestId": request_id,
                "reason": reason,
            },
        )
