"""Makes, connects, starts and stops the parts of signing."""

from __future__ import annotations

from functools import partial

from daemon.policy.policy import OwnerPolicy
from daemon.signing.api.approvals import ApprovalMethods
from daemon.signing.api.asked import Asked
from daemon.signing.api.requests import RequestMethods
from daemon.signing.api.sessions import SessionMethods
from daemon.signing.api.unwanted import UnwantedMethods
from daemon.signing.api.visible import Finder
from daemon.signing.engine.engine import Engine
from daemon.signing.engine.events import Teller
from daemon.signing.engine.inbox import Inbox
from daemon.signing.engine.restore import Loader
from daemon.signing.engine.rooms import Berths, Rooms
from daemon.signing.engine.roster import Roster
from daemon.signing.engine.signer import LocalSigner, Signer
from daemon.signing.engine.turn import Turn
from daemon.signing.owner.consent import Consent
from daemon.signing.owner.considering import CoSigners
from daemon.signing.owner.declines import Declines
from daemon.signing.owner.foresight import Foresight
from daemon.signing.owner.own_keys import OwnKeys
from daemon.signing.peers.mutes import Mutes
from daemon.signing.peers.traffic import Traffic
from daemon.signing.ports import Surroundings
from daemon.signing.store import reads as reading
from daemon.signing.store.reviews import Showing
from daemon.signing.sweeper import Sweeper
from musig2.protocol.interface.effects import State
from musig2.protocol.interface.inputs import Restarted
from p2p.network import Standing


def _inbox(around: Surroundings) -> Inbox:
    return Inbox(
        per_party=around.limits.inbox_per_peer,
        total=around.limits.inbox,
        source_of=around.network.source_of,
        is_known=lambda peer: around.standings.of(peer) is Standing.KNOWN,
    )


