"""Stays connected: dials bootstrap addresses with growing pauses, and the last known peers when all are lost."""

from __future__ import annotations

import random
from collections import OrderedDict
from collections.abc import Callable, Sequence

import trio
from libp2p.network.exceptions import SwarmException
from libp2p.peer.id import ID

from musig2.protocol.records.peers import peer_text
from p2p.addresses import Multiaddr, dial_target, dnsaddr_name, is_onion, join_peer, readable
from p2p.announce import meant_for_this_machine
from p2p.compat.host import GuardedHost
from p2p.compat.swarm import Dial
from p2p.errors import PeerUnreachable
from p2p.node.named import NamedPeers, Names, Pauses
from p2p.ports import BootstrapFault, Departure
from p2p.settings import NetworkConfig
from p2p.ways.dnsaddr import NoSuchName, look_up

REMEMBERED = 32
LAST_PAUSE_S = 300.0
LOOK_UP_S = 30.0  # between two look-ups of a name
AT_ONCE = 4  # addresses of a name that are dialled at the same time
ENOUGH = 6  # peers with which one that has no use for this node is left alone
LEFT_ALONE_S = 300.0


class StartName:
    """A name of which any one peer is enough; what it stands for is looked up again while none is connected."""

    def __init__(self, text: str, name: str, peer: bytes | None) -> None:
        self.text = text
        self.found: list[tuple[bytes, bytes]] = []
        self.unknown: str | None = None
        self._name = name
        self._peer = peer
        self._due = 0.0

    async def look_up(self, *, private_addresses: bool) -> None:
        """What is known stays if nothing is found now."""
        if trio.current_time() < self._due:
            return
        self._due = trio.current_time() + LOOK_UP_S
        try:
            found = await look_up(self._name, private_addresses=private_addresses)
        except NoSuchName as error:
            self.unknown = str(error)
            return
        self.unknown = None
        self.found = [(addr, peer) for addr, peer in found if self._peer in (None, peer)] or self.found

    def some(self) -> list[tuple[bytes, bytes]]:
        """A few of its addresses, other ones each time."""
        return random.sample(self.found, min(AT_ONCE, len(self.found)))


