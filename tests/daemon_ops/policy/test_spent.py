"""Budgets: what counts and for how long, whatever the clock does."""

from __future__ import annotations

import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.clock import SinceBoot
from daemon.policy import rows
from daemon.policy.spent import DAY_MS, HOUR_MS, BudgetClock, Charge, Spent, Total
from daemon.store.migrate import shipped_migrations

NOW_MS = 1_000 * DAY_MS


def charge(request: bytes, amount: int = 10, at_ms: int = NOW_MS, creator: str = "c", budget: str = "b") -> Charge:
    return Charge(request, budget, creator, amount, at_ms)


def hour(spent: Spent, now_ms: int = NOW_MS, creator: str | None = None, without: bytes = b"") -> Total:
    return spent.total("b", creator, HOUR_MS, now_ms, without)


def test_a_charge_counts_for_its_span_and_no_longer() -> None:
    spent = Spent([charge(b"1")])
    assert hour(spent, NOW_MS + HOUR_MS - 1) == Total(10, 1)
    assert hour(spent, NOW_MS + HOUR_MS) == Total()
    assert spent.total("b", None, DAY_MS, NOW_MS + HOUR_MS, b"") == Total(10, 1)


def test_a_request_is_charged_once_however_many_attempts_it_takes() -> None:
    spent = Spent()
    for _ in range(3):
        spent.charge(charge(b"1"))
    assert hour(spent) == Total(10, 1)
    assert hour(spent, without=b"1") == Total()


def test_a_reservation_counts_until_the_request_is_signed_or_over() -> None:
    spent = Spent()
    spent.reserve(charge(b"1"))
    assert (hour(spent), hour(spent, without=b"1")) == (Total(10, 1), Total())
    assert (hour(spent, creator="c"), hour(spent, creator="d")) == (Total(10, 1), Total())
    spent.charge(charge(b"1"))
    assert hour(spent) == Total(10, 1)
    spent.reserve(charge(b"1"))
    assert hour(spent) == Total(10, 1)
    spent.reserve(charge(b"2"))
    spent.release(b"2")
    assert hour(spent) == Total(10, 1)


def test_a_charge_that_could_not_be_stored_is_taken_back() -> None:
    spent = Spent([charge(b"1")])
    spent.charge(charge(b"2", 5))
    spent.take_back(b"2", "b")
    spent.take_back(b"2", "b")
    assert (hour(spent), hour(spent, creator="c")) == (Total(10, 1), Total(10, 1))
    spent.charge(charge(b"2", 5))
    assert hour(spent) == Total(15, 2)


def test_a_second_attempt_that_could_not_be_stored_gives_nothing_back_of_the_first() -> None:
    spent = Spent([charge(b"1", at_ms=NOW_MS), charge(b"2", at_ms=NOW_MS + 5)])
    spent.charge(charge(b"1", at_ms=NOW_MS + 10))
    assert spent.total("b", None, DAY_MS, NOW_MS + DAY_MS, b"2") == Total(10, 1)
    spent.take_back(b"1", "b")
    assert hour(spent, NOW_MS + HOUR_MS - 1) == Total(20, 2)
    assert hour(spent, NOW_MS + HOUR_MS) == Total(10, 1)


def test_budgets_and_creators_are_kept_apart() -> None:
    spent = Spent([charge(b"1"), charge(b"2", 20, creator="d"), charge(b"3", 40, budget="other")])
    assert (hour(spent), hour(spent, creator="d")) == (Total(30, 2), Total(20, 1))


def test_setting_the_clock_gives_no_budget_back() -> None:
    times = {"wall": NOW_MS, "mono": 7}
    clock = BudgetClock(lambda: times["wall"], lambda: SinceBoot("a", times["mono"]))
    times |= {"wall": NOW_MS + 30 * DAY_MS, "mono": 8}
    assert clock.now_ms() == NOW_MS + 1
    times |= {"wall": 0, "mono": 9}
    assert clock.now_ms() == NOW_MS + 2


def test_a_restart_with_another_clock_gives_no_budget_back_unless_the_machine_has_started_too() -> None:
    first = BudgetClock(lambda: NOW_MS, lambda: SinceBoot("a", 7))

    def restarted(boot: str, kept: str | None) -> int:
        clock = BudgetClock(lambda: NOW_MS + 30 * DAY_MS, lambda: SinceBoot(boot, 9))
        clock.resume(kept)
        return clock.now_ms()

    assert restarted("a", first.state) == NOW_MS + 2
    assert restarted("b", first.state) == restarted("a", None) == NOW_MS + 30 * DAY_MS
    nameless = BudgetClock(lambda: NOW_MS, lambda: SinceBoot("", 7))
    assert restarted("", nameless.state) == NOW_MS + 30 * DAY_MS