class SigningService:
    """Requests and sessions of one daemon.

    `requests`, `sessions` and `unwanted` serve RPC, `traffic` hears the network and discovery, `own_keys` the keystore;
    `finder` looks up what a caller may see.
    """

    def __init__(self, around: Surroundings, signer: Signer | None = None) -> None:
        """`signer`: None for the keys of this daemon's keystore."""
        self._around = around
        self._inbox = _inbox(around)
        self._signer = signer or LocalSigner(
            keystore=around.keystore, identity=around.identity, clock=around.clock, addrs=around.addrs
        )
        self._loader = Loader(
            store=around.store,
            keystore=around.keystore,
            identity=around.identity,
            discovery=around.discovery,
            mesh=around.limits.mesh,
        )
        berths = Berths(
            store=around.store, network=around.network, discovery=around.discovery, standings=around.standings
        )
        rooms = Rooms(around.limits.unsolicited_total)
        self._roster = roster = Roster(
            load=self._loader.load,
            request_of=self._loader.request_of,
            mono_ms=around.clock.mono_ms,
            berth_of=berths.of,
            rooms=rooms,
        )
        self._mutes = Mutes(around.store)
        self._declines = Declines(keystore=around.keystore, clock=around.clock)
        self.consent = self._consent()
        self.own_keys = OwnKeys(inbox=self._inbox, roster=roster, declines=self._declines, consent=self.consent)
        self._showing = Showing(around.discovery.own_advertisement, self._keys_of, around.network_name)
        self.traffic = Traffic(
            around,
            inbox=self._inbox,
            roster=roster,
            rooms=rooms,
            berths=berths,
            loader=self._loader,
            declines=self._declines,
            mutes=self._mutes,
            consent=self.consent,
        )
        self.engine = self._engine()
        self.finder = Finder(store=around.store, keystore=around.keystore, roster=roster, showing=self._showing)
        self.requests = self._requests()
        self.approvals = self._approvals()
        self.sessions = SessionMethods(store=around.store, engine=self.engine, finder=self.finder)
        self.unwanted = UnwantedMethods(
            store=around.store, events=around.events, clock=around.clock, finder=self.finder, mutes=self._mutes
        )
        self.sweeper = Sweeper(
            around,
            inbox=self._inbox,
            roster=roster,
            signer=self._signer,
            traffic=self.traffic,
            consent=self.consent,
        )

    def _keys_of(self, scheme: str) -> tuple[bytes, ...]:
        keystore = self._around.keystore
        own = keystore.keys()
        return tuple(key for key in own if keystore.scheme_of(key) == scheme)

    def _consent(self) -> Consent:
        around = self._around
        return Consent(
            policy=around.rules,
            keystore=around.keystore,
            declines=self._declines,
            transactions=around.policy,
            cosigners=CoSigners(
                keystore=around.keystore,
                clock=around.clock,
                network=around.network,
                told=around.shows_considering,
            ),
            inbox=self._inbox,
            roster=self._roster,
            clock=around.clock,
            label_of=around.label_of,
        )

    def foresight(self, policy: OwnerPolicy) -> Foresight:
        """What would become of the open requests under other rules than those of `policy`."""
        around = self._around
        return Foresight(policy=policy, roster=self._roster, keystore=around.keystore, clock=around.clock)

    def _approvals(self) -> ApprovalMethods:
        around = self._around
        return ApprovalMethods(
            store=around.store,
            keystore=around.keystore,
            clock=around.clock,
            engine=self.engine,
            roster=self._roster,
            finder=self.finder,
            policy=around.policy,
            consent=self.consent,
        )

    def _engine(self) -> Engine:
        around = self._around
        return Engine(
            store=around.store,
            events=around.events,
            network=around.network,
            clock=around.clock,
            inbox=self._inbox,
            roster=self._roster,
            signer=self._signer,
            law=self.consent,
            teller=Teller(around.events, self._showing),
            follower=self.traffic,
            limits=around.limits,
            crash_points=around.crash_points,
        )

    def _requests(self) -> RequestMethods:
        around = self._around
        return RequestMethods(
            store=around.store,
            keystore=around.keystore,
            clock=around.clock,
            engine=self.engine,
            roster=self._roster,
            loader=self._loader,
            finder=self.finder,
            asked=Asked(self.finder, around.discovery.standing_of),
            policy=around.policy,
            consent=self.consent,
            schemes=self.traffic.schemes,
            declines=self._declines,
            limits=around.limits,
            refresh=self.traffic.notices.ask_again,
        )

    async def start(self) -> None:
        """Load every unsettled request and start the engine. The network may come up before or after."""
        self._mutes.load()
        if self._around.rules is not None:
            self._around.rules.start()
            await self._around.store.write(self._around.rules.keep_clock)
        restored = self._loader.begin()
        self.traffic.parties.load()
        for request in self._around.store.read(reading.unsettled):
            self._inbox.put(partial(self._resume, request))
        self.consent.consider_all()
        self.engine.start()
        if restored:
            await self._burn()
        self.traffic.start()
        self.sweeper.start()

    def _resume(self, request: bytes, turn: Turn) -> None:
        entry = turn.wake(request)
        if entry is not None:
            self._declines.misfits(turn, entry)
            self.consent.resume(entry)
            self.traffic.delivery.pursue(entry)
            self.traffic.parties.resume(entry)

    async def _burn(self) -> None:
        """After a restore: once it is stored that every open attempt was abandoned, this is not repeated."""
        for _ in range(2):  # the second turn begins after the commit of the first
            await self.engine.do(lambda turn: None)
        await self._loader.burned()

    def let_go(self) -> None:
        """The daemon stops: end the waits for signatures."""
        self.engine.let_go()

    async def quiet(self) -> None:
        """Return when no session is in a round, so that no other signer waits for this daemon."""
        while any(view.state.in_round for entry in self._roster for view in entry.machine.session_views()):
            await self.engine.turned()

    async def stop(self) -> None:
        """End after the current turn. An attempt whose nonce will be lost ends now, and the other signers are told."""
        await self.sweeper.stop()
        await self.traffic.stop()
        self._inbox.put(self._leave)
        await self.engine.stop()
        await self.traffic.counted()

    def _leave(self, turn: Turn) -> None:
        for entry in self._roster:
            if any(view.state is State.ROUND1 for view in entry.machine.session_views()):
                turn.feed(entry, Restarted())
