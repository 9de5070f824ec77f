"""Discovery as the rest of the daemon sees it: wires its parts, starts and stops them, hands on what comes in."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from daemon.discovery.api.follows import Follows
from daemon.discovery.api.methods import DiscoveryHandlers
from daemon.discovery.api.queries import SignerSearch
from daemon.discovery.api.signers import KnownSigners
from daemon.discovery.directory.buckets import Buckets
from daemon.discovery.directory.damage import Damage
from daemon.discovery.directory.log import DirectoryLog
from daemon.discovery.directory.reads import DirectoryReads
from daemon.discovery.directory.statements import Statement
from daemon.discovery.intake.inbox import Inbox
from daemon.discovery.intake.origin import RecordOrigin
from daemon.discovery.intake.take_in import Ingest
from daemon.discovery.limits import MINUTE_MS
from daemon.discovery.own.advertisements import OwnAdvertisements
from daemon.discovery.own.node_record import OwnNode
from daemon.discovery.own.publish import Publisher
from daemon.discovery.own.renewal import Renewal
from daemon.discovery.peers.clocks import PeerClocks
from daemon.discovery.peers.dialling import Company
from daemon.discovery.peers.lookup import Lookup
from daemon.discovery.peers.outcomes import Observations
from daemon.discovery.peers.presence import SignerPresence
from daemon.discovery.peers.problems import Problems
from daemon.discovery.peers.topics import Topics
from daemon.discovery.surroundings import DiscoverySurroundings
from daemon.discovery.sync.answers import Answers, log_name
from daemon.discovery.sync.pull import Puller
from daemon.discovery.sync.rounds import Rounds
from daemon.tasks import BackgroundTasks
from musig2.protocol.errors import BadEncoding
from musig2.protocol.records.envelope import open_envelope
from musig2.protocol.records.records import Notice, Record
from musig2.protocol.wire.frames import Signed
from musig2.protocol.wire.sync import MAX_ENVELOPE_BYTES, Busy, Hello, encode_answer
from p2p.network import GossipItem, Offence, PeerChange

HOUSE_MS = MINUTE_MS
NOT_YET_MS = 500


class DiscoveryService:
    """Phases 0 and 1. Belongs to the event loop; `start` after the event log and the network, `stop` before them.

    Set `on_notice` before `start`: it is called with each verified notice, new or from the store. It is the one part
    that comes later, because signing, which hears of notices, is itself made with discovery. What the network hands
    over before `start` is answered with "later" or dropped; synchronisation brings it again.
    """

    def __init__(self, around: DiscoverySurroundings) -> None:
        self.on_notice: Callable[[Signed[Notice]], None] = lambda _: None
        self._around = around
        self._store, self._clock, self._network = around.store, around.clock, around.network
        self._started = False
        self._tasks = BackgroundTasks("discovery")
        self._make_directory()
        self._make_intake()
        self._make_own()
        self._make_sync()
        self._make_peers()
        self._make_methods()

    def _make_directory(self) -> None:
        around = self._around
        store, clock, limits = around.store, around.clock, around.limits
        self._buckets = Buckets()
        log = self._log = DirectoryLog(limits, around.partners)
        self._follows = Follows(store=store, in_force=around.in_force, bound=around.bound)
        self._damage = Damage(store=store, clock=clock, log=log, buckets=self._buckets)
        self._reads = DirectoryReads(store=store, clock=clock, checks=limits.checks, damage=self._damage)
        self._search = SignerSearch(store=store, clock=clock, checks=limits.checks, damage=self._damage)

    def _make_intake(self) -> None:
        around = self._around
        store, events, clock, limits, network = around.store, around.events, around.clock, around.limits, around.network
        self._ingest = Ingest(
            store=store,
            events=events,
            clock=clock,
            limits=limits,
            log=self._log,
            buckets=self._buckets,
            offend=network.offend,
            own_keys=around.keystore.keys,
            followed=self._follows.union,
            followed_by_bound=self._follows.union_of_bound,
            stored=self._on_stored,
        )
        self._inbox = Inbox(self._ingest)

    def _make_own(self) -> None:
        around = self._around
        store, events, clock = around.store, around.events, around.clock
        limits, network, identity = around.limits, around.network, around.identity
        self._publisher = Publisher(net=network, network=around.network_name, limits=limits)
        self._own = OwnAdvertisements(
            store=store,
            events=events,
            clock=clock,
            limits=limits,
            keys=around.keystore,
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
        self._renewal = Renewal(
            own=self._own,
            publisher=self._publisher,
            clock=clock,
            checks=limits.checks,
            identity=identity,
            net=network,
        )

    def _make_sync(self) -> None:
        around = self._around
        store, events, clock, limits, network = around.store, around.events, around.clock, around.limits, around.network
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

    def _make_peers(self) -> None:
        around = self._around
        store, events, clock = around.store, around.events, around.clock
        limits, network, identity = around.limits, around.network, around.identity
        self._observations = Observations(store=store, clock=clock, tasks=self._tasks)
        self._presence = SignerPresence(
            store=store,
            events=events,
            clock=clock,
            limits=limits,
            log=self._log,
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
        self._topics = Topics(net=network, publisher=self._publisher, own=self._own, followed=self._follows.union)
        self._company = Company(
            net=network,
            network=around.network_name,
            clock=clock,
            store=store,
            known_peers=around.known_peers,
            identity=identity,
            types=self._topics.types,
            exchange=self._puller.exchange,
        )
        self._problems = Problems(net=network, clock=clock, clocks=self._clocks, company=self._company)

    def _make_methods(self) -> None:
        around = self._around
        clock, limits = around.clock, around.limits
        self.methods = DiscoveryHandlers(
            own=self._own,
            search=self._search,
            reads=self._reads,
            follows=self._follows,
            rounds=self._rounds,
            keys=around.keystore,
            clock=clock,
            default_ttl_ms=limits.ttl_ms,
            changed=self._topics.follow,
        )
        self.signers = KnownSigners(
            reads=self._reads,
            lookup=self._lookup,
            own=self._own,
            observations=self._observations,
            ingest=self._ingest,
            publisher=self._publisher,
            clock=clock,
        )
        self.followed_by = self._follows.types_of

    async def start(self) -> None:
        """Take up the stored directory and begin to keep it up."""
        self._store.read(lambda conn: self._buckets.reload(conn, self._clock.wall_ms()))
        self._follows.load()
        self._own.load()
        await self._node.renew()
        self._started = True
        await self._topics.follow()
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

    # What the services around ask

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

    async def _network_up(self) -> None:
        await self._topics.follow()
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
