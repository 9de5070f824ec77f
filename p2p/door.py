"""Whose handshake is next: they are paced, and of the sources that wait the one that came least often lately is first.

A handshake costs as much as a hundred frames, and whoever asks for one has no name yet. So it is not done at once for
everybody who connects: those who come again and again wait behind those who do not, however many they are.

    knocks ----> waits with the others ----> its turn ----> handshake
                 too long, or as one of too many of its kind: closed, which cost nothing but a socket
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable

import trio

from p2p.rates import Fading

MOST_WAITING = 512
HALF_LIFE_S = 60.0  # in which half of the handshakes that a source had is forgotten
REMEMBERED = 8_192
IN_VAIN = 0.2  # of a handshake: so much counts a knock whose turn did not come
AT_HOME = 20.0  # so many handshakes more may an address have from which a known peer came


class Knock:
    """One connection that waits for its handshake."""

    def __init__(self, source: bytes, since: float) -> None:
        self.source = source
        self.since = since
        self.called = trio.Event()  # its turn has come, or it has to leave
        self.admitted = False


class Door:
    """Belongs to the trio side. Sources are address ranges, or addresses on a private network."""

    def __init__(
        self,
        next_s: Callable[[], float],
        is_home: Callable[[bytes], bool],
        start: Callable[[Callable[[], Awaitable[None]]], None],
    ) -> None:
        """`next_s`: in how many seconds the next handshake may begin; at 0 it is charged. `start`: runs a task.

        `is_home`: whether a known peer came from that source.
        """
        self._next_s = next_s
        self._is_home = is_home
        self._start = start
        self._had: OrderedDict[bytes, Fading] = OrderedDict()
        self._waiting: list[Knock] = []
        self._opens = False

    def had(self, source: bytes) -> float:
        """How many handshakes that source had lately."""
        count = self._had.get(source)
        return 0.0 if count is None else count.value(trio.current_time())

    async def turn(self, source: bytes, longest_s: float) -> bool:
        """Wait for a handshake; False: its turn did not come in time, or it had to leave for others."""
        knock = Knock(source, trio.current_time())
        if len(self._waiting) >= MOST_WAITING:
            if self._rank(knock)[0] > 0:
                return False
            self._call(max(self._waiting, key=self._rank))
        self._waiting.append(knock)
        if not self._opens:
            self._start(self._open)
            self._opens = True
        with trio.move_on_after(longest_s):
            await knock.called.wait()
        if knock in self._waiting:
            self._waiting.remove(knock)
        if not knock.admitted:
            self._note(source, IN_VAIN)
        return knock.admitted

    async def _open(self) -> None:
        """Call one after the other, until nobody waits."""
        try:
            while self._waiting:
                pause_s = self._next_s()
                if pause_s > 0:
                    await trio.sleep(pause_s)
                    continue
                knock = min(self._waiting, key=self._rank)
                self._note(knock.source, 1.0)
                knock.admitted = True
                self._call(knock)
        finally:
            self._opens = False

    def _rank(self, knock: Knock) -> tuple[float, float]:
        """The lowest is next, the highest leaves when too many wait; of equals the latest is next."""
        return self.had(knock.source) - (AT_HOME if self._is_home(knock.source) else 0.0), -knock.since

    def _call(self, knock: Knock) -> None:
        self._waiting.remove(knock)
        knock.called.set()

    def _note(self, source: bytes, amount: float) -> None:
        now = trio.current_time()
        self._had.setdefault(source, Fading(HALF_LIFE_S, now)).add(now, amount)
        self._had.move_to_end(source)
        if len(self._had) > REMEMBERED:
            self._had.popitem(last=False)
