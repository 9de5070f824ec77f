"""Calls that wait go on waiting while the daemon restarts: they only read, so they may be repeated.

A daemon that stops answers waiting calls with `shutting_down`; then nothing listens; then it is back, perhaps at
another port, certainly with another cookie.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final

from musigd_client.errors import Busy, CallFailed, NotReady, RateLimited, ShuttingDown, Unauthenticated, Unreachable

WAITING: Final = frozenset({"getEvents", "getFinalSignature"})  # the methods with a parameter waitMs
LONGEST_WAIT_MS: Final = 60_000
PAUSE_S: Final = 0.25
_RETRY_MS: Final = 1_000  # if a busy daemon does not say how long


class Patience:
    """How long to go on asking whenever the daemon is away. `clock`: seconds."""

    def __init__(self, clock: Callable[[], float], wait_ms: int) -> None:
        self._clock = clock
        self._until = clock() + wait_ms / 1000
        self._was_away = False

    def left_ms(self) -> int:
        """Milliseconds until the patience ends."""
        return max(0, round((self._until - self._clock()) * 1000))

    def after(self, problem: Unreachable | CallFailed) -> float:
        """Seconds to pause before asking again; raises `problem` if there is nothing to wait for.

        A token that is refused is asked with again only after the daemon was away: its new cookie may come a moment
        after its listener.
        """
        is_away = isinstance(problem, (Unreachable, ShuttingDown))
        self._was_away = self._was_away or is_away
        is_late_cookie = self._was_away and isinstance(problem, Unauthenticated)
        if self.left_ms() <= 0 or not (is_away or is_late_cookie):
            raise problem
        return min(PAUSE_S, self.left_ms() / 1000)


class SignaturePace:
    """How long each question for a signature may wait, and when to give up. `timeout_s` None: never."""

    def __init__(self, clock: Callable[[], float], timeout_s: float | None) -> None:
        self._clock = clock
        self._until = None if timeout_s is None else clock() + timeout_s

    def wait_ms(self) -> int:
        """For the next `getFinalSignature`."""
        return LONGEST_WAIT_MS if self._until is None else min(LONGEST_WAIT_MS, self._left_ms(self._until))

    def after(self, problem: CallFailed) -> float:
        """Seconds to pause before the next question; raises `problem` if it ends the wait."""
        if not isinstance(problem, (NotReady, Busy, RateLimited)) or self.wait_ms() <= 0:
            raise problem
        told = problem.data.get("retryAfterMs")
        pause_ms = 0 if isinstance(problem, NotReady) else told if isinstance(told, int) else _RETRY_MS
        return min(pause_ms, self.wait_ms()) / 1000

    def _left_ms(self, until: float) -> int:
        return max(0, round((until - self._clock()) * 1000))


def through_restarts(ask: Callable[[int], Any], wait_ms: int) -> Any:
    """The answer of `ask(left_ms)`, asked again until `wait_ms` are over whenever the daemon is away. Blocks.

    Raises what the last attempt raised.
    """
    patience = Patience(time.monotonic, wait_ms)
    left_ms = wait_ms
    while True:
        try:
            return ask(left_ms)
        except (Unreachable, CallFailed) as problem:
            pause = patience.after(problem)
        time.sleep(pause)
        left_ms = patience.left_ms()
