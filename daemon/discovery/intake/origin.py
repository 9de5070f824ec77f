"""Where a record came from, and what that means for its checks."""

from __future__ import annotations

from enum import StrEnum


class RecordOrigin(StrEnum):
    """Which channel brought a record: what is live must be young, and only some come with checked signatures."""

    OWN = "own"
    GOSSIP = "gossip"
    PUSH = "push"
    SYNC = "sync"
    DHT = "dht"

    @property
    def live(self) -> bool:
        """Live channels carry what was made just now."""
        return self in (RecordOrigin.GOSSIP, RecordOrigin.PUSH)

    @property
    def checked(self) -> bool:
        """Own records need no check; the gate checked those from a topic."""
        return self in (RecordOrigin.OWN, RecordOrigin.GOSSIP)
