"""What was made of the latest requests, bounded by how large they are.

A request of a hundred items that shows its transaction has 25 KB; its review and what clients are shown take 90 KB.
Bounded by number, what strangers have brought would fill tens of megabytes that stay when the requests are gone.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Final, Generic, TypeVar

T = TypeVar("T")
MOST_BYTES: Final = 512 * 1024  # of envelopes
LEAST_BYTES: Final = 1024  # counted for each in addition


class Remembered(Generic[T]):
    """May be used by several threads; two that ask for the same at once may both make it."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most = most_bytes
        self._held: OrderedDict[Hashable, tuple[T, int]] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._held)

    def get(self, key: Hashable, size: int, make: Callable[[], T]) -> T:
        """What `make` returned for that key, now or before; `size`: bytes of what it is made of."""
        with self._lock:
            found = self._held.get(key)
            if found is not None:
                self._held.move_to_end(key)
                return found[0]
        made = make()
        with self._lock:
            if key not in self._held:
                self._held[key] = made, size + LEAST_BYTES
                self._bytes += size + LEAST_BYTES
            while self._bytes > self._most and len(self._held) > 1:
                _, (_, leaving) = self._held.popitem(last=False)
                self._bytes -= leaving
        return made
