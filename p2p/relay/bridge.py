"""Carries the bytes of circuits, within what one circuit, one peer and all together may use.

The bytes of a direction are charged to the peer that sends them, so that no peer can hide behind a relay; a sender that
owes, or is too fast, is read more slowly, which the flow control of Yamux passes on to it.
"""

from __future__ import annotations

from dataclasses import dataclass

import trio
from libp2p.network.stream.exceptions import StreamEOF
from libp2p.network.stream.net_stream import NetStream

from p2p.rates import Budget, Paces
from p2p.streams.accounts import Accounts
from p2p.streams.prices import Work

CHUNK = 64 * 1024


@dataclass(frozen=True, slots=True)
class CircuitLimits:
    """The limits of a circuit: seconds, and bytes in each direction.

    Rates are bytes per second, of one peer and of all.
    """

    seconds: float
    size: int
    rate: float
    total_rate: float


class Bridge:
    """Belongs to the trio side of one life."""

    def __init__(self, limits: CircuitLimits, accounts: Accounts) -> None:
        self.limits = limits
        self._accounts = accounts
        self._peers = Paces(limits.rate, 4 * limits.rate)
        self._all = Budget(limits.total_rate, limits.total_rate, trio.current_time())
        self.carried = 0  # bytes, in both directions of all circuits

    async def carry(self, one: tuple[bytes, NetStream], other: tuple[bytes, NetStream]) -> None:
        """Join the streams of two peers until one of them ends or a limit is reached; both are closed then."""
        try:
            with trio.move_on_after(self.limits.seconds):
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self._one_way, *one, other[1], nursery.cancel_scope)
                    nursery.start_soon(self._one_way, *other, one[1], nursery.cancel_scope)
        finally:
            with trio.CancelScope(shield=True):
                await one[1].reset()
                await other[1].reset()

    async def _one_way(self, peer: bytes, source: NetStream, target: NetStream, both: trio.CancelScope) -> None:
        """Carry one direction until the source ends; a stream that breaks ends both directions."""
        left = self.limits.size
        try:
            while left > 0 and (data := await _read(source)):
                left -= len(data)
                await self._pay(peer, len(data))
                await target.write(data)
            if left > 0:
                await target.close_write()
                return
        except Exception:  # noqa: BLE001 - reset, lost: the library has many words for the end of a stream
            both.cancel()
        both.cancel()

    async def _pay(self, peer: bytes, size: int) -> None:
        self.carried += size
        self._accounts.charge(peer, Work.RELAYED_KIB, size / 1024)
        now = trio.current_time()
        await trio.sleep(max(self._peers.of(peer, now).owe(size, now), self._all.owe(size, now)))
        await self._accounts.settled(peer)


async def _read(stream: NetStream) -> bytes:
    """Some bytes; b"" when the sender has ended its direction."""
    try:
        return await stream.read(CHUNK)
    except StreamEOF:
        return b""
