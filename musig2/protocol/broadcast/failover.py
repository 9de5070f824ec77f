"""Who broadcasts the finished transaction, and who takes over if no "done" arrives.

    turn 0: the coordinator  --broadcast_ms-->  turn 1: the first backup  -->  ...  -->  exhausted
                    any turn  --"done" of a signer whose turn it is or was-->  done

Every signer runs this clock by itself, from the wall time at which it saw the signature. All deadlines derive from
that time, which is stored with the turn, so a restart continues it: turns that passed in the meantime are announced
then. A "done" that is early (clocks differ) counts when its signer's turn comes.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Passed:
    """A turn passed without a broadcast; `next` is the signer whose turn it is now, None if nobody is left."""

    failed: int
    next: int | None


class Failover:
    """The clock of turns. Signers are indexes."""

    def __init__(self, priority: tuple[int, ...], broadcast_ms: int, completed_ms: int, turn: int = 0) -> None:
        """`priority`: everybody's turns in order (election.py). `turn`: how many turns were announced as passed."""
        self._priority = priority
        self._broadcast_ms = broadcast_ms
        self._completed_ms = completed_ms
        self.turn = turn
        self.done = False

    @property
    def over(self) -> bool:
        """Whether it was broadcast, or everybody's turn has passed."""
        return self.done or self.turn >= len(self._priority)

    @property
    def coordinator(self) -> int | None:
        """Whose turn it is; None when it is over without a broadcast."""
        return self._priority[self.turn] if self.turn < len(self._priority) else None

    @property
    def deadline_wall_ms(self) -> int:
        """When the current turn ends."""
        return self._completed_ms + (self.turn + 1) * self._broadcast_ms

    def advance(self, wall_ms: int) -> Passed | None:
        """Pass the current turn on if its time is over. Repeat until None."""
        if self.over or wall_ms < self.deadline_wall_ms:
            return None
        failed = self._priority[self.turn]
        self.turn += 1
        return Passed(failed, self.coordinator)

    def accepts(self, signer: int) -> bool:
        """Whether it is or was this signer's turn."""
        return signer in self._priority[: self.turn + 1]

    def stop(self) -> None:
        """It was broadcast."""
        self.done = True
