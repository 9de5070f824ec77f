"""Inputs of the owner and of the signer port: rounds to start, nonces and partials made, refusals, aborts.

Own partial signatures are verified before they enter the transcript, here or where they were made: a bad one is never
sent, and its nonce is used up, which ends the attempt.
"""

from __future__ import annotations

from musig2.protocol.blame.endings import Ending, EndingScope, Reason
from musig2.protocol.interface.effects import State
from musig2.protocol.interface.inputs import (
    NoncesReady,
    OwnerAbort,
    PartialsReady,
    SignerRefused,
    StartRound1,
    StartRound2,
)
from musig2.protocol.interface.reaction import Reaction
from musig2.protocol.request.attempts import Attempts
from musig2.protocol.request.conclusion import Conclusion
from musig2.protocol.request.joining import Joining
from musig2.protocol.session.session_table import On
from musig2.protocol.session.signing_session import SigningSession
from musig2.protocol.session.terms import RequestTerms


class OwnPart:
    """Takes the inputs that concern own keys."""

    def __init__(self, terms: RequestTerms, attempts: Attempts, conclusion: Conclusion, joining: Joining) -> None:
        self._terms = terms
        self._attempts = attempts
        self._conclusion = conclusion
        self._joining = joining

    def start(self, start: StartRound1 | StartRound2, reaction: Reaction) -> None:
        """The owner starts a round; if it is over already, the stored messages are sent again."""
        on = On.START_ROUND1 if isinstance(start, StartRound1) else On.START_ROUND2
        for session in self._attempts.live():
            if session.row.session == start.session and start.key in (None, session.key):
                session.fire(on, reaction)

    def nonces(self, ready: NoncesReady, reaction: Reaction) -> None:
        """The signer port made nonces."""
        session = self._asked(ready.session, ready.key)
        if session is not None and len(ready.pubnonces) == len(self._terms.items):
            session.fire(On.NONCES_MADE, reaction, ready.pubnonces)

    def partials(self, ready: PartialsReady, reaction: Reaction) -> None:
        """The signer port made partial signatures."""
        session = self._asked(ready.session, ready.key)
        if session is None or session.state is not State.ROUND1:
            return
        if ready.verified or session.transcript.verifies(session.index, ready.psigs):
            session.fire(On.PARTIALS_MADE, reaction, ready.psigs)
        else:
            self.faulty(session, reaction)

    def refused(self, refused: SignerRefused, reaction: Reaction) -> None:
        """The signer port cannot do what it was asked."""
        if self._attempts.wanted.get(refused.key) == refused.attempt:
            self._joining.refused(refused, reaction)
            return
        session = self._asked(self._terms.session(refused.attempt), refused.key)
        if session is None:
            return
        if refused.reason in (Reason.LOCKED, Reason.POLICY):
            session.fire(On.REFUSED, reaction, Ending(Reason(refused.reason)))
        else:
            self._joining.lost_nonce(session, On.REFUSED, reaction)

    def faulty(self, session: SigningSession, reaction: Reaction) -> None:
        """A signature made here does not verify: it is not sent, and the nonce is gone."""
        row = session.row
        reaction.emit("session:error", row.session, row.attempt, (row.key,), code="signing_fault")
        self._joining.lost_nonce(session, On.REFUSED, reaction)

    def abort(self, abort: OwnerAbort, reaction: Reaction) -> None:
        """The owner ends the request for own keys; a lock ends the attempt only, because a key can be unlocked."""
        keys = self._terms.own_keys if abort.key is None else (abort.key,)
        if self._conclusion.final or not keys or not set(keys) <= set(self._terms.own_keys):
            return
        locked = abort.reason == Reason.LOCKED
        ending = (
            Ending(Reason.LOCKED) if locked else Ending(Reason.ABORTED_BY_OWNER, EndingScope.REQUEST, text=abort.text)
        )
        for session in [session for key in keys if (session := self._attempts.latest.get(key)) is not None]:
            if not session.fire(On.OWNER, reaction, ending) and not locked:
                session.tell_abort(reaction, ending)
        scope = EndingScope.ATTEMPT if locked else EndingScope.REQUEST
        if not locked:
            self._conclusion.fail(Reason.ABORTED_BY_OWNER.value, keys[0], reaction)
        for session in self._attempts.live():
            session.fire(On.ABORT, reaction, Ending(Reason.ABORTED_BY_SIGNER, scope, by=keys[0], told=True))

    def disconnected(self, peer: bytes, reaction: Reaction) -> None:
        """A peer disconnected: tell clients with a live session with one of its keys."""
        for session in self._attempts.live():
            if any(join.record.peer == peer for join in session.transcript.joins):
                row = session.row
                reaction.emit("session:participant-disconnected", row.session, row.attempt, (row.key,), peerId=peer)

    def _asked(self, session_id: bytes, key: bytes) -> SigningSession | None:
        """The session for which the signer port was asked; None if the answer is too late."""
        session = self._attempts.sessions.get((self._terms.attempt_of.get(session_id, 0), key))
        return None if session is None or session.asked is None else session
