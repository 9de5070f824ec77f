"""Frames from peers about a request, and the answers once it has ended."""

from __future__ import annotations

from typing import Any, TypeGuard, TypeVar

from musig2.protocol.broadcast.turns import BroadcastTurns
from musig2.protocol.interface.inputs import Received
from musig2.protocol.interface.reaction import Reaction
from musig2.protocol.records.records import AbortBody, Cancel, Considering, Decline, DoneBody, Join, Message, Record
from musig2.protocol.request.attempts import Attempts
from musig2.protocol.request.comparison import Comparison
from musig2.protocol.request.conclusion import Conclusion
from musig2.protocol.request.considering import Considerations
from musig2.protocol.request.contributions import Contributions
from musig2.protocol.request.exchange import Exchange
from musig2.protocol.request.joining import Joining
from musig2.protocol.session.terms import RequestTerms
from musig2.protocol.wire.frames import Complete, Have, Signed

R = TypeVar("R", bound=Record)


class Reception:
    """Hands each frame to the part that it concerns."""

    def __init__(
        self,
        *,
        terms: RequestTerms,
        attempts: Attempts,
        conclusion: Conclusion,
        exchange: Exchange,
        comparison: Comparison,
        contributions: Contributions,
        joining: Joining,
        considerations: Considerations,
        broadcast: BroadcastTurns,
    ) -> None:
        self._terms = terms
        self._attempts = attempts
        self._conclusion = conclusion
        self._exchange = exchange
        self._comparison = comparison
        self._contributions = contributions
        self._joining = joining
        self._considerations = considerations
        self._broadcast = broadcast

    def connected(self, peer: bytes, reaction: Reaction) -> None:
        """A peer of a signer is connected: greet it, and compare with it what an attempt that broke off left."""
        self._exchange.greet(peer, reaction)
        self._considerations.greet(peer, reaction)
        if self._conclusion.final:
            self._say_farewell(peer, reaction)
        current = self._attempts.current
        if current is not None and any(session.broken_off for session in self._attempts.of(current.attempt)):
            self._comparison.begin_with(current, peer, reaction)

    def received(self, received: Received, reaction: Reaction) -> None:
        """A record of this request, its signature checked; without a peer it is one of this daemon's own."""
        signed, peer = received.signed, received.peer
        if peer is not None:
            self._exchange.heard(peer)
        if _is(signed, Message) and isinstance(signed.record.body, DoneBody):
            if self._broadcast.receive(signed, reaction):
                self._exchange.pass_on(signed, peer, reaction)
            return
        talks_of_ends = isinstance(signed.record, Decline | Cancel) or (
            _is(signed, Message) and isinstance(signed.record.body, AbortBody)
        )
        if self._conclusion.final and peer is not None and (self._conclusion.complete or not talks_of_ends):
            self._say_farewell(peer, reaction)
        if self._conclusion.complete:
            return
        if _is(signed, Join):
            self._join(signed, peer, reaction)
        elif _is(signed, Message):
            self._contributions.receive(signed, peer, reaction)
        elif _is(signed, Considering):
            self._considerations.take(signed, peer, reaction)
        elif _is(signed, Decline) or _is(signed, Cancel):
            was_final = self._conclusion.final
            self._conclusion.take_record(signed, reaction, forward=peer is None)
            if peer is not None and self._conclusion.final and not was_final:
                self._exchange.pass_on(signed, peer, reaction)
        if peer is not None:
            self._exchange.took(signed, peer)

    def _join(self, join: Signed[Join], peer: bytes | None, reaction: Reaction) -> None:
        """A join: where it first says which peer its signer speaks through, that one is told what waits here."""
        index = self._attempts.terms.index_of.get(join.record.pubkey)
        before = None if index is None else self._attempts.peer_of(index)
        self._joining.other_join(join, peer, reaction)
        if index is not None and self._attempts.peer_of(index) != before:
            self._considerations.greet(join.record.peer, reaction)

    def have(self, have: Have, peer: bytes, reaction: Reaction) -> None:
        """A peer says what it holds of an attempt: send it what it lacks, or how the request ended."""
        self._exchange.heard(peer)
        if not (self._conclusion.final and self._say_farewell(peer, reaction)):
            self._exchange.answer(have, peer, reaction)

    def complete(self, signatures: tuple[bytes, ...], peer: bytes | None, reaction: Reaction) -> None:
        """A peer shows the signatures; those that do not verify are ignored."""
        if not self._conclusion.complete:
            if not self._terms.verifies(signatures):
                return
            self._broadcast.complete(signatures, reaction)
            self._exchange.pass_on(Complete(self._terms.id, signatures), peer, reaction)
        self._conclusion.shown_by(peer)

    def _say_farewell(self, peer: bytes, reaction: Reaction) -> bool:
        told = self._conclusion.farewell(peer, reaction)
        done = self._broadcast.own_done()
        if told and done is not None:
            reaction.send(done, peer=peer)
        return told


def _is(signed: Signed[Any], kind: type[R]) -> TypeGuard[Signed[R]]:
    return isinstance(signed.record, kind)
