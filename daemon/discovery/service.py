"""Makes, connects, starts and stops the parts of discovery."""

from __future__ import annotations

from daemon.discovery.api.follows import Follows
from daemon.discovery.api.methods import DirectoryMethods
from daemon.discovery.api.queries import SignerSearch
from daemon.discovery.api.signers import KnownSigners
from daemon.discovery.directory.buckets import Buckets
from daemon.discovery.directory.damage import Damage
from daemon.discovery.directory.log import DirectoryLog
from daemon.discovery.directory.reads import DirectoryReads
from daemon.discovery.intake.take_in import Ingest, RecordInbox
from daemon.discovery.own.advertisements import OwnAdvertisements
from daemon.discovery.own.node_record import OwnNode
from daemon.discovery.own.publish import Publisher
from daemon.discovery.own.renewal import Renewal
from daemon.discovery.peers.clocks import PeerClocks
from daemon.discovery.peers.connector import Connector
from daemon.discovery.peers.lookup import Lookup
from daemon.discovery.peers.outcomes import Observations
from daemon.discovery.peers.presence import SignerPresence
from daemon.discovery.peers.problems import Problems
from daemon.discovery.peers.relays import KnownRelays
from daemon.discovery.peers.topics import Topics
from daemon.discovery.peers.traffic import DirectoryTraffic
from daemon.discovery.surroundings import DiscoverySurroundings
from daemon.discovery.sync.answers import Answers, log_name
from daemon.discovery.sync.pull import Puller
from daemon.discovery.sync.rounds import Rounds
from daemon.discovery.unhurried import Unhurried
from daemon.tasks import BackgroundTasks


class DiscoveryService:
    """Phases 0 and 1. Belongs to the event loop; `start` after the event log and the network, `stop` before them.

    `inbox` takes records from topics, `traffic` hears of peers and answers their questions, `methods` serves RPC,
    `signers` answers the rest of the daemon, `clocks` and `problems` report what is wrong, `renewal` hears of unlocked
    keys.
    """

    def __init__(self, around: DiscoverySurroundings) -> None:
        self._around = around
        self._store, self._clock, self._network = around.store, around.clock, around.network
        self._tasks = BackgroundTasks("discovery")
        self._make_directory()
        self._make_intake()
        self._make_own()
        self._make_sync()
        self._make_peers()
        self._make_traffic()
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
        self._unhurried = Unhurried(network.is_calm, clock)
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
            grew=lambda: self._rounds.grew(),  # noqa: PLW0108 - they are made later
            on_notice=around.on_notice,
        )
        self.inbox = RecordInbox(self._ingest, self._unhurried)

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
            serves_as_relay=lambda: network.reachability.serving,
        )
        self.renewal = Renewal(
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
        self.clocks = PeerClocks(net=network, clock=clock, limits=limits)
        self._puller = Puller(
            store=store,
            net=network,
            clock=clock,
            limits=limits,
            buckets=self._buckets,
            ingest=self._ingest,
            unhurried=self._unhurried,
            offend=network.offend,
            log_id=lambda: log_name(events.log_id),
            node=lambda: self._node.envelope,
            heard_time=self.clocks.heard,
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
            greeted=lambda peer, hello: self.traffic.greeted(peer, hello),  # noqa: PLW0108 - it is made later
            charge=network.charge,
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
            clock_is_wrong=self.clocks.is_wrong,
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
        self._company = Connector(
            net=network,
            network=around.network_name,
            clock=clock,
            store=store,
            known_peers=around.known_peers,
            identity=identity,
            types=self._topics.types,
            exchange=self._puller.exchange,
        )
        self._relays = KnownRelays(net=network, clock=clock, store=store, identity=identity)
        self.problems = Problems(net=network, clock=clock, clocks=self.clocks, company=self._company)

    def _make_traffic(self) -> None:
        self.traffic = DirectoryTraffic(
            ingest=self._ingest,
            answers=self._answers,
            rounds=self._rounds,
            presence=self._presence,
            company=self._company,
            topics=self._topics,
            node=self._node,
            renewal=self.renewal,
            tasks=self._tasks,
            offend=self._network.offend,
        )

    def _make_methods(self) -> None:
        around = self._around
        clock, limits = around.clock, around.limits
        self.methods = DirectoryMethods(
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
            pinned=limits.pinned_keys,
        )
        self.followed_by = self._follows.types_of

    async def start(self) -> None:
        """Load the stored directory and start the background tasks."""
        self._store.read(lambda conn: self._buckets.reload(conn, self._clock.wall_ms()))
        self._follows.load()
        self._own.load()
        await self._node.renew()
        self.traffic.start()
        await self._topics.follow()
        for signed in self._reads.notices():
            self._around.on_notice(signed)
        self._tasks.lasting("inbox", self.inbox.run)
        self._tasks.lasting("renewal", self.renewal.run)
        self._tasks.lasting("presence", self._presence.run)
        self._tasks.lasting("rounds", self._rounds.run)
        self._tasks.lasting("company", self._company.run)
        self._tasks.lasting("relays", self._relays.run)
        self._tasks.lasting("damage", lambda: self._damage.run(self._rounds.compare_soon))
        self._tasks.lasting("node record", self._node.run)
        for info in self._network.peers():  # connected before this started
            self._rounds.pull(info.peer)

    async def stop(self) -> None:
        """End all tasks; nothing is sent any more."""
        self.traffic.stop()
        await self._tasks.stop()
        await self._rounds.stop()
        await self._puller.flush()
        await self._observations.write()
