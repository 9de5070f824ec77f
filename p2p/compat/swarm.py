"""The swarm: admits, counts and releases connections, and dials every address that may work.

In the library an inbound connection holds its slot until the node stops, so nobody gets in after a few hundred
connections; a dial tries one TCP address per peer, takes 250 ms at least, and a failure blocks the peer for a minute.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import cached_property, partial

import trio
from libp2p.abc import IMuxedConn, INetConn, ITransport
from libp2p.connection_types import ConnectionType
from libp2p.io.abc import ReadWriteCloser
from libp2p.network.config import ConnectionConfig, RetryConfig
from libp2p.network.connection.raw_connection import RawConnection
from libp2p.network.exceptions import SwarmException
from libp2p.network.swarm import Swarm
from libp2p.peer.id import ID
from libp2p.rcmgr import Direction

from p2p.addresses import Multiaddr, by_turns, is_relayed, relay_of
from p2p.compat.guard import AsyncFn, GuardedTasks, OnFault
from p2p.compat.peerstore import BoundedPeerStore
from p2p.compat.swarm_conn import NoConnector, PromptConn, UnreadOfStrangers, gives_way
from p2p.compat.tcp import TcpTransport
from p2p.compat.upgrade import Upgrader, failed_upgrade, other_peer
from p2p.compat.yamux import QuietYamux
from p2p.door import Door, DoorRules
from p2p.hearsay import Hearsay
from p2p.rates import counted
from p2p.sources import range_or_host, source_of_ip

MAX_ADDRS, MAX_RELAYED = 8, 3  # of one peer, tried in one dial
DOUBLE_S = 2.0
HEARD_S = 5.0  # in which a connection that has a twin must give a sign of life
LASTING = "/musigd/"  # the protocols with long-lived streams
STAGGER_S = 0.2  # head start of each address before the next is tried too


class Dial:
    """One attempt to reach a peer: which address worked, and at which another peer answered."""

    def __init__(self, *, hearsay: bool = False, direct: bool = False) -> None:
        self.hearsay = hearsay
        self.direct = direct  # not through a relay
        self.over = trio.Event()
        self.worked: Multiaddr | None = None
        self.others: dict[Multiaddr, ID] = {}
        self.open: set[Multiaddr] = set()  # tried, without a result yet


class GuardedSwarm(Swarm):
    """The library's swarm with its admission, its dialling and its background tasks replaced."""

    peerstore: BoundedPeerStore

    def __init__(
        self,
        peer: ID,
        peerstore: BoundedPeerStore,
        upgrader: Upgrader,
        rules: DoorRules,
        *,
        on_fault: OnFault,
        tcp: TcpTransport,
        circuits: ITransport,
    ) -> None:
        """`circuits` dials through relays to which there is a connection, `tcp` everything else."""
        self._rules = rules
        self._tell_fault = on_fault
        self._pending: Counter[str] = Counter()
        self._inbound: Counter[str] = Counter()
        self._dials: dict[ID, Dial] = {}
        self._doubles: dict[ID, float] = {}  # peers with two connections, and since when the second is there
        self.hearsay = Hearsay()
        self._door = Door(rules.door_s, rules.is_home, self._start)
        self.tcp = tcp
        self.opened = self.tcp.opened
        super().__init__(
            peer,
            peerstore,
            upgrader,
            transports=[self.tcp, circuits],
            retry_config=RetryConfig(max_retries=0),
            connection_config=_config(rules),
        )
        self.auto_connector = NoConnector(self)
        self._unread = UnreadOfStrangers(self._multiplexers)

    @cached_property
    def manager(self) -> GuardedTasks:  # type: ignore[override] # stands in for the library's manager
        """The service's manager, with guarded tasks."""
        return GuardedTasks(self._manager, self._on_fault)

    def _start(self, fn: AsyncFn) -> None:
        self.manager.run_task(fn)

    async def _on_fault(self, fn: AsyncFn, error: Exception) -> None:
        owner = getattr(fn, "__self__", None)
        if isinstance(owner, PromptConn):
            await owner.close()
        await self._tell_fault(fn, error)

    # Inbound.

    async def _handle_inbound_connection(self, read_write_closer: ReadWriteCloser, maddr: Multiaddr) -> None:
        """Serve one inbound connection from its first byte to its end, then free its slot."""
        remote = read_write_closer.get_remote_address()
        host = remote[0] if remote else ""
        source = source_of_ip(host) if host else ""
        try:
            if self._few_from(source):
                await self._serve_inbound(RawConnection(read_write_closer, False), maddr, source, range_or_host(host))
        except Exception as error:  # noqa: BLE001 - an inbound handshake fails in many ways; each costs only itself
            await self._tell_fault(self._handle_inbound_connection, error)
        finally:
            with trio.CancelScope(shield=True), trio.move_on_after(1):
                await read_write_closer.close()

    def _few_from(self, source: str) -> bool:
        rules = self._rules
        return self._pending[source] < rules.max_pending_per_ip and self._inbound[source] < rules.max_per_ip

    def _has_room(self) -> bool:
        """Whether one that is counted already may stay."""
        most = self._rules.max_connections
        return self._inbound.total() <= most - most // 4 and self.get_total_connections() < most

    async def _make_room(self) -> bool:
        """Close one connection for a new one; False if none may be closed."""
        all_here = [conn for conn in self.get_connections() if isinstance(conn, PromptConn)]
        conn = gives_way(all_here, self._rules.is_stranger, self._door.had, trio.current_time())
        if conn is not None:
            await conn.close_unneeded()
        return conn is not None

    async def serve_relayed(self, circuit: RawConnection, relay: ID) -> None:
        """Serve a connection that came through a relay until it ends; all of one relay count as one source."""
        maddr, source = circuit.get_transport_addresses()[0], str(relay)
        if self._few_from(source):
            await self._serve_inbound(circuit, maddr, source, relay.to_bytes())

    async def _serve_inbound(self, raw: RawConnection, maddr: Multiaddr, source: str, behind: bytes) -> None:
        """`behind`: the range that it comes from, or the relay: its turn at the door depends on it."""
        with counted(self._pending, source):
            if not await self._door.turn(behind, self._rules.upgrade_s):
                return
        with counted(self._inbound, source):  # before room is made, or another would take it meanwhile
            with counted(self._pending, source):
                if not self._has_room() and not await self._make_room():
                    return
                muxed = await self.upgrade_inbound_raw_conn(raw, maddr)
            await muxed.event_closed.wait()  # type: ignore[attr-defined] # our upgrader makes QuietYamux only

    async def add_conn(self, muxed_conn: IMuxedConn, direction: str = "unknown") -> PromptConn:
        """Register a connection whose peer is now known, unless that peer is refused."""
        if muxed_conn.peer_id == self.self_id or not self._rules.admits(muxed_conn.peer_id):
            await muxed_conn.close()
            raise SwarmException("this peer is refused")
        if isinstance(muxed_conn, QuietYamux):
            muxed_conn.toll = partial(self._rules.toll, muxed_conn.peer_id)
            muxed_conn.is_stranger = partial(self._rules.is_stranger, muxed_conn.peer_id)
            muxed_conn.is_crowded = self._unread.is_too_much
        connection = await super().add_conn(muxed_conn, direction)
        if len(self.live(muxed_conn.peer_id)) > 1:
            self._note_double(muxed_conn.peer_id)
        assert isinstance(connection, PromptConn)
        return connection

    def _multiplexers(self) -> Iterator[QuietYamux]:
        return (conn.muxed_conn for conn in self.get_connections() if isinstance(conn, PromptConn))

    def _note_double(self, peer_id: ID) -> None:
        """One task per peer settles it, however often the peer comes and goes meanwhile."""
        if peer_id not in self._doubles:
            self.manager.run_task(self._settle_double, peer_id)
        self._doubles[peer_id] = trio.current_time()

    async def _settle_double(self, peer_id: ID) -> None:
        """Both sides dialled at once: the larger id closes its connection, unless a long-lived stream uses it.

        A direct connection does not give way to one through a relay. One of which nothing is heard any more is closed
        in any case: its peer came again because it moved or was cut off.
        """
        while (left_s := self._doubles[peer_id] + DOUBLE_S - trio.current_time()) > 0:  # noqa: ASYNC110 - it waits for the time
            await trio.sleep(left_s)
        del self._doubles[peer_id]
        await self._close_dead(peer_id)
        live = self.direct(peer_id) or self.live(peer_id)
        dialled = [conn for conn in live if getattr(conn, "direction", None) == Direction.OUTBOUND]
        if self.self_id.to_bytes() > peer_id.to_bytes() and len(dialled) < len(live):
            for connection in dialled:
                if not any((stream.get_protocol() or "").startswith(LASTING) for stream in connection.get_streams()):
                    await connection.close()

    async def _close_dead(self, peer_id: ID) -> None:
        heard: dict[PromptConn, bool] = {}

        async def listen_to(conn: PromptConn) -> None:
            heard[conn] = await conn.muxed_conn.is_heard(HEARD_S)

        async with trio.open_nursery() as nursery:
            for conn in self.live(peer_id):
                assert isinstance(conn, PromptConn)
                nursery.start_soon(listen_to, conn)
        for conn in [conn for conn in heard if any(heard.values()) and not heard[conn]]:
            await conn.close()

    # Outbound.

    async def dial_peer(self, peer_id: ID, *, hearsay: bool = False) -> list[INetConn]:
        """Connect to a peer; parallel calls share one dial. Raises SwarmException.

        `hearsay`: the addresses are only claimed by others, so `p2p.hearsay` decides which are tried.
        """
        under_way = self._dials.get(peer_id)
        if under_way is not None:
            await under_way.over.wait()
        if under_way is None or (under_way.hearsay and not hearsay):
            await self.dial_now(peer_id, hearsay=hearsay)
        connections = self.live(peer_id)
        if not connections:
            raise SwarmException(f"cannot reach {peer_id}")
        return connections

    async def dial_now(self, peer_id: ID, *, hearsay: bool = False, direct: bool = False) -> Dial:
        """A separate dial, after any that is under way; does nothing if the peer is connected by then.

        `direct`: not through a relay, and also if it is connected through one.
        """
        while peer_id in self._dials:
            await self._dials[peer_id].over.wait()
        dial = Dial(hearsay=hearsay, direct=direct)
        if self.direct(peer_id) if direct else self.live(peer_id):
            return dial
        self._dials[peer_id] = dial
        try:
            await self._dial(peer_id, dial)
        finally:
            del self._dials[peer_id]
            dial.over.set()
        if not self.live(peer_id):
            self.peerstore.drop_unmet(peer_id)
        return dial

    def forget(self, peer_id: ID) -> None:
        """A peer has left: drop the library's notes for automatic dialling, which is off; they never expire."""
        self.tag_store.clear_peer(peer_id)
        self.auto_connector._recent_disconnects.pop(peer_id, None)

    def live(self, peer_id: ID) -> list[INetConn]:
        """The open connections to a peer."""
        return [conn for conn in self.get_connections(peer_id) if not conn.is_closed]

    def direct(self, peer_id: ID) -> list[PromptConn]:
        """Those of them that go through no relay."""
        live = [conn for conn in self.live(peer_id) if isinstance(conn, PromptConn)]
        return [conn for conn in live if conn.get_connection_type() is not ConnectionType.RELAYED]

    def dial_candidates(self, peer_id: ID) -> list[Multiaddr]:
        """The known addresses that may be dialled, in the order in which they are tried.

        Those of IPv4 and of IPv6 come by turns, beginning with the one that is vouched for; relays come last.
        """
        known = [addr for addr in self.peerstore.dial_order(peer_id) if self.may_dial(addr)]
        relayed = [addr for addr in known if is_relayed(addr)][:MAX_RELAYED]
        return [*by_turns(addr for addr in known if not is_relayed(addr))[: MAX_ADDRS - len(relayed)], *relayed]

    def vouch_for_named(self, peer_id: ID) -> None:
        """A peer has just named its own addresses; only the address that worked comes before them."""
        data = self.peerstore.peer_data_map.get(peer_id)
        named = [addr for addr in data.addrs if self.may_dial(addr)] if data is not None else []
        self.peerstore.vouch(peer_id, [*self.peerstore.vouched(peer_id)[:1], *named])

    def may_dial(self, addr: Multiaddr) -> bool:
        """Whether an address is of a supported kind and allowed."""
        return self._rules.may_dial(addr)

    async def _dial(self, peer_id: ID, dial: Dial) -> None:
        """Try the addresses in order, each with a short head start, until one works."""
        if peer_id == self.self_id or not self._rules.admits(peer_id):
            return
        with trio.move_on_after(self._rules.dial_s):
            async with trio.open_nursery() as nursery:
                for addr in self.dial_candidates(peer_id):
                    if dial.direct and is_relayed(addr):
                        continue
                    now = trio.current_time()
                    if dial.hearsay and not self.hearsay.may_dial(str(addr), peer_id.to_bytes(), now):
                        continue
                    dial.open.add(addr)
                    failed = trio.Event()
                    nursery.start_soon(self._dial_one, addr, peer_id, dial, failed, nursery.cancel_scope)
                    with trio.move_on_after(STAGGER_S):
                        await failed.wait()
        for addr in dial.open:
            self.hearsay.silent(str(addr), trio.current_time())

    async def _dial_one(
        self, addr: Multiaddr, peer_id: ID, dial: Dial, failed: trio.Event, others: trio.CancelScope
    ) -> None:
        try:
            await self._dial_addr_single_attempt(await self._ready_to_dial(addr, peer_id, dial), peer_id)
            self.peerstore.vouch(peer_id, [addr])
            self.hearsay.answered(str(addr), peer_id.to_bytes())
            dial.open.clear()
            dial.worked = addr
            others.cancel()
        except Exception as error:  # noqa: BLE001 - refused, unreachable, another peer, no noise: the next is tried
            dial.open.discard(addr)
            found = other_peer(error)
            if found is not None:
                dial.others[addr] = found
            if found is not None or failed_upgrade(error):
                self.hearsay.another(str(addr), None if found is None else found.to_bytes(), trio.current_time())
            else:
                self.hearsay.silent(str(addr), trio.current_time())
            failed.set()

    async def _ready_to_dial(self, addr: Multiaddr, peer_id: ID, dial: Dial) -> Multiaddr:
        """The address as the transports take it; for one through a relay there is a connection to the relay then."""
        found = relay_of(addr)
        if found is None:
            return addr
        relay_addr, relay = found[0], ID(found[1])
        if not self.direct(relay):
            if dial.hearsay:
                self.peerstore.add_addrs(relay, [relay_addr])
            else:
                self.peerstore.vouch(relay, [relay_addr])
            await self.dial_now(relay, hearsay=dial.hearsay, direct=True)
        return Multiaddr(f"{addr}/p2p/{peer_id}")


def _config(rules: DoorRules) -> ConnectionConfig:
    """No pruning below the maximum: that is decided elsewhere, as dialling is."""
    return ConnectionConfig(
        max_connections=rules.max_connections,
        min_connections=0,
        low_watermark=0,
        high_watermark=rules.max_connections,
        inbound_upgrade_timeout=rules.upgrade_s,
        outbound_upgrade_timeout=rules.upgrade_s,
        inbound_stream_protocol_negotiation_timeout=10,
        outbound_stream_protocol_negotiation_timeout=10,
        dial_timeout=rules.dial_s,
    )
