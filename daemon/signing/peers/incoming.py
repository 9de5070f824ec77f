"""What a frame from a peer means for a turn: which machine it is fed to, or what the peer is answered.

A frame about a request that is not in memory is looked up in the store: a finished one is answered from there without
waking its machine. About one that is nowhere, the peer hears `unknown_request` and pushes it if it may.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, cast

import structlog

from daemon.signing.engine.declines import Declines
from daemon.signing.engine.inbox import Inbox
from daemon.signing.engine.restore import Loader
from daemon.signing.engine.roster import OpenRequest, Roster
from daemon.signing.engine.turn import Turn
from daemon.signing.limits import SigningLimits
from daemon.signing.peers.admission import BUSY, Admission
from daemon.signing.peers.early_messages import Holding
from daemon.signing.peers.request_checks import Arriving, RequestChecks, is_dear
from daemon.signing.ports import SigningNetwork, SigningStore
from daemon.signing.store import reads as reading
from daemon.signing.store.writes import SaveRequest
from musig2.protocol.interface.effects import Emit, Outcome, Send
from musig2.protocol.interface.inputs import Input, PeerConnected, Received, ReceivedComplete, ReceivedHave
from musig2.protocol.records.ids import session_id
from musig2.protocol.records.peers import peer_text
from musig2.protocol.records.records import Cancel, Decline, DoneBody, Join, Message, Request
from musig2.protocol.records.requests import RequestProblem, request_problem
from musig2.protocol.wire.frames import Answer, Complete, Fetch, Frame, Have, Signed
from p2p.network import Offence

log = structlog.get_logger("musigd.signing")
UNKNOWN, NOT_YET = "unknown_request", "not_yet"


class Arrivals:
    """Feeds frames to the machines they concern."""

    def __init__(
        self,
        *,
        store: SigningStore,
        network: SigningNetwork,
        inbox: Inbox,
        roster: Roster,
        loader: Loader,
        intake: Admission,
        declines: Declines,
        serve: Callable[[Turn, bytes, Fetch], None],
        limits: SigningLimits,
    ) -> None:
        """`serve` answers a Fetch."""
        self._store = store
        self._network = network
        self._inbox = inbox
        self._roster = roster
        self._loader = loader
        self._intake = intake
        self._declines = declines
        self._serve = serve
        self._limits = limits
        self._waiting: Counter[bytes] = Counter()  # frames in the inbox, by peer
        self.holding = Holding(limits)
        self._checks = RequestChecks(limits=limits, judged=self._judged)

    def receive(self, batch: Sequence[tuple[bytes, Frame]]) -> None:
        """Frames from peers, signatures checked, for the next turns; those beyond the bounds are dropped."""
        for peer, frame in batch:
            if not self._is_own_work(peer, frame):
                self._inbox.ask(self._network.source_of(peer), partial(self.take, peer=peer, frame=frame))
            elif self._waiting[peer] < self._limits.inbox_per_peer:
                self._waiting[peer] += 1
                self._inbox.put(partial(self._take_waiting, peer=peer, frame=frame))

    def _is_own_work(self, peer: bytes, frame: Frame) -> bool:
        """Whether it is about a request that was made here or that an own key has joined, from a peer that has part."""
        match frame:
            case Signed(record=Join() | Decline() | Cancel() as record):
                about = record.request
            case Signed(record=Message() as record):
                about = record.session
            case Have() | Complete() | Answer():
                about = frame.request
            case _:
                return False
        entry = self._roster.at_hand(about)
        return entry is not None and not entry.unsolicited and self._roster.concerns(entry, peer)

    def _take_waiting(self, turn: Turn, *, peer: bytes, frame: Frame) -> None:
        self._waiting[peer] -= 1
        if not self._waiting[peer]:
            del self._waiting[peer]
        self.take(turn, peer, frame)

    async def stop(self) -> None:
        """End the checks of requests."""
        await self._checks.stop()

    def take(self, turn: Turn, peer: bytes, frame: Frame) -> None:
        """One frame, whose signatures the gate has checked."""
        match frame:
            case Signed(record=Request()):
                self._request(turn, peer, cast(Signed[Request], frame))
            case Signed(record=Join() | Decline() | Cancel() as record):
                self._about(turn, peer, record.request, frame, _received(frame, peer))
            case Signed(record=Message() as record):
                self._message(turn, peer, record, cast(Signed[Message], frame))
            case Have():
                self._about(turn, peer, frame.request, frame, ReceivedHave(frame, peer))
            case Complete():
                self._about(turn, peer, frame.request, frame, ReceivedComplete(frame.signatures, peer))
            case Fetch():
                self._serve(turn, peer, frame)
            case Answer(request=request, code=code):
                self._answered(turn, peer, request, code)
            case _:
                log.debug("a peer sent a record that has no place on this protocol", peer=peer_text(peer))

    def _message(self, turn: Turn, peer: bytes, record: Message, frame: Signed[Message]) -> None:
        request = self._roster.request_of(record.session)
        if request is None:
            self._unknown(turn, peer, record.session, frame)
        else:
            self._about(turn, peer, request, frame, Received(frame, peer))

    def _about(self, turn: Turn, peer: bytes, request: bytes, frame: Frame, inp: Input) -> None:
        entry = self._roster.get(request)
        if entry is None:
            if self._answer_from_store(turn, peer, request, frame):
                return
            entry = turn.wake(request)
        if entry is None:
            self._unknown(turn, peer, request, frame)
            return
        entry.handover.shows(peer)
        if isinstance(frame, Have) and not entry.knows(peer):
            turn.direct.append((peer, Answer(request, NOT_YET), None))
            return
        was_live = entry.machine.outcome.live
        part = turn.feed(entry, inp)
        if was_live and entry.source is None and _ends(frame) and not entry.machine.outcome.live:
            part.sends.append(Send(frame))  # who declines may reach nobody but the creator

    def _answer_from_store(self, turn: Turn, peer: bytes, request: bytes, frame: Frame) -> bool:
        """A complete request answers everything but a `done` with its signatures."""
        if isinstance(frame, Signed) and isinstance(frame.record, Message) and isinstance(frame.record.body, DoneBody):
            return False
        stored = self._store.read(lambda conn: reading.request(conn, request))
        if stored is None or stored.outcome is not Outcome.COMPLETE:
            return False
        if not isinstance(frame, Complete):
            turn.direct.append((peer, Complete(request, stored.signatures), None))
        return True

    def _unknown(self, turn: Turn, peer: bytes, about: bytes, frame: Frame) -> None:
        if self._checks.keeps(about, peer, frame):
            return
        if isinstance(frame, Signed):
            self.holding.keep(peer, about, frame, turn.now.mono_ms)
        turn.direct.append((peer, Answer(about, UNKNOWN), None))

    def _answered(self, turn: Turn, peer: bytes, about: bytes, code: str) -> None:
        """A peer says that it lacks a request (named by its id, or by a session's)."""
        entry = self._roster.get(about) or self._roster.get(self._roster.request_of(about) or b"")
        if entry is None or not any(True for _ in entry.index_of(peer)):
            return
        if code == BUSY:
            pause_s = self._limits.longest_pause_ms / 1000
            if entry.handover.no_room(peer):  # it may be pushed again after a good while
                asyncio.get_running_loop().call_later(pause_s, entry.handover.pause_over, peer)
        elif entry.handover.lacks(peer, turn.now.mono_ms) and code == UNKNOWN:
            introduce(turn, entry, peer)

    def _request(self, turn: Turn, peer: bytes, signed: Signed[Request]) -> None:
        known = turn.wake(signed.id)
        if known is not None:
            if known.handover.shows(peer) and known.knows(peer):
                turn.feed(known, PeerConnected(peer))
            return
        if self._checks.keeps(signed.id, peer, signed):
            return
        own = self._loader.own_keys(signed.record.keys)
        problem = self._intake.problem(signed, own, peer, turn.now.wall_ms)
        if problem is None and is_dear(signed.record):
            checked = self._checks.check(self._network.source_of(peer), Arriving(peer, signed))
            problem = None if checked else BUSY
        elif problem is None:
            problem = request_problem(signed.record)
            if problem is None:
                self._accept(turn, peer, signed, own)
        if problem is not None:
            self._refuse(turn, peer, signed, problem)

    def _judged(self, arriving: Arriving, problem: RequestProblem | None) -> None:
        """A request of many keys was checked elsewhere; meanwhile the keys and the room may have changed."""
        self._inbox.ask(self._network.source_of(arriving.peer), partial(self._admit, arriving=arriving, found=problem))

    def _admit(self, turn: Turn, *, arriving: Arriving, found: str | None) -> None:
        peer, signed = arriving.peer, arriving.signed
        own = self._loader.own_keys(signed.record.keys)
        problem = found or self._intake.problem(signed, own, peer, turn.now.wall_ms)
        if problem is not None:
            self._refuse(turn, peer, signed, problem)
            return
        self._accept(turn, peer, signed, own)
        for speaker, frame in arriving.early:
            self.take(turn, speaker, frame)

    def _refuse(self, turn: Turn, peer: bytes, signed: Signed[Request], problem: str) -> None:
        log.info("a request is not taken", request=signed.id.hex(), peer=peer_text(peer), reason=problem)
        if problem == RequestProblem.INVALID_KEY:
            self._network.offend(peer, Offence.BAD_REQUEST)
        if problem == BUSY:
            turn.direct.append((peer, Answer(signed.id, BUSY), None))

    def _accept(self, turn: Turn, peer: bytes, signed: Signed[Request], own: frozenset[bytes]) -> None:
        entry = self._loader.create(signed, peer)
        entry.handover.shows(peer)
        self._roster.add(entry)
        part = turn.part(entry)
        part.created = SaveRequest(signed, own, peer, turn.now.wall_ms)
        part.events.append(Emit("signing-request:received", signed.id, None, None, tuple(sorted(own))))
        turn.feed(entry, PeerConnected(peer))
        self._declines.misfits(turn, entry)
        for speaker, frame in self.holding.take(_ids(signed), turn.now.mono_ms):
            self.take(turn, speaker, frame)


def introduce(turn: Turn, entry: OpenRequest, peer: bytes, signers: Iterable[int] = ()) -> None:
    """Give a peer that may have it the request, with the joins or the ending it has reached.

    `signers`: the positions of those that it counts as delivered to.
    """
    frames = (entry.request, *entry.machine.introduction())
    turn.direct.extend((peer, frame, entry.request.id) for frame in frames)
    entry.handover.pushed(peer, signers, turn.now.mono_ms, anew=True)
    turn.feed(entry, PeerConnected(peer))


def _ends(frame: Frame) -> bool:
    return isinstance(frame, Signed) and isinstance(frame.record, Decline | Cancel)


def _received(frame: Signed[Any], peer: bytes) -> Received:
    return Received(cast(Signed[Join] | Signed[Decline] | Signed[Cancel], frame), peer)


def _ids(signed: Signed[Request]) -> frozenset[bytes]:
    sessions = (session_id(signed.id, attempt) for attempt in range(1, signed.record.max_attempts + 1))
    return frozenset((signed.id, *sessions))
