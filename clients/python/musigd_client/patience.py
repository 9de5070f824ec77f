"""When a call is made again while the daemon restarts: what both clients decide alike.

A daemon that stops answers with `shutting_down`; then nothing listens; then it is back, perhaps at another port,
certainly with another cookie. A change is repeated with the same idempotency key, so it is carried out once.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from musigd_client.errors import (
    Busy,
    CallFailed,
    CertificateRefused,
    NotReady,
    RateLimited,
    ShuttingDown,
    Unauthenticated,
    Unreachable,
)
from musigd_client.failures import NobodyThere
from musigd_client.methods.changing import IDEMPOTENT, ONCE

WAITING: Final = frozenset({"getEvents", "getFinalSignature"})  # the methods with a parameter waitMs
LONGEST_WAIT_MS: Final = 60_000
PATIENCE_S: Final = 10.0
PAUSE_S: Final = 0.25
AWAY_S: Final = 2.0  # between questions for events, of a daemon that has been away for a minute
_RETRY_MS: Final = 1_000  # if a busy daemon does not say how long
_KEY_BYTES: Final = 16


class Patience:
    """How long to go on asking whenever the daemon is away. `clock`: seconds."""

    def __init__(self, clock: Callable[[], float], patience_ms: float) -> None:
        self._clock = clock
        self._until = clock() + patience_ms / 1000
        self._was_away = False

    def left_ms(self) -> int:
        """Milliseconds until the patience ends."""
        return max(0, round(self._left_s() * 1000))

    def after(self, problem: Unreachable | CallFailed, told_ms: int | None = None) -> float:
        """Seconds to pause before asking again; raises `problem` if there is nothing to wait for.

        A token that is refused is asked with again only after the daemon was away: its new cookie may come a moment
        after its listener. `told_ms`: how long a daemon that is not away asks to wait.
        """
        left_s = self._left_s()
        is_away = _is_away(problem)
        self._was_away = self._was_away or is_away
        if is_away or (self._was_away and isinstance(problem, Unauthenticated)):
            pause_s = min(PAUSE_S, left_s)
        elif told_ms is not None and told_ms / 1000 <= left_s:
            pause_s = told_ms / 1000
        else:
            raise problem
        if left_s <= 0:
            raise problem
        return pause_s

    def _left_s(self) -> float:
        return self._until - self._clock()


class RepeatedCall:
    """One call and the attempts at it: what each asks, and the pause before the next.

    A call with `waitMs`, which only reads, goes on for as long as that says, any other for `patience_s`; 0: it is made
    once. A change gets an idempotency key, unless it has one. What carries a secret takes no such key, and is not
    repeated once it may have arrived.
    """

    def __init__(self, clock: Callable[[], float], method: str, params: Mapping[str, Any], patience_s: float) -> None:
        wait_ms = params.get("waitMs") if method in WAITING else None
        self._waits = isinstance(wait_ms, int)
        self._patience = Patience(clock, wait_ms if isinstance(wait_ms, int) else 1000 * patience_s)
        self._repeatable = method not in ONCE
        self._params = dict(params)
        if patience_s > 0 and method in IDEMPOTENT and params.get("idempotencyKey") is None:
            self._params["idempotencyKey"] = os.urandom(_KEY_BYTES).hex()
        self._failed = False

    def params(self) -> Mapping[str, Any]:
        """The params of the next attempt."""
        return {**self._params, "waitMs": self._patience.left_ms()} if self._waits and self._failed else self._params

    def after(self, problem: Unreachable | CallFailed) -> float:
        """Seconds to pause before the next attempt; raises `problem` if there is none."""
        self._failed = True
        may_have_arrived = isinstance(problem, Unreachable) and not isinstance(problem, NobodyThere)
        if may_have_arrived and not self._repeatable:
            raise problem
        return self._patience.after(problem, None if self._waits else _told_ms(problem))


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
        told_ms = _told_ms(problem)
        pause_ms = 0 if isinstance(problem, NotReady) else _RETRY_MS if told_ms is None else told_ms
        return min(pause_ms, self.wait_ms()) / 1000

    def _left_ms(self, until: float) -> int:
        return max(0, round((until - self._clock()) * 1000))


class EventPace:
    """When a follower of events asks for the next page again: as long as the daemon is away or asks to wait."""

    def __init__(self) -> None:
        self._was_away = False

    def after(self, problem: Unreachable | CallFailed) -> float:
        """Seconds to pause before that; raises `problem` if asking again changes nothing.

        A token may be refused once after the daemon was away: its new cookie may come late.
        """
        was_away, self._was_away = self._was_away, _is_away(problem)
        told_ms = _told_ms(problem)
        comes_late = was_away and isinstance(problem, Unauthenticated)
        if told_ms is None and not self._was_away and not comes_late:
            raise problem
        return AWAY_S if told_ms is None else told_ms / 1000


def _is_away(problem: Unreachable | CallFailed) -> bool:
    """Whether the daemon stops, or nobody answers; a certificate that is refused says that somebody does."""
    return isinstance(problem, (Unreachable, ShuttingDown)) and not isinstance(problem, CertificateRefused)


def _told_ms(problem: Unreachable | CallFailed) -> int | None:
    """How long the daemon asks to wait before the call is made again."""
    told = problem.data.get("retryAfterMs") if isinstance(problem, CallFailed) else None
    return told if isinstance(told, int) else None


def repeated(ask: Callable[[], Any], after: Callable[[Unreachable | CallFailed], float]) -> Any:
    """The answer of `ask`, asked again until `after`, which says how long to pause before that, raises. Blocks."""
    while True:
        try:
            return ask()
        except (Unreachable, CallFailed) as problem:
            pause = after(problem)
        time.sleep(pause)


def through_restarts(ask: Callable[[int], Any], wait_ms: int) -> Any:
    """The answer of `ask(left_ms)`, asked again until `wait_ms` are over whenever the daemon is away. Blocks.

    Raises what the last attempt raised.
    """
    patience = Patience(time.monotonic, wait_ms)
    return repeated(lambda: ask(patience.left_ms()), patience.after)
