"""How two signers of an attempt synchronise, whatever was lost: `have` says what a signer holds.

Level-triggered. A signer of a live attempt sends its bitmaps
    on reconnect    to that peer; to a new peer the own messages, and the bitmaps soon
    soon            to peers that must hold more (their message came before what it builds on), and, where not everybody
                    reaches everybody, to a few after something new arrived, so that it spreads over relays; to two at
                    once, after 50 ms and 50 ms more per four signers, because most of it is on its way
    every second    doubling to 15 s, to all others (16 in turn where there are more), as long as the attempt lives
and whoever gets them sends exactly what is missing there, of any signer. If the bitmaps show something that is missing
here, it sends its own once. On a network that loses nothing each message has gone out directly before any of this.

When a round is broken off (time, another's abort), contributions of others are shown to a few signers, because a signer
that sent two versions may have caused it.

A node that has ended sends no `have`, and an answer is never answered, so two finished nodes are silent.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from musig2.protocol.interface.inputs import Now
from musig2.protocol.interface.reaction import Reaction
from musig2.protocol.records.records import Message
from musig2.protocol.request.attempts import Attempts
from musig2.protocol.session.slots import from_bitmap, members, to_bitmap
from musig2.protocol.session.terms import RequestTerms
from musig2.protocol.session.transcript import Transcript
from musig2.protocol.wire.frames import Answer, Have, Signed

SOON_MS: Final = 50
FIRST_MS: Final = 1_000
LONGEST_MS: Final = 15_000
FANOUT: Final = 16
FEW: Final = 4
ASKED_AT_ONCE: Final = (
    2  # each answers with everything: what two do not have, the owner sends, or the next round brings
)
COMPARED: Final = 3
_PEERS_PER_SIGNER: Final = 4


@dataclass(slots=True)
class _Dealings:
    """What this daemon and one peer recently exchanged about one attempt, as sets of signers."""

    attempt: int
    since_ms: int
    joins: int = 0  # sent within the last second
    nonces: int = 0
    partials: int = 0
    asked: tuple[int, int, int] = (0, 0, 0)  # what that peer had and this daemon lacked when last asked
    aborts: bool = False


class Exchange:
    """Timers and answers of one request. Times are monotonic milliseconds."""

    def __init__(self, terms: RequestTerms, attempts: Attempts) -> None:
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
        self._dealings: dict[bytes, _Dealings] = {}

    def begin(self, now: Now, *, at_once: bool = False) -> None:
        """An own key has joined, or the daemon started: start the timer."""
        self._pause = FIRST_MS
        self._due = now.mono_ms + (0 if at_once else FIRST_MS)

    def heard(self, peer: bytes) -> None:
        """This peer is connected directly."""
        if peer not in self._heard and len(self._heard) < _PEERS_PER_SIGNER * self._terms.n:
            self._heard.add(peer)

    def lost(self, peer: bytes) -> None:
        """This peer is no longer connected; what was sent to it last may be lost."""
        if peer in self._heard:
            self._heard.discard(peer)
            if len(self._lost) < _PEERS_PER_SIGNER * self._terms.n:
                self._lost.add(peer)
        self._dealings.pop(peer, None)

    def ask_soon(self, peer: bytes | None, now: Now) -> None:
        """This peer must hold something that is missing here."""
        if peer is not None and self._due is not None and len(self._soon_peers) < FANOUT:
            self._soon_peers[peer] = None
            self._soon = now.mono_ms + self._moment() if self._soon is None else self._soon

    def _moment(self) -> int:
        """How long to wait for messages on their way: longer with many senders, not at all over relays."""
        current = self._attempts.current
        relayed = current is not None and self._anyone_unheard(current)
        return SOON_MS * 2 if relayed else SOON_MS * (1 + self._terms.n // 4)

    def news(self, transcript: Transcript, source: bytes | None, now: Now) -> None:
        """A slot was filled."""
        if self._due is None:
            return
        self._pause = FIRST_MS
        self._due = min(self._due, now.mono_ms + FIRST_MS)
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
        return min((due for due in (self._due, self._soon) if due is not None), default=None)

    def greet(self, peer: bytes, reaction: Reaction) -> None:
        """A peer is connected: one known before gets `have`, a new one the own messages, and `have` soon."""
        self._dealings.pop(peer, None)
        again = peer in self._lost
        self.heard(peer)
        transcript = self._attempts.current
        if transcript is None or not self._attempts.live():
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
        dealings = self._dealings_with(peer, have.attempt, reaction.now)
        if have.attempt < attempts.highest:
            self._send_joins(transcript=attempts.transcripts[attempts.highest], lacking=0, peer=peer, reaction=reaction)
        sessions = attempts.of(have.attempt)
        if sessions and not any(session.live for session in sessions):
            theirs = from_bitmap(have.joins, terms.n) | dealings.joins
            dealings.joins |= self._send_joins(transcript, theirs, peer, reaction)  # an abort counts by its join
            self._send_aborts(have.attempt, dealings, peer, reaction)
            return
        self._send_missing(transcript, have, dealings, peer, reaction)
        self._ask_back(transcript, have, dealings, peer, reaction)

    def tell_dead(self, attempt: int, peer: bytes, reaction: Reaction) -> None:
        """A peer works on an attempt that has ended here: send it the stored aborts, at most once a second."""
        self._send_aborts(attempt, self._dealings_with(peer, attempt, reaction.now), peer, reaction)

    def send_all(self, transcript: Transcript, peer: bytes, reaction: Reaction, *, nonces: bool) -> None:
        """Show a peer that works on another join set (or nonce set) every join (or nonce) that is here."""
        dealings = self._dealings_with(peer, transcript.attempt, reaction.now)
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
        return 2 < self._terms.n <= FANOUT and transcript.joins.full and not self._anyone_unheard(transcript)

    def compare(self, transcript: Transcript, reaction: Reaction) -> None:
        """A round was broken off: show the next few signers what others contributed.

        This exposes a signer that sent two versions.
        """
        n, own = self._terms.n, self._terms.own_mask
        others = [index for index in range(n) if not own >> index & 1]
        first = next((k for k, index in enumerate(others) if index > own.bit_length() - 1), 0)
        for step in range(min(COMPARED if n <= FANOUT else 1, len(others))):
            index = others[(first + step) % len(others)]
            for signed in self._contributed(transcript, own | 1 << index):
                reaction.send(signed, to=index)

    def compare_with(self, transcript: Transcript, peer: bytes, reaction: Reaction) -> None:
        """The same with a peer that was not connected."""
        theirs = sum(1 << index for index in range(self._terms.n) if transcript.peer_of(index) == peer)
        if theirs:
            for signed in self._contributed(transcript, self._terms.own_mask | theirs):
                reaction.send(signed, peer=peer)

    def _contributed(self, transcript: Transcript, besides: int) -> Iterator[Signed[Message]]:
        for slots in (transcript.nonces, transcript.partials):
            for index in members(slots.mask & ~besides):
                signed = slots[index]
                if signed is not None:
                    yield signed

    def _answer_unknown(self, have: Have, peer: bytes, reaction: Reaction) -> None:
        if not from_bitmap(have.joins, self._terms.n):
            reaction.send(Answer(self._terms.id, "not_yet"), peer=peer)
            return
        dealings = self._dealings_with(peer, have.attempt, reaction.now)
        if not dealings.asked[0]:
            dealings.asked = (1, 0, 0)
            empty = to_bitmap(0, self._terms.n)
            reaction.send(Have(self._terms.id, have.attempt, empty, empty, empty), peer=peer)

    def _send_missing(
        self, transcript: Transcript, have: Have, dealings: _Dealings, peer: bytes, reaction: Reaction
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

    def _ask_back(
        self, transcript: Transcript, have: Have, dealings: _Dealings, peer: bytes, reaction: Reaction
    ) -> None:
        n = self._terms.n
        lacking = (
            from_bitmap(have.joins, n) & ~transcript.joins.mask,
            from_bitmap(have.nonces, n) & ~transcript.nonces.mask,
            from_bitmap(have.partials, n) & ~transcript.partials.mask,
        )
        if any(lacking) and lacking != dealings.asked and self._attempts.of(transcript.attempt):
            dealings.asked = lacking
            reaction.send(self._have(transcript), peer=peer)

    def _send_aborts(self, attempt: int, dealings: _Dealings, peer: bytes, reaction: Reaction) -> None:
        if dealings.aborts:
            return
        for session in self._attempts.of(attempt):
            if session.abort is not None:
                dealings.aborts = True
                reaction.send(session.abort, peer=peer)

    def _send_to_all(self, transcript: Transcript, reaction: Reaction) -> None:
        have = self._have(transcript)
        others = [index for index in range(self._terms.n) if not self._terms.own_mask >> index & 1]
        if len(others) <= FANOUT:
            reaction.send(have)
            return
        for step in range(FANOUT):
            reaction.send(have, to=others[(self._turn + step) % len(others)])
        self._turn += FANOUT

    def _have(self, transcript: Transcript) -> Have:
        n = self._terms.n
        bitmaps = (to_bitmap(slots.mask, n) for slots in (transcript.joins, transcript.nonces, transcript.partials))
        return Have(self._terms.id, transcript.attempt, *bitmaps)

    def _dealings_with(self, peer: bytes, attempt: int, now: Now) -> _Dealings:
        found = self._dealings.get(peer)
        if found is None or found.attempt != attempt:
            if len(self._dealings) >= _PEERS_PER_SIGNER * self._terms.n:
                self._dealings.clear()
            found = self._dealings[peer] = _Dealings(attempt, now.mono_ms)
        elif now.mono_ms - found.since_ms >= FIRST_MS:
            found.since_ms = now.mono_ms
            found.joins = found.nonces = found.partials = 0
            found.asked, found.aborts = (0, 0, 0), False
        return found

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
