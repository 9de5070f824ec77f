"""The composition root: makes every part, connects them, and starts them in the order of their dependencies.

store -> events, keystore, tokens, bans        what is on this machine
      -> network <-> junction                  what reaches peers
      -> discovery, signing                    what the daemon does
      -> rpc                                   what clients reach: last up, first down
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import TypeAlias

from config.locations import DATABASE_NAME, LOCK_NAME
from config.output.outlet import OutletState
from config.running_settings import RunningSettings
from config.settings import Settings
from daemon.access.idempotency import StoredAnswers
from daemon.access.tokens import Tokens
from daemon.api.guard import HandlerGuard
from daemon.audit.calls import CallRecorder
from daemon.audit.log import AuditLog
from daemon.backend import backend_of
from daemon.clock import SystemClock
from daemon.contact import Contact
from daemon.discovery.service import DiscoveryService
from daemon.discovery.surroundings import DiscoverySurroundings
from daemon.events import EventLog
from daemon.host.datadir import Datadir
from daemon.host.own_files import OwnFiles
from daemon.host.slow_disk import off_loop
from daemon.keys.identity import IDENTITY_NAME, load_seed, make_seed, write_seed
from daemon.keys.keystore import Keystore
from daemon.keys.lock_events import LockEvents
from daemon.keys.passphrase import find_passphrase
from daemon.limits import discovery_limits, network_config, rpc_config, signing_limits, wire_limits
from daemon.peers.bans import Bans
from daemon.peers.junction import Junction
from daemon.peers.known_peers import KnownPeers
from daemon.peers.standings import Standings
from daemon.policy.in_force import FILE_NAME, RulesOnRecord, refuse_lost
from daemon.policy.policy import OwnerPolicy, PolicySurroundings
from daemon.policy.transactions import TransactionPolicy
from daemon.signing.ports import Surroundings
from daemon.signing.service import SigningService
from daemon.signing.store.reads import keys_about_to_sign
from daemon.store import Store
from daemon.upkeep import datadir_parts
from daemon.upkeep.file_watch import FileWatch
from daemon.upkeep.health import DaemonHealth
from daemon.upkeep.metrics import DaemonMetrics
from daemon.upkeep.retention import Retention
from daemon.webhooks.deliveries import Deliveries
from daemon.webhooks.hooks import Webhooks
from daemon.webhooks.places import Places
from musig2.protocol.records.peers import PeerIdentity
from p2p.addresses import split_peer
from p2p.network import Network
from rpc.caller import OWNER
from rpc.handlers import handlers_of
from rpc.ports import Reloaded
from rpc.server.server import RpcServer

DISK_SECONDS = 5.0  # at a stop, for a disk that hangs; the next start replaces what could not be removed


# Reads the settings of this daemon again; returns what `POST /reload` answers.
OnReload: TypeAlias = "Callable[[App], Awaitable[Reloaded]]"


class App:
    """One daemon in a claimed data directory. Made inside the event loop; raises IncompleteDatadir, StoreError."""

    def __init__(
        self,
        settings: Settings,
        datadir: Datadir,
        log_state: Callable[[], OutletState] = OutletState.of_none,
        running: RunningSettings | None = None,
        *,
        on_stop: Callable[[], None] = lambda: None,
        on_reload: OnReload | None = None,
    ) -> None:
        """`log_state`: the state of the log output. `running`: the settings as changed by reloads since the start.

        `on_stop`, `on_reload`: called when somebody asks for it through the unix socket.
        """
        self.settings = settings
        self.on_stop = on_stop
        self._on_reload = on_reload
        self._log_state = log_state
        self._running = RunningSettings(settings) if running is None else running
        self._datadir = datadir
        self.version = version("musigd")
        found = datadir_parts.look(datadir.path, settings.keys.passphrase_file, os.environ)
        self._is_first_start = datadir_parts.begin(datadir.path, found)
        self._stops: list[Callable[[], Awaitable[object]]] = []
        self._make_local_parts()
        self._make_network()
        self._make_services()
        self._make_server()

    def _make_local_parts(self) -> None:
        self.clock = SystemClock()
        self.store = Store.open(self._datadir.path / DATABASE_NAME, lock=self._datadir.path / LOCK_NAME)
        self.file_watch = FileWatch(OwnFiles(), self.store.gone)
        self.audit = AuditLog(self.clock)
        self.events = EventLog(store=self.store, clock=self.clock)
        self.keystore = Keystore(store=self.store, clock=self.clock, events=self.events)
        self.lock_events = LockEvents(store=self.store, events=self.events, keystore=self.keystore)
        self.tokens = Tokens(store=self.store, clock=self.clock, events=self.events)
        self.idempotency = StoredAnswers(store=self.store, clock=self.clock)
        self.recorder = CallRecorder(audit=self.audit, store=self.store, tokens=self.tokens, clock=self.clock)
        self.bans = Bans(store=self.store, clock=self.clock, events=self.events)
        self.known_peers = KnownPeers(store=self.store, clock=self.clock)
        self.retention = Retention(
            clock=self.clock,
            keep_events_ms=self.settings.store.keep_events,
            keep_audit_ms=self.settings.store.keep_audit,
            store=self.store,
            events=self.events,
            idempotency=self.idempotency,
            tokens=self.tokens,
            bans=self.bans,
            known_peers=self.known_peers,
            clock_is_wrong=lambda: self.discovery.clocks.is_wrong(),  # noqa: PLW0108 - it is made later
            is_calm=lambda: self.network.is_calm(),  # noqa: PLW0108 - as above
        )

    def _make_network(self) -> None:
        make = self._is_first_start and not (self._datadir.path / IDENTITY_NAME).exists()
        seed = make_seed(self._datadir.path) if make else load_seed(self._datadir.path)
        self.identity = PeerIdentity(seed)
        self._write_identity = lambda: write_seed(self._datadir.path, seed)
        self.junction = Junction(
            store=self.store,
            events=self.events,
            bans=self.bans,
            known_peers=self.known_peers,
            ban_ms=self.settings.limits.ban_ms,
            now_ms=self.clock.wall_ms,
        )
        self.network = Network(
            network_config(self.settings, self.version),
            seed,
            self.junction,
            self.clock.wall_ms,
            wire_limits(self.settings),
        )

    def _make_services(self) -> None:
        self.discovery = DiscoveryService(
            DiscoverySurroundings(
                store=self.store,
                events=self.events,
                keystore=self.keystore,
                identity=self.identity,
                network=self.network,
                network_name=self.settings.network,
                known_peers=self.known_peers,
                clock=self.clock,
                limits=discovery_limits(self.settings),
                partners=keys_about_to_sign,
                in_force=lambda token: token == OWNER or self.tokens.get(token) is not None,
                bound=lambda token: (fact := self.tokens.get(token)) is not None and fact.keys is not None,
                on_notice=lambda notice: self.signing.traffic.on_notice(notice),  # noqa: PLW0108 - it is made later
            )
        )
        self.standings = Standings(
            tell=self.network.stand,
            look_up=self.discovery.signers.standing_of_peer,
            configured=self.network.configured,
        )
        self.policy = self._owner_policy()
        self.rules_on_record = RulesOnRecord(self.policy, self.settings.policy.file, self.audit)
        self.signing = SigningService(
            Surroundings(
                store=self.store,
                events=self.events,
                keystore=self.keystore,
                identity=self.identity,
                network=self.network,
                discovery=self.discovery.signers,
                clock=self.clock,
                policy=TransactionPolicy(),
                network_name=self.settings.network,
                rules=self.policy,
                shows_considering=self.settings.policy.show_considering,
                label_of=self.tokens.called,
                addrs=lambda: tuple(split_peer(text)[0] for text in self.network.multiaddrs()),
                standings=self.standings,
                limits=signing_limits(self.settings),
                clock_is_wrong=self.discovery.clocks.is_wrong,
            )
        )
        hooks = Webhooks(store=self.store, clock=self.clock, events=self.events)
        proxied = self.settings.p2p.socks5 is not None
        places = Places(private=self.settings.rpc.webhook_private_addresses, only_here=proxied)
        self.webhooks = Deliveries(hooks, self.identity, self.tokens.caller, self.discovery.followed_by, places=places)
        self.keystore.on_lock(self.signing.own_keys.on_locked)
        self.keystore.on_unlock(self.discovery.renewal.wake)
        self.keystore.on_unlock(self.signing.own_keys.on_unlock)
        self.junction.attach(
            records=self.discovery.inbox.put,
            discovery=self.discovery.traffic,
            signing=self.signing.traffic,
            standings=self.standings,
            set_ban=self.network.set_ban,
        )

    def _owner_policy(self) -> OwnerPolicy:
        named = self.settings.policy.file
        around = PolicySurroundings(
            store=self.store,
            clock=self.clock,
            network=self.settings.network,
            reputation_of=self.discovery.signers.score_of,
            clock_is_wrong=self.discovery.clocks.is_wrong,
        )
        policy = OwnerPolicy(around, named or self._datadir.path / FILE_NAME, required=named is not None)
        if not policy.active:
            self.store.read(lambda conn: refuse_lost(conn, self._datadir.path))
        return policy

    def _make_server(self) -> None:
        self.health = DaemonHealth(
            store=self.store,
            keystore=self.keystore,
            network_state=lambda: self.junction.state,
            clock_problem=self.discovery.clocks.problem,
        )
        backend = backend_of(self, self._running, self._log_state)
        socket = self._datadir.socket(os.environ)
        self.server = RpcServer(
            rpc_config(self.settings, self.version, socket),
            handlers_of(backend),
            guard=HandlerGuard(self.keystore, self.signing.finder),
            events=self.events,
            tokens=self.tokens,
            idempotency=self.idempotency,
            followed=self.discovery.followed_by,
            health=self.health,
            schemes_of=self.signing.traffic.schemes.of,
            metrics=DaemonMetrics(
                store=self.store, network=self.network, offences=self.junction.offences, log_state=self._log_state
            ),
            recorder=self.recorder,
            stop=self._stop_for,
            reload=self._reload_for,
            now_ms=self.clock.wall_ms,
        )
        self._make_contact(socket)

    def _make_contact(self, socket: Path) -> None:
        self.contact = Contact(
            settings=self.settings,
            datadir=self._datadir,
            socket=socket,
            tokens=self.tokens,
            keystore=self.keystore,
            network=self.network,
            server=self.server,
            watch=self.file_watch,
            write_identity=self._write_identity,
        )

    async def start(self) -> None:
        """Start every part; whatever raises here ends the start, and `stop` then stops what was started."""
        self._stops.append(self.store.close)
        await self.events.start()
        await self.store.write(self.rules_on_record.note)
        await self.tokens.start()
        await self.bans.start()
        await self._start_keystore()
        for ban in self.bans.in_force():
            self.network.set_ban(ban.peer, ban.until_ms)
        local = (self.lock_events, self.retention)
        for part in (
            *local,
            self.junction,
            self.network,
            self.discovery,
            self.signing,
            self.webhooks,
            self.server,
            self.contact,
        ):
            self._stops.append(part.stop)
            await part.start()

    async def _start_keystore(self) -> None:
        passphrase = find_passphrase(self._datadir.path, self.settings.keys.passphrase_file, os.environ)
        self._stops.append(self._wipe_keys)
        await self.keystore.start(passphrase)
        datadir_parts.finish(self._datadir.path)

    async def _wipe_keys(self) -> None:
        self.keystore.stop()

    def _stop_for(self, mark: str) -> bool:
        """A request through the socket to stop the daemon with this lock; False if that is another daemon."""
        if mark != self._datadir.mark:
            return False
        self.on_stop()
        return True

    async def _reload_for(self, mark: str) -> Reloaded | None:
        """The same for reading the settings again."""
        if mark != self._datadir.mark or self._on_reload is None:
            return None
        return await self._on_reload(self)

    async def drain(self) -> None:
        """No new work; wait until sessions that are in a round have ended, at most `drain_ms`."""
        self.server.drain()
        self.contact.let_go()
        with suppress(TimeoutError):
            async with asyncio.timeout(DISK_SECONDS):
                await off_loop(self._datadir.remove_endpoint)
        try:
            async with asyncio.timeout(self.settings.drain_ms / 1000):
                await self.signing.quiet()
        except TimeoutError:
            pass  # open sessions are stored, and continue after the next start
        self.signing.let_go()

    async def stop(self) -> None:
        """Stop everything in reverse order; every part is stopped even if another fails."""
        failures: list[Exception] = []
        while self._stops:
            try:
                await self._stops.pop()()
            except Exception as error:  # noqa: BLE001 - collected and raised below, after the others had their turn
                failures.append(error)
        if failures:
            raise ExceptionGroup("parts that did not stop cleanly", failures)
