"""Calls about requests.

Written by `python -m rpc.schema.python_kit`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from musigd_client.models.keys import PlainTweak, TaprootTweak
from musigd_client.models.requests import (
    Announced,
    Approved,
    ChangedRequest,
    Declined,
    Dismissed,
    Election,
    Joined,
    MessageItem,
    Muted,
    MutedList,
    PendingApprovals,
    PolicyExplained,
    PolicyReloaded,
    RequestList,
    RequestMetadata,
    SigningRequest,
)
from musigd_client.sync.asking import Asking
from musigd_client.wire import ABSENT, Absent


class RequestsMethods(Asking):
    """Requests."""

    def announce_signing_request(
        self,
        *,
        required_public_keys: Sequence[str],
        public_key: str,
        scheme: Literal["lotus", "bip340"] | None = None,
        message: str | None = None,
        messages: Sequence[MessageItem | Mapping[str, Any]] | None = None,
        tweaks: Sequence[TaprootTweak | PlainTweak | Mapping[str, Any]] | None = None,
        input_index: int | None = None,
        ttl: int | None = None,
        round_ms: int | None = None,
        metadata: RequestMetadata | Mapping[str, Any] | None = None,
        election: Election | Mapping[str, Any] | Absent | None = ABSENT,
        auto_advance: bool | None = None,
        idempotency_key: str | None = None,
    ) -> Announced:
        """Asks exactly those keys to sign one message or up to 100; the creator joins at once.

        Scope `sign`.

        - `required_public_keys`: array (2 to 100) of public key (33 bytes hex)
        - `public_key`: public key (33 bytes hex)
        - `scheme`: lotus or bip340; follows from what is named; another one is scheme_mismatch
        - `message`: 32 bytes hex; either this or `messages`
        - `messages`: array (1 to 100) of MessageItem
        - `tweaks`: array (at most 16) of TaprootTweak or PlainTweak; of `message`; in `messages` each item has its
          own
        - `input_index`: integer; the input that `message` belongs to; in `messages` each item has its own
        - `ttl`: integer (1000 to 604800000); milliseconds; 24 hours when absent, at most 7 days
        - `round_ms`: integer (1000 to 86400000); how long an attempt may take once all have joined; 10 minutes when
          absent
        - `metadata`: RequestMetadata
        - `election`: Election or null; null: no coordinator is elected
        - `auto_advance`: boolean; false: startRound1 and startRound2 are called by the wallet
        - `idempotency_key`: text (1 to 64 printable ASCII characters); repeating the call with the same key and
          params gives the same answer for 24 hours
        """
        return self._ask(
            Announced,
            "announceSigningRequest",
            {
                "requiredPublicKeys": required_public_keys,
                "publicKey": public_key,
                "scheme": scheme,
                "message": message,
                "messages": messages,
                "tweaks": tweaks,
                "inputIndex": input_index,
                "ttl": ttl,
                "roundMs": round_ms,
                "metadata": metadata,
                "election": election,
                "autoAdvance": auto_advance,
                "idempotencyKey": idempotency_key,
            },
        )

    def find_signing_requests_for_me(
        self,
        *,
        scheme: Literal["lotus", "bip340"] | None = None,
        public_key: str | None = None,
        state: Literal["open", "signing", "complete", "declined", "cancelled", "expired", "failed"] | None = None,
        creators: Sequence[str] | None = None,
        min_reputation: int | None = None,
        include_hidden: bool | None = None,
        refresh: bool | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> RequestList:
        """Requests in which an own key is required, own ones included; open and signing ones unless asked.

        Scope `read`.

        - `scheme`: lotus or bip340; follows from what is named; another one is scheme_mismatch
        - `public_key`: public key (33 bytes hex)
        - `state`: open or signing or complete or declined or cancelled or expired or failed; open and signing when
          absent
        - `creators`: array (1 to 100) of public key (33 bytes hex); only requests of these
        - `min_reputation`: integer (0 to 100); only requests of creators with at least this localReputation; own
          ones pass
        - `include_hidden`: boolean; true: dismissed ones and those of muted creators too
        - `refresh`: boolean
        - `limit`: integer (1 to 500)
        - `cursor`: text (1 to 500 characters)
        """
        return self._ask(
            RequestList,
            "findSigningRequestsForMe",
            {
                "scheme": scheme,
                "publicKey": public_key,
                "state": state,
                "creators": creators,
                "minReputation": min_reputation,
                "includeHidden": include_hidden,
                "refresh": refresh,
                "limit": limit,
                "cursor": cursor,
            },
        )

    def get_signing_request(
        self, *, request_id: str, scheme: Literal["lotus", "bip340"] | None = None
    ) -> SigningRequest:
        """One request and how far each signer is.

        Scope `read`.

        - `request_id`: 32 bytes hex
        - `scheme`: lotus or bip340; follows from what is named; another one is scheme_mismatch
        """
        return self._ask(SigningRequest, "getSigningRequest", {"requestId": request_id, "scheme": scheme})

    def join_signing_request(
        self,
        *,
        request_id: str,
        public_key: str,
        scheme: Literal["lotus", "bip340"] | None = None,
        auto_advance: bool | None = None,
        require_checked: bool | None = None,
        idempotency_key: str | None = None,
    ) -> Joined:
        """Approves a request with an own key; after an aborted attempt it starts the next.

        Scope `sign`.

        - `request_id`: 32 bytes hex
        - `public_key`: public key (33 bytes hex)
        - `scheme`: lotus or bip340; follows from what is named; another one is scheme_mismatch
        - `auto_advance`: boolean; false: startRound1 and startRound2 are called by the wallet; given again it
          changes a join that stands, as long as a round is left to wait
        - `require_checked`: boolean; true: only if every message is `checked` and leaves nothing `uncovered`
        - `idempotency_key`: text (1 to 64 printable ASCII characters); repeating the call with the same key and
          params gives the same answer for 24 hours
        """
        return self._ask(
            Joined,
            "joinSigningRequest",
            {
                "requestId": request_id,
                "publicKey": public_key,
                "scheme": scheme,
                "autoAdvance": auto_advance,
                "requireChecked": require_checked,
                "idempotencyKey": idempotency_key,
            },
        )

    def decline_signing_request(
        self,
        *,
        request_id: str,
        public_key: str,
        scheme: Literal["lotus", "bip340"] | None = None,
        reason: str | None = None,
        idempotency_key: str | None = None,
    ) -> Declined:
        """Declines a request with an own key; that ends it for all.

        Scope `sign`.

        - `request_id`: 32 bytes hex
        - `public_key`: public key (33 bytes hex)
        - `scheme`: lotus or bip340; follows from what is named; another one is scheme_mismatch
        - `reason`: text (at most 200 characters)
        - `idempotency_key`: text (1 to 64 printable ASCII characters); repeating the call with the same key and
          params gives the same answer for 24 hours
        """
        return self._ask(
            Declined,
            "declineSigningRequest",
            {
                "requestId": request_id,
                "publicKey": public_key,
                "scheme": scheme,
                "reason": reason,
                "idempotencyKey": idempotency_key,
            },
        )

    def cancel_signing_request(
        self,
        *,
        request_id: str,
        scheme: Literal["lotus", "bip340"] | None = None,
        reason: str | None = None,
        idempotency_key: str | None = None,
    ) -> ChangedRequest:
        """Cancels an own request for all.

        Scope `sign`.

        - `request_id`: 32 bytes hex
        - `scheme`: lotus or bip340; follows from what is named; another one is scheme_mismatch
        - `reason`: text (at most 200 characters)
        - `idempotency_key`: text (1 to 64 printable ASCII characters); repeating the call with the same key and
          params gives the same answer for 24 hours
        """
        return self._ask(
            ChangedRequest,
            "cancelSigningRequest",
            {"requestId": request_id, "scheme": scheme, "reason": reason, "idempotencyKey": idempotency_key},
        )

    def dismiss_request(
        self,
        *,
        request_id: str,
        scheme: Literal["lotus", "bip340"] | None = None,
        dismissed: bool | None = None,
        idempotency_key: str | None = None,
    ) -> Dismissed:
        """Hides a request from lists, without telling anybody; a join, or dismissed: false, brings it back.

        Scope `sign`.

        - `request_id`: 32 bytes hex
        - `scheme`: lotus or bip340; follows from what is named; another one is scheme_mismatch
        - `dismissed`: boolean; false: brings it back
        - `idempotency_key`: text (1 to 64 printable ASCII characters); repeating the call with the same key and
          params gives the same answer for 24 hours
        """
        return self._ask(
            Dismissed,
            "dismissRequest",
            {"requestId": request_id, "scheme": scheme, "dismissed": dismissed, "idempotencyKey": idempotency_key},
        )

    def mute_creator(self, *, public_key: str, idempotency_key: str | None = None) -> Muted:
        """Takes no more requests of a creator, and hides those that no own key has joined.

        Scope `sign`.

        - `public_key`: public key (33 bytes hex)
        - `idempotency_key`: text (1 to 64 printable ASCII characters); repeating the call with the same key and
          params gives the same answer for 24 hours
        """
        return self._ask(Muted, "muteCreator", {"publicKey": public_key, "idempotencyKey": idempotency_key})

    def unmute_creator(self, *, public_key: str, idempotency_key: str | None = None) -> Muted:
        """Takes requests of a creator again; what it asked meanwhile comes when it asks again.

        Scope `sign`.

        - `public_key`: public key (33 bytes hex)
        - `idempotency_key`: text (1 to 64 printable ASCII characters); repeating the call with the same key and
          params gives the same answer for 24 hours
        """
        return self._ask(Muted, "unmuteCreator", {"publicKey": public_key, "idempotencyKey": idempotency_key})

    def list_muted_creators(self) -> MutedList:
        """Creators whose requests are not taken.

        Scope `read`.
        """
        return self._ask(MutedList, "listMutedCreators", {})

    def list_pending_approvals(
        self,
        *,
        scheme: Literal["lotus", "bip340"] | None = None,
        public_key: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> PendingApprovals:
        """Requests that wait for the yes of an owner, with what they sign and the rule that asks.

        Scope `read`.

        - `scheme`: lotus or bip340; follows from what is named; another one is scheme_mismatch
        - `public_key`: public key (33 bytes hex)
        - `limit`: integer (1 to 500)
        - `cursor`: text (1 to 500 characters)
        """
        return self._ask(
            PendingApprovals,
            "listPendingApprovals",
            {"scheme": scheme, "publicKey": public_key, "limit": limit, "cursor": cursor},
        )

    def approve_request(
        self,
        *,
        request_id: str,
        public_key: str,
        scheme: Literal["lotus", "bip340"] | None = None,
        until: int | None = None,
        idempotency_key: str | None = None,
    ) -> Approved:
        """Says yes to a request for an own key; once enough have, it joins.

        Scope `approve`.

        - `request_id`: 32 bytes hex
        - `public_key`: public key (33 bytes hex)
        - `scheme`: lotus or bip340; follows from what is named; another one is scheme_mismatch
        - `until`: integer; after it nothing more is signed on this approval
        - `idempotency_key`: text (1 to 64 printable ASCII characters); repeating the call with the same key and
          params gives the same answer for 24 hours
        """
        return self._ask(
            Approved,
            "approveRequest",
            {
                "requestId": request_id,
                "publicKey": public_key,
                "scheme": scheme,
                "until": until,
                "idempotencyKey": idempotency_key,
            },
        )

    def explain_policy(
        self, *, request_id: str, public_key: str, scheme: Literal["lotus", "bip340"] | None = None
    ) -> PolicyExplained:
        """What the policy says of a request for one own key: the rule, its line, and the values it met.

        Scope `read`.

        - `request_id`: 32 bytes hex
        - `public_key`: public key (33 bytes hex)
        - `scheme`: lotus or bip340; follows from what is named; another one is scheme_mismatch
        """
        return self._ask(
            PolicyExplained, "explainPolicy", {"requestId": request_id, "publicKey": public_key, "scheme": scheme}
        )

    def reload_policy(self, *, dry_run: bool | None = None, idempotency_key: str | None = None) -> PolicyReloaded:
        """Reads the policy file again, and looks anew at what waits. A broken file changes nothing.

        Scope `admin`.

        - `dry_run`: boolean; change nothing, and answer what would change
        - `idempotency_key`: text (1 to 64 printable ASCII characters); repeating the call with the same key and
          params gives the same answer for 24 hours
        """
        return self._ask(PolicyReloaded, "reloadPolicy", {"dryRun": dry_run, "idempotencyKey": idempotency_key})
