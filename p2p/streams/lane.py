"""What all that are not known may take beside a session: spread over time, who takes least first.

An account says how much one of them may ask for. But each has something left when it comes, and a crowd that spends
that at the same moment would hold up a session for a second. So while one is under way they also wait for each other:

    charged ----> due ----> its turn comes, when the work before it has been paid for ----> the work is done

The order is by source, by what each will have taken in the last seconds once it is served: who asks for little does not
wait for those who ask for much, however many they are. Belongs to the trio side.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable
from itertools import count
from math import exp2, inf, log2

import trio

from p2p.streams.prices import BESIDE

HALF_LIFE_S = 10.0  # of what a source has taken
NAP_S = 0.25  # waits are cut into these, as the session may end meanwhile, or the peer become known
LEAST = 500.0  # microseconds; less is not waited for, but kept for the next time
PIECE = 3_000.0  # microseconds, the most that is waited for at once: who takes less comes in between
RUN = 20_000.0  # microseconds, the most that a place is kept for


class Attained:
    """What a source took lately, as the logarithm of a value that grows as fast as all of them fade.

    So two can be compared at any time without reading the clock, and the order of those that wait does not change.
    """

    __slots__ = ("rank",)

    def __init__(self) -> None:
        self.rank = -inf

    def add(self, microseconds: float, now: float) -> None:
        """More was asked for just now."""
        epoch = now / HALF_LIFE_S
        self.rank = log2(exp2(self.rank - epoch) + microseconds) + epoch


class _Place:
    """One that waits for its turn."""

    __slots__ = ("key", "next")

    def __init__(self, key: tuple[float, int]) -> None:
        self.key = key
        self.next = trio.Event()  # set when it is the first of those that wait

    def __lt__(self, other: _Place) -> bool:
        return self.key < other.key


class Lane:
    """Gives turns. `steady_s` is a steady clock in seconds."""

    def __init__(self, steady_s: Callable[[], float]) -> None:
        self._steady_s = steady_s
        self._left = BESIDE.at_once
        self._at = steady_s()
        self._waiting: list[_Place] = []
        self._numbers = count()

    def __len__(self) -> int:
        """How many wait."""
        return len(self._waiting)

    async def turn(self, taken: Attained, microseconds: float, applies: Callable[[], bool]) -> None:
        """Return when so much work may be done for that source, at once where `applies` is no longer true.

        Who has begun to wait keeps its place until it has all of it: served in turn, piece by piece, a crowd would be
        done waiting at the same moment, and all its work would be done then.
        """
        taken.add(microseconds, self._steady_s())  # at once: what waits for a source counts for all its other work
        place, left = _Place((taken.rank, next(self._numbers))), microseconds
        while left > 0:
            if self._waiting or self._pause_s() > 0:
                await self._wait(place, applies)
                if not applies():  # or whoever waits when a session ends would leave its debt to those after it
                    return
            piece = min(left, PIECE)
            left -= piece
            self._left -= piece

    async def _wait(self, place: _Place, applies: Callable[[], bool]) -> None:
        insort(self._waiting, place)
        try:
            while applies():
                first = self._waiting[0] is place
                pause_s = min(NAP_S, self._pause_s()) if first else NAP_S
                if pause_s <= 0:
                    return
                place.next = trio.Event()  # set where it was the second and is the first now
                with trio.move_on_after(pause_s):
                    await place.next.wait()
        finally:
            self._waiting.remove(place)
            if self._waiting:
                self._waiting[0].next.set()

    def _pause_s(self) -> float:
        """In how many seconds the next piece of work may begin."""
        now = self._steady_s()
        self._left = min(BESIDE.at_once, self._left + (now - self._at) * BESIDE.per_second)
        self._at = now
        return -self._left / BESIDE.per_second if self._left < -1 else 0.0  # below a microsecond no wait is needed
