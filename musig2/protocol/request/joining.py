"""Who takes part: joins of others, own joins, and following attempts.

The rule itself is in attempts.py. It is applied here: after an approval or another signer's higher join, the signer
port is asked for an own join; when that is here, lower attempts are given up, and the join is stored and sent.
"""

from __future__ import annotations

from musig2.protocol.blame.endings import Ending, EndingScope, Reason
from musig2.protocol.blame.proofs import join_conflict
from musig2.protocol.interface.effects import KeyConflict, NeedJoin, Outcome, SaveJoin, SessionRow, State
from musig2.protocol.interface.inputs import Approved, SignerRefused
from musig2.protocol.interface.reaction import Reaction
from musig2.protocol.records.records import Join
from musig2.protocol.request.attempts import Attempts
from musig2.protocol.request.conclusion import Conclusion
from musig2.protocol.request.contributions import Contributions
from musig2.protocol.request.exchange import Exchange
from musig2.protocol.session.session_table import On
from musig2.protocol.session.signing_session import SigningSession
from musig2.protocol.session.slots import Put
from musig2.protocol.session.terms import RequestTerms
from musig2.protocol.session.transcript import Transcript
from musig2.protocol.wire.frames import Signed


class Joining:
    """Takes joins and approvals."""

    def __init__(
        self,
        terms: RequestTerms,
        attempts: Attempts,
        conclusion: Conclusion,
        exchange: Exchange,
        contributions: Contributions,
    ) -> None:
        self._terms = terms
        self._attempts = attempts
        self._conclusion = conclusion
        self._exchange = exchange
        self._contributions = contributions

    def approve(self, approved: Approved, reaction: Reaction) -> None:
        """The owner wants this key to take part."""
        key, attempts = approved.key, self._attempts
        if key not in self._terms.own_keys or self._conclusion.final:
            return
        latest = attempts.latest.get(key)
        joined = latest if latest is not None and latest.live and latest.row.attempt == attempts.highest else None
        if approved.auto is not None:
            attempts.approved[key] = approved.auto
        elif joined is None and key not in attempts.wanted:
            attempts.approved[key] = True
        if joined is not None:
            if approved.auto is not None:
                joined.set_auto(reaction, auto=approved.auto)
            return
        self._need(key, attempts.wanted.get(key) or attempts.target(key), reaction)

    def follow(self, reaction: Reaction) -> None:
        """Join a higher attempt that another signer opened."""
        if self._may_begin(reaction):
            for key in list(self._attempts.to_follow()):
                self._need(key, self._attempts.highest, reaction)

    def rejoin(self, reaction: Reaction) -> None:
        """Open the next attempt for keys whose pause after a lost nonce is over."""
        for key in self._attempts.take_due_rejoins(reaction.now):
            self._need(key, self._attempts.highest + 1, reaction)

    def refused(self, refused: SignerRefused, reaction: Reaction) -> None:
        """The signer port refused to join."""
        self._attempts.refuse(refused.key)
        reaction.emit("session:error", None, refused.attempt, (refused.key,), code=refused.reason)

    def own_join(self, join: Signed[Join], reaction: Reaction) -> None:
        """The signer port made a join: take part in that attempt and give up lower ones."""
        record, attempts = join.record, self._attempts
        key = record.pubkey
        if attempts.wanted.get(key) != record.attempt:
            return
        del attempts.wanted[key]
        index = self._terms.index_of[key]
        transcript = self._open(record.attempt, reaction)
        if transcript.put_join(index, join) is not Put.STORED:
            return
        reaction.add(SaveJoin(join, index, own=True))
        earlier = attempts.latest.get(key)
        if earlier is not None:
            earlier.fire(
                On.SUPERSEDED,
                reaction,
                Ending(Reason.SUPERSEDED, superseded_by=transcript.session, retrying=True, told=True),
            )
        session = SigningSession(transcript, self._first_row(transcript, key))
        attempts.add(session)
        reaction.save_row(session.row)
        reaction.send(join)
        for event in ("signing-request:joined", "session:joined", "session:announced"):
            reaction.emit(event, transcript.session, record.attempt, (key,), publicKey=key)
        siblings = tuple(other for other in self._terms.own_keys if other != key)
        if siblings:
            told = {"publicKey": key, "peerId": record.peer}
            reaction.emit("participant:joined", transcript.session, record.attempt, siblings, **told)
        self._exchange.begin(reaction.now)
        self._contributions.joined(join.id, reaction)

    def other_join(self, join: Signed[Join], peer: bytes | None, reaction: Reaction) -> None:
        """A join from a peer: of another signer, or, which should not happen, of an own key."""
        record, terms = join.record, self._terms
        index = terms.index_of.get(record.pubkey)
        if record.request != terms.id or record.scheme != terms.record.scheme or index is None:
            return
        if not 1 <= record.attempt <= terms.max_attempts or self._conclusion.final:
            return
        if record.pubkey in terms.own_keys:
            self._own_key_elsewhere(join, index, reaction)
            return
        transcript = self._open(record.attempt, reaction)
        match transcript.put_join(index, join):
            case Put.CONFLICT:
                first = transcript.joins[index]
                if first is not None:
                    conflict = join_conflict(transcript, index, first, join)
                    self._contributions.accuse(conflict, record.attempt, reaction)
            case Put.STORED:
                reaction.add(SaveJoin(join, index, own=False))
                told = {"publicKey": record.pubkey, "peerId": record.peer}
                reaction.emit("participant:joined", transcript.session, record.attempt, terms.own_keys, **told)
                for session in self._attempts.of(record.attempt):
                    session.fire(On.JOIN, reaction)
                self._exchange.news(transcript, peer, reaction.now)
                self._contributions.joined(join.id, reaction)
            case Put.SAME:
                pass

    def lost_nonce(self, session: SigningSession, on: On, reaction: Reaction) -> None:
        """The secret nonce of an attempt is gone: end the attempt, and begin another one after a pause."""
        last = self._attempts.highest >= self._terms.max_attempts
        if last:
            session.fire(on, reaction, Ending(Reason.ATTEMPTS_EXHAUSTED, EndingScope.REQUEST))
            self._conclusion.end(Outcome.FAILED, Reason.ATTEMPTS_EXHAUSTED.value, session.key, reaction)
            return
        again = self._may_begin(reaction)
        session.fire(on, reaction, Ending(Reason.NONCE_LOST, retrying=again))
        if again:
            self._attempts.rejoin_later(session.key, reaction.now)

    def restarted(self, reaction: Reaction) -> None:
        """The daemon started: secret nonces are gone, everything else continues."""
        for key, session in list(self._attempts.latest.items()):
            row = session.row
            if row.all_joined_wall_ms is not None and session.transcript.deadline_ms is None:
                session.transcript.resume_clock(reaction.now, row.all_joined_wall_ms)
            if session.state is State.ROUND1:
                self.lost_nonce(session, On.RESTARTED, reaction)
            elif session.live:
                session.fire(On.RESTARTED, reaction)
            elif row.reason == Reason.NONCE_LOST and row.attempt == self._attempts.highest:
                session.retrying = True
                self._attempts.rejoin_later(key, reaction.now)

    def _may_begin(self, reaction: Reaction) -> bool:
        return not self._conclusion.final and reaction.now.wall_ms < self._terms.record.expires

    def _need(self, key: bytes, attempt: int, reaction: Reaction) -> None:
        if not self._may_begin(reaction):
            return
        if attempt > self._terms.max_attempts:
            self._conclusion.end(Outcome.FAILED, Reason.ATTEMPTS_EXHAUSTED.value, key, reaction)
            return
        self._attempts.want(key, attempt)
        reaction.add(NeedJoin(self._terms.id, key, attempt))

    def _open(self, attempt: int, reaction: Reaction) -> Transcript:
        transcript = self._attempts.transcript(attempt)
        if not transcript.joins.filled:
            reaction.emit("session:created", transcript.session, attempt, self._terms.own_keys)
        return transcript

    def _first_row(self, transcript: Transcript, key: bytes) -> SessionRow:
        latest = self._attempts.latest.get(key)
        auto = self._attempts.approved.get(key, True if latest is None else latest.row.auto)
        return SessionRow(
            session=transcript.session,
            request=self._terms.id,
            attempt=transcript.attempt,
            key=key,
            state=State.JOINING,
            auto=auto,
            want_round1=False,
            want_round2=False,
            partial_released=False,
            nonce_sent=False,
        )

    def _own_key_elsewhere(self, join: Signed[Join], index: int, reaction: Reaction) -> None:
        """Somebody else joined with an own key: sign nothing more with it, and tell its owner."""
        record = join.record
        own = self._own_join_at(record.attempt, index)
        if own is not None and own.id == join.id:
            return
        reaction.add(KeyConflict(record.pubkey, record.peer, join))
        told = {"code": Reason.JOIN_CONFLICT.value, "publicKey": record.pubkey, "peerId": record.peer}
        reaction.emit("session:error", self._terms.session(record.attempt), record.attempt, (record.pubkey,), **told)
        transcript = self._open(record.attempt, reaction)
        evidence: tuple[Signed[Join], ...] = (join,) if own is None else (own, join)
        if own is None:
            transcript.put_join(index, join)
            reaction.add(SaveJoin(join, index, own=False))
        ending = Ending(Reason.JOIN_CONFLICT, EndingScope.REQUEST, conflicting=(record.pubkey,), evidence=evidence)
        self._contributions.accuse(ending, record.attempt, reaction)

    def _own_join_at(self, attempt: int, index: int) -> Signed[Join] | None:
        transcript = self._attempts.transcripts.get(attempt)
        return None if transcript is None else transcript.joins[index]
