"""Discovery as the rest of the daemon sees it: wires its parts, starts and stops them, hands on what comes in."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from daemon.clock import Clock
from daemon.discovery.api.follows import Follows
from daemon.discovery.api.methods import DiscoveryHandlers
from daemon.discovery.api.queries import SignerSearch
from daemon.discovery.directory.buckets import Buckets
from daemon.discovery.directory.damage import Damage
from daemon.discovery.directory.log import DirectoryLog
from daemon.discovery.directory.reads import DirectoryReads
from daemon.discovery.directory.reputation import SessionOutcome
from daemon.discovery.directory.statements import Statement
from daemon.discovery.intake.inbox import Inbox
from daemon.discovery.intake.origin import RecordOrigin
from daemon.discovery.intake.take_in import Ingest
from daemon.discovery.limits import MINUTE_MS, DiscoveryLimits
from daemon.discovery.own.advertisements import OwnAdvertisements
from daemon.discovery.own.node_record import OwnNode
from daemon.discovery.own.publish import Publisher
from daemon.discovery.own.renewal import Renewal
from daemon.discovery.peers.clocks import PeerClocks
from daemon.discovery.peers.dialling import Company
from daemon.discovery.peers.lookup import Lookup, Route
from daemon.discovery.peers.outcomes import Observations
from daemon.discovery.peers.presence import SignerPresence
from daemon.discovery.peers.problems import Problems
from daemon.discovery.ports import AdvertisedKeys, DirectoryEvents, DirectoryNetwork, Identity, Partners
from daemon.discovery.sync.answers import Answers, log_name
from daemon.discovery.sync.pull import Puller
from daemon.discovery.sync.rounds import Rounds
from daemon.keys.errors import KeyRefused
from daemon.peers.known_peers import KnownPeers
from daemon.store import Store
from daemon.tasks import BackgroundTasks
from musig2.protocol.errors import BadEncoding
from musig2.protocol.records.envelope import open_envelope
from musig2.protocol.records.records import Advertisement, Notice, Record
from musig2.protocol.wire.frames import Signed
from musig2.protocol.wire.sync import MAX_ENVELOPE_BYTES, Busy, Hello, encode_answer
from p2p.network import GossipItem, Offence, P2PError, PeerChange

HOUSE_MS = MINUTE_MS
NOT_YET_MS = 500


class DiscoveryService:
    """Phases 0 and 1. Belongs to the event loop; `start` after the event log and the network, `stop` before them.

    Set `on_notice` before `start`: it is called with each verified notice, new or from the store. What the network
    hands over before `start` is answered with "later" or dropped; synchronisation brings it again.
    """

    def __init__(
        self,
        *,
        store: Store,
        events: DirectoryEvents,
        clock: Clock,
        keystore: AdvertisedKeys,
        identity: Identity,
        network: DirectoryNetwork,
        network_name: str,
        known_peers: KnownPeers,
        limits: DiscoveryLimits,
        partners: Partners = lambda conn: (),
        in_force: Callable[[str], bool] = lambda token: True,
        bound: Callable[[str], bool] = lambda token: False,
    ) -> None:
        """`partners`: whom this daemon is about to sign with.

        `in_force`: whether a token that once followed something is still one; `bound`: to keys.
        """
        self.on_notice: Callable[[Signed[Notice]], None] = lambda _: None
        self._store = store
        self._clock = clock
        self._network = network
        self._started = False
        self._tasks = BackgroundTasks("discovery")
        self._buckets = Buckets()
        log = DirectoryLog(limits, partners)
        self._follows = Follows(store=store, in_force=in_force, bound=bound)
        self._damage = Damage(store=store, clock=clock, log=log, buckets=self._buckets)
        self._reads = DirectoryReads(store=store, clock=clock, checks=limits.checks, damage=self._damage)
        self._search = SignerSearch(store=store, clock=clock, checks=limits.checks, damage=self._damage)
        self._publisher = Publisher(net=network, network=network_name, limits=limits)
        self._ingest = Ingest(
            store=store,
            events=events,
            clock=clock,
            limits=limits,
            log=log,
            buckets=self._buckets,
            offend=network.offend,
            own_keys=keystore.keys,
            followed=self._follows.union,
            followed_by_bound=self._follows.union_of_bound,
            stored=self._on_stored,
        )
        self._inbox = Inbox(self._ingest)
        self._observations = Observations(store=store, clock=clock, tasks=self._tasks)
        self._own = OwnAdvertisements(
            store=store,
            events=events,
            clock=clock,
            limits=limits,
            keys=keystore,
            identity=identity,
            net=network,
            ingest=self._ingest,
            publisher=self._publisher,
        )
        self._node = OwnNode(
            store=store,
            clock=clock,
            checks=limits.checks,
            identity=identity,
            ingest=self._ingest,
            addrs=self._own.addrs,
        )
        self._clocks = PeerClocks(net=network, clock=clock, limits=limits)
        self._puller = Puller(
            store=store,
            net=network,
            clock=clock,
            limits=limits,
            buckets=self._buckets,
            ingest=self._ingest,
            offend=network.offend,
            log_id=lambda: log_name(events.log_id),
            node=lambda: self._node.envelope,
            heard_time=self._clocks.heard,
        )
        self._rounds = Rounds(net=network, clock=clock, limits=limits, puller=self._puller)
        self._answers = Answers(
            store=store,
            clock=clock,
            limits=limits,
            buckets=self._buckets,
            ingest=self._ingest,
            damage=self._damage,
            log_id=lambda: log_name(events.log_id),
            greeted=self._on_hello,
        )
        self._renewal = Renewal(
            own=self._own,
            publisher=self._publisher,
            clock=clock,
            checks=limits.checks,
            identity=identity,
            net=network,
        )
        self._presence = SignerPresence(
            store=store,
            events=events,
            clock=clock,
            limits=limits,
            log=log,
            buckets=self._buckets,
            followed=self._follows.union,
            clock_is_wrong=self._clocks.is_wrong,
            set_back=self._rounds.compare_soon,
        )
        self._lookup = Lookup(
            reads=self._reads,
            ingest=self._ingest,
            net=network,
            clock=clock,
            puller=self._puller,
            rounds=self._rounds,
            tasks=self._tasks,
        )
        self._company = Company(
            net=network,
            network=network_name,
            clock=clock,
            store=store,
            known_peers=known_peers,
            identity=identity,
            types=self._types,
            exchange=self._puller.exchange,
        )
        self._problems = Problems(net=network, clock=clock, clocks=self._clocks, company=self._company)
        methods = DiscoveryHandlers(
            own=self._own,
            search=self._search,
            reads=self._reads,
            follows=self._follows,
            rounds=self._rounds,
            keys=keystore,
            clock=clock,
            default_ttl_ms=limits.ttl_ms,
            changed=self._follow_topics,
        )
        self.followed_by = self._follows.types_of
        self.advertise_signer = methods.advertise_signer
        self.withdraw_advertisement = methods.withdraw_advertisement
        self.list_advertisements = methods.list_advertisements
        self.find_available_signers = methods.find_available_signers
        self.subscribe_to_signer_discovery = methods.subscribe_to_signer_discovery
        self.unsubscribe_from_signer_discovery = methods.unsubscribe_from_signer_discovery

    async def start(self) -> None:
        """Take up the stored directory and begin to keep it up."""
        self._store.read(lambda conn: self._buckets.reload(conn, self._clock.wall_ms()))
        self._follows.load()
        self._own.load()
        await self._node.renew()
        self._started = True
        await self._follow_topics()
        for signed in self._reads.notices():
            self.on_notice(signed)
        self._tasks.lasting("inbox", self._inbox.run)
        self._tasks.lasting("renewal", self._renewal.run)
        self._tasks.lasting("presence", self._presence.run)
        self._tasks.lasting("rounds", self._rounds.run)
        self._tasks.lasting("company", self._company.run)
        self._tasks.lasting("house", self._keep_house)
        for info in self._network.peers():  # they came before this began
            self._rounds.pull(info.peer)

    async def stop(self) -> None:
        """End all tasks; nothing is told to the network any more."""
        self._started = False
        await self._tasks.stop()
        await self._rounds.stop()
        await self._puller.flush()

    # What the network and the keystore tell

    def on_gossip(self, batch: Sequence[GossipItem]) -> None:
        """Records from topics; the gate has checked them."""
        if self._started:
            self._inbox.put(batch)

    def on_peer(self, change: PeerChange) -> None:
        """A peer came or left."""
        self._company.on_peer()
        if self._started:
            self._presence.on_peer(change)
            self._rounds.on_peer(change)

    async def on_ask(self, peer: bytes, payload: bytes) -> bytes:
        """Answer a question of the directory protocol; raises `p2p.network.BadAsk`."""
        if not self._started:
            return encode_answer(Busy(NOT_YET_MS))
        return await self._answers.answer(peer, payload)

    def on_network_up(self) -> None:
        """libp2p listens, perhaps on other addresses than before."""
        if self._started:
            self._tasks.once("network up", self._network_up())

    def on_unlock(self) -> None:
        """Locked keys became usable: advertisements that wait for them can be renewed."""
        self._renewal.wake()

    # What signing and the services around ask

    def peers_of(self, pubkey: bytes) -> list[Route]:
        """Peers with an advertisement of this key, as (peer, addresses), from the directory."""
        return self._lookup.peers_of(pubkey)

    def schemes_of(self, pubkey: bytes) -> frozenset[str]:
        """The schemes under which this key is advertised: one, unless its owner uses it under both."""
        return frozenset(record.scheme for record in self._reads.advertisements_of(pubkey))

    def addresses_of(self, peer: bytes) -> tuple[bytes, ...]:
        """Where the directory says that a peer can be dialled: at most 16 binary multiaddrs."""
        return self._reads.addresses_of(peer)

    async def resolve(self, pubkey: bytes) -> list[Route]:
        """The same after asking the DHT and the peers."""
        return await self._lookup.resolve(pubkey)

    def keys_of_peer(self, peer: bytes) -> list[bytes]:
        """The keys that are advertised at a peer."""
        return self._reads.keys_of_peer(peer)

    def delegation_of(self, pubkey: bytes) -> bytes | None:
        """An envelope by which an own key names this peer; None when the key is locked, paused or not here."""
        try:
            return self._own.delegation(pubkey)
        except KeyRefused:
            return None

    def own_advertisement(self, pubkey: bytes) -> Advertisement | None:
        """What an own key advertises; None when it does not, or has expired. On any thread."""
        row = self._own.row(pubkey)
        signed = None if row is None else row.advertisement
        return signed.record if signed is not None and signed.record.exp > self._clock.wall_ms() else None

    def record_outcome(self, pubkey: bytes, outcome: str, response_ms: int | None = None) -> None:
        """A session with this signer ended: `completed`, `failed` (with a proof against it) or `aborted`."""
        self._observations.note(pubkey, SessionOutcome(outcome), response_ms)

    async def publish_notice(self, signed: Signed[Notice]) -> None:
        """Store an own notice and tell the network."""
        statement = Statement(signed)
        await self._ingest.keep_own(statement, lambda _: None)
        await self._publisher.publish(statement)

    def clock_is_wrong(self) -> bool:
        """Whether peers say so; then nothing is thrown away because of its age."""
        return self._clocks.is_wrong()

    def clock_problem(self) -> str | None:
        """What to do about a clock that is so wrong that peers refuse what is signed here."""
        return self._clocks.remedy() if self._clocks.is_wrong() else None

    def problems(self) -> list[tuple[str, str]]:
        """(reason, remedy) of what keeps others from finding this daemon."""
        return self._problems.found()

    # Inside

    def _on_stored(self, statements: Sequence[Statement]) -> None:
        if statements and self._started:
            self._rounds.grew()
        for statement in statements:
            record = statement.record.record
            if isinstance(record, Notice):
                self.on_notice(Signed(record, statement.record.id, statement.record.envelope))

    async def _on_hello(self, peer: bytes, hello: Hello) -> None:
        self._rounds.greeted(peer, hello)
        if hello.node is not None:
            self._tasks.once("node record", self._take_node(peer, hello.node))

    async def _take_node(self, peer: bytes, envelope: bytes) -> None:
        try:
            records: list[Signed[Record]] = [open_envelope(envelope, max_bytes=MAX_ENVELOPE_BYTES)]
        except BadEncoding:
            self._network.offend(peer, Offence.BAD_ENCODING)
            return
        await self._ingest.take(records, origin=RecordOrigin.SYNC, peer=peer)

    def _types(self) -> frozenset[str]:
        """The types that concern this daemon: followed by a client, or advertised."""
        own = {name for row in self._own.rows() if not row.withdrawn for name in row.types}
        return self._follows.union() | own

    async def _follow_topics(self) -> None:
        topics = {self._publisher.topic_of(name) for name in self._types()}
        try:
            await self._network.follow(frozenset(topics | {self._publisher.requests_topic}))
        except P2PError:
            return  # libp2p is down; `on_network_up` does it again

    async def _network_up(self) -> None:
        await self._follow_topics()
        await self._node.renew()
        self._renewal.network_up()

    async def _keep_house(self) -> None:
        """Look at the stored log once, then mend what readers find and keep the node record young."""
        lost = await self._damage.check_all()
        while True:
            if lost:
                self._rounds.compare_soon()
            await asyncio.sleep(HOUSE_MS / 1000)
            await self._node.renew()
            lost = await self._damage.mend()
