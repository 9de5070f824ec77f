"""What was signed automatically of late, in satoshis and in number, for comparison with budgets.

The charges of a span are kept in order with their sum, so that a look-up costs nothing and a charge a few steps. Time
only goes forward here (`BudgetClock`): a clock that is set ahead gives no budget back. Stored charges from the future
count as of now.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

HOUR_MS: Final = 3_600_000
DAY_MS: Final = 24 * HOUR_MS


@dataclass(frozen=True, slots=True)
class Charge:
    """A request that was signed under a budget. `amount` satoshis; `at_ms` by the budget's clock."""

    request: bytes
    budget: str
    creator: str
    amount: int
    at_ms: int


@dataclass(frozen=True, slots=True)
class Total:
    """Satoshis and number of requests."""

    amount: int = 0
    count: int = 0


class BudgetClock:
    """Wall time at the start, plus the time that has really passed since."""

    def __init__(self, wall_ms: Callable[[], int], mono_ms: Callable[[], int]) -> None:
        self._mono_ms = mono_ms
        self._offset = wall_ms() - mono_ms()

    def now_ms(self) -> int:
        """The time in ms; it never goes back and never jumps."""
        return self._mono_ms() + self._offset


@dataclass(slots=True)
class _Window:
    """The charges of one span, oldest first."""

    span_ms: int
    charges: deque[Charge] = field(default_factory=deque)
    amount: int = 0

    def add(self, charge: Charge) -> None:
        self.charges.append(charge)
        self.amount += charge.amount

    def total(self, now_ms: int) -> Total:
        while self.charges and self.charges[0].at_ms <= now_ms - self.span_ms:
            self.amount -= self.charges.popleft().amount
        return Total(self.amount, len(self.charges))


class Spent:
    """All charges of the last day, and what is reserved for requests that were joined and are not signed yet."""

    def __init__(self, charges: Iterable[Charge] = ()) -> None:
        self._windows: dict[tuple[str, str | None, int], _Window] = {}
        self._charged: dict[tuple[bytes, str], Charge] = {}
        self._reserved: dict[str, dict[bytes, Charge]] = {}
        self._latest_ms = 0
        for charge in sorted(charges, key=lambda each: each.at_ms):
            self.charge(charge)

    def charge(self, charge: Charge) -> bool:
        """Count a charge; False if this request is counted already. Its reservation ends."""
        self.release(charge.request, charge.budget)
        if (charge.request, charge.budget) in self._charged:
            return False
        self._latest_ms = max(self._latest_ms, charge.at_ms)
        charge = Charge(charge.request, charge.budget, charge.creator, charge.amount, self._latest_ms)
        self._forget(charge.at_ms)
        self._charged[charge.request, charge.budget] = charge
        for creator in (None, charge.creator):
            for span_ms in (HOUR_MS, DAY_MS):
                self._window(charge.budget, creator, span_ms).add(charge)
        return True

    def take_back(self, request: bytes, budget: str) -> None:
        """The charge could not be stored, so nothing was signed: stop counting it."""
        gone = self._charged.pop((request, budget), None)
        if gone is None:
            return
        for creator in (None, gone.creator):
            for span_ms in (HOUR_MS, DAY_MS):
                window = self._window(budget, creator, span_ms)
                if gone in window.charges:
                    window.charges.remove(gone)
                    window.amount -= gone.amount

    def reserve(self, charge: Charge) -> None:
        """A request was joined automatically: reserve its cost until it is signed or over."""
        if (charge.request, charge.budget) not in self._charged:
            self._reserved.setdefault(charge.budget, {})[charge.request] = charge

    def release(self, request: bytes, budget: str | None = None) -> None:
        """The request is signed or over: end its reservation under that budget, None: under all."""
        for name in [budget] if budget is not None else list(self._reserved):
            self._reserved.get(name, {}).pop(request, None)

    def total(self, budget: str, creator: str | None, span_ms: int, now_ms: int, without: bytes) -> Total:
        """What the other requests cost within the span, reservations included. `creator` None: of all creators."""
        window = self._windows.get((budget, creator, span_ms))
        signed = Total() if window is None else window.total(now_ms)
        own = self._charged.get((without, budget))
        if own is not None and own.at_ms > now_ms - span_ms and creator in (None, own.creator):
            signed = Total(signed.amount - own.amount, signed.count - 1)
        waiting = [
            each
            for each in self._reserved.get(budget, {}).values()
            if each.request != without and creator in (None, each.creator)
        ]
        return Total(signed.amount + sum(each.amount for each in waiting), signed.count + len(waiting))

    def _window(self, budget: str, creator: str | None, span_ms: int) -> _Window:
        return self._windows.setdefault((budget, creator, span_ms), _Window(span_ms))

    def _forget(self, now_ms: int) -> None:
        """Drop charges that no window holds any more. The dictionary is in the order of time."""
        while self._charged:
            oldest = next(iter(self._charged))
            if self._charged[oldest].at_ms > now_ms - DAY_MS:
                return
            gone = self._charged.pop(oldest)
            for creator in (None, gone.creator):
                for span_ms in (HOUR_MS, DAY_MS):
                    window = self._windows.get((gone.budget, creator, span_ms))
                    if window is not None and not window.total(now_ms).count:
                        del self._windows[gone.budget, creator, span_ms]
