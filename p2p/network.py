"""The libp2p node as plain asyncio methods. The rest of the program uses this, and the plain values and address rules
of this package, never trio or libp2p."""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from libp2p.peer.id import ID

from musig2.protocol.records.checks import RecordLimits
from musig2.protocol.records.peers import peer_text
from p2p.addresses import dial_target, dnsaddr_name
from p2p.announce import check_addresses
from p2p.bans import BanTimes
from p2p.bridge.mirror import Mirror
from p2p.bridge.portal import Portal, down
from p2p.bridge.supervisor import Supervisor
from p2p.errors import AddressError, AskTimeout, NetworkError, P2PError, PeerUnreachable
from p2p.node.host import key_pair_of
from p2p.node.lasting import Lasting
from p2p.node.named import Names
from p2p.node.node import NodeLife
from p2p.ports import (
    BadAsk,
    BootstrapFault,
    Connected,
    Direction,
    GossipItem,
    NetState,
    NetStats,
    NetStatus,
    Offence,
    PeerChange,
    PeerInfo,
    Reach,
    Reachability,
    Sink,
    Standing,
)
from p2p.settings import NetworkConfig
from p2p.sources import source_of
from p2p.streams.accounts import Accounts
from p2p.streams.prices import Work

T = TypeVar("T")
__all__ = [
    "AddressError",
    "AskTimeout",
    "BadAsk",
    "BootstrapFault",
    "Connected",
    "Direction",
    "GossipItem",
    "NetState",
    "NetStats",
    "NetStatus",
    "Network",
    "NetworkConfig",
    "NetworkError",
    "Offence",
    "P2PError",
    "PeerChange",
    "PeerInfo",
    "PeerUnreachable",
    "Reach",
    "Reachability",
    "Sink",
    "Standing",
    "Work",
]


