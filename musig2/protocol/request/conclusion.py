"""The state of a request: open or signing, and how it ended. A valid signature ends it whatever it was before.

    open <-> signing -> complete
    open, signing -> declined | cancelled | expired | failed -> complete

A peer that still sends frames about an ended request is told how it ended, at most once a second; a peer that has shown
the signature, or says that the request has ended, is not answered.

If three or more signers are all connected to each other, all make the signature at the same moment, and sending it at
once would only slow them down. Then each waits 50 ms, and 50 ms more for each signer before it in the list. If none of
these has shown it by then, it is sent to those that have not: one `complete` to each, of whoever is the first that has
it. Who leaves somebody out costs that signer the second after which it asks. Otherwise it is sent at once.
"""

from __future__ import annotations

from typing import Final

from musig2.protocol.blame.endings import Ending, EndingScope, Reason
from musig2.protocol.interface.effects import Outcome, SaveOutcome, SaveRecord
from musig2.protocol.interface.reaction import Reaction
from musig2.protocol.records.records import Cancel, Decline
from musig2.protocol.request.attempts import Attempts
from musig2.protocol.session.session_table import On
from musig2.protocol.session.terms import RequestTerms
from musig2.protocol.wire.frames import Complete, Frame, Signed

PAUSE_MS: Final = 1_000
SOON_MS: Final = 50
_PEERS_PER_SIGNER: Final = 4


