"""Rulings that are made once and reused for as long as they would be the same.

A request is judged when it arrives, when it is joined, and before its partial signatures. Two things are kept until
the rules change: what follows from the request alone (`judge.sift`), and the latest ruling, with what it was based on.
It is reused only if nothing of that has changed: the charges and reservations of other requests, whether one of them
has run out since, the minute by the wall clock, and whether that clock is believed. A ruling that depends on
reputations, or on outputs that other requests share, is never reused.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from daemon.policy.judge import Sieve, Sifted
from daemon.policy.members import CLOCKED, MINUTE_MS, TIMED
from daemon.policy.rules import Ruling
from daemon.policy.spent import Spent

MOST: Final = 512  # requests and keys


@dataclass(frozen=True, slots=True)
class Present:
    """What of the present a ruling may depend on. `time_ms`: of the wall clock, None if it is not believed."""

    time_ms: int | None
    budget_ms: int

    @property
    def minute(self) -> int | None:
        """The minute since 1970."""
        return None if self.time_ms is None else self.time_ms // MINUTE_MS


@dataclass(frozen=True, slots=True)
class Made:
    """A ruling, and what it was based on."""

    ruling: Ruling
    at: Present
    changes: int  # of what is spent, by then
    until_ms: int  # when something that was counted runs out


class Rulings:
    """What is kept of requests under one set of rules."""

    def __init__(self, through: Sieve) -> None:
        self.sieve = through
        self._sifted: dict[tuple[bytes, bytes], Sifted | Ruling] = {}
        self._latest: dict[tuple[bytes, bytes], Made] = {}

    def sifted(self, request: bytes, key: bytes) -> Sifted | Ruling | None:
        """What is left of the rules; the ruling itself, if that lasts."""
        return self._sifted.get((request, key))

    def keep_sifted(self, request: bytes, key: bytes, found: Sifted | Ruling) -> None:
        """Until the rules change."""
        if len(self._sifted) >= MOST:
            self._sifted.clear()
            self._latest.clear()
        self._sifted[request, key] = found

    def latest(self, request: bytes, key: bytes, now: Present, spent: Spent, members: frozenset[str]) -> Ruling | None:
        """The latest ruling, if it is what these members lead to now."""
        kept = self._latest.get((request, key))
        if kept is None or spent.changed_by_others(request, kept.changes) or now.budget_ms >= kept.until_ms:
            return None
        then = kept.at
        if (now.time_ms is None) != (then.time_ms is None):
            return None
        return kept.ruling if members.isdisjoint(CLOCKED) or now.minute == then.minute else None

    def keep(self, request: bytes, key: bytes, made: Made) -> None:
        """A ruling that was just made, of what can be reused."""
        self._latest[request, key] = made


def is_reusable(sifted: Sifted) -> bool:
    """Whether `Made` holds all that a ruling on this request depends on."""
    return sifted.facts.transaction is None and sifted.members <= TIMED
