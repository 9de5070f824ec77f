"""Contributions of other signers to an attempt: whose they are, whether they are good, and what follows if not.

A message counts only if the peer that signed it is the one to which its signer's join delegates the attempt; others are
ignored, and nobody is blamed. Nonces may come before their joins (kept aside) or before this signer's round 1 (kept in
the slot), partial signatures before round 2: they are judged when that state is reached.

Blame needs proof. Two messages with one number, an unusable nonce, or a partial signature that fails under the nonce
set it names: the proof is stored, shown to all, and ends the request. A message for another join set or nonce set
proves nothing yet: both sides show each other their joins or nonces, which exposes a signer that made two.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeAlias

from musig2.protocol.blame.endings import PROVEN, Ending, EndingScope, Reason
from musig2.protocol.blame.evidence import ProvenFault, examine, open_all
from musig2.protocol.blame.proofs import bad_partial, equivocation, invalid_nonce
from musig2.protocol.interface.effects import Blame, SaveMessage, SaveRecord, State
from musig2.protocol.interface.reaction import Reaction
from musig2.protocol.records.envelope import signer_peer
from musig2.protocol.records.records import AbortBody, Message, NonceBody, PartialBody
from musig2.protocol.request.attempts import Attempts
from musig2.protocol.request.conclusion import Conclusion
from musig2.protocol.request.exchange import Exchange
from musig2.protocol.session.session_table import On
from musig2.protocol.session.signing_session import SigningSession
from musig2.protocol.session.terms import RequestTerms
from musig2.protocol.session.transcript import ContributionVerdict, Transcript
from musig2.protocol.wire.frames import Signed

_EVIDENCE_CHECKS: Final = 3  # abort messages whose evidence is examined, per signer
_SHOWN_TO: Final = 3  # peers at once to which a differing set is shown
_LARGEST_EARLY: Final = 16_384  # bytes; a nonce or partial of 100 items has less than half of that
Early: TypeAlias = tuple[Signed[Message], bytes | None]


class Contributions:
    """Takes session messages of other signers."""

    def __init__(self, terms: RequestTerms, attempts: Attempts, conclusion: Conclusion, exchange: Exchange) -> None:
        self._terms = terms
        self._attempts = attempts
        self._conclusion = conclusion
        self._exchange = exchange
        self._early = EarlyMessages(4 * terms.n + 16)
        self._differing: dict[tuple[int, bool], list[int]] = {}  # (attempt, of nonces) -> signers under another set
        self._checked: dict[int, int] = {}
        self.accused: set[tuple[int, bytes]] = set()

    def receive(self, signed: Signed[Message], peer: bytes | None, reaction: Reaction) -> None:
        """A session message of another signer, perhaps relayed by `peer`."""
        attempt = self._terms.attempt_of.get(signed.record.session)
        if attempt is None:
            return
        transcript = self._attempts.transcripts.get(attempt)
        index = None if transcript is None else transcript.signer_of(signed)
        if transcript is None or index is None:
            if not self._conclusion.final:
                self._early.keep(signed, peer)
                self._exchange.ask_soon(peer, reaction.now)
            return
        if signer_peer(signed) != transcript.peer_of(index) or self._terms.own_mask >> index & 1:
            return
        match signed.record.body:
            case NonceBody() | PartialBody():
                self._take(transcript, index, signed, peer, reaction)
            case AbortBody():
                self._take_abort(transcript, index, signed, peer, reaction)
            case _:
                pass

    def joined(self, join: bytes, reaction: Reaction) -> None:
        """A join arrived: take the messages kept aside for it."""
        for message, peer in self._early.take(join):
            self.receive(message, peer, reaction)

    def judge(self, live: Sequence[SigningSession], reaction: Reaction) -> None:
        """Judge whatever can be judged in the states that the live own sessions have reached."""
        for session in live:
            state = session.row.state
            if state is State.ROUND1 or state is State.ROUND2:
                self._judge_nonces(session.transcript, reaction)
            if session.row.state is State.ROUND2:
                self._judge_partials(session.transcript, reaction)

    def judge_broken_off(self, transcript: Transcript, reaction: Reaction) -> None:
        """A round was broken off: judge what is in the slots, so that no proof is overlooked."""
        self._judge_nonces(transcript, reaction)
        self._judge_partials(transcript, reaction)

    def show_sets(self, transcript: Transcript, reaction: Reaction) -> None:
        """Show joins or nonces to a few signers that use other sets, in turn."""
        for of_nonces in (False, True):
            signers = self._differing.get((transcript.attempt, of_nonces), [])
            for index in signers[:_SHOWN_TO]:
                peer = transcript.peer_of(index)
                if peer is not None:
                    self._exchange.send_all(transcript, peer, reaction, nonces=of_nonces)
            signers[:] = signers[_SHOWN_TO:] + signers[:_SHOWN_TO]

    def accuse(self, ending: Ending, attempt: int, reaction: Reaction) -> None:
        """End the request with a proof: store it, send it, name the culprit."""
        named = (*ending.culprits, *ending.conflicting)
        if self._conclusion.complete or all((attempt, key) in self.accused for key in named):
            return
        self.accused.update((attempt, key) for key in named)
        self._keep_proof(ending, attempt, reaction)
        sessions = {id(session): session for session in (*self._attempts.of(attempt), *self._attempts.live())}
        on = On.PROOF if ending.reason in PROVEN else On.JOIN_CONFLICT
        moved = [session.fire(on, reaction, ending) for session in sessions.values()]
        joined = tuple(self._attempts.latest)
        if not any(moved) and joined:
            told = {"reason": ending.reason.value, "culprits": ending.culprits, "missing": (), "retrying": False}
            reaction.emit("session:aborted", self._terms.session(attempt), attempt, joined, **told)
        self._conclusion.fail(ending.reason.value, named[0], reaction, ending.culprits)

    def _keep_proof(self, ending: Ending, attempt: int, reaction: Reaction) -> None:
        culprit = ending.culprits[0] if ending.culprits else None
        session = self._terms.session(attempt)
        reaction.add(*(SaveRecord(self._terms.id, session, signed, culprit) for signed in ending.evidence))
        if culprit is not None:
            peer = self._attempts.transcript(attempt).peer_of(self._terms.index_of[culprit])
            if peer is not None:
                reaction.add(Blame(culprit, peer, ending.reason.value))

    def _take(
        self, transcript: Transcript, index: int, signed: Signed[Message], peer: bytes | None, reaction: Reaction
    ) -> None:
        seq = signed.record.seq
        slots = transcript.nonces if seq == 1 else transcript.partials
        first = slots[index]
        sessions = self._attempts.of(transcript.attempt)
        if first is not None and first.id != signed.id:
            self.accuse(equivocation(transcript, index, first, signed), transcript.attempt, reaction)
        elif not any(session.live for session in sessions):
            if peer is not None:
                self._exchange.tell_dead(transcript.attempt, peer, reaction)
        elif first is None:
            slots.put(index, signed)
            reaction.add(SaveMessage(signed, transcript.session, index, seq, own=False))
            if seq == 1 and not transcript.parses(signed):
                self.accuse(invalid_nonce(transcript, index, signed), transcript.attempt, reaction)
                return
            for session in sessions:
                session.fire(On.NONCE if seq == 1 else On.PARTIAL, reaction)
            self._exchange.news(transcript, peer, reaction.now)
            builds_on = transcript.joins if seq == 1 else transcript.nonces
            if not builds_on.full:
                self._exchange.ask_soon(peer, reaction.now)

    def _take_abort(
        self, transcript: Transcript, index: int, signed: Signed[Message], peer: bytes | None, reaction: Reaction
    ) -> None:
        body = signed.record.body
        assert isinstance(body, AbortBody)
        first, key = transcript.aborts[index], self._terms.keys[index]
        if self._conclusion.complete or (first is not None and first.id == signed.id):
            return
        if first is None:
            transcript.aborts.put(index, signed)
            reaction.add(SaveMessage(signed, transcript.session, index, 3, own=False))
            sessions = self._attempts.of(transcript.attempt)
            if not sessions or any(session.live for session in sessions):
                self._exchange.pass_on(signed, peer, reaction)
        findings = self._look_into(transcript, index, body)
        for finding in findings:
            self.accuse(_ending(finding), finding.attempt, reaction)
        if findings:
            return
        missing = tuple(name for name in body.missing if name in transcript.absent(_present(transcript)))
        if body.scope == EndingScope.REQUEST:
            ending = Ending(Reason.ABORTED_BY_SIGNER, EndingScope.REQUEST, by=key, missing=missing, message=signed)
            for session in self._attempts.live():
                session.fire(On.ABORT, reaction, ending)
            self._conclusion.fail(ending.reason.value, key, reaction)
            return
        retrying = body.reason == Reason.NONCE_LOST
        ending = Ending(Reason.ABORTED_BY_SIGNER, by=key, missing=missing, message=signed, retrying=retrying)
        for session in self._attempts.of(transcript.attempt):
            session.fire(On.ABORT, reaction, ending)

    def _look_into(self, transcript: Transcript, index: int, body: AbortBody) -> list[ProvenFault]:
        """What the evidence in an abort message proves, together with what is known here."""
        checked = self._checked.get(index, 0)
        if not body.evidence or checked >= _EVIDENCE_CHECKS:
            return []
        if any(attempt == transcript.attempt for attempt, _ in self.accused):
            return []
        self._checked[index] = checked + 1
        known = (*transcript.joins, *transcript.nonces)
        return examine(self._terms, [*known, *open_all(body.evidence)])

    def _judge_nonces(self, transcript: Transcript, reaction: Reaction) -> None:
        for index, verdict in transcript.judge_nonces():
            if verdict is ContributionVerdict.OTHER_SET:
                self._differs(transcript, index, reaction, of_nonces=False)

    def _judge_partials(self, transcript: Transcript, reaction: Reaction) -> None:
        for index, verdict in transcript.judge_partials():
            match verdict:
                case ContributionVerdict.BAD:
                    self.accuse(bad_partial(transcript, index), transcript.attempt, reaction)
                    return
                case ContributionVerdict.OTHER_SET:
                    self._differs(transcript, index, reaction, of_nonces=True)
                case ContributionVerdict.GOOD:
                    pass

    def _differs(self, transcript: Transcript, index: int, reaction: Reaction, *, of_nonces: bool) -> None:
        signers = self._differing.setdefault((transcript.attempt, of_nonces), [])
        signers.append(index)
        if len(signers) <= _SHOWN_TO:
            self.show_sets(transcript, reaction)


def _present(transcript: Transcript) -> int:
    """The signers whose contribution to the current round is here."""
    if not transcript.joins.full:
        return transcript.joins.mask
    return transcript.good_nonces if transcript.nonceset is None else transcript.good_partials


def _ending(finding: ProvenFault) -> Ending:
    if finding.reason in PROVEN:
        return Ending(finding.reason, EndingScope.REQUEST, culprits=(finding.pubkey,), evidence=finding.evidence)
    return Ending(finding.reason, EndingScope.REQUEST, conflicting=(finding.pubkey,), evidence=finding.evidence)


class EarlyMessages:
    """Messages that arrive before the join that they name: at most `limit`, at most an eighth of them from one peer.

    A lost one only causes a delay: the sender's `have` brings it again.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._per_peer = max(limit // 8, 8)
        self._by_join: dict[bytes, dict[bytes, Early]] = {}
        self._count_of: dict[bytes | None, int] = {}
        self._count = 0

    def keep(self, message: Signed[Message], peer: bytes | None) -> None:
        """Keep a message until its join comes, if there is room for it."""
        mine = self._count_of.get(peer, 0)
        if self._count >= self._limit or mine >= self._per_peer or len(message.envelope) > _LARGEST_EARLY:
            return
        waiting = self._by_join.setdefault(message.record.join, {})
        if message.envelope in waiting:
            return
        waiting[message.envelope] = (message, peer)
        self._count += 1
        self._count_of[peer] = mine + 1

    def take(self, join: bytes) -> list[Early]:
        """What came before this join, in the order of arrival."""
        taken = list(self._by_join.pop(join, {}).values())
        for _, peer in taken:
            self._count -= 1
            self._count_of[peer] -= 1
        return taken
