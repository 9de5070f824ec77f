"""Methods of the client: node. Written by `python -m rpc.schema.generate_client` from the table."""

from __future__ import annotations

from collections.abc import Sequence

from rpc.client.methods.asking import Asking
from rpc.models.node import (
    BanList,
    Banned,
    ConnectedPeer,
    Info,
    NamedPeer,
    PeerList,
    Revoked,
    SettingsInForce,
    TokenList,
    TokenMade,
)


class NodeMethods(Asking):
    """Node."""

    async def get_info(self) -> Info:
        """State of the daemon: version, network, peers, whether it is ready, and where the event log stands."""
        return await self._ask(Info, "getInfo", {})

    async def get_settings(self) -> SettingsInForce:
        """The settings the daemon runs with, where each came from, and which wait for a reload or a restart."""
        return await self._ask(SettingsInForce, "getSettings", {})

    async def list_peers(self) -> PeerList:
        """Connected peers, with the public keys known to sign there."""
        return await self._ask(PeerList, "listPeers", {})

    async def connect_peer(self, *, idempotency_key: str | None = None, multiaddr: str) -> ConnectedPeer:
        """Dials a peer and keeps its address, unless it is connected already."""
        return await self._ask(
            ConnectedPeer,
            "connectPeer",
            {
                "idempotencyKey": idempotency_key,
                "multiaddr": multiaddr,
            },
        )

    async def disconnect_peer(self, *, idempotency_key: str | None = None, peer_id: str) -> NamedPeer:
        """Closes the connections to a peer; it may come back, see banPeer."""
        return await self._ask(NamedPeer, "disconnectPeer", {"idempotencyKey": idempotency_key, "peerId": peer_id})

    async def ban_peer(
        self, *, idempotency_key: str | None = None, peer_id: str, duration_ms: int, reason: str | None = None
    ) -> Banned:
        """Cuts a peer off for a while."""
        return await self._ask(
            Banned,
            "banPeer",
            {
                "idempotencyKey": idempotency_key,
                "peerId": peer_id,
                "durationMs": duration_ms,
                "reason": reason,
            },
        )

    async def unban_peer(self, *, idempotency_key: str | None = None, peer_id: str) -> NamedPeer:
        """Lifts a ban."""
        return await self._ask(NamedPeer, "unbanPeer", {"idempotencyKey": idempotency_key, "peerId": peer_id})

    async def list_bans(self) -> BanList:
        """Bans in force."""
        return await self._ask(BanList, "listBans", {})

    async def create_token(
        self,
        *,
        scopes: Sequence[str],
        public_keys: Sequence[str] | None = None,
        create_key: bool | None = None,
        label: str | None = None,
        expires_at: int | None = None,
    ) -> TokenMade:
        """A token for a wallet: what it may do, and with which keys. The token itself is shown only this once."""
        return await self._ask(
            TokenMade,
            "createToken",
            {
                "scopes": scopes,
                "publicKeys": public_keys,
                "createKey": create_key,
                "label": label,
                "expiresAt": expires_at,
            },
        )

    async def list_tokens(self) -> TokenList:
        """Tokens in force, without the tokens themselves."""
        return await self._ask(TokenList, "listTokens", {})

    async def revoke_token(self, *, idempotency_key: str | None = None, token_id: str) -> Revoked:
        """Ends a token and closes the connections that use it."""
        return await self._ask(Revoked, "revokeToken", {"idempotencyKey": idempotency_key, "tokenId": token_id})