class Conclusion:
    """The outcome of one request, and what is sent and announced about it."""

    def __init__(self, terms: RequestTerms, attempts: Attempts) -> None:
        self._terms = terms
        self._attempts = attempts
        self.outcome = Outcome.OPEN
        self.reason: str | None = None
        self.by: bytes | None = None
        self.signatures: tuple[bytes, ...] = ()
        self.completed_ms: int | None = None
        self.turn = 0
        self.record: Signed[Decline] | Signed[Cancel] | None = None
        self.stored = True  # nothing is sent before it is stored
        self.tell_ms: int | None = None  # when the signature goes to those who have not shown it (monotonic)
        self._finished: set[bytes] = set()  # peers that have shown the signature
        self._told: dict[bytes, int] = {}

    @property
    def final(self) -> bool:
        """Whether nothing but a signature can change it."""
        outcome = self.outcome
        return outcome is not Outcome.OPEN and outcome is not Outcome.SIGNING

    @property
    def complete(self) -> bool:
        """Whether there is a signature."""
        return self.outcome is Outcome.COMPLETE

    def finish(self, signatures: tuple[bytes, ...], reaction: Reaction) -> None:
        """Verified final signatures are here: the request is complete."""
        self.outcome, self.reason, self.by = Outcome.COMPLETE, None, None
        self.signatures, self.completed_ms = signatures, reaction.now.wall_ms
        self._attempts.forget_plans()
        self.save(reaction)
        self.tell_sessions(reaction)

    def tell_peers(self, reaction: Reaction, *, at_once: bool) -> None:
        """The signature was made here: send it now, or somewhat later to those without it."""
        if at_once:
            reaction.send(Complete(self._terms.id, self.signatures))
            return
        lowest = (self._terms.own_mask & -self._terms.own_mask).bit_length()
        self.tell_ms = reaction.now.mono_ms + SOON_MS * lowest

    def tick(self, reaction: Reaction) -> None:
        """When it is time, send the signature to those that have not shown it, unless an earlier signer has it."""
        if self.tell_ms is None or self.tell_ms > reaction.now.mono_ms or not self.stored:
            return
        self.tell_ms = None
        own = self._terms.own_mask
        others = [index for index in range(self._terms.n) if not own >> index & 1]
        lacking = [index for index in others if self._attempts.peer_of(index) not in self._finished]
        if any(1 << index < own & -own and index not in lacking for index in others):
            return  # that one tells the others
        for index in lacking:
            reaction.send(Complete(self._terms.id, self.signatures), to=index)

    def tell_sessions(self, reaction: Reaction) -> None:
        """Let the highest attempt of each own key end with the signature."""
        for session in self._attempts.latest.values():
            if not session.fire(On.ALL_PARTIALS, reaction, self.signatures):
                session.fire(On.COMPLETE, reaction, self.signatures)
        if not self._attempts.latest and self._terms.own_keys:
            told: dict[str, object] = {"signature": self.signatures[0], "signatures": self.signatures}
            told |= self._terms.aggregates()
            reaction.emit("signature:finalized", None, None, self._terms.own_keys, **told)

    def end(self, outcome: Outcome, reason: str, by: bytes | None, reaction: Reaction) -> None:
        """The request is over without a signature. The first such end stays."""
        if self.final:
            return
        self.outcome, self.reason, self.by = outcome, reason, by
        self._attempts.forget_plans()
        self.save(reaction)

    def fail(self, reason: str, by: bytes, reaction: Reaction, culprits: tuple[bytes, ...] = ()) -> None:
        """The same for a reason that ends sessions; announced for keys that have not joined, too."""
        unjoined = tuple(key for key in self._terms.own_keys if key not in self._attempts.latest)
        if unjoined and not self.final:
            attempt = max(1, self._attempts.highest)
            told = {"reason": reason, "by": by, "culprits": culprits, "missing": (), "retrying": False}
            reaction.emit("session:aborted", self._terms.session(attempt), attempt, unjoined, **told)
        self.end(Outcome.FAILED, reason, by, reaction)

    def take_record(self, signed: Signed[Decline] | Signed[Cancel], reaction: Reaction, *, forward: bool) -> None:
        """A decline by a required signer, or a cancel by the creator: final for all. Sent on if it was made here.

        A decline may be of another scheme than the request: its key signs no other, and that is why it declines.
        """
        record, terms = signed.record, self._terms
        declined = isinstance(record, Decline)
        if record.request != terms.id or record.pubkey not in terms.index_of or self.final:
            return
        if not declined and (record.scheme != terms.record.scheme or record.pubkey != terms.record.creator):
            return
        self.record = signed
        reason = Reason.DECLINED if declined else Reason.CANCELLED
        reaction.add(SaveRecord(terms.id, None, signed))
        self.end(Outcome.DECLINED if declined else Outcome.CANCELLED, reason.value, record.pubkey, reaction)
        for session in self._attempts.live():
            session.fire(On.ENDED, reaction, Ending(reason, EndingScope.REQUEST, by=record.pubkey, told=True))
        event = "signing-request:declined" if declined else "signing-request:cancelled"
        told = {"publicKey": record.pubkey, "reason": record.reason}
        reaction.emit(event, None, None, terms.own_keys, **told)
        if forward:
            reaction.send(signed)

    def refresh(self, reaction: Reaction) -> None:
        """Follow what the attempts came to: signing, waiting for another one, or out of time or attempts."""
        if self.final:
            if self.reason is not None:
                self._end_siblings(Reason(self.reason), reaction)
            return
        attempts, live = self._attempts, self._attempts.live()
        if not live and reaction.now.wall_ms >= self._terms.record.expires:
            self.end(Outcome.EXPIRED, Reason.EXPIRED.value, None, reaction)
            told = {"reason": Reason.EXPIRED.value}
            reaction.emit("signing-request:expired", None, None, self._terms.own_keys, **told)
        elif not live and attempts.exhausted:
            self._tell_exhausted(reaction)
            self.end(Outcome.FAILED, Reason.ATTEMPTS_EXHAUSTED.value, None, reaction)
        else:
            signing = any(session.state.in_round for session in live)
            outcome = Outcome.SIGNING if signing else Outcome.OPEN
            if outcome is not self.outcome:
                self.outcome = outcome
                self.save(reaction)

    def _end_siblings(self, reason: Reason, reaction: Reaction) -> None:
        """End the sessions of own keys after another own key ended the request."""
        for session in self._attempts.live():
            session.fire(On.ABORT, reaction, Ending(reason, EndingScope.REQUEST))

    def _tell_exhausted(self, reaction: Reaction) -> None:
        """Announce that no other attempt follows, where one was announced."""
        waiting = tuple(key for key, session in self._attempts.latest.items() if session.retrying)
        attempt = self._attempts.highest
        told = {"reason": Reason.ATTEMPTS_EXHAUSTED.value, "culprits": (), "missing": (), "retrying": False}
        if waiting:
            reaction.emit("session:aborted", self._terms.session(attempt), attempt, waiting, **told)
        for key in waiting:
            self._attempts.latest[key].retrying = False

    def save(self, reaction: Reaction) -> None:
        """Store the state of the request as it is now."""
        reaction.add(
            SaveOutcome(
                self._terms.id,
                self.outcome,
                self.reason,
                self.by,
                self.signatures,
                completed_ms=self.completed_ms,
                turn=self.turn,
            )
        )

    def was_shown_by(self, peer: bytes) -> bool:
        """Whether that peer has shown the signature."""
        return peer in self._finished

    def shown_by(self, peer: bytes | None) -> None:
        """This peer has the signature."""
        if peer is not None and len(self._finished) < _PEERS_PER_SIGNER * self._terms.n:
            self._finished.add(peer)

    def farewell(self, peer: bytes, reaction: Reaction) -> bool:
        """Tell a peer how the request ended, if it still sends frames about it; True if something was sent."""
        frame = self.last_word()
        now = reaction.now.mono_ms
        told = self._told.get(peer)
        if frame is None or peer in self._finished or (told is not None and now - told < PAUSE_MS):
            return False
        if len(self._told) >= _PEERS_PER_SIGNER * self._terms.n:
            self._told.clear()
        self._told[peer] = now
        reaction.send(frame, peer=peer)
        return True

    def last_word(self) -> Frame | None:
        """What proves to others that the request has ended; None if only time or an abort message does."""
        if not self.stored:
            return None
        return Complete(self._terms.id, self.signatures) if self.complete else self.record
