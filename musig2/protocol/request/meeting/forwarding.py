"""Forwards contributions through the hubs of a large request (topology.py).

    a signer        sends its own records to the first other hub that is connected
    the leading hub sends joins on in batches, the nonces once it has all, and the signature, not its parts
    every hub       passes on what a signer brings that does not reach the hubs before it

Records are signed by their authors, so forwarding needs no trust. `have` brings what is lost, withheld, or not
forwarded by a daemon that does not know of hubs: that costs only time.
"""

from __future__ import annotations

from collections.abc import Iterator, Set
from functools import reduce
from operator import or_
from typing import Any, Final

from musig2.protocol.interface.effects import Send
from musig2.protocol.interface.reaction import Reaction
from musig2.protocol.records.records import AbortBody, Considering, Join, Message, NonceBody, PartialBody
from musig2.protocol.request.attempts import Attempts
from musig2.protocol.request.dealings import Dealings
from musig2.protocol.request.meeting.holdings import JOINS, NONCES, Holdings
from musig2.protocol.request.meeting.hubs import Hubs
from musig2.protocol.session.slots import Slots, everyone, members
from musig2.protocol.session.terms import RequestTerms
from musig2.protocol.session.transcript import Transcript
from musig2.protocol.wire.frames import Complete, Frame, Signed

BATCH_MS: Final = 10  # per signer: how long joins wait for others before they are sent on


