"""Dials from the port on which this node listens, so that a router sees one inner address for both.

A router that gives such an address the same outer one for every destination can be passed by two nodes that dial
each other at the same moment (DCUtR): each sees an answer to its own attempt in the other's.
"""

from __future__ import annotations

import trio
import trio.lowlevel
from libp2p.identity.identify.identify import ID as IDENTIFY
from libp2p.identity.identify.pb.identify_pb2 import Identify
from libp2p.network.connection.raw_connection import RawConnection
from libp2p.peer.id import ID
from libp2p.transport.exceptions import OpenConnectionError
from libp2p.utils.varint import read_varint_prefixed_bytes_limited

from p2p.addresses import Multiaddr, ip_of
from p2p.compat.host import IDENTIFY_BYTES, GuardedHost
from p2p.compat.swarm_conn import PromptConn
from p2p.places import Way, place_of

SEEN_S = 60.0  # for so long what a relay saw is taken to be true
ASK_S = 10.0
PUNCH_S = 3.0  # for one attempt; a lost packet is sent again after one second


class Puncher:
    """Belongs to the trio side of one life."""

    def __init__(self, host: GuardedHost) -> None:
        self._host = host
        self._seen: list[Multiaddr] = []
        self._seen_until = 0.0

    def forget(self) -> None:
        """This host is in another network."""
        self._seen_until = 0.0

    async def outer_addresses(self, relays: tuple[bytes, ...]) -> list[Multiaddr]:
        """Under which address the listening port is seen from outside, as one of these relays says; [] if none does."""
        if trio.current_time() >= self._seen_until:
            self._seen = []
            for relay in relays:
                self._seen = await self._ask(ID(relay))
                if self._seen:
                    break
            self._seen_until = trio.current_time() + SEEN_S
        return list(self._seen)

    async def _ask(self, relay: ID) -> list[Multiaddr]:
        """A second connection to the relay, from the listening port, only to be told how it looks from there."""
        swarm = self._host.swarm
        direct = swarm.direct(relay)
        addrs = [
            addr for conn in direct for addr in conn.get_transport_addresses() if ip_of(addr) and swarm.may_dial(addr)
        ]
        try:
            with trio.fail_after(ASK_S):
                raw = await self._dial(addrs[0])
                connection = await swarm.upgrade_outbound_raw_conn(raw, relay)
                assert isinstance(connection, PromptConn)
                try:
                    stream = await self._host.stream_on(connection, IDENTIFY)
                    told = Identify()
                    told.ParseFromString(await read_varint_prefixed_bytes_limited(stream, IDENTIFY_BYTES))
                finally:
                    with trio.CancelScope(shield=True):
                        await connection.close()
            seen = Multiaddr(told.observed_addr)
        except Exception:  # noqa: BLE001 - gone, silent, an address that cannot be read: another relay is asked
            return []
        return [seen] if swarm.may_dial(seen) else []

    async def dial(self, addr: Multiaddr, peer: ID, *, client: bool) -> bool:
        """Connect to a peer that dials here at the same time; `client`: this side speaks first. False: it failed."""
        swarm = self._host.swarm
        try:
            with trio.fail_after(PUNCH_S):
                raw = await self._dial(addr)
            with trio.fail_after(ASK_S):
                if client:
                    await swarm.upgrade_outbound_raw_conn(raw, peer)
                else:
                    raw.is_initiator = False
                    muxed = await swarm.upgrade_inbound_raw_conn(raw, addr)
                    if muxed.peer_id != peer:
                        await muxed.close()
        except Exception:  # noqa: BLE001 - refused, silent, another peer: there is no way here
            await trio.lowlevel.checkpoint()
        return bool(swarm.direct(peer))  # also if it came in by the listener

    async def _dial(self, addr: Multiaddr) -> RawConnection:
        own = [place_of(addr) for addr in self._host.get_transport_addrs()]
        ports = [place.port for place in own if place.way is Way.TCP and place.kind == place_of(addr).kind]
        if not ports:
            raise OpenConnectionError("this node does not listen for plain TCP in that family")
        return await self._host.swarm.tcp.dial_from(addr, ports[0])
