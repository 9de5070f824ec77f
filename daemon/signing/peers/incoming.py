"""What a frame from a peer means for a turn: which machine it is fed to, or what the peer is answered.

A request that is not in memory is looked up in the store; a finished one is answered from there without loading its
machine. For a request that does not exist here, the peer is answered `unknown_request` and may push it.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, cast

import structlog

from daemon.signing.engine.inbox import Inbox
from daemon.signing.engine.roster import OpenRequest, Roster
from daemon.signing.engine.turn import Turn
from daemon.signing.limits import SigningLimits
from daemon.signing.peers.admission import BUSY
from daemon.signing.peers.early_frames import EarlyFrames
from daemon.signing.peers.new_requests import NewRequests
from daemon.signing.ports import SigningNetwork, SigningStore
from daemon.signing.store import reads as reading
from musig2.protocol.interface.effects import Outcome, Send
from musig2.protocol.interface.inputs import Input, PeerConnected, Received, ReceivedComplete, ReceivedHave
from musig2.protocol.records.peers import peer_text
from musig2.protocol.records.records import Cancel, Considering, Decline, DoneBody, Join, Message, Request
from musig2.protocol.wire.frames import Answer, Complete, Fetch, Frame, Have, Signed

log = structlog.get_logger("musigd.signing")
UNKNOWN_FINE = 0.2  # of a refusal
UNKNOWN, NOT_YET = "unknown_request", "not_yet"


class IncomingFrames:
    """Feeds frames to the machines they concern."""

    def __init__(
        self,
        *,
        store: SigningStore,
        network: SigningNetwork,
        inbox: Inbox,
        roster: Roster,
        early: EarlyFrames,
        requests: NewRequests,
        serve: Callable[[Turn, bytes, Fetch], None],
        limits: SigningLimits,
    ) -> None:
        """`requests` takes those that are new, `serve` answers a Fetch."""
        self._store = store
        self._network = network
        self._inbox = inbox
        self._roster = roster
        self._requests = requests
        self._serve = serve
        self._limits = limits
        self._waiting: Counter[bytes] = Counter()  # frames in the inbox, by peer
        self._early = early

    def receive(self, batch: Sequence[tuple[bytes, Frame]]) -> None:
        """Frames from peers, signatures checked, for the next turns; those beyond the bounds are dropped."""
        hurried = False
        for peer, frame in batch:
            if not self._is_own_work(peer, frame):
                self._inbox.ask(peer, partial(self.take, peer=peer, frame=frame))
                continue
            if not hurried:
                self._network.hurry()
                hurried = True
            if self._waiting[peer] < self._limits.inbox_per_peer:
                self._waiting[peer] += 1
                self._inbox.put(partial(self._take_waiting, peer=peer, frame=frame))

    def _is_own_work(self, peer: bytes, frame: Frame) -> bool:
        """Whether it is from a party to a request that was made here or that an own key has joined."""
        match frame:
            case Signed(record=Join() | Decline() | Cancel() | Considering() as record):
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

    def take(self, turn: Turn, peer: bytes, frame: Frame) -> None:
        """Handle one frame; the gate has checked its signatures."""
        match frame:
            case Signed(record=Request()):
                self._requests.take(turn, peer, cast("Signed[Request]", frame), take=self.take)
            case Signed(record=Join() | Decline() | Cancel() | Considering() as record):
                self._about(turn, peer, record.request, frame, _received(frame, peer))
            case Signed(record=Message() as record):
                self._message(turn, peer, record, cast("Signed[Message]", frame))
            case Have():
                self._about(turn, peer, frame.request, frame, ReceivedHave(frame, peer))
            case Complete():
                self._about(turn, peer, frame.request, frame, ReceivedComplete(frame.signatures, peer))
            case Fetch():
                self._serve(turn, peer, frame)
            case Answer(request=request, code=code):
                self._answered(turn, peer, request, code)
            case _:
                log.debug("a peer sent a record that does not belong to this protocol", peer=peer_text(peer))

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
            self._network.fine(peer, UNKNOWN_FINE)
            turn.direct.append((peer, Answer(request, NOT_YET), None))
            return
        was_live = entry.machine.outcome.live
        part = turn.feed(entry, inp)
        if was_live and entry.source is None and _ends(frame) and not entry.machine.outcome.live:
            part.sends.append(Send(frame))  # a signer that declines may reach only the creator

    def _answer_from_store(self, turn: Turn, peer: bytes, request: bytes, frame: Frame) -> bool:
        """Answer everything but a `done` about a complete request with its signatures."""
        if isinstance(frame, Signed) and isinstance(frame.record, Message) and isinstance(frame.record.body, DoneBody):
            return False
        stored = self._store.read(lambda conn: reading.request(conn, request))
        if stored is None or stored.outcome is not Outcome.COMPLETE:
            return False
        if not isinstance(frame, Complete):
            turn.direct.append((peer, Complete(request, stored.signatures), None))
        return True

    def _unknown(self, turn: Turn, peer: bytes, about: bytes, frame: Frame) -> None:
        if self._requests.waits_with(about, peer, frame):
            return
        self._network.fine(peer, UNKNOWN_FINE)
        if isinstance(frame, Signed):
            self._early.keep(peer, about, frame, turn.now.mono_ms)
        turn.direct.append((peer, Answer(about, UNKNOWN), None))

    def _answered(self, turn: Turn, peer: bytes, about: bytes, code: str) -> None:
        """A peer says that it lacks a request, named by its id or by a session id."""
        entry = self._roster.get(about) or self._roster.get(self._roster.request_of(about) or b"")
        if entry is None or not any(True for _ in entry.index_of(peer)):
            return
        if code == BUSY:
            pause_s = self._limits.longest_pause_ms / 1000
            if entry.handover.no_room(peer):  # it may be pushed again after a pause
                asyncio.get_running_loop().call_later(pause_s, entry.handover.pause_over, peer)
        elif entry.handover.lacks(peer, turn.now.mono_ms) and code == UNKNOWN:
            introduce(turn, entry, peer)


def introduce(turn: Turn, entry: OpenRequest, peer: bytes, signers: Iterable[int] = ()) -> None:
    """Send the request to a peer that may have it, with the joins so far or how it ended.

    `signers`: the positions of signers to whom this counts as delivered.
    """
    frames = (entry.request, *entry.machine.introduction())
    for frame in frames:
        entry.handover.repeats(frame, peer, turn.now.mono_ms)  # so that it is not sent again soon
        turn.direct.append((peer, frame, entry.request.id))
    entry.handover.pushed(peer, signers, turn.now.mono_ms, anew=True)
    turn.feed(entry, PeerConnected(peer))


def _ends(frame: Frame) -> bool:
    return isinstance(frame, Signed) and isinstance(frame.record, Decline | Cancel)


def _received(frame: Signed[Any], peer: bytes) -> Received:
    return Received(cast("Signed[Join] | Signed[Decline] | Signed[Cancel] | Signed[Considering]", frame), peer)
