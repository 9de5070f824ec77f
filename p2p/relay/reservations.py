"""Which peers may be reached through this relay: a bounded number, shared by range.

asked again     renewed, whatever the bounds
full            the newest stranger of the range that has most gives way to a known peer, and to a range that has less;
                where no range has less than the others, a stranger is refused
gone            the reservation ends with the last connection of its peer
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from p2p.ports import Standing

LIFE_S = 3_600.0
PER_RANGE = 16  # reservations of one address range


@dataclass(slots=True)
class Reserved:
    """Until when, and from which range its peer came."""

    until_s: float
    source: bytes


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
        if peer not in self._held and not self._has_room(peer, source):
            return False
        self._held[peer] = Reserved(now_s + LIFE_S, source)
        return True

    def _has_room(self, peer: bytes, source: bytes) -> bool:
        if source != peer and sum(kept.source == source for kept in self._held.values()) >= PER_RANGE:
            return False
        if len(self._held) < self._most:
            return True
        strangers = [held for held in self._held if self._standing(held) is Standing.STRANGER]
        counts = Counter(self._held[held].source for held in strangers)
        if not counts:
            return False
        most = max(counts.values())
        if self._standing(peer) is Standing.STRANGER and most <= counts[source] + 1:
            return False
        del self._held[next(held for held in reversed(strangers) if counts[self._held[held].source] == most)]
        return True

    def holds(self, peer: bytes, now_s: float) -> bool:
        """Whether a peer can be reached through this relay."""
        return peer in self._held and self._held[peer].until_s > now_s

    def drop(self, peer: bytes) -> None:
        """A peer has left: drop its reservation."""
        self._held.pop(peer, None)
