"""What was signed automatically of late, in satoshis and in number, for comparison with budgets.

The charges of a span are kept in order with their sum, so that a look-up costs nothing and a charge a few steps. Time
only goes forward here (`BudgetClock`): no clock that is set gives budget back.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from daemon.clock import SinceBoot

HOUR_MS: Final = 3_600_000
DAY_MS: Final = 24 * HOUR_MS
FOR_EVER: Final = 2**63
MOVED_MS: Final = 10_000  # the wall clock was set if it differs by more than this; less is drift


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
    """Wall time at the first start, plus the time that has really passed since, as far as this machine can tell.

    Within a boot that is what the machine has run. Over a reboot only the wall clock is left: it counts less what it
    was ahead of this one when it was last looked at, and time never goes back. So a clock that was seen to be set ahead
    before a reboot, or one that starts in the past until the network corrects it, gives no budget back. The time that
    the machine was off may be lost: then a budget is used up for longer than it had to be.
    """

    def __init__(self, wall_ms: Callable[[], int], steady: Callable[[], SinceBoot]) -> None:
        self._wall_ms = wall_ms
        self._steady = steady
        self._boot, steady_ms = steady()
        self._offset = wall_ms() - steady_ms
        self._ahead_ms = 0  # how far the wall clock was ahead of this one when `look` was last called

    def resume(self, kept: str | None, latest_ms: int = 0) -> None:
        """Go on where an earlier process was. `kept`: its `state`; `latest_ms`: of the latest charge."""
        boot, _, numbers = (kept or "").partition(" ")
        offset, _, ahead_ms = numbers.partition(" ")
        self._ahead_ms = int(ahead_ms or 0)
        if boot and boot == self._boot:
            self._offset = int(offset)
        else:
            self._offset = max(self._wall_ms() - self._ahead_ms, latest_ms) - self._steady().ms
        self.look()

    def look(self) -> bool:
        """Compare with the wall clock; whether `state` is another now."""
        ahead_ms = max(0, self._wall_ms() - self.now_ms())
        moved = abs(ahead_ms - self._ahead_ms) > MOVED_MS
        if moved:
            self._ahead_ms = ahead_ms
        return moved

    @property
    def state(self) -> str:
        """What `resume` needs."""
        return f"{self._boot} {self._offset} {self._ahead_ms}"

    def now_ms(self) -> int:
        """Never goes back, and never jumps."""
        return self._steady().ms + self._offset


@dataclass(slots=True)
class _Window:
    """The charges of one span, oldest first."""

    span_ms: int
    charges: deque[Charge] = field(default_factory=deque)
    amount: int = 0

    def add(self, charge: Charge) -> None:
        place = len(self.charges)
        while place and self.charges[place - 1].at_ms > charge.at_ms:  # only one that counts again after all
            place -= 1
        self.charges.insert(place, charge)
        self.amount += charge.amount

    def remove(self, charge: Charge) -> None:
        if charge in self.charges:
            self.charges.remove(charge)
            self.amount -= charge.amount

    def total(self, now_ms: int) -> Total:
        while self.charges and self.charges[0].at_ms <= now_ms - self.span_ms:
            self.amount -= self.charges.popleft().amount
        return Total(self.amount, len(self.charges))


class Spent:
    """All charges of the last day, and what is reserved for requests that were joined and are not signed yet."""

    def __init__(self, charges: Iterable[Charge] = ()) -> None:
        self._windows: dict[tuple[str, str | None, int], _Window] = {}
        self._charged: dict[tuple[bytes, str], Charge] = {}
        self._former: dict[tuple[bytes, str], Charge] = {}  # what counted before the latest charge of that request
        self._reserved: dict[str, dict[bytes, Charge]] = {}
        self._waiting: dict[tuple[str, str | None], tuple[int, int]] = {}  # what is reserved: satoshis, number
        self._latest_ms = 0
        self.changes = 0  # of what counts
        self._changed_last = b""  # the request that the latest changes concern
        self._changes_before = 0  # of any other, before those
        self.until_ms = FOR_EVER  # when the first of what `total` has counted runs out; cleared by whoever asks
        for charge in sorted(charges, key=lambda each: each.at_ms):
            self.charge(charge)

    def charge(self, charge: Charge) -> None:
        """Count it, a request once: the newest time counts, and the most that it cost under one of its rules.

        What was reserved for it is free again.
        """
        self.release(charge.request, charge.budget)
        name = (charge.request, charge.budget)
        former = self._charged.get(name)
        if former is not None:
            self._remove(former)
            self._former[name] = former
            charge = replace(charge, amount=max(charge.amount, former.amount))
        self._latest_ms = max(self._latest_ms, charge.at_ms)
        charge = replace(charge, at_ms=self._latest_ms)
        self._forget(charge.at_ms)
        self._add(charge)

    def changed_by_others(self, request: bytes, changes: int) -> bool:
        """Whether anything but this request has changed what counts, since there were so many changes."""
        return self.changes != changes and (self._changed_last != request or self._changes_before > changes)

    def _changed(self, request: bytes) -> None:
        if request != self._changed_last:
            self._changed_last, self._changes_before = request, self.changes
        self.changes += 1

    def take_back(self, request: bytes, budget: str) -> None:
        """The charge could not be stored, so nothing was signed: what was stored before counts again."""
        gone = self._charged.get((request, budget))
        if gone is None:
            return
        former = self._former.get((request, budget))
        self._remove(gone)
        if former is not None:
            self._add(former)

    def reserve(self, charge: Charge) -> None:
        """A request was joined automatically: reserve its cost until it is signed or over."""
        if (charge.request, charge.budget) not in self._charged:
            reserved = self._reserved.setdefault(charge.budget, {})
            former = reserved.get(charge.request)
            if former is None or former.amount <= charge.amount:  # two own keys under two rules of one budget
                self._wait(former, -1)
                self._wait(charge, 1)
                reserved[charge.request] = charge

    def counts(self, charge: Charge) -> bool:
        """Whether that request is charged or reserved under that budget."""
        return (charge.request, charge.budget) in self._charged or charge.request in self._reserved.get(
            charge.budget, {}
        )

    def release(self, request: bytes, budget: str | None = None) -> None:
        """The request is signed or over: end its reservation under that budget, None: under all."""
        for name in [budget] if budget is not None else list(self._reserved):
            self._wait(self._reserved.get(name, {}).pop(request, None), -1)

    def total(self, budget: str, creator: str | None, span_ms: int, now_ms: int, without: bytes) -> Total:
        """What the other requests cost within the span, reservations included. `creator` None: of all creators."""
        window = self._windows.get((budget, creator, span_ms))
        signed = Total() if window is None else window.total(now_ms)
        if window is not None and window.charges:
            self.until_ms = min(self.until_ms, window.charges[0].at_ms + span_ms)
        own = self._charged.get((without, budget))
        if own is not None and own.at_ms > now_ms - span_ms and creator in (None, own.creator):
            signed = Total(signed.amount - own.amount, signed.count - 1)
        amount, count = self._waiting.get((budget, creator), (0, 0))
        reserved = self._reserved.get(budget, {}).get(without)
        if reserved is not None and creator in (None, reserved.creator):
            amount, count = amount - reserved.amount, count - 1
        return Total(signed.amount + amount, signed.count + count)

    def _wait(self, charge: Charge | None, sign: int) -> None:
        """Count a reservation, or with `sign` -1 no longer."""
        if charge is None:
            return
        self._changed(charge.request)
        for creator in (None, charge.creator):
            name = (charge.budget, creator)
            amount, count = self._waiting.get(name, (0, 0))
            self._waiting[name] = (amount + sign * charge.amount, count + sign)
            if self._waiting[name][1] == 0:
                del self._waiting[name]

    def _add(self, charge: Charge) -> None:
        self._changed(charge.request)
        self._charged[charge.request, charge.budget] = charge
        for window in self._windows_of(charge):
            window.add(charge)

    def _remove(self, charge: Charge) -> None:
        self._changed(charge.request)
        del self._charged[charge.request, charge.budget]
        self._former.pop((charge.request, charge.budget), None)
        for window in self._windows_of(charge):
            window.remove(charge)

    def _windows_of(self, charge: Charge) -> Iterator[_Window]:
        for creator in (None, charge.creator):
            for span_ms in (HOUR_MS, DAY_MS):
                name = (charge.budget, creator, span_ms)
                yield self._windows.setdefault(name, _Window(span_ms))

    def _forget(self, now_ms: int) -> None:
        """What no window holds any more. The dictionary is in the order of time, as good as always."""
        while self._charged:
            oldest = next(iter(self._charged.values()))
            if oldest.at_ms > now_ms - DAY_MS:
                return
            self._remove(oldest)
            for creator in (None, oldest.creator):
                for span_ms in (HOUR_MS, DAY_MS):
                    window = self._windows.get((oldest.budget, creator, span_ms))
                    if window is not None and not window.total(now_ms).count:
                        del self._windows[oldest.budget, creator, span_ms]


class Supposed(Spent):
    """What was spent, and what would be reserved besides; the other stays as it is."""

    def __init__(self, other: Spent) -> None:
        super().__init__()
        self._other = other

    def reserve(self, charge: Charge) -> None:
        """Reserve it here, unless it counts already."""
        if not self._other.counts(charge):
            super().reserve(charge)

    def total(self, budget: str, creator: str | None, span_ms: int, now_ms: int, without: bytes) -> Total:
        there = self._other.total(budget, creator, span_ms, now_ms, without)
        here = super().total(budget, creator, span_ms, now_ms, without)
        return Total(there.amount + here.amount, there.count + here.count)
