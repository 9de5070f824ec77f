"""A bounded queue in which parties take turns: one that fills it delays nobody else, and loses only its own items."""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import Generic, TypeVar

T = TypeVar("T")


class FairQueue(Generic[T]):
    """At most `per_party` items of each party and `total` of all.

    When the queue is full, the newest item of the party with the most is dropped for one of a party with fewer.
    """

    def __init__(self, *, per_party: int, total: int) -> None:
        self._per_party = per_party
        self._total = total
        self._parties: OrderedDict[bytes, deque[T]] = OrderedDict()  # whose turn is next comes first
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def waiting(self, party: bytes) -> int:
        """How many items of that party wait."""
        return len(self._parties.get(party, ()))

    def put(self, party: bytes, item: T) -> T | None:
        """Add an item; returns the item that was dropped for it, perhaps itself, or None."""
        mine = self.waiting(party)
        if mine >= self._per_party:
            return item
        lost: T | None = None
        if self._size >= self._total:
            fullest = max(self._parties, key=self.waiting)
            if self.waiting(fullest) <= mine + 1:
                return item
            lost = self._parties[fullest].pop()
            self._size -= 1
        self._parties.setdefault(party, deque()).append(item)
        self._size += 1
        return lost

    def take(self) -> T:
        """Remove the oldest item of the party whose turn it is; IndexError if there is none."""
        try:
            party, items = self._parties.popitem(last=False)
        except KeyError:
            raise IndexError("nothing waits") from None
        item = items.popleft()
        self._size -= 1
        if items:
            self._parties[party] = items  # the others first
        return item
