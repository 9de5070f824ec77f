"""Keeps this node reachable through relays while nobody can dial it, and takes the circuits that come through them.

candidates      connected peers that serve `hop`; peers that the program names, dialled as hearsay
wanted          two reservations, of relays from different address ranges where there are such
kept            renewed after three quarters of their time; lost with the connection to the relay
announced       the address at which the relay was reached, and those it names with the same host, `/p2p-circuit`
"""

from __future__ import annotations

import random
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import trio
from libp2p.abc import INetStream
from libp2p.network.exceptions import SwarmException
from libp2p.network.stream.net_stream import NetStream
from libp2p.peer.id import ID
from libp2p.rcmgr import Direction
from libp2p.relay.circuit_v2.pb.circuit_pb2 import HopMessage, StopMessage

from p2p.addresses import Multiaddr, readable, through, without_peer
from p2p.compat.host import GuardedHost
from p2p.compat.swarm_conn import PromptConn
from p2p.relay.circuit import as_connection
from p2p.relay.messages import HOP, STOP, Status, read_hop, read_stop, stop_status, write_message
from p2p.sources import source_of

WANTED = 2
MAX_OFFERED = 64
MAX_ADDRS = 2  # announced per relay
SHORTEST_S, LONGEST_S = 120.0, 7_200.0  # of a reservation, whatever the relay says
LOOK_S = 15.0
AGAIN_S = 60.0  # pause before a relay that refused is asked again
BREATH_S = 0.05  # so that peers that arrive together are looked at together


@dataclass(slots=True)
class Held:
    """A reservation: when to renew it, and the addresses that it gives to this node."""

    renew_s: float
    until_s: float
    source: bytes
    addrs: list[Multiaddr]