class Rebooted:
    """A machine that is switched off and on, with one database, whose clock may be wrong."""

    def __init__(self, wall_ms: int) -> None:
        self.boot, self.steady_ms, self.wall_ms, self.latest_ms = 0, 0, wall_ms, 0
        self.kept: str | None = None
        self.start()

    def start(self) -> None:
        self.clock = BudgetClock(lambda: self.wall_ms, lambda: SinceBoot(str(self.boot), self.steady_ms))
        self.clock.resume(self.kept, self.latest_ms)
        self.kept = self.clock.state

    def reboot(self, wall_ms: int) -> None:
        self.boot, self.steady_ms, self.wall_ms = self.boot + 1, 3, wall_ms
        self.start()

    def set(self, wall_ms: int) -> None:
        self.wall_ms = wall_ms
        if self.clock.look():
            self.kept = self.clock.state

    def run(self, ms: int) -> None:
        self.steady_ms, self.wall_ms = self.steady_ms + ms, self.wall_ms + ms

    def charge(self) -> int:
        self.latest_ms = self.clock.now_ms()
        return self.latest_ms


LONG_AGO = NOW_MS - 2_000 * DAY_MS


def test_time_that_the_machine_is_off_counts_where_its_clock_goes_on() -> None:
    machine = Rebooted(NOW_MS)
    signed = machine.charge()
    machine.reboot(NOW_MS + HOUR_MS)
    assert machine.clock.now_ms() == signed + HOUR_MS


def test_a_clock_that_starts_in_the_past_neither_gives_budget_back_nor_keeps_it_for_longer_than_a_run() -> None:
    machine = Rebooted(NOW_MS)
    signed = machine.charge()
    machine.reboot(LONG_AGO)
    assert machine.clock.now_ms() == signed
    machine.run(HOUR_MS)
    again = machine.charge()
    assert again == signed + HOUR_MS
    machine.set(NOW_MS + 3 * HOUR_MS)  # by the network
    assert machine.clock.now_ms() == again
    machine.reboot(NOW_MS + 4 * HOUR_MS)
    assert machine.clock.now_ms() == again + HOUR_MS


def test_a_clock_that_is_set_ahead_gives_nothing_back_over_a_reboot_either() -> None:
    machine = Rebooted(NOW_MS)
    signed = machine.charge()
    machine.set(NOW_MS + 30 * DAY_MS)
    machine.reboot(NOW_MS + 30 * DAY_MS + HOUR_MS)
    assert machine.clock.now_ms() == signed + HOUR_MS
    machine.set(NOW_MS + HOUR_MS)
    machine.reboot(NOW_MS + 2 * HOUR_MS)
    assert machine.clock.now_ms() == signed + 2 * HOUR_MS


def test_what_was_charged_while_the_clock_was_ahead_is_not_kept_from_one_start_to_the_next() -> None:
    machine = Rebooted(NOW_MS + 1_000 * DAY_MS)
    signed = machine.charge()
    machine.set(NOW_MS)
    for _ in range(3):
        machine.reboot(NOW_MS)
        machine.run(DAY_MS)
    assert machine.clock.now_ms() >= signed + DAY_MS


@given(st.lists(st.tuples(st.integers(0, DAY_MS), st.integers(0, 100), st.sampled_from("cd")), max_size=40))
def test_totals_are_those_of_a_plain_list(steps: list[tuple[int, int, str]]) -> None:
    """Compared with the definition, in any order of times and creators."""
    spent, plain, now_ms = Spent(), list[Charge](), NOW_MS
    for number, (pause_ms, amount, creator) in enumerate(steps):
        now_ms += pause_ms
        made = charge(b"%d" % number, amount, now_ms, creator)
        spent.charge(made)
        plain.append(made)
        for span_ms in (HOUR_MS, DAY_MS):
            for name in (None, "c", "d"):
                within = [
                    each.amount for each in plain if each.at_ms > now_ms - span_ms and name in (None, each.creator)
                ]
                assert spent.total("b", name, span_ms, now_ms, b"") == Total(sum(within), len(within))


@pytest.mark.parametrize("amounts", [(0, 1_000), (1_000, 0)])
def test_two_keys_under_two_rules_of_one_budget_cost_a_request_the_most_of_both(amounts: tuple[int, int]) -> None:
    spent, stored = Spent(), sqlite3.connect(":memory:")
    for step in shipped_migrations():
        stored.executescript(step.sql)
    for amount in amounts:
        spent.reserve(charge(b"1", amount))
    assert hour(spent) == Total(1_000, 1)
    for amount in amounts:
        spent.charge(charge(b"1", amount))
        rows.save_charge(stored, charge(b"1", amount))
    assert hour(spent) == Total(1_000, 1)
    assert [each.amount for each in rows.charges_since(stored, 0)] == [1_000]
    stored.close()
