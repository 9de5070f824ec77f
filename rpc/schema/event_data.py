"""What the members of an event's data hold, for those who read events with types."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

from rpc.models.advertisements import Advertisement
from rpc.models.event_kinds import EVENTS
from rpc.models.node import ScopeName
from rpc.models.requests import SigningRequest
from rpc.models.values import Count, Hex32, Hex64, HexBytes, Millis, PublicKey, SchemeName
from rpc.models.wire import Many, Shown


class BroadcastClaim(Shown):
    """Which transaction a signer says that it broadcast."""

    public_key: PublicKey
    txid: Hex32


# A member means the same in every event that has it.
MEMBERS: Final[Mapping[str, Any]] = {
    "active": bool,
    "advertisement": Advertisement,
    "aggregatedPublicKey": PublicKey,
    "aggregatedPublicKeys": Many[PublicKey],
    "attempt": Count,
    "attempts": Count,
    "by": PublicKey,
    "claims": Many[BroadcastClaim],
    "code": str,
    "consideringSince": Millis,
    "conflicting": Many[PublicKey],
    "createKey": bool,
    "culprits": Many[PublicKey],
    "deadline": Millis,
    "dismissed": bool,
    "expiresAt": Millis,
    "failed": PublicKey,
    "given": Count,
    "imported": bool,
    "label": str,
    "line": Count,
    "message": str,
    "missing": Many[PublicKey],
    "muted": bool,
    "needed": Count,
    "next": PublicKey | None,
    "peerId": str,
    "policy": str,
    "publicKey": PublicKey,
    "publicKeys": Many[PublicKey],
    "reason": str,
    "renewed": bool,
    "request": SigningRequest,
    "requestId": Hex32,
    "retrying": bool,
    "rule": str,
    "rules": Many[str],
    "sameDaemon": Literal[True],
    "scheme": SchemeName,
    "scopes": Many[ScopeName],
    "sessionId": Hex32,
    "signature": Hex64,
    "signatures": Many[Hex64],
    "supersededBy": Hex32,
    "text": str,
    "tokenId": str,
    "transactionHex": HexBytes,
    "transactionTypes": Many[str],
    "txid": Hex32,
    "until": Millis,
}
_OF_SIGNING: Final = ("signing-request:", "participant:", "session:", "approval:", "round1:", "round2:", "signature:")
_PLACE: Final = ("publicKeys", "requestId", "sessionId", "attempt")


def members_of(event: str) -> dict[str, bool]:
    """The members of an event's data, common ones included, and whether each is always there."""
    signing = event.startswith(_OF_SIGNING)
    common = dict.fromkeys(_PLACE, True) if signing else {"publicKeys": False}
    return common | {name.removesuffix("?"): not name.endswith("?") for name in EVENTS[event].data}
