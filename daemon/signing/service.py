"""The signing part of the daemon: everything in this folder, wired together."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial

from daemon.clock import Clock
from daemon.signing.api.requests import RequestMethods
from daemon.signing.api.sessions import SessionMethods
from daemon.signing.api.visible import Finder
from daemon.signing.engine.declines import Declines
from daemon.signing.engine.engine import Engine
from daemon.signing.engine.events import Teller
from daemon.signing.engine.restore import Loader
from daemon.signing.engine.roster import OpenRequest, Roster
from daemon.signing.engine.signer import LocalSigner, Signer
from daemon.signing.engine.turn import Part, Turn
from daemon.signing.limits import SigningLimits
from daemon.signing.peers.admission import Admission
from daemon.signing.peers.dialling import Delivery
from daemon.signing.peers.incoming import Arrivals
from daemon.signing.peers.key_schemes import KeySchemes
from daemon.signing.peers.notices import Notices
from daemon.signing.peers.outcomes import Outcomes
from daemon.signing.ports import (
    NO_CRASH_POINTS,
    CrashPoints,
    Identity,
    Policy,
    SessionEvents,
    SignerDirectory,
    SigningKeystore,
    SigningNetwork,
    SigningStore,
)
from daemon.signing.store import reads as reading
from daemon.signing.store import writes as rows
from daemon.signing.store.retention import delete_old
from musig2.protocol.interface.effects import SaveJoin, State
from musig2.protocol.interface.inputs import OwnerAbort, Restarted
from musig2.protocol.records.records import Notice
from musig2.protocol.wire.frames import Frame, Signed

SWEEP_MS = 10_000


class SigningService:
    """Requests and sessions of one daemon. `requests` and `sessions` serve RPC; the composition root calls the rest.

    `finder` looks up what a caller may see.
    """

    def __init__(
        self,
        *,
        store: SigningStore,
        events: SessionEvents,
        keystore: SigningKeystore,
        identity: Identity,
        network: SigningNetwork,
        discovery: SignerDirectory,
        clock: Clock,
        policy: Policy,
        addrs: Callable[[], tuple[bytes, ...]],
        limits: SigningLimits | None = None,
        signer: Signer | None = None,
        crash_points: CrashPoints = NO_CRASH_POINTS,
        clock_is_wrong: Callable[[], bool] = lambda: False,
    ) -> None:
        """`addrs`: the binary multiaddrs of this daemon right now, for its joins; `clock_is_wrong`: as peers say."""
        self._clock_is_wrong = clock_is_wrong
        limits = SigningLimits() if limits is None else limits
        self._store, self._clock, self._limits, self._network = store, clock, limits, network
        self._signer = signer or LocalSigner(keystore=keystore, identity=identity, clock=clock, addrs=addrs)
        self._loader = Loader(store=store, keystore=keystore, identity=identity, discovery=discovery)
        self._roster = Roster(load=self._loader.load, request_of=self._loader.request_of)
        self.engine = Engine(
            store=store,
            events=events,
            network=network,
            clock=clock,
            roster=self._roster,
            signer=self._signer,
            teller=Teller(events, discovery.own_advertisement),
            limits=limits,
            crash_points=crash_points,
        )
        self.engine.follower = self
        self.schemes = KeySchemes(keystore=keystore, discovery=discovery)
        self._declines = Declines(keystore=keystore, clock=clock)
        self._notices = Notices(
            store=store,
            network=network,
            discovery=discovery,
            keystore=keystore,
            identity=identity,
            clock=clock,
            roster=self._roster,
            schemes=self.schemes,
            limits=limits,
        )
        self._delivery = Delivery(
            network=network,
            discovery=discovery,
            roster=self._roster,
            clock=clock,
            limits=limits,
            put=self.engine.put,
            unreached=self._notices.unreached,
        )
        self._arrivals = Arrivals(
            store=store,
            roster=self._roster,
            loader=self._loader,
            intake=Admission(roster=self._roster, limits=limits),
            declines=self._declines,
            serve=self._notices.serve,
            limits=limits,
        )
        self._outcomes = Outcomes(discovery=discovery, pause=keystore.pause)
        self.finder = finder = Finder(
            store=store, keystore=keystore, roster=self._roster, criteria_of=discovery.own_advertisement
        )
        self.requests = RequestMethods(
            store=store,
            keystore=keystore,
            clock=clock,
            engine=self.engine,
            roster=self._roster,
            loader=self._loader,
            finder=finder,
            policy=policy,
            schemes=self.schemes,
            declines=self._declines,
            limits=limits,
            refresh=self._notices.ask_again,
        )
        self.sessions = SessionMethods(store=store, engine=self.engine, finder=finder)
        self._frames_of: Counter[bytes] = Counter()  # in the inbox, by peer
        self._sweeper: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Take up everything that is not settled, and begin to turn. The network may come up before or after."""
        self._loader.burn = self._store.read(reading.is_restored)
        for request in self._store.read(reading.unsettled):
            self.engine.put(partial(self._resume, request))
        self.engine.start()
        if self._loader.burn:
            await self._burned()
        self._delivery.start()
        self._sweeper = asyncio.create_task(self._sweep(), name="signing sweeper")

    def let_go(self) -> None:
        """The daemon stops: whoever waits for a signature is told so."""
        if not self.engine.leaving.done():
            self.engine.leaving.set_result(None)

    async def quiet(self) -> None:
        """Return when no session is in a round: nothing of this daemon's is waited for by others."""
        while any(self._in_round(entry) for entry in self._roster):
            await self.engine.turned()

    def _in_round(self, entry: OpenRequest) -> bool:
        return any(view.state.in_round for view in entry.machine.session_views())

    @property
    def open_requests(self) -> int:
        """How many requests are in memory."""
        return len(self._roster)

    async def stop(self) -> None:
        """End after the turn under way. An attempt whose nonce will be lost ends now; the others are told."""
        if self._sweeper is not None:
            self._sweeper.cancel()
            await asyncio.gather(self._sweeper, return_exceptions=True)
            self._sweeper = None
        await self._delivery.stop()
        await self._notices.stop()
        self.engine.put(self._leave)
        await self.engine.stop()
        await self._outcomes.stop()

    def _leave(self, turn: Turn) -> None:
        for entry in self._roster:
            if any(view.state is State.ROUND1 for view in entry.machine.session_views()):
                turn.feed(entry, Restarted())

    # What the network and the keystore tell

    def on_frames(self, batch: Sequence[tuple[bytes, Frame]]) -> None:
        """Frames from peers, signatures checked."""
        room = max(0, self._limits.inbox - self.engine.waiting)
        for peer, frame in batch[:room]:
            if self._frames_of[peer] < self._limits.inbox_per_peer:
                self._frames_of[peer] += 1
                self.engine.put(partial(self._take, peer=peer, frame=frame))

    def _take(self, turn: Turn, *, peer: bytes, frame: Frame) -> None:
        self._frames_of[peer] -= 1
        if not self._frames_of[peer]:
            del self._frames_of[peer]
        self._arrivals.take(turn, peer=peer, frame=frame)

    def on_connected(self, peer: bytes) -> None:
        """A peer has its first connection."""
        self.engine.put(lambda turn: self._delivery.connected(turn, peer))

    def on_disconnected(self, peer: bytes) -> None:
        """A peer lost its last connection."""
        self.engine.put(lambda turn: self._delivery.disconnected(turn, peer))

    def on_notice(self, signed: Signed[Notice]) -> None:
        """A verified notice that discovery brought, new or from its store."""
        self._notices.on_notice(signed)

    def on_locked(self, keys: Sequence[bytes] | None = None) -> None:
        """These own keys (None: all) are locked or paused: their sessions end now, with their secret nonces."""
        self.engine.put(lambda turn: self._lock(turn, keys))

    def _lock(self, turn: Turn, keys: Sequence[bytes] | None) -> None:
        for entry in self._roster:
            held = entry.own if keys is None else entry.own.intersection(keys)
            live = {view.row.key for view in entry.machine.session_views() if view.state.live}
            for key in held & live:
                turn.feed(entry, OwnerAbort(key, "locked"))

    def on_unlock(self) -> None:
        """Locked keys became usable: what they could not decline is declined now."""
        self.engine.put(self._decline_misfits)

    def _decline_misfits(self, turn: Turn) -> None:
        for entry in self._roster:
            self._declines.misfits(turn, entry)

    # What the engine tells

    def committed(self, part: Part) -> None:
        """Look for signers to connect, count outcomes."""
        if part.created is not None or any(isinstance(save, SaveJoin) for save in part.saves):
            self._delivery.pursue(part.entry)
        self._outcomes.note(part)

    def unreachable(self, entry: OpenRequest, index: int) -> None:
        """A frame could not be handed over."""
        self._delivery.unreachable(entry, index)

    def not_committed(self, part: Part) -> None:
        """A key that is used elsewhere is paused all the same."""
        self._outcomes.note_conflicts(part)

    # Inside

    def _resume(self, request: bytes, turn: Turn) -> None:
        entry = turn.wake(request)
        if entry is not None:
            self._declines.misfits(turn, entry)
            self._delivery.pursue(entry)

    async def _burned(self) -> None:
        """After a restore: once every open attempt was abandoned, and that is stored, it is not done again."""
        for _ in range(2):  # the second turn begins after the commit of the first
            await self.engine.do(lambda turn: None)
        self._loader.burn = False
        await self._store.write(rows.forget_restore)

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_MS / 1000)
            self.sweep()
            if not self._clock_is_wrong():
                await self._store.write(partial(delete_old, wall_ms=self._clock.wall_ms(), limits=self._limits))

    def sweep(self) -> None:
        """Free memory of what is old or idle; runs by itself every ten seconds."""
        self._signer.wipe_old()
        self._arrivals.holding.forget_old(self._clock.mono_ms())
        self.engine.put(self._drop_idle)

    def _drop_idle(self, turn: Turn) -> None:
        for entry in self._roster.idle_before(turn.now.mono_ms - self._limits.idle_ms):
            self._roster.drop(entry)
            self._notices.forget(entry)
