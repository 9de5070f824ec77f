"""How two signers of an attempt synchronise, whatever was lost: `have` says what a signer holds.

Level-triggered. A signer of a live attempt sends its bitmaps
    on reconnect    to that peer; to a new peer the own messages, and the bitmaps soon
    soon            to peers that must hold more (their message came before what it builds on), and, where not everybody
                    reaches everybody, to a few after something new arrived, so that it spreads over relays; to two at
                    once, after 50 ms and 50 ms more per four signers, because most of it is on its way
    every second    doubling to 15 s, to all others, as long as the attempt lives
and whoever gets them sends exactly what is missing there, of any signer. If the bitmaps show something that is missing
here, it sends its own once. On a network that loses nothing each message has gone out before any of this: directly to
all, or, in a large request, over hubs (hubs.py), which then are the ones to be asked.

A node that has ended sends no `have`, and an answer is never answered, so two finished nodes are silent.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from musig2.protocol.interface.effects import Send
from musig2.protocol.interface.inputs import Now
from musig2.protocol.interface.reaction import Reaction
from musig2.protocol.request.attempts import Attempts
from musig2.protocol.request.dealings import PEERS_PER_SIGNER, Dealing, Dealings
from musig2.protocol.request.meeting.forwarding import Forwarding
from musig2.protocol.request.meeting.topology import MESH
from musig2.protocol.session.slots import from_bitmap, members, to_bitmap
from musig2.protocol.session.terms import RequestTerms
from musig2.protocol.session.transcript import Transcript
from musig2.protocol.wire.frames import Answer, Frame, Have, Signed

SOON_MS: Final = 50
FIRST_MS: Final = 1_000
LONGEST_MS: Final = 15_000
FEW: Final = 4
ASKED_AT_ONCE: Final = (
    2  # each answers with everything: what two do not have, the owner sends, or the next round brings
)


class Exchange:
    """Timers and answers of one request. Times are monotonic milliseconds."""

    def __init__(self, terms: RequestTerms, attempts: Attempts, *, mesh: int = MESH) -> None:
        """`mesh`: up to so many signers everybody speaks to everybody."""
        self._terms = terms
        self._attempts = attempts
        self._due: int | None = None
        self._pause = FIRST_MS
        self._soon: int | None = None
        self._soon_peers: dict[bytes, None] = {}
        self._turn = 0
        self._heard: set[bytes] = set()
        self._lost: set[bytes] = set()
        self._unheard: tuple[tuple[int, int, int], bool] = ((0, 0, 0), False)
        self._silent = 0  # turns of asking in which nothing came
        self._dealings = Dealings(terms.n)
        self.forwarding = Forwarding(terms, attempts, self._dealings, self._heard) if terms.n > mesh else None

    def begin(self, now: Now, *, at_once: bool = False) -> None:
        """An own key has joined, or the daemon started: start the timer."""
        self._pause, self._silent = FIRST_MS, 0
        self._due = now.mono_ms + (0 if at_once else FIRST_MS)

    def heard(self, peer: bytes) -> None:
        """This peer is connected directly."""
        if peer not in self._heard and len(self._heard) < PEERS_PER_SIGNER * self._terms.n:
            self._heard.add(peer)

    def lost(self, peer: bytes, reaction: Reaction) -> None:
        """This peer is no longer connected; what was sent to it last may be lost. If it was a hub, the next one is."""
        before = [] if self.forwarding is None else self.forwarding.hubs.next()
        if peer in self._heard:
            self._heard.discard(peer)
            if len(self._lost) < PEERS_PER_SIGNER * self._terms.n:
                self._lost.add(peer)
        self._dealings.forget(peer)
        if self.forwarding is not None:
            self.forwarding.holdings.forget(peer)
            if (transcript := self._live_transcript()) is not None:
                for index in self.forwarding.turn_from(peer, before, reaction):
                    reaction.send(self._have(transcript), to=index)

    def _live_transcript(self) -> Transcript | None:
        """That of the highest attempt, if an own key can still make progress in it."""
        return self._attempts.current if self._attempts.live() else None

    def ask_soon(self, peer: bytes | None, now: Now) -> None:
        """This peer must hold something that is missing here."""
        if peer is not None and self._due is not None and len(self._soon_peers) < MESH:
            self._soon_peers[peer] = None
            self._soon = now.mono_ms + self._moment() if self._soon is None else self._soon

    def _moment(self) -> int:
        """How long to wait for messages on their way: longer with many senders, not at all over relays."""
        current = self._attempts.current
        relayed = self.forwarding is not None or (current is not None and self._anyone_unheard(current))
        return SOON_MS * 2 if relayed else SOON_MS * (1 + self._terms.n // 4)

    def news(self, transcript: Transcript, source: bytes | None, now: Now) -> None:
        """A slot was filled."""
        if self._due is None:
            return
        self._pause, self._silent = FIRST_MS, 0
        self._due = min(self._due, now.mono_ms + FIRST_MS)
        if self.forwarding is not None:
            return
        if not transcript.joins.full or self._anyone_unheard(transcript):
            for peer in self._some_heard(transcript, source):
                self.ask_soon(peer, now)

    def tick(self, reaction: Reaction) -> bool:
        """Send the `have`s that are due; True if it was the turn of all others."""
        now, transcript = reaction.now.mono_ms, self._attempts.current
        if transcript is None or not self._attempts.live():
            self._due, self._soon = None, None
            self._soon_peers.clear()
            return False
        if self._soon is not None and self._soon <= now:
            for peer in list(self._soon_peers)[:ASKED_AT_ONCE]:
                reaction.send(self._have(transcript), peer=peer)
            self._soon = None
            self._soon_peers.clear()
        if self._due is not None and self._due <= now:
            self._send_to_all(transcript, reaction)
            self._due = now + self._pause
            self._pause = min(2 * self._pause, LONGEST_MS)
            return True
        return False

    def next_due_ms(self) -> int | None:
        """When `tick` has something to do."""
        if self._due is None or self._soon is None:
            return self._soon if self._due is None else self._due
        return min(self._due, self._soon)

    def greet(self, peer: bytes, reaction: Reaction) -> None:
        """A peer is connected: one known before gets `have`, a new one the own messages, and `have` soon."""
        self._dealings.forget(peer)
        again = peer in self._lost
        self.heard(peer)
        transcript = self._attempts.current
        if self.forwarding is not None:
            self.forwarding.holdings.forget(peer)
        if transcript is None or not self._attempts.live():
            return
        if self.forwarding is not None:
            turned_to = self.forwarding.turn_to(peer, reaction)
            if again and (turned_to or self.forwarding.hubs.leads):
                reaction.send(self._have(transcript), peer=peer)
            elif turned_to:
                self.ask_soon(peer, reaction.now)
            return
        if again:
            reaction.send(self._have(transcript), peer=peer)
            return
        for slots in (transcript.joins, transcript.nonces, transcript.partials):
            for index in members(slots.mask & self._terms.own_mask):
                signed = slots[index]
                if signed is not None:
                    reaction.send(signed, peer=peer)
        self.ask_soon(peer, reaction.now)

    def answer(self, have: Have, peer: bytes, reaction: Reaction) -> None:
        """Send a peer exactly what it lacks, and ask it for what this signer lacks."""
        terms, attempts = self._terms, self._attempts
        if have.request != terms.id or not 1 <= have.attempt <= terms.max_attempts:
            return
        transcript = attempts.transcripts.get(have.attempt)
        if transcript is None:
            self._answer_unknown(have, peer, reaction)
            return
        dealings = self._dealings.with_peer(peer, have.attempt, reaction.now)
        if have.attempt < attempts.highest:
            self._send_joins(transcript=attempts.transcripts[attempts.highest], lacking=0, peer=peer, reaction=reaction)
        sessions = attempts.of(have.attempt)
        if sessions and not any(session.live for session in sessions):
            theirs = from_bitmap(have.joins, terms.n) | dealings.joins
            dealings.joins |= self._send_joins(transcript, theirs, peer, reaction)  # an abort counts by its join
            self._send_aborts(have.attempt, dealings, peer, reaction)
            return
        self._send_missing(transcript, have, dealings, peer, reaction)
        if self.forwarding is not None:
            self.forwarding.holdings.shown(have, peer, dealings)
        self._ask_back(transcript, have, dealings, peer, reaction)

    def tell_dead(self, attempt: int, peer: bytes, reaction: Reaction) -> None:
        """A peer works on an attempt that has ended here: send it the stored aborts, at most once a second."""
        self._send_aborts(attempt, self._dealings.with_peer(peer, attempt, reaction.now), peer, reaction)

    def send_all(self, transcript: Transcript, peer: bytes, reaction: Reaction, *, nonces: bool) -> None:
        """Show a peer that works on another join set (or nonce set) every join (or nonce) that is here."""
        dealings = self._dealings.with_peer(peer, transcript.attempt, reaction.now)
        slots, sent = (transcript.nonces, dealings.nonces) if nonces else (transcript.joins, dealings.joins)
        for index in members(slots.mask & ~sent):
            signed = slots[index]
            if signed is not None:
                reaction.send(signed, peer=peer)
        if nonces:
            dealings.nonces |= slots.mask
        else:
            dealings.joins |= slots.mask

    def meshed(self, transcript: Transcript) -> bool:
        """Whether there are several others, all connected directly, so that nobody waits for relays."""
        few = self.forwarding is None and 2 < self._terms.n <= MESH
        return few and transcript.joins.full and not self._anyone_unheard(transcript)

    def spread(self, frame: Frame) -> Iterable[Send]:
        """Where a frame goes that is meant for all."""
        return (Send(frame),) if self.forwarding is None else self.forwarding.spread(frame)

    def took(self, signed: Signed[Any], peer: bytes) -> None:
        """A record was taken that this peer sent."""
        if self.forwarding is not None:
            self.forwarding.holdings.took(signed, peer)

    def pass_on(self, frame: Frame, source: bytes | None, reaction: Reaction) -> None:
        """A peer told of an end: so may others have to be told who do not reach it."""
        if self.forwarding is not None:
            self.forwarding.pass_on(frame, source, reaction)

    def _answer_unknown(self, have: Have, peer: bytes, reaction: Reaction) -> None:
        if not from_bitmap(have.joins, self._terms.n):
            reaction.send(Answer(self._terms.id, "not_yet"), peer=peer)
            return
        dealings = self._dealings.with_peer(peer, have.attempt, reaction.now)
        if not dealings.asked[0]:
            dealings.asked = (1, 0, 0)
            empty = to_bitmap(0, self._terms.n)
            reaction.send(Have(self._terms.id, have.attempt, empty, empty, empty), peer=peer)

    def _send_missing(
        self, transcript: Transcript, have: Have, dealings: Dealing, peer: bytes, reaction: Reaction
    ) -> None:
        n = self._terms.n
        joins = self._send_joins(transcript, from_bitmap(have.joins, n) | dealings.joins, peer, reaction)
        nonces = transcript.nonces.mask & ~from_bitmap(have.nonces, n) & ~dealings.nonces
        partials = transcript.partials.mask & ~from_bitmap(have.partials, n) & ~dealings.partials
        for slots, mask in ((transcript.nonces, nonces), (transcript.partials, partials)):
            for index in members(mask):
                signed = slots[index]
                if signed is not None:
                    reaction.send(signed, peer=peer)
        dealings.joins |= joins
        dealings.nonces |= nonces
        dealings.partials |= partials

    def _send_joins(self, transcript: Transcript, lacking: int, peer: bytes, reaction: Reaction) -> int:
        """Send the joins that are not in the set `lacking`; returns which."""
        mask = transcript.joins.mask & ~lacking
        for index in members(mask):
            join = transcript.joins[index]
            if join is not None:
                reaction.send(join, peer=peer)
        return mask

    def _ask_back(self, transcript: Transcript, have: Have, dealings: Dealing, peer: bytes, reaction: Reaction) -> None:
        n = self._terms.n
        lacking = (
            from_bitmap(have.joins, n) & ~transcript.joins.mask,
            from_bitmap(have.nonces, n) & ~transcript.nonces.mask,
            from_bitmap(have.partials, n) & ~transcript.partials.mask,
        )
        leads = self.forwarding is not None and self.forwarding.hubs.leads
        if any(lacking) and lacking != dealings.asked and (leads or self._attempts.of(transcript.attempt)):
            dealings.asked = lacking
            reaction.send(self._have(transcript), peer=peer)

    def _send_aborts(self, attempt: int, dealings: Dealing, peer: bytes, reaction: Reaction) -> None:
        if dealings.aborts:
            return
        for session in self._attempts.of(attempt):
            if session.abort is not None:
                dealings.aborts = True
                reaction.send(session.abort, peer=peer)

    def _send_to_all(self, transcript: Transcript, reaction: Reaction) -> None:
        have = self._have(transcript)
        if self.forwarding is None:
            reaction.send(have)
            return
        for index in self.forwarding.hubs.asked(self._silent, transcript):
            reaction.send(have, to=index)
        self._silent += 1

    def _have(self, transcript: Transcript) -> Have:
        n = self._terms.n
        bitmaps = (to_bitmap(slots.mask, n) for slots in (transcript.joins, transcript.nonces, transcript.partials))
        return Have(self._terms.id, transcript.attempt, *bitmaps)

    def _anyone_unheard(self, transcript: Transcript) -> bool:
        """Whether a signer has joined whose peer is not connected directly, so that others must relay."""
        known = (transcript.attempt, transcript.joins.mask, len(self._heard))
        if self._unheard[0] != known:
            reached = self._heard | {self._terms.own_peer}
            self._unheard = (known, any(join.record.peer not in reached for join in transcript.joins))
        return self._unheard[1]

    def _some_heard(self, transcript: Transcript, source: bytes | None) -> list[bytes]:
        """A few directly connected peers of joined signers, in turn."""
        peers = [join.record.peer for join in transcript.joins]
        reached = list(dict.fromkeys(peer for peer in peers if peer in self._heard and peer != source))
        if len(reached) > FEW:
            start = self._turn % len(reached)
            self._turn += FEW
            reached = (reached[start:] + reached[:start])[:FEW]
        return reached
