"""Requests that peers bring: checked, cheapest first, given a berth among those that nobody asked for, and stored."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeAlias

import structlog

from daemon.signing.engine.inbox import Inbox
from daemon.signing.engine.restore import Loader
from daemon.signing.engine.rooms import Berth, Berths
from daemon.signing.engine.roster import Roster
from daemon.signing.engine.turn import Turn
from daemon.signing.limits import SigningLimits
from daemon.signing.owner.consent import Consent
from daemon.signing.owner.declines import Declines
from daemon.signing.owner.own_keys import let_go
from daemon.signing.peers.admission import BUSY, Admission
from daemon.signing.peers.early_frames import EarlyFrames
from daemon.signing.peers.request_checks import Arriving, RequestChecks, is_dear
from daemon.signing.ports import SigningNetwork
from daemon.signing.store.writes import SaveRequest
from musig2.protocol.interface.effects import Emit
from musig2.protocol.interface.inputs import PeerConnected
from musig2.protocol.records.peers import peer_text
from musig2.protocol.records.records import Request
from musig2.protocol.records.requests import RequestProblem, request_problem
from musig2.protocol.wire.frames import Answer, Frame, Signed
from p2p.network import Offence

log = structlog.get_logger("musigd.signing")

Take: TypeAlias = Callable[[Turn, bytes, Frame], None]


class NewRequests:
    """Decides on each, and takes it in."""

    def __init__(
        self,
        *,
        network: SigningNetwork,
        inbox: Inbox,
        roster: Roster,
        loader: Loader,
        admission: Admission,
        berths: Berths,
        early: EarlyFrames,
        declines: Declines,
        consent: Consent,
        limits: SigningLimits,
    ) -> None:
        self._network = network
        self._inbox = inbox
        self._roster = roster
        self._loader = loader
        self._admission = admission
        self._berths = berths
        self._early = early
        self._declines = declines
        self._consent = consent
        self._checks = RequestChecks(limits=limits)

    async def stop(self) -> None:
        """End the checks."""
        await self._checks.stop()

    def waits_with(self, about: bytes, peer: bytes, frame: Frame) -> bool:
        """Whether that request (or session) is under check; the frame is taken after it."""
        return self._checks.keeps(about, peer, frame)

    def take(self, turn: Turn, peer: bytes, signed: Signed[Request], take: Take) -> None:
        """A request from a peer, known or new. `take` gets the frames that came about it before it was here."""
        known = turn.wake(signed.id)
        if known is not None:
            if known.handover.shows(peer) and known.knows(peer):
                turn.feed(known, PeerConnected(peer))
        elif not self.waits_with(signed.id, peer, signed):
            self._consider(turn, Arriving(peer, signed, take))

    def _consider(self, turn: Turn, arriving: Arriving) -> None:
        problem = self._problem(turn, arriving)
        if problem is None and is_dear(arriving.signed.record):
            lost = self._checks.check(self._network.source_of(arriving.peer), arriving, self._judged)
            if lost is not None:
                self._refuse(turn, lost, BUSY)
            return
        self._decide(turn, arriving, problem or request_problem(arriving.signed.record))

    def _judged(self, arriving: Arriving, problem: RequestProblem | None) -> None:
        """A request of many keys was checked elsewhere; meanwhile the keys and the room may have changed."""
        self._inbox.ask(arriving.peer, partial(self._admit, arriving=arriving, found=problem))

    def _admit(self, turn: Turn, *, arriving: Arriving, found: RequestProblem | None) -> None:
        self._decide(turn, arriving, found or self._problem(turn, arriving))

    def _problem(self, turn: Turn, arriving: Arriving) -> str | None:
        own = self._loader.own_keys(arriving.signed.record.keys)
        problem = self._admission.problem(arriving.signed, own, arriving.peer, turn.now.wall_ms)
        if problem is None and self._admission.crowded(self._berth(arriving, own)):
            return BUSY
        return problem

    def _berth(self, arriving: Arriving, own: frozenset[bytes]) -> Berth:
        return self._berths.of(arriving.signed, own, arriving.peer)

    def _decide(self, turn: Turn, arriving: Arriving, problem: str | None) -> None:
        if problem is not None:
            self._refuse(turn, arriving, problem)
            return
        self._accept(turn, arriving)
        for speaker, frame in arriving.early:
            arriving.take(turn, speaker, frame)

    def _refuse(self, turn: Turn, arriving: Arriving, problem: str) -> None:
        request, peer = arriving.signed.id, arriving.peer
        log.info("a request is not taken", request=request.hex(), peer=peer_text(peer), reason=problem)
        if problem == RequestProblem.INVALID_KEY:
            self._network.offend(peer, Offence.BAD_REQUEST)
        if problem == BUSY:
            self._network.fine(peer)
            turn.direct.append((peer, Answer(request, BUSY), None))

    def _accept(self, turn: Turn, arriving: Arriving) -> None:
        peer, signed = arriving.peer, arriving.signed
        own = self._loader.own_keys(signed.record.keys)
        self._make_room(turn, self._berth(arriving, own))
        entry = self._loader.create(signed, peer)
        entry.handover.shows(peer)
        self._roster.add(entry)
        part = turn.part(entry)
        part.created = SaveRequest(signed, own, peer, turn.now.wall_ms)
        part.events.append(Emit("signing-request:received", signed.id, None, None, tuple(sorted(own))))
        turn.feed(entry, PeerConnected(peer))
        self._declines.misfits(turn, entry)
        for speaker, frame in self._early.take(arriving.ids, turn.now.mono_ms):
            arriving.take(turn, speaker, frame)
        self._consent.consider(turn, entry)

    def _make_room(self, turn: Turn, berth: Berth) -> None:
        for entry in self._admission.giving_way(berth):
            log.info("a request gives way to one of who asks for less", request=entry.request.id.hex())
            let_go(turn, entry, self._roster)
