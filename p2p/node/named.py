"""Keeps connected whom the owner named by a call: dials again when the other side closes, after growing pauses.

Nothing on the wire asks the other side to keep a connection. It closes as unneeded only what it has opened itself, so
the connection that is dialled anew from here stays.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Final

import trio

MOST: Final = 256  # peers
LAST_PAUSE_S: Final = 300.0
AT_A_TIME: Final = 8  # dials
Names = OrderedDict[bytes, bytes]  # peer -> the address that the owner gave, the latest last


class Pauses:
    """When a peer may be dialled again: soon after a connection that lasted, later each time after short ones."""

    def __init__(self, first_s: float) -> None:
        self._first_s = first_s
        self._since: dict[bytes, float] = {}  # connected peer -> since when
        self._until: OrderedDict[bytes, tuple[float, float]] = OrderedDict()  # other peer -> end of the pause, length

    def met(self, peer: bytes) -> None:
        """There is a connection."""
        self._since[peer] = trio.current_time()

    def is_met(self, peer: bytes) -> bool:
        """Whether it was met and not lost: longer than there is a connection, by the time until its end is told."""
        return peer in self._since

    def lost(self, peer: bytes) -> None:
        """The last connection has ended."""
        now = trio.current_time()
        if now - self._since.pop(peer, now) >= LAST_PAUSE_S:
            self._until.pop(peer, None)
        self.failed(peer)

    def failed(self, peer: bytes) -> None:
        """There is no connection, or not any more."""
        _, last_s = self._until.pop(peer, (0.0, 0.0))
        pause_s = min(2 * last_s, LAST_PAUSE_S) or self._first_s
        self._until[peer] = (trio.current_time() + pause_s, pause_s)
        if len(self._until) > 4 * MOST:
            self._until.popitem(last=False)

    def end_s(self, peer: bytes) -> float:
        """When it may be dialled, on trio's clock."""
        return self._until.get(peer, (0.0, 0.0))[0]

    def is_over(self, peer: bytes) -> bool:
        """Whether it may be dialled now."""
        return self.end_s(peer) <= trio.current_time()


class NamedPeers:
    """Belongs to the trio side of one life; `names` outlasts it.

    `dial(peer, addr)` connects if it can; `connected(peer)`: whether there is a connection.
    """

    def __init__(
        self,
        names: Names,
        pauses: Pauses,
        dial: Callable[[bytes, bytes], Awaitable[None]],
        connected: Callable[[bytes], bool],
    ) -> None:
        self._names = names
        self._pauses = pauses
        self._dial = dial
        self._connected = connected
        self._wake = trio.Event()

    def __contains__(self, peer: bytes) -> bool:
        return peer in self._names

    def add(self, peer: bytes, addr: bytes) -> None:
        """Keep this peer from now on; it replaces the one that was named first of too many."""
        self._names[peer] = addr
        self._names.move_to_end(peer)
        if len(self._names) > MOST:
            self._names.popitem(last=False)
        self._wake.set()

    def remove(self, peer: bytes) -> None:
        """Do not dial it any more."""
        self._names.pop(peer, None)

    def lost(self, peer: bytes) -> None:
        """A peer has left."""
        if peer in self._names:
            self._wake.set()

    async def run(self) -> None:
        """Dial those that are missing, each when its pause is over."""
        limit = trio.CapacityLimiter(AT_A_TIME)
        while True:
            self._wake = trio.Event()
            missing = [peer for peer in self._names if not self._connected(peer)]
            async with trio.open_nursery() as nursery:
                for peer in filter(self._pauses.is_over, missing):
                    nursery.start_soon(self._try, peer, limit)
            missing = [peer for peer in self._names if not self._connected(peer)]
            with trio.move_on_at(min(map(self._pauses.end_s, missing), default=float("inf"))):
                await self._wake.wait()

    async def _try(self, peer: bytes, limit: trio.CapacityLimiter) -> None:
        async with limit:
            addr = self._names.get(peer)
            if addr is not None:
                await self._dial(peer, addr)
                if not self._connected(peer):
                    self._pauses.failed(peer)
