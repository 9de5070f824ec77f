"""After a failed commit: gives up what depends on it, and stores later what can still be stored.

Nothing of the lost effects was sent. Own partial signatures among them never leave this process, so their attempt ends
with `store_failed`. What others sent, and a final signature, are stored again after a second, doubling to a minute, and
with them goes the event that tells of an end.
"""

from __future__ import annotations

from typing import Final

from musig2.protocol.blame.endings import Ending, Reason
from musig2.protocol.interface.effects import Emit, Save, SaveJoin, SaveMessage, SaveOutcome, SaveRecord, State
from musig2.protocol.interface.reaction import Reaction
from musig2.protocol.request.attempts import Attempts
from musig2.protocol.request.conclusion import Conclusion
from musig2.protocol.session.session_table import On
from musig2.protocol.session.signing_session import SigningSession

FIRST_PAUSE_MS: Final = 1_000
LONGEST_PAUSE_MS: Final = 60_000
TOLD_LATER: Final = frozenset(
    {
        "session:aborted",
        "session:error",
        "signing-request:declined",
        "signing-request:cancelled",
        "signing-request:expired",
        "session:should-broadcast",
        "session:coordinator-failed",
        "session:failover-exhausted",
        "session:broadcast-confirmed",
        "session:broadcast-conflict",
    }
)


class SaveRetry:
    """The saves that still have to be stored."""

    def __init__(self, attempts: Attempts, conclusion: Conclusion) -> None:
        self._attempts = attempts
        self._conclusion = conclusion
        self._owed: tuple[Save, ...] = ()
        self._untold: tuple[Emit, ...] = ()
        self._pause = FIRST_PAUSE_MS
        self.due_ms: int | None = None

    def failed(self, lost: tuple[Save, ...], untold: tuple[Emit, ...], reaction: Reaction) -> None:
        """A commit failed. `lost` are its saves; none named means that everything is doubtful. `untold`: its events."""
        if self._conclusion.final and (not lost or any(isinstance(save, SaveOutcome) for save in lost)):
            self._conclusion.stored = False
        if not self._conclusion.complete:
            for session in self._attempts.live():
                self._give_up(session, lost, reaction)
        self._untold += tuple(emit for emit in untold if emit.event in TOLD_LATER)
        again = (save for save in lost if isinstance(save, SaveJoin | SaveMessage | SaveRecord))
        self._owed += tuple(save for save in again if not _is_own_partial(save))
        self.due_ms = reaction.now.mono_ms + self._pause
        self._pause = min(2 * self._pause, LONGEST_PAUSE_MS)

    def tick(self, reaction: Reaction) -> None:
        """Store again what failed; a signature is announced now, because it was not then."""
        if self.due_ms is None or self.due_ms > reaction.now.mono_ms:
            return
        self.due_ms = None
        reaction.add(*self._owed, *self._untold)
        self._owed, self._untold = (), ()
        was_stored, self._conclusion.stored = self._conclusion.stored, True
        self._conclusion.save(reaction)
        for session in self._attempts.sessions.values():
            reaction.save_row(session.row)
        if self._conclusion.complete and not was_stored:
            for session in self._attempts.latest.values():
                session.tell_finished(reaction, self._conclusion.signatures)

    def _give_up(self, session: SigningSession, lost: tuple[Save, ...], reaction: Reaction) -> None:
        mine = any(_is_own_partial(save, session.row.session) for save in lost)
        if session.state is State.ROUND2 and (mine or not lost):
            session.forget_partials(reaction, released=not lost)
        session.fire(On.SAVE_FAILED, reaction, Ending(Reason.STORE_FAILED))


def _is_own_partial(save: Save, session: bytes | None = None) -> bool:
    return isinstance(save, SaveMessage) and save.own and save.seq == 2 and session in (None, save.session)
