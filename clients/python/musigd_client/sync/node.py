"""Calls about node.

Written by `python -m rpc.schema.python_kit`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from musigd_client.models.node import (
    AuditPage,
    AuditVerified,
    BanList,
    Banned,
    ConnectedPeer,
    ContactAdded,
    ContactList,
    ContactRemoved,
    Info,
    NamedPeer,
    PeerList,
    Revoked,
    SettingsInForce,
    TokenList,
    TokenMade,
)
from musigd_client.sync.asking import Asking


class NodeMethods(Asking):
    """Node."""

    def get_info(self) -> Info:
        """State of the daemon: version, network, peers, whether it is ready, and where the event log stands.

        Scope `read`.
        """
        return self._ask(Info, "getInfo", {})

    def get_settings(self) -> SettingsInForce:
        """The settings the daemon runs with, where each came from, and which wait for a reload or a restart.

        Scope `admin`.
        """
        return self._ask(SettingsInForce, "getSettings", {})

    def list_peers(self) -> PeerList:
        """Connected peers, with the public keys known to sign there.

        Scope `read`.
        """
        return self._ask(PeerList, "listPeers", {})

    def connect_peer(self, *, multiaddr: str, idempotency_key: str | None = None) -> ConnectedPeer:
        """Dials a peer by address or pairing link, and keeps it connected until `disconnectPeer`.

        Scope `admin`.

        - `multiaddr`: text (1 to 2000 characters); or a pairing link, musigd://pair?...
        - `idempotency_key`: text (1 to 64 printable ASCII characters); repeating the call with the same key and
          params gives the same answer for 24 hours
        """
        return self._ask(ConnectedPeer, "connectPeer", {"multiaddr": multiaddr, "idempotencyKey": idempotency_key})

    def disconnect_peer(self, *, peer_id: str, idempotency_key: str | None = None) -> NamedPeer:
        """Closes the connections to a peer and keeps it no more; it may connect again, see banPeer.

        Scope `admin`.

        - `peer_id`: text (1 to 128 characters)
        - `idempotency_key`: text (1 to 64 printable ASCII characters); repeating the call with the same key and
          params gives the same answer for 24 hours
        """
        return self._ask(NamedPeer, "disconnectPeer", {"peerId": peer_id, "idempotencyKey": idempotency_key})

    def ban_peer(
        self, *, peer_id: str, duration_ms: int, reason: str | None = None, idempotency_key: str | None = None
    ) -> Banned:
        """Refuses a peer for a while.

        Scope `admin`.

        - `peer_id`: text (1 to 128 characters)
        - `duration_ms`: integer (1 to 315360000000)
        - `reason`: text (at most 200 characters)
        - `idempotency_key`: text (1 to 64 printable ASCII characters); repeating the call with the same key and
          params gives the same answer for 24 hours
        """
        return self._ask(
            Banned,
            "banPeer",
            {"peerId": peer_id, "durationMs": duration_ms, "reason": reason, "idempotencyKey": idempotency_key},
        )

    def unban_peer(self, *, peer_id: str, idempotency_key: str | None = None) -> NamedPeer:
        """Lifts a ban.

        Scope `admin`.

        - `peer_id`: text (1 to 128 characters)
        - `idempotency_key`: text (1 to 64 printable ASCII characters); repeating the call with the same key and
          params gives the same answer for 24 hours
        """
        return self._ask(NamedPeer, "unbanPeer", {"peerId": peer_id, "idempotencyKey": idempotency_key})

    def list_bans(self) -> BanList:
        """Bans in force.

        Scope `read`.
        """
        return self._ask(BanList, "listBans", {})

    def add_contact(
        self, *, link: str, nickname: str | None = None, idempotency_key: str | None = None
    ) -> ContactAdded:
        """Keeps a signer by its pairing link and connects to it; its requests come before those of strangers.

        Scope `admin`.

        - `link`: text (1 to 2000 characters); musigd://pair?..., as musig-cli pair shows it
        - `nickname`: text (at most 100 characters); instead of the one in the link
        - `idempotency_key`: text (1 to 64 printable ASCII characters); repeating the call with the same key and
          params gives the same answer for 24 hours
        """
        return self._ask(
            ContactAdded, "addContact", {"link": link, "nickname": nickname, "idempotencyKey": idempotency_key}
        )

    def list_contacts(self) -> ContactList:
        """Signers whom the owner knows, by nickname.

        Scope `read`.
        """
        return self._ask(ContactList, "listContacts", {})

    def remove_contact(self, *, public_key: str, idempotency_key: str | None = None) -> ContactRemoved:
        """Forgets a contact; connections stay as they are.

        Scope `admin`.

        - `public_key`: public key (33 bytes hex)
        - `idempotency_key`: text (1 to 64 printable ASCII characters); repeating the call with the same key and
          params gives the same answer for 24 hours
        """
        return self._ask(ContactRemoved, "removeContact", {"publicKey": public_key, "idempotencyKey": idempotency_key})

    def create_token(
        self,
        *,
        scopes: Sequence[Literal["read", "discover", "sign", "approve", "webhook", "admin"]],
        public_keys: Sequence[str] | None = None,
        create_key: bool | None = None,
        label: str | None = None,
        expires_at: int | None = None,
    ) -> TokenMade:
        """A token for a wallet: what it may do, and with which keys. The token itself is shown only this once.

        Scope `admin`.

        - `scopes`: array (1 to 6) of read or discover or sign or approve or webhook or admin
        - `public_keys`: array (at most 1000) of public key (33 bytes hex); binds the token to these keys; absent:
          every key
        - `create_key`: boolean; it may create keys, and is bound to them
        - `label`: text (at most 100 characters)
        - `expires_at`: integer
        """
        return self._ask(
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

    def list_tokens(self) -> TokenList:
        """Tokens in force, without the tokens themselves.

        Scope `admin`.
        """
        return self._ask(TokenList, "listTokens", {})

    def revoke_token(self, *, token_id: str, idempotency_key: str | None = None) -> Revoked:
        """Ends a token and closes the connections that use it.

        Scope `admin`.

        - `token_id`: text (1 to 64 characters)
        - `idempotency_key`: text (1 to 64 printable ASCII characters); repeating the call with the same key and
          params gives the same answer for 24 hours
        """
        return self._ask(Revoked, "revokeToken", {"tokenId": token_id, "idempotencyKey": idempotency_key})

    def get_audit_log(self, *, from_seq: int | None = None, limit: int | None = None) -> AuditPage:
        """What was done with the keys, by whom: lines of the audit log, in order.

        Scope `admin`.

        - `from_seq`: integer; the first line wanted
        - `limit`: integer (1 to 1000)
        """
        return self._ask(AuditPage, "getAuditLog", {"fromSeq": from_seq, "limit": limit})

    def verify_audit_log(self, *, anchors: Sequence[str] | None = None) -> AuditVerified:
        """Whether the stored audit log is what was written, and holds anchors that were printed before.

        Scope `admin`.

        - `anchors`: array (at most 100) of text ^[0-9]{1,18}:[0-9a-f]{64}$
        """
        return self._ask(AuditVerified, "verifyAuditLog", {"anchors": anchors})
