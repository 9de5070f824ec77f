"""The methods that change something.

Written by `python -m rpc.schema.python_kit`.
"""

from __future__ import annotations

from typing import Final

IDEMPOTENT: Final = frozenset(
    [
        "connectPeer",
        "disconnectPeer",
        "banPeer",
        "unbanPeer",
        "addContact",
        "removeContact",
        "createKey",
        "deleteKey",
        "pauseKey",
        "resumeKey",
        "lock",
        "advertiseSigner",
        "withdrawAdvertisement",
        "subscribeToSignerDiscovery",
        "unsubscribeFromSignerDiscovery",
        "announceSigningRequest",
        "joinSigningRequest",
        "declineSigningRequest",
        "cancelSigningRequest",
        "dismissRequest",
        "muteCreator",
        "unmuteCreator",
        "startRound1",
        "startRound2",
        "abortSession",
        "closeSession",
        "notifyBroadcastComplete",
        "approveRequest",
        "reloadPolicy",
        "deleteWebhook",
        "revokeToken",
    ]
)
"""May be repeated with the same idempotencyKey."""
ONCE: Final = frozenset(["importKey", "unlock", "changePassphrase", "createWebhook", "createToken"])
"""Carry a secret, so they take no idempotencyKey."""
