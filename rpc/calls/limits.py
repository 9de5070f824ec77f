"""How many calls a token may make, and how many may run at once."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter, OrderedDict
from collections.abc import Callable

from rpc.caller import OWNER
from rpc.errors import ApiError, shutting_down

_MAX_BUCKETS = 10_000


class RateLimit:
    """A token bucket per caller: `per_second` calls on average, `burst` at once. `clock` counts seconds, monotonic."""

    def __init__(self, per_second: float, burst: int, clock: Callable[[], float]) -> None:
        self._per_second = per_second
        self._burst = float(max(burst, 1))
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, token_id: str, calls: int) -> ApiError | None:
        """None when they may run; otherwise the refusal, with `retryAfterMs`."""
        now = self._clock()
        left, since = self._buckets.pop(token_id, (self._burst, now))
        left = min(self._burst, left + (now - since) * self._per_second)
        wanted = min(float(calls), self._burst)
        enough = left >= wanted
        self._buckets[token_id] = (left - wanted if enough else left, now)
        if len(self._buckets) > _MAX_BUCKETS:
            self._buckets.popitem(last=False)
        return None if enough else self._refusal(wanted - left)

    def _refusal(self, short: float) -> ApiError:
        return ApiError(
            "rate_limited",
            "Too many calls with this token; wait, or raise limits.rpc_calls_per_second.",
            retryAfterMs=max(1, round(short / self._per_second * 1000)),
            setting="limits.rpc_calls_per_second",
        )


def share(most: int) -> int:
    """The share of one token in something that all share: a quarter, so that no wallet locks the others out."""
    return max(1, most // 4)


def too_many_at_work() -> ApiError:
    """The refusal of a call beyond those that may run at once."""
    return ApiError(
        "busy",
        "Too many calls are at work; wait, or raise limits.rpc_calls_at_once.",
        retryAfterMs=1_000,
        setting="limits.rpc_calls_at_once",
    )


class CallGate:
    """Counts running calls: a token may have a quarter of them, all tokens together three quarters, the owner all.

    While stopping it refuses every message; while draining only changes are refused (`Changes.require_room`).
    """

    def __init__(self, max_calls: int, rate: RateLimit) -> None:
        self._max_calls = max_calls
        self._rate = rate
        self.at_work = 0
        self._of_token: Counter[str] = Counter()
        self.draining = False
        self.stopping = False
        self._at_rest = asyncio.Event()
        self._at_rest.set()

    def admit(self, token_id: str, calls: int) -> ApiError | None:
        """Whether `calls` more may start now; if so, call `done` later with the same values."""
        if self.stopping:
            return shutting_down()
        if not self._has_room(token_id, calls):
            return too_many_at_work()
        refusal = self._rate.take(token_id, calls)
        if refusal is None:
            self.at_work += calls
            self._of_token[token_id] += calls
            self._at_rest.clear()
        return refusal

    def _has_room(self, token_id: str, calls: int) -> bool:
        if token_id == OWNER:
            return self.at_work + calls <= self._max_calls
        others = self.at_work - self._of_token[OWNER]
        own = self._of_token[token_id]
        return own + calls <= share(self._max_calls) and others + calls <= self._max_calls - share(self._max_calls)

    def done(self, token_id: str, calls: int) -> None:
        """Those calls have ended."""
        self.at_work -= calls
        self._of_token[token_id] -= calls
        if not self._of_token[token_id]:
            del self._of_token[token_id]
        if self.at_work == 0:
            self._at_rest.set()

    async def quiet(self, within_s: float) -> None:
        """Waits until no call is running, or until the time is over."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._at_rest.wait(), within_s)
