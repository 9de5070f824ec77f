"""Paces handshakes: of the waiting sources the one that has come least often lately is next.

A handshake costs as much as a hundred frames, and a peer that asks for one has no identity yet. So it is not done at
once for every connection: sources that come again and again wait behind those that do not, however many they are.

    knocks ----> waits with the others ----> its turn ----> handshake
                 too long, or as one of too many of its kind: closed, which cost nothing but a socket
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import trio
from libp2p.peer.id import ID

from p2p.addresses import Multiaddr
from p2p.rates import Fading

MOST_WAITING = 512
HALF_LIFE_S = 60.0  # half-life of the count of a source's handshakes
REMEMBERED = 8_192
IN_VAIN = 0.2  # a knock whose turn did not come counts as this share of a handshake
AT_HOME = 20.0  # handshakes that an address may have in addition if a known peer came from it


@dataclass(frozen=True, slots=True)
class DoorRules:
    """Which connections are admitted and what may be dialled. Counts are of connections, times in seconds."""

    admits: Callable[[ID], bool]
    is_stranger: Callable[[ID], bool]
    may_dial: Callable[[Multiaddr], bool]
    max_connections: int
    max_pending_per_ip: int
    max_per_ip: int
    upgrade_s: float
    dial_s: float
    door_s: Callable[[], float]  # in how many seconds the next handshake may begin; at 0 it is charged
    is_home: Callable[[bytes], bool]  # whether a known peer came from that range
    toll: Callable[[ID, int, int, int], Awaitable[None]]  # charges a peer messages, frames, bytes; waits while it owes


class Knock:
    """One connection that waits for its handshake."""

    def __init__(self, source: bytes, since: float) -> None:
        self.source = source
        self.since = since
        self.called = trio.Event()  # set when its turn has come, or when it has to leave
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
        """The number of handshakes that a source had lately."""
        count = self._had.get(source)
        return 0.0 if count is None else count.value(trio.current_time())

    async def turn(self, source: bytes, longest_s: float) -> bool:
        """Wait for the turn to do a handshake; False if it did not come in time, or others took the place."""
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
        """Give one after the other its turn, until none waits."""
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
        """The knock with the lowest rank is next, the highest leaves if too many wait; of equals the latest is next."""
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