class Bootstrap:
    """Dials. `refused(peer)`: whether a peer is banned; `tell` gets the unusable bootstrap addresses.

    `names`: whom the owner named by calls; it outlasts this life.
    """

    def __init__(
        self,
        host: GuardedHost,
        config: NetworkConfig,
        refused: Callable[[bytes], bool],
        tell: Callable[[tuple[BootstrapFault, ...]], None],
        names: Names,
    ) -> None:
        self._host = host
        self._refused = refused
        self._tell = tell
        self._first_pause_s = config.bootstrap_pause_ms / 1000
        self._bootstrap = [dial_target(text) for text in config.bootstrap if dnsaddr_name(text) is None]
        self._names = [StartName(text, *name) for text in config.bootstrap if (name := dnsaddr_name(text)) is not None]
        self._private_addresses = config.private_addresses or meant_for_this_machine(config)
        self._faults: dict[tuple[bytes, bytes], BootstrapFault] = {}
        self._known: OrderedDict[bytes, list[Multiaddr]] = OrderedDict()
        self._pauses = Pauses(self._first_pause_s)
        self.named = NamedPeers(names, self._pauses, self._redial, self._is_here)
        self._left_alone: dict[bytes, float] = {}  # start peer that closed its connection as unneeded -> until when
        self._alone = trio.Event()

    async def dial(self, peer: bytes, addrs: Sequence[bytes], hearsay: bool = False) -> bool:
        """Connect to a peer at these addresses, then at known ones; True when there is a connection."""
        peer_id = ID(peer)
        if self._refused(peer):
            return False
        if hearsay:
            self._host.swarm.peerstore.add_addrs(peer_id, readable(addrs))
        elif addrs:
            self._host.swarm.peerstore.vouch(peer_id, readable(addrs))
        try:
            await self._host.swarm.dial_peer(peer_id, hearsay=hearsay)
        except SwarmException:
            return False
        return True

    async def connect(self, peer: bytes, addr: bytes) -> bool:
        """Connect to a peer at this address, or at known ones. True: there is a connection, but not by this address.

        The peer is kept connected from then on; the address is kept only if it worked. Raises PeerUnreachable with the
        reason, as far as it can be told.
        """
        if self._refused(peer):
            raise _unreachable("this peer is banned: lift the ban first")
        if self._host.swarm.live(ID(peer)):
            self.named.add(peer, addr)
            return True
        tried = Multiaddr(addr)
        dial = await self._dial_at(peer, tried)
        if not self._host.swarm.live(ID(peer)):
            raise _unreachable(self._why_not(peer, tried, dial))
        self.named.add(peer, addr)
        return bool(dial.worked != tried)

    async def _redial(self, peer: bytes, addr: bytes) -> None:
        """Connect again to whom the owner named."""
        if not self._refused(peer):
            await self._dial_at(peer, Multiaddr(addr))

    async def part(self, peer: bytes) -> None:
        """Close all connections to a peer, and do not dial it again because the owner once named it."""
        self.named.remove(peer)
        await self.disconnect(peer)

    async def disconnect(self, peer: bytes) -> None:
        """Close all connections to a peer."""
        async with trio.open_nursery() as nursery:
            for connection in self._host.swarm.get_connections(ID(peer)):
                nursery.start_soon(connection.close)

    async def _dial_at(self, peer: bytes, tried: Multiaddr) -> Dial:
        """Dial that address before the known ones; it is vouched for afterwards only if it worked."""
        peer_id, store = ID(peer), self._host.swarm.peerstore
        kept = tried in store.vouched(peer_id)
        store.vouch(peer_id, [tried])
        dial = await self._host.swarm.dial_now(peer_id)
        if dial.worked != tried and not kept:
            store.retract(peer_id, tried)
        return dial

    def _why_not(self, peer: bytes, addr: Multiaddr, dial: Dial) -> str:
        if not self._host.swarm.may_dial(addr):
            if is_onion(addr):
                return "it is an onion service: set p2p.socks5 to the SOCKS port of Tor, and restart"
            return "its address may not be dialled: private ones need p2p.private_addresses"
        if addr in dial.others:
            found, meant = peer_text(dial.others[addr].to_bytes()), peer_text(peer)
            return f"another peer answers there, {found} instead of {meant}: take the address from the other's getInfo"
        if (said := self._host.swarm.tcp.why_not(addr)) is not None:
            return said
        return "nobody answers there: see that it runs, and that no firewall is in between"

    def remember(self, peer: bytes, addrs: list[Multiaddr]) -> None:
        """A peer was identified: it is tried again if this node loses all its peers."""
        self._known[peer] = addrs
        self._known.move_to_end(peer)
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)

    def is_wanted(self, peer: bytes) -> bool:
        """Whether the owner wants that peer: the settings name it for the start, or a name for it, or a call did."""
        return peer in self.named or self._is_start(peer)

    def _is_start(self, peer: bytes) -> bool:
        named = (place[1] for name in self._names for place in name.found)
        return any(peer == start for _, start in self._bootstrap) or peer in named

    def met_one(self, peer: bytes) -> None:
        """A peer is connected."""
        self._pauses.met(peer)

    def lost_one(self, peer: bytes, why: Departure) -> None:
        """A peer left. One that is named for the start may have too many peers: others are enough for a while."""
        self._pauses.lost(peer)
        self.named.lost(peer)
        if why is Departure.UNNEEDED_THERE and self._is_start(peer):
            self._left_alone[peer] = trio.current_time() + LEFT_ALONE_S
        if not self._host.swarm.connections:
            self._alone.set()

    async def run(self) -> None:
        """Keep a bootstrap peer connected if there are any, and at least one peer in any case."""
        pause_s = self._first_pause_s
        while True:
            pause_s = self._first_pause_s if await self._once() else min(2 * pause_s, LAST_PAUSE_S)
            self._alone = trio.Event()
            with trio.move_on_after(pause_s * random.uniform(0.8, 1.2)):  # noqa: S311 - spreads load, guards nothing
                await self._alone.wait()
                await trio.sleep(self._first_pause_s * random.random())  # noqa: S311 - as above

    async def _once(self) -> bool:
        """One round; True if nothing more is needed."""
        missing = [(addr, peer) for addr, peer in self._bootstrap if not self._connected(peer)]
        for name in self._names:
            if not self._is_met(name):
                await name.look_up(private_addresses=self._private_addresses)
                missing += name.some()
        known = [] if self._host.swarm.connections else list(self._known.items())
        before = dict(self._faults)
        self._faults = {place: fault for place, fault in before.items() if place in missing}
        async with trio.open_nursery() as nursery:
            for addr, peer in missing:
                if self._pauses.is_over(peer):
                    nursery.start_soon(self._try, addr, peer)
            for peer, addrs in known:
                if self._pauses.is_over(peer):
                    nursery.start_soon(self.dial, peer, [addr.to_bytes() for addr in addrs])
        unknown = {(b"", name.text.encode()): name for name in self._names if name.unknown and not self._is_met(name)}
        self._faults |= {key: BootstrapFault(name.text, b"", None, name.unknown) for key, name in unknown.items()}
        if self._faults != before:
            self._tell(tuple(self._faults.values()))
        met = all(self._connected(peer) for _, peer in self._bootstrap) and all(map(self._is_met, self._names))
        return met and bool(self._host.swarm.connections or not self._known)

    def _is_met(self, name: StartName) -> bool:
        return any(self._connected(peer) for _, peer in name.found)

    async def _try(self, addr: bytes, peer: bytes) -> None:
        """Dial a bootstrap address, and note if it is unusable."""
        peer_id, tried, swarm = ID(peer), Multiaddr(addr), self._host.swarm
        if self._refused(peer):
            return
        swarm.peerstore.vouch(peer_id, [tried])
        dial = await swarm.dial_now(peer_id)
        found, said = dial.others.get(tried), swarm.tcp.found_wrong(tried)
        self._faults.pop((addr, peer), None)
        if not swarm.live(peer_id) and (found is not None or said is not None or not swarm.may_dial(tried)):
            other = None if found is None else found.to_bytes()
            self._faults[addr, peer] = BootstrapFault(join_peer(addr, peer), peer, other, said=said)

    def _connected(self, peer: bytes) -> bool:
        if peer == self._host.get_id().to_bytes() or self._is_here(peer):
            return True
        left_alone = self._left_alone.get(peer, 0.0) > trio.current_time()
        return left_alone and len(self._host.swarm.connections) >= ENOUGH

    def _is_here(self, peer: bytes) -> bool:
        """Until its departure is told, too: that says whether it is to be dialled again, and when."""
        return bool(self._host.swarm.get_connections(ID(peer))) or self._pauses.is_met(peer)


def _unreachable(why: str) -> PeerUnreachable:
    return PeerUnreachable("peer_unreachable", f"cannot connect: {why}")
