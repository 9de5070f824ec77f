"""Who gives way where a relay is full, of its reservations and of its circuits alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Protocol, TypeVar

from p2p.ports import Standing


class Place(Protocol):
    """What is taken up. `source`: the address range that `asker`, the peer who asked for it, came from."""

    @property
    def asker(self) -> bytes: ...
    @property
    def source(self) -> bytes: ...


P = TypeVar("P", bound=Place)


def who_gives_way(new: Place, held: Iterable[P], standing: Callable[[bytes], Standing]) -> P | None:
    """The newest stranger's of the range that has most, to a known peer and to a range that has less.

    None where that would be no fairer than to refuse `new`. `held`: the oldest first.
    """
    strangers = [place for place in held if standing(place.asker) is Standing.STRANGER]
    counts = Counter(place.source for place in strangers)
    most = max(counts.values(), default=0)
    is_known = standing(new.asker) is not Standing.STRANGER
    if not strangers or (not is_known and most <= counts[new.source] + 1):
        return None
    return next(place for place in reversed(strangers) if counts[place.source] == most)
