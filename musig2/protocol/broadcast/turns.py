"""After the signature: whose turn it is to broadcast the transaction, and who reported that it is done.

The clock is failover.py's. "Done" counts only from a signer whose turn it is or was; one that comes earlier is kept
until then. The own wallet may broadcast at any time: its report stops the clock here at once. Two signers that name
different transactions are a conflict, whoever's turn it is: one session has one transaction.
"""

from __future__ import annotations

from musig2.protocol.broadcast.election import priority
from musig2.protocol.broadcast.failover import Failover, Passed
from musig2.protocol.interface.effects import SaveMessage, State
from musig2.protocol.interface.inputs import NotifyBroadcast, Now
from musig2.protocol.interface.reaction import Reaction
from musig2.protocol.records.envelope import signer_peer
from musig2.protocol.records.records import DoneBody, Message
from musig2.protocol.request.attempts import Attempts
from musig2.protocol.request.conclusion import Conclusion
from musig2.protocol.session.signing_session import SigningSession
from musig2.protocol.session.terms import RequestTerms
from musig2.protocol.wire.frames import Signed


class BroadcastTurns:
    """The turns of one request."""

    def __init__(self, terms: RequestTerms, attempts: Attempts, conclusion: Conclusion) -> None:
        self._terms = terms
        self._attempts = attempts
        self._conclusion = conclusion
        self._dones: dict[int, Signed[Message]] = {}
        self._told: frozenset[bytes] = frozenset()  # the txids of the last conflict
        self.failover: Failover | None = None

    @property
    def over(self) -> bool:
        """Whether nothing is left to wait for."""
        return self.failover is None or self.failover.over

    def complete(self, signatures: tuple[bytes, ...], reaction: Reaction) -> None:
        """The request has its signatures: the first turn begins."""
        self._conclusion.finish(signatures, reaction)
        self.resume()
        if self.failover is not None:
            self._tell_turn(reaction)
            self._consider_dones(reaction)
        self._told = frozenset()
        self._tell_conflict(reaction)

    def resume(self) -> None:
        """Set the clock from what is stored, without events."""
        election, conclusion = self._terms.record.election, self._conclusion
        if election is None or conclusion.completed_ms is None or not self._attempts.latest:
            return
        turns = priority(self._terms.record)
        self.failover = Failover(turns, election.broadcast_ms, conclusion.completed_ms, conclusion.turn)
        for index in self._dones:
            if self._terms.own_mask >> index & 1 or self.failover.accepts(index):
                self.failover.stop()

    def restore(self, index: int, done: Signed[Message]) -> None:
        """A "done" from the store."""
        self._dones[index] = done
        self._told |= {_txid(done)}

    def tick(self, reaction: Reaction) -> None:
        """Pass on the turns whose time is over."""
        while self.failover is not None and (passed := self.failover.advance(reaction.now.wall_ms)) is not None:
            self._conclusion.turn = self.failover.turn
            self._conclusion.save(reaction)
            self._tell_passed(passed, reaction)
            self._consider_dones(reaction)

    def next_due_ms(self, now: Now) -> int | None:
        """When a turn ends (monotonic)."""
        if self.failover is None or self.failover.over:
            return None
        return now.mono_ms + max(0, self.failover.deadline_wall_ms - now.wall_ms)

    def receive(self, signed: Signed[Message], reaction: Reaction) -> bool:
        """Another signer reports that it is done; whether that is news."""
        transcript = self._attempts.transcripts.get(self._terms.attempt_of.get(signed.record.session, 0))
        index = None if transcript is None else transcript.signer_of(signed)
        if transcript is None or index is None or signer_peer(signed) != transcript.peer_of(index):
            return False
        if index in self._dones or self._terms.own_mask >> index & 1:
            return False
        self._dones[index] = signed
        reaction.add(SaveMessage(signed, transcript.session, index, 4, own=False))
        self._consider_dones(reaction)
        self._tell_conflict(reaction)
        return True

    def notify(self, notify: NotifyBroadcast, reaction: Reaction) -> None:
        """The own wallet reports that it is done: tell the other signers and stop the clock here."""
        session = self._speaker(notify)
        if session is None:
            return
        known = self._dones.get(session.index)
        if known is not None:
            reaction.send(known)
            return
        join = session.transcript.joins[session.index]
        if join is None:
            return
        done = self._terms.seal(session.row.session, join.id, DoneBody(notify.txid))
        self._dones[session.index] = done
        reaction.add(SaveMessage(done, session.row.session, session.index, 4, own=True))
        reaction.send(done)
        if self.failover is not None:
            self.failover.stop()
        self._confirm(session.index, notify.txid, reaction)
        self._tell_conflict(reaction)

    def said(self, notify: NotifyBroadcast) -> bytes | None:
        """The txid that the reporting own key has named before; None if it named none."""
        session = self._speaker(notify)
        known = None if session is None else self._dones.get(session.index)
        return None if known is None else _txid(known)

    def own_done(self) -> Signed[Message] | None:
        """The "done" of the own wallet, for peers that missed it."""
        return next((done for index, done in self._dones.items() if self._terms.own_mask >> index & 1), None)

    def _speaker(self, notify: NotifyBroadcast) -> SigningSession | None:
        """The own key that reports: the one named, else the one whose turn it is, else any."""
        sessions = [session for session in self._attempts.latest.values() if session.state is State.COMPLETE]
        if notify.key is not None:
            return next((session for session in sessions if session.key == notify.key), None)
        turn = None if self.failover is None else self.failover.coordinator
        return next((session for session in sessions if session.index == turn), sessions[0] if sessions else None)

    def _consider_dones(self, reaction: Reaction) -> None:
        if self.failover is None or self.failover.over:
            return
        for index, done in self._dones.items():
            if self.failover.accepts(index):
                self.failover.stop()
                self._confirm(index, _txid(done), reaction)
                return

    def _tell_conflict(self, reaction: Reaction) -> None:
        claims = {index: _txid(done) for index, done in self._dones.items()}
        txids = frozenset(claims.values())
        if not self._conclusion.complete or len(txids) < 2 or txids <= self._told:
            return
        self._told = txids
        named = [{"publicKey": self._terms.keys[index], "txid": txid} for index, txid in claims.items()]
        self._emit("session:broadcast-conflict", reaction, claims=named)

    def _tell_passed(self, passed: Passed, reaction: Reaction) -> None:
        keys = self._terms.keys
        following = None if passed.next is None else keys[passed.next]
        self._emit("session:coordinator-failed", reaction, failed=keys[passed.failed], next=following)
        if passed.next is None:
            self._emit("session:failover-exhausted", reaction, attempts=len(keys))
        else:
            self._tell_turn(reaction)

    def _tell_turn(self, reaction: Reaction) -> None:
        """Tell the owner of an own key that the transaction is its to broadcast."""
        failover = self.failover
        coordinator = None if failover is None else failover.coordinator
        if failover is None or coordinator is None or not self._terms.own_mask >> coordinator & 1:
            return
        told: dict[str, object] = {
            "signatures": self._conclusion.signatures,
            "deadline": failover.deadline_wall_ms,
        }
        transaction = self._terms.record.metadata.get("transactionHex")
        if transaction is not None:
            told["transactionHex"] = transaction
        self._emit("session:should-broadcast", reaction, keys=(self._terms.keys[coordinator],), **told)

    def _confirm(self, index: int, txid: bytes, reaction: Reaction) -> None:
        self._emit("session:broadcast-confirmed", reaction, publicKey=self._terms.keys[index], txid=txid)

    def _emit(self, event: str, reaction: Reaction, keys: tuple[bytes, ...] | None = None, **told: object) -> None:
        latest = max(self._attempts.latest.values(), key=lambda session: session.row.attempt)
        reaction.emit(event, latest.row.session, latest.row.attempt, keys or self._terms.own_keys, **told)


def _txid(done: Signed[Message]) -> bytes:
    assert isinstance(done.record.body, DoneBody)
    return done.record.body.txid
