"""The swarm's connection, whose end is reported at once; and nothing that connects by itself.

The library waits 100 ms before it reports a lost connection, and after each one that it closes. It dials everybody
whose address it ever heard, from whomever, until it has half of the connections that it may have.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import trio
from libp2p.network.auto_connector import AutoConnector
from libp2p.network.connection import swarm_connection
from libp2p.network.connection.swarm_connection import SwarmConn
from libp2p.peer.id import ID
from libp2p.rcmgr import Direction

from p2p.compat.yamux import MOST_TOGETHER, UNNEEDED, QuietYamux
from p2p.sources import range_or_host, source_of

COUNT_S = 0.05  # between two counts of what strangers have unread, in which no more than a few MiB come
SETTLE_S = 30.0  # in which a connection that is not used may find its use
STAY_S = 3.0  # that everybody has who came in
USES = (["session"], ["directory"], ["0.2.0"])  # the last part but one of the protocol names; the last is of circuits


class PromptConn(SwarmConn):
    """Ends its streams and reports it; the muxed connection below is closed already, or closes itself."""

    muxed_conn: QuietYamux  # our upgrader makes no other

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.since = trio.current_time()
        self.seen_as: str | None = None  # the IP address under which the peer sees this node

    def is_useless(self, now: float) -> bool:
        """True if it has been open for half a minute and is used for neither signing, the directory nor circuits."""
        names = [str(stream.get_protocol() or "").split("/")[-2:-1] for stream in self.streams]
        return not self.is_closed and now - self.since > SETTLE_S and not any(name in USES for name in names)

    async def close_unneeded(self) -> None:
        """Close it, and say that this is not because this node leaves."""
        self.muxed_conn.goodbye = UNNEEDED
        await self.close()

    async def _handle_muxed_stream(self, muxed_stream: Any) -> None:
        try:
            await super()._handle_muxed_stream(muxed_stream)
        finally:
            self.muxed_conn.release(muxed_stream)

    async def _cleanup(self) -> None:
        self.swarm.remove_conn(self)
        await self.muxed_conn.close()
        for stream in self.streams.copy():
            await stream.reset()
        await trio.lowlevel.checkpoint()
        await self._notify_disconnected()


class UnreadOfStrangers:
    """What strangers have sent that nobody has read yet: asked for each of their frames, and counted now and then."""

    def __init__(self, multiplexers: Callable[[], Iterable[QuietYamux]]) -> None:
        self._multiplexers = multiplexers
        self._is_too_much = False
        self._counted_at = -COUNT_S

    def is_too_much(self) -> bool:
        """Whether it is more than may wait; as of a moment ago, while it is not."""
        now = trio.current_time()
        if self._is_too_much or now >= self._counted_at + COUNT_S:
            unread = sum(each.buffered for each in self._multiplexers() if each.is_stranger())
            self._is_too_much = unread > MOST_TOGETHER
            self._counted_at = now
        return self._is_too_much


class NoConnector(AutoConnector):
    """Stands in for the automatic connector: it is never started, and so dials nobody."""

    async def start(self) -> None:
        """Nothing to start."""


def gives_way(
    connections: Iterable[PromptConn], is_stranger: Callable[[ID], bool], had: Callable[[bytes], float], now: float
) -> PromptConn | None:
    """The oldest inbound one over which nothing lasting runs; of strangers also one in use.

    Of these the oldest of the source that has most connections, or where each has one, of the range that had most
    handshakes lately (`had`): who comes again and again makes room for who has come once. None: everybody here is
    known, or has just come.
    """
    inbound = [conn for conn in connections if conn.direction == Direction.INBOUND]
    oldest_first = sorted((conn for conn in inbound if not conn.is_closed), key=lambda conn: conn.since)
    useless = next((conn for conn in oldest_first if conn.is_useless(now)), None)
    return useless or _of_strangers([conn for conn in oldest_first if is_stranger(conn.muxed_conn.peer_id)], had, now)


def _of_strangers(oldest_first: list[PromptConn], had: Callable[[bytes], float], now: float) -> PromptConn | None:
    sources: dict[bytes, list[PromptConn]] = {}
    for conn in oldest_first:
        source = source_of(conn.muxed_conn.peer_id.to_bytes(), _host(conn))
        sources.setdefault(source, []).append(conn)
    fullest = max(sources.values(), key=len, default=[])
    if len(fullest) > 1:
        return fullest[0]
    settled = [conn for conn in oldest_first if now - conn.since > STAY_S]
    return max(settled, key=lambda conn: round(had(range_or_host(_host(conn) or ""))), default=None)


def _host(conn: PromptConn) -> str | None:
    remote = conn.muxed_conn.get_remote_address()
    return None if remote is None else remote[0]


swarm_connection.SwarmConn = PromptConn  # type: ignore[misc] # the swarm takes the class by this name