class RelayClient:
    """`changed()` is called when the addresses through relays are others than before; `clock_ms` is the wall clock."""

    def __init__(
        self,
        host: GuardedHost,
        clock_ms: Callable[[], int],
        changed: Callable[[list[Multiaddr]], None],
    ) -> None:
        self._host = host
        self._clock_ms = clock_ms
        self._changed = changed
        self._held: dict[bytes, Held] = {}
        self._offered: OrderedDict[bytes, Sequence[bytes]] = OrderedDict()
        self._refused: dict[bytes, float] = {}  # by relay: when it may be asked again
        self._wake = trio.Event()
        self._wanted = False
        host.set_stream_handler(STOP, self._take)

    # What others tell.

    @property
    def relays(self) -> tuple[bytes, ...]:
        """The relays through which this node can be reached now."""
        return tuple(self._held)

    @property
    def lacking(self) -> bool:
        """Whether more relays are wanted than were found."""
        return self._wanted and len(self._held) < WANTED

    def want(self, wanted: bool) -> None:
        """Set whether this node wants to be reached through relays; if not, its reservations are given up."""
        if wanted != self._wanted:
            self._wanted = wanted
            if not wanted:
                self._held.clear()
                self._tell()
            self._wake.set()

    def offer(self, relays: Iterable[tuple[bytes, Sequence[bytes]]]) -> None:
        """Take peers that are said to be relays, with their addresses: hearsay."""
        for peer, addrs in relays:
            self._offered[peer] = addrs
            self._offered.move_to_end(peer)
            if len(self._offered) > MAX_OFFERED:
                self._offered.popitem(last=False)
        self._wake.set()

    def met(self) -> None:
        """A peer was identified."""
        if self.lacking:
            self._wake.set()

    def lost(self, peer: bytes) -> None:
        """A peer has left, and what it reserved with it."""
        if self._held.pop(peer, None) is not None:
            self._tell()
            self._wake.set()

    def _tell(self) -> None:
        self._changed([addr for held in self._held.values() for addr in held.addrs])

    # Reservations.

    async def run(self) -> None:
        """Keep reservations for as long as the node runs."""
        while True:
            self._wake = trio.Event()
            if self._wanted:
                await self._look()
            with trio.move_on_after(LOOK_S * random.uniform(0.8, 1.2)):  # noqa: S311 - spreads load, guards nothing
                await self._wake.wait()
                await trio.sleep(BREATH_S)

    async def _look(self) -> None:
        now = trio.current_time()
        self._refused = {peer: until for peer, until in self._refused.items() if until > now}
        for peer, held in list(self._held.items()):
            if held.renew_s <= now and not await self._reserve(peer) and held.until_s <= trio.current_time():
                self.lost(peer)
        for fussy in (True, False):  # of the same range as another one only if there is nothing better
            for peer in self._candidates():
                if self.lacking:
                    await self._try(peer, fussy)

    def _candidates(self) -> list[bytes]:
        """Connected relays in any order, then those that were offered."""
        store = self._host.swarm.peerstore
        here = [peer for peer in list(self._host.swarm.connections) if HOP in store.get_protocols(peer)]
        names = [peer.to_bytes() for peer in here if self._host.swarm.direct(peer)]
        random.shuffle(names)
        names += [peer for peer in reversed(self._offered) if peer not in names]
        return [peer for peer in names if peer not in self._held and peer not in self._refused]

    def _sources(self) -> list[bytes]:
        return [held.source for held in self._held.values()]

    def _source(self, peer: bytes) -> bytes | None:
        """The range from which a connected peer comes; None if it is not connected yet."""
        direct = self._host.swarm.direct(ID(peer))
        return source_of(peer, _host_of(direct[0])) if direct else None

    async def _try(self, peer: bytes, fussy: bool) -> None:
        """Reserve with a relay; `fussy`: only if it is of another range than those that are held."""
        if fussy and self._source(peer) in self._sources():
            return
        if not self._host.swarm.direct(ID(peer)):
            self._host.swarm.peerstore.add_addrs(ID(peer), readable(self._offered.get(peer, ())))
            await self._host.swarm.dial_now(ID(peer), hearsay=True, direct=True)
        source = self._source(peer)
        if source is None or (fussy and source in self._sources()):
            return
        if not await self._reserve(peer):
            self._refused[peer] = trio.current_time() + AGAIN_S
            self._offered.pop(peer, None)

    async def _reserve(self, peer: bytes) -> bool:
        """Ask a relay for a reservation, or for a longer one."""
        direct = self._host.swarm.direct(ID(peer))
        try:
            if not direct:
                return False
            stream = await self._host.stream_on(direct[0], HOP)
            try:
                await write_message(stream, HopMessage(type=HopMessage.RESERVE))
                answer = await read_hop(stream)
            finally:
                with trio.CancelScope(shield=True):
                    await stream.reset()
        except Exception:  # noqa: BLE001 - gone, silent, not what it said: another relay is asked
            return False
        if answer.type != HopMessage.STATUS or answer.status != Status.OK or not self._wanted:
            return False
        before = self._held.get(peer)
        held = self._held[peer] = self._as_held(peer, direct[0], answer)
        if before is None or before.addrs != held.addrs:
            self._tell()
        return True

    def _as_held(self, peer: bytes, conn: PromptConn, answer: HopMessage) -> Held:
        said_s = int(answer.reservation.expire) - self._clock_ms() / 1000
        life_s = min(max(said_s, SHORTEST_S), LONGEST_S)
        now = trio.current_time()
        addrs = self._addresses(peer, conn, list(answer.reservation.addrs))
        return Held(now + life_s * 3 / 4, now + life_s, source_of(peer, _host_of(conn)), addrs)

    def _addresses(self, peer: bytes, conn: PromptConn, named: list[bytes]) -> list[Multiaddr]:
        """The addresses that a relay may name: only those at its own host, or it could send others to a third party."""
        host = _host_of(conn)
        outbound = conn.direction == Direction.OUTBOUND
        reached = [without_peer(addr) for addr in conn.get_transport_addresses() if outbound]
        claimed = [without_peer(addr) for addr in readable(named) if _names(addr, host)]
        usable = [addr for addr in [*reached, *claimed] if self._host.swarm.may_dial(addr)]
        return [through(addr, peer) for addr in dict.fromkeys(usable)][:MAX_ADDRS]

    # Circuits that lead here.

    async def _take(self, stream: INetStream) -> None:
        """Accept a circuit that a relay brings, if this node has a reservation with it."""
        assert isinstance(stream, NetStream)
        relay = stream.muxed_conn.peer_id
        asked = await read_stop(stream)
        welcome = asked.type == StopMessage.CONNECT and relay.to_bytes() in self._held
        await write_message(stream, stop_status(Status.OK if welcome else Status.PERMISSION_DENIED))
        if not welcome:
            await stream.close()
            return
        addr = Multiaddr(f"/p2p/{relay}/p2p-circuit")
        try:
            await self._host.swarm.serve_relayed(as_connection(stream, addr, initiator=False), relay)
        except SwarmException:
            return  # refused, or it did not say who it is
        finally:
            with trio.CancelScope(shield=True), trio.move_on_after(1):
                await stream.reset()


def _host_of(conn: PromptConn) -> str | None:
    remote = conn.muxed_conn.get_remote_address()
    return None if remote is None else remote[0]


def _names(addr: Multiaddr, host: str | None) -> bool:
    """Whether an address is one of that host; names are not looked up, and count as others."""
    kind, value = next(((str(protocol.name), str(value)) for protocol, value in addr.items()), ("", ""))
    return kind in ("ip4", "ip6") and value == host