class Forwarding:
    """What this daemon sends and forwards in one request. `heard`: the connected peers."""

    def __init__(self, terms: RequestTerms, attempts: Attempts, dealings: Dealings, heard: Set[bytes]) -> None:
        self._terms = terms
        self._attempts = attempts
        self.hubs = Hubs(terms, attempts, heard)
        self._dealings = dealings
        self._heard = heard
        self.holdings = Holdings(terms, attempts)
        self._told: tuple[int, dict[int, int]] = (0, {})  # of an attempt: the joins that unjoined signers were sent
        self._passed: tuple[int, tuple[int, int, int]] = (0, (0, 0, 0))  # of an attempt: what was looked at
        self.due_ms: int | None = None  # when joins are sent on (monotonic)

    def spread(self, frame: Frame) -> Iterator[Send]:
        """The receivers of a frame that is meant for all signers."""
        match frame:
            case Signed(record=Join() | Message(body=NonceBody() | PartialBody())):
                for index in self.hubs.next():
                    self.holdings.sent(frame, self._attempts.peer_of(index))
                    yield Send(frame, index)
            case Signed(record=Considering()):
                yield from (Send(frame, index) for index in self.hubs.next())
            case Signed(record=Message(body=AbortBody())) | Complete():
                yield from self._to_those_who_meet_here(frame, None)
            case _:
                yield Send(frame)

    def pass_on(self, frame: Frame, source: bytes | None, reaction: Reaction) -> None:
        """A peer sent a record that ends an attempt or the request: forward it to all that rely on this hub."""
        reaction.add(*self._to_those_who_meet_here(frame, source))

    def _to_those_who_meet_here(self, frame: Frame, source: bytes | None) -> Iterator[Send]:
        if self.hubs.leads:
            yield Send(frame)
            return
        for index in self.hubs.next():
            if source is None or self._attempts.peer_of(index) != source:
                yield Send(frame, index)
        for peer in self._clients():
            if peer != source:
                yield Send(frame, peer=peer)

    def turn_to(self, peer: bytes, reaction: Reaction) -> bool:
        """A peer is connected: if it is the hub to turn to from now on, it gets the own records. Returns whether."""
        if peer not in self.hubs.next_peers():
            return False
        for signed in self._own():
            self.holdings.sent(signed, peer)
            reaction.send(signed, peer=peer)
        return True

    def turn_from(self, peer: bytes, before: list[int], reaction: Reaction) -> list[int]:
        """A connection is gone. If it was to a hub in `before`, the next one gets the own records, and is returned."""
        after = self.hubs.next()
        if after == before or peer not in map(self._attempts.peer_of, before):
            return []
        for index in after:
            for signed in self._own():
                self.holdings.sent(signed, self._attempts.peer_of(index))
                reaction.send(signed, to=index)
        return after

    def resume(self) -> None:
        """The daemon has started: stored records count as forwarded; whoever lacks one asks for it."""
        transcript = self._attempts.current
        if transcript is not None:
            self._passed = (transcript.attempt, _masks(transcript))

    def flush(self, reaction: Reaction) -> None:
        """Forward what has come since the last time, and the joins that have waited long enough."""
        transcript = self._attempts.current
        if transcript is None:
            return
        if self.due_ms is not None and self.due_ms <= reaction.now.mono_ms:
            self._send_on(transcript, JOINS, reaction)
        masks = _masks(transcript)
        before = self._passed[1] if self._passed[0] == transcript.attempt else (0, 0, 0)
        if masks == before:
            return
        self._passed = (transcript.attempt, masks)
        leads = self.hubs.leads
        if not leads:
            new = tuple(mask & ~old for mask, old in zip(masks, before, strict=True))
            self._pass_up(transcript, new, reaction)
        if masks[JOINS] != before[JOINS]:
            if transcript.joins.full or not before[JOINS]:
                self._send_on(transcript, JOINS, reaction)
            elif self.due_ms is None and (leads or self._clients()):
                self.due_ms = reaction.now.mono_ms + BATCH_MS * self._terms.n
        if masks[NONCES] != before[NONCES] and transcript.nonces.full:
            self._send_on(transcript, NONCES, reaction)

    def _pass_up(self, transcript: Transcript, came: tuple[int, ...], reaction: Reaction) -> None:
        """Send the next hub what came here from others."""
        for index in self.hubs.next():
            peer = self._attempts.peer_of(index)
            holding = None if peer is None else self.holdings.of(peer, transcript.attempt)
            if holding is None:
                continue
            for kind, slots in enumerate(_kinds(transcript)):
                new = came[kind] & ~holding.masks[kind]
                if new:
                    holding.masks[kind] |= new
                    for signed in _those(slots, new):
                        reaction.send(signed, to=index)

    def _send_on(self, transcript: Transcript, kind: int, reaction: Reaction) -> None:
        """Send joins (or nonces) to the signers that rely on this hub and lack them."""
        speaks_for: dict[bytes, int] = {}
        for index in members(transcript.joins.mask & ~self._terms.own_mask):
            peer = transcript.peer_of(index)
            if peer is not None:
                speaks_for[peer] = speaks_for.get(peer, 0) | 1 << index
        leads = self.hubs.leads
        for peer in speaks_for if leads else self._clients():
            own = speaks_for.get(peer, 0)
            but = own | self._told_before(transcript, own) if kind == JOINS else own
            self._bring(transcript, kind, peer, but, reaction)
        if kind == JOINS:
            self.due_ms = None
            if leads and not transcript.joins.full:
                self._bring_joins_to_the_unjoined(transcript, reaction)

    def _told_before(self, transcript: Transcript, signers: int) -> int:
        """The joins that these signers were sent before they joined."""
        if self._told[0] != transcript.attempt:
            return 0
        return reduce(or_, (self._told[1].get(index, 0) for index in members(signers)), 0)

    def _bring(self, transcript: Transcript, kind: int, peer: bytes, but: int, reaction: Reaction) -> None:
        holding = self.holdings.of(peer, transcript.attempt)
        if holding is None:
            return
        slots: Slots[Any] = transcript.joins if kind == JOINS else transcript.nonces
        new = slots.mask & ~holding.masks[kind] & ~but
        holding.masks[kind] |= new
        recent = self._dealings.with_peer(peer, transcript.attempt, reaction.now)
        if kind == JOINS:
            recent.joins |= new
        else:
            recent.nonces |= new
        for signed in _those(slots, new):
            reaction.send(signed, peer=peer)

    def _bring_joins_to_the_unjoined(self, transcript: Transcript, reaction: Reaction) -> None:
        if self._told[0] != transcript.attempt:
            self._told = (transcript.attempt, {})
        told, joins = self._told[1], transcript.joins
        for index in members(everyone(self._terms.n) & ~joins.mask & ~self._terms.own_mask):
            for join in _those(joins, joins.mask & ~told.get(index, 0)):
                reaction.send(join, to=index)
            told[index] = joins.mask

    def _own(self) -> Iterator[Signed[Any]]:
        """The own records of the highest attempt."""
        transcript = self._attempts.current
        if transcript is not None:
            for slots in _kinds(transcript):
                yield from _those(slots, slots.mask & self._terms.own_mask)

    def _clients(self) -> list[bytes]:
        """Connected peers that rely on this hub, and on which it does not rely itself; none if this is no hub.

        Who knows of no hubs brings its own to everybody, and need not be served by everybody.
        """
        if not self.hubs.is_one:
            return []
        above = self.hubs.next_peers()
        return [peer for peer in self.holdings.who_bring_own() if peer in self._heard and peer not in above]


def _kinds(transcript: Transcript) -> tuple[Slots[Any], ...]:
    return transcript.joins, transcript.nonces, transcript.partials


def _masks(transcript: Transcript) -> tuple[int, int, int]:
    return transcript.joins.mask, transcript.nonces.mask, transcript.partials.mask


def _those(slots: Slots[Any], mask: int) -> Iterator[Signed[Any]]:
    """The records of these signers of the highest attempt."""
    return (signed for index in members(mask) if (signed := slots[index]) is not None)
