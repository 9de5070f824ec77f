"""Where a record came from, and what that means for its checks."""

from __future__ import annotations

from enum import StrEnum


class RecordOrigin(StrEnum):
    """Which channel brought a record: what is live must be young, and what the gate let through is checked."""

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
        """The gate put those from a topic to all four checks a moment ago."""
        return self is RecordOrigin.GOSSIP