class Network:
    """One libp2p node in a thread of its own. Every method is called on the asyncio loop that called `start`.

    If the libp2p side dies it is restarted with growing pauses and `Sink.on_state` tells; until it is back, calls that
    need it raise NetworkError("p2p_down") and `send` returns False. Bans, named peers, topics and the port survive.
    """

    def __init__(
        self,
        config: NetworkConfig,
        seed: bytes | bytearray,
        sink: Sink,
        clock_ms: Callable[[], int],
        limits: RecordLimits,
    ) -> None:
        """`seed`: 32 bytes, the ed25519 peer identity; `clock_ms`: the wall clock; `limits`: of the four checks.
        Raises NetworkError for a setting or a seed that cannot be used.
        """
        self._config = config
        self._key_pair = key_pair_of(seed)
        check_addresses(config)
        self._sink = sink
        self._clock_ms = clock_ms
        self._limits = limits
        self._lasting = Lasting(BanTimes(clock_ms), Accounts(), Names())
        self.is_calm = self._lasting.accounts.is_calm  # whether no session has been under way lately
        self._topics: frozenset[str] = frozenset()
        self._mirror = Mirror(sink, clock_ms, self._banish)
        self._mirror.send = self.send
        self._portal: Portal | None = None
        self._node: NodeLife | None = None
        self._supervisor = Supervisor(
            begin=self._begin,
            ended=self._ended,
            up=lambda: NetState(NetStatus.UP, self._mirror.multiaddrs),
            tell=sink.on_state,
            pause_s=config.restart_pause_ms / 1000,
        )
        self._peer = ID.from_pubkey(self._key_pair.public_key).to_bytes()
        self.frames_sent = 0

    # Life.

    @property
    def peer(self) -> bytes:
        """This node's peer id, binary."""
        return self._peer

    @property
    def peer_text(self) -> str:
        """This node's peer id, `12D3Koo...`."""
        return peer_text(self._peer)

    @property
    def configured(self) -> frozenset[bytes]:
        """The peers that the settings name for the start."""
        named = [(dnsaddr_name(text), text) for text in self._config.bootstrap]
        peers = [dial_target(text)[1] if name is None else name[1] for name, text in named]
        return frozenset(peer for peer in peers if peer is not None)

    @property
    def alive(self) -> bool:
        """True while the libp2p side listens."""
        return self._portal is not None and self._portal.alive

    def multiaddrs(self) -> tuple[str, ...]:
        """Dialable addresses of this node with `/p2p/...`: announced, observed, listening; never 0.0.0.0."""
        return self._mirror.multiaddrs

    async def start(self) -> None:
        """Return when listening. Raises NetworkError with a sentence when it cannot (a taken port, a bad address)."""
        await self._supervisor.start()

    async def stop(self) -> None:
        """Close everything; no thread, socket or task is left. May be called twice."""
        await self._supervisor.stop()
        await self._mirror.stop()

    async def _begin(self) -> Portal:
        """One life: a portal, and in it a node."""
        portal = self._portal = self._mirror.portal = Portal()
        try:
            await portal.start(self._live)
        except NetworkError:
            raise
        except Exception as error:
            raise NetworkError("start_failed", f"the libp2p side failed while starting: {error!r}") from error
        self._config = dataclasses.replace(self._config, listen=self._mirror.bound or self._config.listen)
        return portal

    def _ended(self) -> None:
        """Drop the state of a life that has ended."""
        self._mirror.forget_all()
        self._portal = self._node = None

    async def _live(self, portal: Portal) -> None:
        """On the trio side."""
        node = self._node = NodeLife(
            config=self._config,
            key_pair=self._key_pair,
            limits=self._limits,
            clock_ms=self._clock_ms,
            outlet=self._mirror,
            lasting=self._lasting,
        )
        self._mirror.answer, self._mirror.refuse = node.asks.answer, node.asks.refuse
        portal.at_end = node.host.swarm.opened.close_all
        await node.run(self._topics, portal.ready, portal.stopping)

    async def _call(self, method: Callable[[NodeLife], Callable[..., Awaitable[T]]], *args: object) -> T:
        if self._portal is None or self._node is None or not self._portal.alive:
            raise down()
        return await self._portal.call(method(self._node), *args)

    # Peers.

    def send(self, peer: bytes, frames: Sequence[bytes]) -> bool:
        """Queue encoded frames for a peer. False: not connected, or its outbox is full; then nothing was queued.

        All that is queued in one turn of the loop is sent in one write. Delivery is not guaranteed.
        """
        contact = self._mirror.contacts.get(peer)
        if contact is None or self._portal is None or self._node is None or not contact.outbox.put(frames):
            return False
        self.frames_sent += len(frames)
        self._portal.post(self._node.sessions.wake, peer)
        return True

    def send_optional(self, peer: bytes, frames: Sequence[bytes]) -> None:
        """Send encoded frames that not every version knows, if the peer says by identify that it takes them."""
        self._mirror.send_optional(peer, frames)

    @property
    def session_streams(self) -> int:
        """Streams that carry frames now."""
        return 0 if self._node is None or not self.alive else self._node.sessions.open_streams

    def connected(self, peer: bytes) -> bool:
        """True while there is a connection."""
        return peer in self._mirror.contacts

    def source_of(self, peer: bytes) -> bytes:
        """The address range that a connected peer comes from; the peer itself if that is private or unknown."""
        contact = self._mirror.contacts.get(peer)
        return peer if contact is None else source_of(peer, contact.arrival.host, contact.arrival.relay)

    def peers(self) -> list[PeerInfo]:
        """The connected peers."""
        return self._mirror.peers()

    async def dial(self, peer: bytes, addrs: Sequence[bytes], *, hearsay: bool = False) -> bool:
        """Connect at these or already known addresses; parallel dials of one peer are one. True: connected.

        `hearsay`: nobody here asked for that peer; no address is dialled more often than `p2p.hearsay` says.
        """
        return self.connected(peer) or await self._call(lambda node: node.reach.dial, peer, addrs, hearsay)

    async def connect(self, multiaddr: str) -> Connected:
        """Connect to `.../p2p/<peer>` and stay so; keep an address that works. Raises AddressError, PeerUnreachable."""
        addr, peer = dial_target(multiaddr)
        return Connected(peer, await self._call(lambda node: node.reach.connect, peer, addr))

    @property
    def reachability(self) -> Reachability:
        """Whether others can dial this node, as far as is known."""
        return self._mirror.found

    def offer_relays(self, relays: Sequence[tuple[bytes, Sequence[bytes]]]) -> None:
        """Peers that say that they are relays, with their addresses. They are dialled only as hearsay, if needed."""
        if self._portal is not None and self._node is not None:
            self._portal.post(self._node.relays.offer, relays)

    @property
    def bootstrap_faults(self) -> tuple[BootstrapFault, ...]:
        """The bootstrap addresses that are known to be unusable."""
        return self._mirror.faults

    async def disconnect(self, peer: bytes) -> None:
        """Close all connections to a peer, which is kept no more; nothing when there is none."""
        await self._call(lambda node: node.reach.part, peer)

    def set_ban(self, peer: bytes, until_ms: int) -> None:
        """Refuse and drop this peer until then (wall clock)."""
        self._lasting.bans.set(peer, until_ms)
        if self._portal is not None and self._node is not None and self._lasting.bans.refuses(peer):
            self._portal.post(self._portal.spawn, self._node.refuse, peer)

    def lift_ban(self, peer: bytes) -> None:
        """Let a peer in again and forget its offences."""
        self._lasting.bans.lift(peer)
        if self._portal is not None and self._node is not None:
            self._portal.post(self._node.gate.forgive, peer)

    def offend(self, peer: bytes, kind: Offence) -> None:
        """Count an offence that only the caller could see, as if the gate had seen it."""
        if self._portal is not None and self._node is not None:
            self._portal.post(self._node.gate.fault, peer, kind)

    def stand(self, peer: bytes, standing: Standing) -> None:
        """How well a peer is known from now on, whether or not it is connected; until then it is a stranger."""
        self._portal_or_now(self._lasting.accounts.stand, peer, standing)

    def fine(self, peer: bytes, amount: float = 1) -> None:
        """Charge a peer for a refused request: there was no room, or nobody knows what it asked about."""
        self._portal_or_now(self._lasting.accounts.fine, peer, Work.REFUSED, amount)

    def charge(self, peer: bytes, work: Work, amount: float = 1) -> None:
        """Charge a peer for work that only the caller sees."""
        self._portal_or_now(self._lasting.accounts.charge, peer, work, amount)

    def hurry(self) -> None:
        """A session is under way: strangers are served more slowly for a moment."""
        self._lasting.accounts.hurry()

    def _portal_or_now(self, fn: Callable[..., object], *args: object) -> None:
        """The accounts belong to the trio side while there is one."""
        if self._portal is not None and self._portal.alive:
            self._portal.post(fn, *args)
        else:
            fn(*args)

    def _banish(self, peer: bytes) -> None:
        """On the trio side: the gate bans a peer."""
        self._lasting.bans.set(peer, self._clock_ms() + self._config.ban_ms)
        if self._portal is not None and self._node is not None:
            self._portal.spawn(self._node.refuse, peer)

    # Topics, DHT, directory.

    async def follow(self, topics: frozenset[str]) -> None:
        """Be subscribed to exactly these topics; others are left. Kept when the libp2p side is down just now."""
        self._topics = topics
        if self.alive:
            await self._call(lambda node: node.gossip.follow, topics)

    async def publish(self, topic: str, data: bytes) -> int:
        """Publish one envelope; return how many peers of the topic are known. Own messages are not received."""
        self._fits(data, self._config.max_gossip_bytes)
        return await self._call(lambda node: node.gossip.publish, topic, data)

    async def dht_put(self, key: bytes, value: bytes) -> bool:
        """Store an envelope under a public key; False: refused by the validator, or no peer took it."""
        return await self._call(lambda node: node.dht.put, key, value)

    async def dht_get(self, key: bytes) -> bytes | None:
        """The newest valid envelope under a public key, asked from the network, not from the own copy."""
        return await self._call(lambda node: node.dht.get, key)

    async def provide(self, key: bytes) -> None:
        """Announce in the DHT that this node serves `key`."""
        await self._call(lambda node: node.dht.provide, key)

    async def find_providers(self, key: bytes) -> list[tuple[bytes, tuple[bytes, ...]]]:
        """Peers (each once, with addresses) that say they serve `key`; a hint, not to be trusted."""
        return await self._call(lambda node: node.dht.find_providers, key)

    async def ask(self, peer: bytes, payload: bytes, timeout_ms: int) -> bytes:
        """One directory question and its answer. Raises AskTimeout, PeerUnreachable, NetworkError."""
        self._fits(payload, self._config.max_ask_bytes)
        return await self._call(lambda node: node.ask, peer, payload, timeout_ms)

    def _fits(self, data: bytes, most: int) -> None:
        if len(data) > most:
            raise P2PError("too_large", f"{len(data)} bytes are more than the {most} that peers accept")

    async def answers(self) -> None:
        """Return when the libp2p side has answered. Raises NetworkError `p2p_down`."""
        await self._call(lambda node: node.checkpoint)

    async def stats(self) -> NetStats:
        """What is open and queued right now; zeroes when the libp2p side is down."""
        if not self.alive:
            return NetStats(restarts=self._supervisor.restarts, bans=len(self._lasting.bans))
        counted = await self._call(lambda node: node.stats)
        return dataclasses.replace(counted, restarts=self._supervisor.restarts)
