"""A daemon around one machine: signer port with real nonces, durable store, crashes between save and send."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import cast

from musig2 import SecNonce, SecretKey, scheme
from musig2.protocol.interface.effects import (
    Blame,
    Effect,
    Emit,
    KeyConflict,
    NeedJoin,
    NeedNonces,
    NeedPartials,
    Save,
    SaveJoin,
    SaveLock,
    SaveMessage,
    SaveOutcome,
    SaveRecord,
    SaveSession,
    Send,
    SessionRow,
    WipeNonces,
)
from musig2.protocol.interface.inputs import (
    Input,
    JoinReady,
    NoncesReady,
    PartialsReady,
    PeerConnected,
    PeerDisconnected,
    Received,
    ReceivedComplete,
    ReceivedHave,
    Restarted,
    SaveFailed,
    SignerRefused,
    Tick,
)
from musig2.protocol.records.envelope import seal
from musig2.protocol.records.peers import PeerIdentity
from musig2.protocol.records.records import Cancel, Considering, Decline, Join, Message, Request
from musig2.protocol.request.meeting.topology import MESH
from musig2.protocol.request.request_machine import RequestMachine
from musig2.protocol.wire.frames import Complete, Frame, Have, Signed
from tests.protocol.sim.clock import Clock
from tests.protocol.sim.network import Network
from tests.protocol.sim.store import DurableStore, UniqueViolation

SAVES = (SaveJoin, SaveMessage, SaveLock, SaveSession, SaveOutcome, SaveRecord)


class Crashed(Exception):
    """The simulated process died at a point that the test chose."""


class Node:
    """One daemon that holds some of the keys of a request."""

    def __init__(
        self,
        clock: Clock,
        network: Network,
        request: Signed[Request],
        keys: list[SecretKey],
        seed: int,
        mesh: int = MESH,
    ) -> None:
        self.clock = clock
        self.network = network
        self.request = request
        self.secrets = {key.pubkey: key for key in keys}
        self.own = frozenset(self.secrets) & frozenset(request.record.keys)
        self.identity = PeerIdentity(seed.to_bytes(32, "big"))
        self.peer = self.identity.peer
        self.routes: dict[int, bytes] = {}  # signer index -> peer, as discovery would know it
        self.store = DurableStore()
        self.events: list[Emit] = []
        self.blames: list[Blame] = []
        self.conflicts: list[KeyConflict] = []
        self.skew_ms = 0  # how far the wall clock is off
        self.locked = False
        self.store_broken = False
        self.crash_at: Callable[[str], bool] = lambda _: False
        self.up = False
        self.mesh = mesh
        self.machine: RequestMachine = self._fresh()
        self._secnonces: dict[tuple[bytes, bytes], list[SecNonce]] = {}
        self._wake: int | None = None
        self._life = 0

    def start(self) -> None:
        """Come up with the request known."""
        self.up = True
        self.network.attach(self.peer, self.deliver, self._link)

    def crash(self) -> None:
        """Lose everything that is not stored."""
        self.up = False
        self._life += 1
        self._wake = None
        self.network.hang_up(self.peer)
        for held in self._secnonces.values():
            for secnonce in held:
                secnonce.wipe()
        self._secnonces.clear()

    def restart(self) -> None:
        """Come up again from the store."""
        if self.up:
            return
        store = self.store
        self.machine = RequestMachine.restore(
            self.request,
            self.own,
            self.identity.sign,
            self.peer,
            joins=store.joins.values(),
            messages=store.messages.values(),
            rows=store.rows.values(),
            outcome=store.outcome,
            records=store.records.values(),
            mesh=self.mesh,
        )
        self.start()
        self.feed(Restarted())
        self.network.call(self.peer)

    def deliver(self, peer: bytes, frame: Frame) -> None:
        """A frame arrived; its signatures were checked at the gate."""
        if not self.up:
            return
        match frame:
            case Signed(record=Join() | Message() | Decline() | Cancel() | Considering()):
                self.feed(Received(cast("Signed[Join]", frame), peer))
            case Have():
                self.feed(ReceivedHave(frame, peer))
            case Complete(signatures=signatures):
                self.feed(ReceivedComplete(signatures, peer))
            case _:
                pass

    def feed(self, *inputs: Input) -> None:
        """One turn: to quiescence, then commit, then send, then tell. A crash may come at each seam."""
        if not self.up:
            return
        try:
            self._turn(deque(inputs))
        except Crashed:
            self.crash()
        else:
            self._arm()

    def _turn(self, queue: deque[Input]) -> None:
        saves: list[Save] = []
        sends: list[Send] = []
        events: list[Emit] = []
        while queue:
            for effect in self.machine.handle(queue.popleft(), self.clock.now(self.skew_ms)):
                if isinstance(effect, SAVES):
                    saves.append(effect)
                elif isinstance(effect, Send):
                    sends.append(effect)
                elif isinstance(effect, Emit):
                    events.append(effect)
                else:
                    answer = self._execute(effect)
                    if answer is not None:
                        queue.append(answer)
        self._seam("before_save")
        if saves and not self._commit(saves):
            self._turn(deque([SaveFailed(tuple(saves), tuple(events))]))
            return
        self.events.extend(events)  # the event log is part of the commit
        self._seam("after_save")
        for send in sends:
            self._send(send)
            self._seam("after_send")

    def _commit(self, saves: list[Save]) -> bool:
        if self.store_broken:
            self.store_broken = False
            return False
        try:
            self.store.commit(saves)
        except UniqueViolation:
            return False
        return True

    def _seam(self, name: str) -> None:
        if self.crash_at(name):
            raise Crashed(name)

    def _send(self, send: Send) -> None:
        for peer in self._targets(send):
            for frame in self.outgoing(send.frame, peer):
                self.network.send(self.peer, peer, frame)

    def outgoing(self, frame: Frame, peer: bytes) -> list[Frame]:
        """The frames that leave for a peer; a liar changes them."""
        return [frame]

    def _targets(self, send: Send) -> list[bytes]:
        if send.peer is not None:
            return [send.peer]
        keys = self.request.record.keys
        indexes = [i for i, key in enumerate(keys) if key not in self.own] if send.to is None else [send.to]
        peers = (self.machine.peer_of(index) or self.routes.get(index) for index in indexes)
        return list(dict.fromkeys(peer for peer in peers if peer is not None and peer != self.peer))

    def _execute(self, effect: Effect) -> Input | None:
        match effect:
            case NeedJoin():
                return SignerRefused(effect.key, effect.attempt, "locked") if self.locked else self._join(effect)
            case NeedNonces():
                return self._nonces(effect)
            case NeedPartials():
                return self._partials(effect)
            case WipeNonces(session=session, key=key):
                for secnonce in self._secnonces.pop((session, key), []):
                    secnonce.wipe()
            case Blame():
                self.blames.append(effect)
            case KeyConflict():
                self.conflicts.append(effect)
        return None

    def _join(self, need: NeedJoin) -> JoinReady:
        now = self.clock.now(self.skew_ms).wall_ms
        record = self.request.record
        join = Join(
            record.scheme, need.request, need.attempt, need.key, self.peer, (b"\x04\x7f\x00\x00\x01\x06\x0f\xa1",), now
        )
        return JoinReady(self.seal_join(join))

    @property
    def key(self) -> bytes:
        """The own key, of a node that holds one."""
        (key,) = self.own
        return key

    def join(self, attempt: int = 1) -> Signed[Join]:
        """The own join of an attempt, as stored."""
        return next(s.join for s in self.store.joins.values() if s.own and s.join.record.attempt == attempt)

    def said(self, seq: int) -> list[Signed[Message]]:
        """The own messages of that number, as stored, in the order of attempts."""
        return [save.message for save in self.store.messages.values() if save.own and save.seq == seq]

    def hears(
        self, *frames: Signed[Join] | Signed[Message] | Signed[Decline] | Signed[Cancel] | Signed[Considering]
    ) -> None:
        """Let records arrive one after the other, from no particular peer."""
        for frame in frames:
            self.feed(Received(frame, bytes(38)))

    @property
    def row(self) -> SessionRow:
        """What is stored of the highest attempt."""
        return max(self.store.rows.values(), key=lambda row: row.attempt)

    def told(self, event: str) -> list[Emit]:
        """The events of that name."""
        return [emit for emit in self.events if emit.event == event]

    def seal_join(self, join: Join) -> Signed[Join]:
        """Sign a join with the key it names and with this daemon's identity."""
        sign = scheme(join.scheme).schnorr_sign
        return seal(join, lambda digest: sign(self.secrets[join.pubkey], digest), self.identity.sign)

    def _nonces(self, need: NeedNonces) -> NoncesReady:
        rules, secret = scheme(self.request.record.scheme), self.secrets[need.key]
        made = [rules.nonce_gen(secret, need.key, keyagg, msg) for keyagg, msg in need.items]
        assert (need.session, need.key) not in self._secnonces, "nonces made twice in one attempt"
        self._secnonces[need.session, need.key] = [secnonce for secnonce, _ in made]
        return NoncesReady(need.session, need.key, tuple(pubnonce for _, pubnonce in made))

    def _partials(self, need: NeedPartials) -> PartialsReady | SignerRefused:
        secnonces = self._secnonces.pop((need.session, need.key), None)
        if secnonces is None:
            attempt = next(view.attempt for view in self.machine.session_views() if view.session == need.session)
            return SignerRefused(need.key, attempt, "nonce_lost")
        rules, secret = scheme(self.request.record.scheme), self.secrets[need.key]
        psigs = (rules.sign(n, secret, ctx, need.index) for n, ctx in zip(secnonces, need.contexts, strict=True))
        return PartialsReady(need.session, need.key, tuple(psigs))

    def _arm(self) -> None:
        wake = self.machine.next_wakeup_ms()
        if wake is None or not self.up:
            self._wake = None
        elif wake != self._wake:
            self._wake, life = wake, self._life
            self.clock.at(wake, lambda: self._tick(wake, life))

    def _tick(self, wake: int, life: int) -> None:
        if self.up and self._wake == wake and self._life == life:
            self._wake = None
            self.feed(Tick())

    def _link(self, peer: bytes, up: bool) -> None:
        if self.up and peer in self.routes.values():
            self.feed(PeerConnected(peer) if up else PeerDisconnected(peer))

    def _fresh(self) -> RequestMachine:
        return RequestMachine(self.request, self.own, self.identity.sign, self.peer, mesh=self.mesh)
