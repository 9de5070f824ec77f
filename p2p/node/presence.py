"""Which peers are connected: turns the library's connections, several per peer, into arrivals and departures."""

from __future__ import annotations

from collections.abc import Callable

from libp2p.abc import IMuxedConn, INetConn, INetStream, INetwork, INotifee
from libp2p.connection_types import ConnectionType
from libp2p.peer.id import ID
from libp2p.rcmgr import Direction as LibraryDirection

from p2p.addresses import Multiaddr, relay_of, without_peer
from p2p.compat.yamux import UNNEEDED, QuietYamux
from p2p.ports import Departure, Direction, PeerArrival

Arrived = Callable[[bytes, PeerArrival], None]
Left = Callable[[bytes, Departure], None]


class PeerPresence(INotifee):
    """Registered with the swarm. A peer has arrived with its first connection, and left with its last."""

    def __init__(self, live: Callable[[ID], list[INetConn]], arrived: Arrived, improved: Arrived, left: Left) -> None:
        """`improved`: a peer that was connected through relays only is connected directly too."""
        self._live = live
        self._improved = improved
        self._arrived = arrived
        self._left = left
        self._present: set[bytes] = set()

    async def connected(self, network: INetwork, conn: INetConn) -> None:
        """A connection was registered."""
        peer_id = conn.muxed_conn.peer_id
        peer = peer_id.to_bytes()
        if peer in self._present:
            others = [other for other in self._live(peer_id) if other is not conn and not other.is_closed]
            if others:
                if not _is_relayed(conn) and all(map(_is_relayed, others)):
                    self._improved(peer, _arrival(conn))
                return
            self._leave(peer, Departure.GONE)  # the old connection is dead, but its end was not reported yet
        self._present.add(peer)
        self._arrived(peer, _arrival(conn))

    async def disconnected(self, network: INetwork, conn: INetConn) -> None:
        """A connection is gone."""
        peer_id = conn.muxed_conn.peer_id
        if not any(not other.is_closed for other in self._live(peer_id)):
            self._leave(peer_id.to_bytes(), _departure(conn.muxed_conn))

    def _leave(self, peer: bytes, why: Departure) -> None:
        if peer in self._present:
            self._present.remove(peer)
            self._left(peer, why)

    async def opened_stream(self, network: INetwork, stream: INetStream) -> None:
        """Of no interest here."""

    async def closed_stream(self, network: INetwork, stream: INetStream) -> None:
        """Of no interest here."""

    async def listen(self, network: INetwork, multiaddr: Multiaddr) -> None:
        """Of no interest here."""

    async def listen_close(self, network: INetwork, multiaddr: Multiaddr) -> None:
        """Of no interest here."""


def _arrival(conn: INetConn) -> PeerArrival:
    addrs = conn.get_transport_addresses()
    outbound = getattr(conn, "direction", None) == LibraryDirection.OUTBOUND
    relays = [found[1] for addr in addrs if (found := relay_of(addr)) is not None]
    return PeerArrival(
        direction=Direction.OUTBOUND if outbound else Direction.INBOUND,
        addrs=tuple(without_peer(addr).to_bytes() for addr in addrs) if outbound else (),
        host=_host_of(conn.muxed_conn),
        relay=relays[0] if relays else None,
    )


def is_inbound(conn: INetConn) -> bool:
    """Whether the peer opened it."""
    return getattr(conn, "direction", None) == LibraryDirection.INBOUND


def _departure(muxed: IMuxedConn) -> Departure:
    if not isinstance(muxed, QuietYamux):
        return Departure.GONE
    if muxed.goodbye == UNNEEDED:
        return Departure.UNNEEDED_HERE
    return Departure.UNNEEDED_THERE if muxed.farewell == UNNEEDED else Departure.GONE


def _is_relayed(conn: INetConn) -> bool:
    return conn.get_connection_type() is ConnectionType.RELAYED


def _host_of(muxed: IMuxedConn) -> str | None:
    remote = muxed.get_remote_address() if isinstance(muxed, QuietYamux) else None
    return None if remote is None else remote[0]
