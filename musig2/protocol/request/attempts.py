"""The attempts of a request, and the rule by which this daemon takes part in one.

An attempt exists once a valid join of it is known. The highest one counts, whoever opened it. An own key takes part

    when its owner approves            in the highest attempt, or the next one if that one has failed
    when another opens a higher one    in that one, if its owner has approved ("follow")
    when its secret nonce was lost     in the next one, automatically, after a pause of 1 s that doubles

and never twice in one attempt, nor below one that it has joined. After the last attempt nothing is started.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from musig2.protocol.blame.endings import Reason
from musig2.protocol.interface.effects import OVER, State
from musig2.protocol.interface.inputs import Now
from musig2.protocol.session.signing_session import SigningSession
from musig2.protocol.session.terms import RequestTerms
from musig2.protocol.session.transcript import Transcript

FIRST_PAUSE_MS: Final = 1_000


class Attempts:
    """All attempts of one request, for all own keys."""

    def __init__(self, terms: RequestTerms) -> None:
        self.terms = terms
        self.highest = 0
        self.transcripts: dict[int, Transcript] = {}
        self.sessions: dict[tuple[int, bytes], SigningSession] = {}
        self.latest: dict[bytes, SigningSession] = {}  # own key -> its highest attempt
        self.approved: dict[bytes, bool] = {}  # own key -> whether the rounds start by themselves
        self.wanted: dict[bytes, int] = {}  # own key -> attempt whose join was requested and is not here yet
        self._refused: dict[bytes, int] = {}  # own key -> attempt that the signer port would not join
        self._rejoins: dict[bytes, int] = {}  # own key -> when to try again (monotonic)

    @property
    def current(self) -> Transcript | None:
        """The transcript of the highest attempt."""
        return self.transcripts.get(self.highest)

    def transcript(self, attempt: int) -> Transcript:
        """The transcript of an attempt that a join has just opened, or that is known."""
        found = self.transcripts.get(attempt)
        if found is None:
            found = self.transcripts[attempt] = Transcript(self.terms, attempt)
            self.highest = max(self.highest, attempt)
        return found

    def add(self, session: SigningSession) -> None:
        """A session of an own key that has joined."""
        key, attempt = session.key, session.row.attempt
        self.sessions[attempt, key] = session
        latest = self.latest.get(key)
        if latest is None or latest.row.attempt < attempt:
            self.latest[key] = session
        self.approved.setdefault(key, session.row.auto)

    def of(self, attempt: int) -> list[SigningSession]:
        """The sessions of the own keys in an attempt."""
        found = (self.sessions.get((attempt, key)) for key in self.terms.own_keys)
        return [session for session in found if session is not None]

    def live(self) -> list[SigningSession]:
        """The sessions that can still make progress by themselves: at most one per own key."""
        return [session for session in self.latest.values() if session.row.state not in OVER]

    def target(self, key: bytes) -> int:
        """The attempt that this key joins when approved; above the maximum if none is left."""
        latest = self.latest.get(key)
        joined = 0 if latest is None else latest.row.attempt
        if self.highest > joined and not self._dead(self.highest):
            return self.highest
        return self.highest + 1

    def peer_of(self, index: int) -> bytes | None:
        """The peer named by that signer's join in the highest attempt that has one."""
        for attempt in range(self.highest, 0, -1):
            transcript = self.transcripts.get(attempt)
            peer = None if transcript is None else transcript.peer_of(index)
            if peer is not None:
                return peer
        return None

    def want(self, key: bytes, attempt: int) -> None:
        """A join is being asked for."""
        self.wanted[key] = attempt
        self._rejoins.pop(key, None)

    def refuse(self, key: bytes) -> None:
        """The signer port refused a join: do not ask again before the owner approves again."""
        self._refused[key] = self.wanted.pop(key)

    def to_follow(self) -> Iterator[bytes]:
        """The own keys that take part in the request, but not yet in its highest attempt."""
        for key in self.approved:
            latest = self.latest.get(key)
            reached = max(
                0 if latest is None else latest.row.attempt, self.wanted.get(key, 0), self._refused.get(key, 0)
            )
            if reached < self.highest and latest is not None:
                yield key

    def rejoin_later(self, key: bytes, now: Now) -> None:
        """The secret nonce of this key is lost: open the next attempt automatically, after a pause."""
        lost = sum(
            1
            for (_, owner), session in self.sessions.items()
            if owner == key and session.row.reason == Reason.NONCE_LOST
        )
        self._rejoins[key] = now.mono_ms + FIRST_PAUSE_MS * 2 ** max(lost - 1, 0)

    def take_due_rejoins(self, now: Now) -> list[bytes]:
        """Remove and return the own keys whose pause is over."""
        over = [key for key, due in self._rejoins.items() if due <= now.mono_ms]
        for key in over:
            del self._rejoins[key]
        return over

    def forget_plans(self) -> None:
        """The request is over."""
        self.wanted.clear()
        self._rejoins.clear()

    @property
    def exhausted(self) -> bool:
        """Whether the last attempt there may be is known to have failed."""
        return self.highest >= self.terms.max_attempts and self._dead(self.highest) and not self.wanted

    def next_due_ms(self) -> int | None:
        """When a pause ends (monotonic)."""
        return min(self._rejoins.values(), default=None)

    def _dead(self, attempt: int) -> bool:
        """Whether an attempt is known to have failed, here or at another signer."""
        return self.transcripts[attempt].aborts.filled > 0 or any(
            session.state is State.ABORTED for session in self.of(attempt)
        )
