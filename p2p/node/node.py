"""One life of the libp2p node, on the trio side: builds its parts, runs them, and offers what the facade calls."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable
from contextlib import AsyncExitStack

import trio
from libp2p.abc import INetStream
from libp2p.crypto.keys import KeyPair
from libp2p.custom_types import TProtocol
from libp2p.peer.id import ID
from libp2p.tools.anyio_service import background_trio_service

from musig2.protocol.records.checks import RecordLimits
from p2p.addresses import Multiaddr, is_relayed, join_peer
from p2p.announce import AnnouncedAddresses, listen_addresses, listens_on_loopback_only
from p2p.compat.guard import LOST, AsyncFn
from p2p.dialback.reachability import ReachTests
from p2p.dialback.server import DialBack
from p2p.errors import PeerUnreachable
from p2p.node.bootstrap import Bootstrap
from p2p.node.dht import Dht
from p2p.node.forwarded import ForwardedPorts
from p2p.node.gossip import Gossip
from p2p.node.host import build_host
from p2p.node.idle import IdleConnections
from p2p.node.lasting import Lasting
from p2p.node.mdns import Neighbours
from p2p.node.moves import Moves
from p2p.node.outlet import NodeOutlet
from p2p.node.presence import PeerPresence, is_inbound
from p2p.ports import Departure, NetStats, Offence, PeerArrival, Reach, Standing
from p2p.relay.client import RelayClient
from p2p.relay.service import RelayService
from p2p.relay.upgrade import Upgrades
from p2p.settings import NetworkConfig
from p2p.streams.asks import HEAD_BYTES, Asks
from p2p.streams.gate import Checks, PeerGate
from p2p.streams.links import Deliver, Links

log = logging.getLogger(__name__)
CLOSE_S = 2.0
FEW = 16  # frames of an unknown peer that are charged and handed over together


async def _end_stream(stream: INetStream) -> None:
    """Nothing is said under a protocol that only stands for frames which older versions do not know."""
    await stream.reset()


class NodeLife:
    """Made for each life."""

    def __init__(
        self,
        *,
        config: NetworkConfig,
        key_pair: KeyPair,
        limits: RecordLimits,
        clock_ms: Callable[[], int],
        outlet: NodeOutlet,
        lasting: Lasting,
    ) -> None:
        bans, accounts = self._bans, self._accounts = lasting.bans, lasting.accounts
        accounts.on_ban = outlet.on_ban
        self._config = config
        self._outlet = outlet
        self._listen = listen_addresses(config)
        self._announced = AnnouncedAddresses(config)
        self.host = build_host(
            config,
            key_pair,
            bans,
            accounts,
            self._announced,
            on_fault=self._on_fault,
            on_stream_fault=self._on_stream_fault,
            on_proxy=self._on_proxy,
        )
        self._proxy_fault: str | None = None
        self.host.on_identified = self._on_identified
        self._optional = TProtocol(f"/musigd/{config.network}/considering/1")
        self.host.set_stream_handler(self._optional, _end_stream)
        self.gate = PeerGate(config, outlet, accounts)
        self.reach = Bootstrap(self.host, config, bans.refuses, outlet.bootstrap_faults, lasting.names)
        checks = Checks(self.gate, limits, clock_ms)
        self.dht = Dht(self.host, config, checks, self._on_fault)
        self.gossip = Gossip(self.host, config, checks, outlet.gossip, self._on_fault)
        self.sessions = self._links(
            "session",
            max_frame_bytes=config.max_frame_bytes,
            rates=(config.frame_rate, config.frame_bytes_rate),
            outbox=(config.outbox_frames, min(config.silent_outbox_bytes, config.outbox_bytes), config.outbox_bytes),
            deliver=self._on_session,
        )
        self.asks = Asks(config.asks_in_flight, outlet.question, self.gate.fault, accounts)
        self.directory = self._links(
            "directory",
            max_frame_bytes=config.max_ask_bytes + HEAD_BYTES,
            rates=(config.ask_rate, config.ask_bytes_rate),
            outbox=(config.outbox_frames, config.ask_outbox_bytes, config.ask_outbox_bytes),
            deliver=self.asks.deliver,
        )
        self.directory.on_broken = self.asks.lost
        self.asks.links = self.directory
        self._make_ways(clock_ms)
        swarm = self.host.swarm
        swarm.register_notifee(PeerPresence(swarm.get_connections, self._on_arrived, self._on_improved, self._on_left))

    def _make_ways(self, clock_ms: Callable[[], int]) -> None:
        """What finds out whether this node can be dialled, and the ways around it if not."""
        config, accounts = self._config, self._accounts
        tested = not listens_on_loopback_only(config) if config.dial_back is None else config.dial_back
        self.tests = ReachTests(self.host, self._on_verdict, wanted=tested and not self.host.hidden)
        if not self.host.hidden:
            self.dial_back = DialBack(self.host, accounts)
        self.forwarded = ForwardedPorts(config, self.host, self.tests, self._tell_reachable, clock_ms)
        self.moves = Moves(self.host.swarm.opened, self._on_move)
        self.relays = RelayClient(self.host, clock_ms, self._through_relays)
        self.upgrades = Upgrades(self.host, accounts, lambda: self.relays.relays)
        self.relay: RelayService | None = None
        if config.relay_service:
            self.relay = RelayService(self.host, config, accounts, clock_ms, self._is_of_use)
        self.idle = IdleConnections(
            self.host.swarm,
            config,
            used={self.sessions.used: config.partner_ms, self.directory.used: config.idle_ms},
            needed=self._is_needed,
            neighbours=self.dht.neighbours,
            followers=self.gossip.followers,
        )

    def _links(
        self,
        name: str,
        *,
        max_frame_bytes: int,
        rates: tuple[float, float],
        outbox: tuple[int, int, int],
        deliver: Deliver,
    ) -> Links:
        return Links(
            self.host,
            f"/musigd/{self._config.network}/{name}/1",
            max_frame_bytes=max_frame_bytes,
            rates=rates,
            outbox=outbox,
            is_stranger=lambda peer: self._accounts.standing(peer) is Standing.STRANGER,
            deliver=deliver,
            blame=lambda peer, bad: self.gate.fault(peer, Offence.BAD_ENCODING if bad else Offence.RATE),
        )

    # Running.

    async def run(self, topics: frozenset[str], ready: Callable[[], None], stopping: trio.Event) -> None:
        """Listen, follow the topics, call `ready`; when `stopping` is set, send what is queued and end."""
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self.host.run(self._listen))
            stack.push_async_callback(self._close)
            for service in (self.gossip.router, self.gossip.pubsub, self.dht.service):
                await stack.enter_async_context(background_trio_service(service))
            await self.gossip.pubsub.wait_until_ready()
            await self.gossip.follow(topics)
            self._tell_reachable()
            tasks = self.host.swarm.manager
            tasks.run_daemon_task(self.reach.run)
            for run in (self.reach.named.run, self.relays.run, self.tests.run, self.forwarded.run, self.idle.run):
                tasks.run_daemon_task(run)
            if not self.host.hidden:  # else its addresses are those of the proxy
                tasks.run_daemon_task(self.moves.run)
            self._on_verdict()
            tasks.run_task(Neighbours(self.host, self._config, self.reach).run)
            ready()
            await stopping.wait()
            await self.sessions.flush()

    async def _close(self) -> None:
        """Close all connections at the same time, then free the port; beside it the router ends its mappings."""
        with trio.CancelScope(shield=True), trio.move_on_after(CLOSE_S):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self.forwarded.end)
                async with trio.open_nursery() as goodbyes:
                    for connection in self.host.swarm.get_connections():
                        goodbyes.start_soon(connection.close)
                await self.host.close()

    async def _on_fault(self, fn: AsyncFn, error: Exception) -> None:
        if not isinstance(error, LOST):
            self.gate.counts["fault"] += 1
            log.debug("a background task of libp2p failed: %s", getattr(fn, "__qualname__", fn), exc_info=error)

    def _on_stream_fault(self, peer: ID, error: Exception) -> None:
        """A stream handler failed: a lost connection is nobody's fault, anything else counts against the peer."""
        if not isinstance(error, LOST):
            log.debug("a stream of %s failed", peer, exc_info=error)
            self.gate.fault(peer.to_bytes(), Offence.BAD_ENCODING)

    # What peers do.

    async def _on_session(self, peer: bytes, parts: list[bytes]) -> None:
        known = self._accounts.standing(peer) is Standing.KNOWN
        at_once = len(parts) if known else FEW
        for start in range(0, len(parts), at_once):
            self._outlet.frames(peer, await self.gate.frames(peer, parts[start : start + at_once]))
            if not known:  # what strangers hand over must not stop those with whom own keys sign
                await self._outlet.room()
        if (pause_s := self.gate.pause_s(peer, parts)) > 0:
            await trio.sleep(pause_s)

    def _on_arrived(self, peer: bytes, arrival: PeerArrival) -> None:
        self._accounts.arrived(peer, arrival.host, arrival.relay)
        self.reach.met_one(peer)
        self._outlet.arrived(peer, arrival, self.sessions.of(peer).outbox)

    def _on_improved(self, peer: bytes, arrival: PeerArrival) -> None:
        """There is a direct connection beside those through relays."""
        self._accounts.arrived(peer, arrival.host, arrival.relay)
        self._outlet.improved(peer, arrival)
        for links in (self.sessions, self.directory):
            links.move(peer)
        self.host.swarm.manager.run_task(self.upgrades.retire, ID(peer))

    def _on_left(self, peer: bytes, why: Departure) -> None:
        for links in (self.sessions, self.directory):
            links.drop(peer)
        self.asks.lost(peer)
        self.host.swarm.forget(ID(peer))
        if why is not Departure.UNNEEDED_HERE:  # else it can be asked, and is dialled for that
            self.dht.remove_peer(ID(peer))
        self.reach.lost_one(peer, why)
        self.relays.lost(peer)
        if self.relay is not None:
            self.relay.lost(peer)
        self._outlet.left(peer, why)

    async def _on_identified(self, peer_id: ID, agent: str) -> None:
        """Keep only peers of this network; learn where they can be dialled."""
        protocols = self.host.get_peerstore().get_protocols(peer_id)
        if not any(name.startswith(f"/musigd/{self._config.network}/") for name in protocols):
            await self.reach.part(peer_id.to_bytes())
            return
        addrs = self.host.swarm.dial_candidates(peer_id)
        self.reach.remember(peer_id.to_bytes(), addrs)
        texts = tuple(join_peer(addr.to_bytes(), peer_id.to_bytes()) for addr in addrs)
        self._outlet.identified(peer_id.to_bytes(), agent, texts, optional=self._optional in protocols)
        if self.dht.protocol in protocols and self.host.swarm.direct(peer_id):
            await self.dht.add_peer(peer_id)
        if self._config.relay_upgrade and not self.host.swarm.direct(peer_id):
            live = self.host.swarm.live(peer_id)
            self.upgrades.came(peer_id, inbound=any(is_inbound(conn) for conn in live))
        self.relays.met()
        self.tests.met()
        self._tell_reachable()

    def _through_relays(self, addrs: list[Multiaddr]) -> None:
        self._announced.relayed = addrs
        self._tell_reachable()

    def _on_verdict(self) -> None:
        """Peers have said whether they can dial this node; who has no address to announce need not wait for that."""
        client, verdict = self._config.relay_client, self.tests.verdict
        nowhere = all(map(is_relayed, self.host.get_addrs()))
        private = verdict is Reach.PRIVATE or (verdict is Reach.UNKNOWN and nowhere)
        self._announced.proven = self.tests.proven
        self.relays.want(client == "always" or (client == "auto" and private))
        self._tell_reachable()

    def _is_of_use(self) -> bool:
        """Whether others could dial this node to reach somebody through it."""
        return self.tests.verdict is not Reach.PRIVATE

    def _is_needed(self, peer: bytes) -> bool:
        """Whether the connection to a peer has to stay, however little comes over it."""
        relays_it = self.relay is not None and self.relay.serves(peer)
        if relays_it or peer in self.relays.relays or self.reach.is_wanted(peer):
            return True
        return self.asks.is_under_way(peer) or self._outlet.in_session(peer)

    def _on_move(self) -> None:
        self.tests.moved()
        self.forwarded.moved()
        self.upgrades.puncher.forget()
        self._on_verdict()

    def _on_proxy(self, fault: str | None) -> None:
        self._proxy_fault = fault
        self._tell_reachable()

    def _tell_reachable(self) -> None:
        bound = tuple(str(addr) for addr in self.host.get_transport_addrs())
        self._outlet.reachable(bound, tuple(str(addr) for addr in self.host.get_addrs()))
        found = dataclasses.replace(
            self.tests.report(),
            relays=self.relays.relays,
            lacking=self.relays.lacking,
            serving=self.relay is not None and self._is_of_use(),
            proxied=self.host.hidden,
            proxy_fault=self._proxy_fault,
            mapping=self.forwarded.report,
        )
        self._outlet.reachability(found)

    # What the facade calls.

    async def refuse(self, peer: bytes) -> None:
        """A peer was banned: drop it and what is known of it. Never raises, which would end this life."""
        try:
            self.dht.remove_peer(ID(peer))
            await self.reach.disconnect(peer)
        except Exception as error:  # noqa: BLE001 - closing a connection fails in many ways; the peer is refused anyway
            await self._on_fault(self.refuse, error)

    async def ask(self, peer: bytes, payload: bytes, timeout_ms: int) -> bytes:
        """One directory question."""
        if not self.host.swarm.get_connections(ID(peer)):
            raise PeerUnreachable("peer_unreachable", "the peer is not connected")
        return await self.asks.ask(peer, payload, timeout_ms)

    async def checkpoint(self) -> None:
        """Let the other tasks run once: its return shows that trio runs."""
        await trio.lowlevel.checkpoint()

    async def stats(self) -> NetStats:
        """Counts of this life."""
        await trio.lowlevel.checkpoint()
        return NetStats(
            connections=self.host.swarm.get_total_connections(),
            session_streams=self.sessions.open_streams,
            directory_streams=self.directory.open_streams,
            tasks=trio.lowlevel.current_statistics().tasks_living,
            outbox_frames=self.sessions.waiting_frames,
            outbox_bytes=self.sessions.waiting_bytes,
            pending_asks=self.asks.pending,
            bans=len(self._bans),
            offences=dict(self.gate.counts),
            topics=self.gossip.peers_of_topics(),
            dht_peers=self.dht.size,
        )
