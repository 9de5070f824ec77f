"""Which peers may be reached through this relay: a bounded number, shared by range.

asked again     renewed, whatever the bounds
full            the newest stranger of the range that has most gives way to a known peer, and to a range that has less;
                where no range has less than the others, a stranger is refused
gone            the reservation ends with the last connection of its peer
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from p2p.ports import Standing
from p2p.relay.giving_way import who_gives_way

LIFE_S = 3_600.0
PER_RANGE = 16  # reservations of one address range


@dataclass(slots=True)
class Reserved:
    """For the peer `asker`, which came from the range `source`."""

    asker: bytes
    source: bytes
    until_s: float


class Reservations:
    """Belongs to the trio side. Times are seconds of trio's clock."""

    def __init__(self, most: int, standing: Callable[[bytes], Standing]) -> None:
        self._most = most
        self._standing = standing
        self._held: dict[bytes, Reserved] = {}

    def __len__(self) -> int:
        return len(self._held)

    def grant(self, peer: bytes, source: bytes, now_s: float) -> bool:
        """Reserve for an hour, or renew; False if there is no room for this peer."""
        self._held = {held: kept for held, kept in self._held.items() if kept.until_s > now_s}
        new = Reserved(peer, source, now_s + LIFE_S)
        if peer not in self._held and not self._has_room(new):
            return False
        self._held[peer] = new
        return True

    def _has_room(self, new: Reserved) -> bool:
        of_range = sum(kept.source == new.source for kept in self._held.values())
        if new.source != new.asker and of_range >= PER_RANGE:
            return False
        if len(self._held) < self._most:
            return True
        leaves = who_gives_way(new, self._held.values(), self._standing)
        if leaves is None:
            return False
        del self._held[leaves.asker]
        return True

    def holds(self, peer: bytes, now_s: float) -> bool:
        """Whether a peer can be reached through this relay."""
        return peer in self._held and self._held[peer].until_s > now_s

    def drop(self, peer: bytes) -> None:
        """A peer has left: drop its reservation."""
        self._held.pop(peer, None)
