"""Every condition of a rule, and every pair of them: the rule joins if both hold, and only then."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.policy.facts import Facts, Output
from daemon.policy.members import MEMBERS
from daemon.policy.rules import Decision
from daemon.policy.spent import HOUR_MS, Charge
from tests.daemon_ops.policy.policy_world import (
    ALICE,
    BLIND,
    EVE,
    EVERYTHING,
    GOOD,
    ME,
    NOW_MS,
    SHOP,
    TABLE,
    joining,
    moment,
    ruling,
    shown_values,
)


def test_the_table_has_every_condition() -> None:
    assert set(TABLE) == set(MEMBERS)


@pytest.mark.parametrize("member", TABLE)
def test_a_condition_holds_for_what_meets_it_and_nothing_else(member: str) -> None:
    limit, outside = TABLE[member]
    assert ruling(joining(limit)).verdict is Decision.JOIN
    for facts in outside:
        found = ruling(joining(limit), facts)
        assert (found.verdict, found.rule) == (Decision.ASK, None)
        assert [each.member for each in found.weighed if not each.holds] == [member]


@pytest.mark.parametrize(("one", "other"), list(combinations(TABLE, 2)))
def test_two_conditions_must_both_hold(one: str, other: str) -> None:
    rule = joining(TABLE[one][0], TABLE[other][0])
    assert ruling(rule).verdict is Decision.JOIN
    for facts in (*TABLE[one][1], *TABLE[other][1]):
        assert ruling(rule, facts).verdict is Decision.ASK


@pytest.mark.parametrize("default", ["ask", "refuse"])
def test_where_no_rule_applies_nothing_is_joined(default: str) -> None:
    assert ruling(f'default = "{default}"').verdict is Decision(default)
    assert ruling(f'default = "{default}"\n' + joining("max_amount = 0")).verdict is Decision(default)


def test_the_first_rule_that_applies_decides() -> None:
    refuse = f'[[rule]]\nname = "no"\nverdict = "refuse"\ncreators = ["{EVE}"]\n'
    ask = '[[rule]]\nname = "large"\nverdict = "ask"\nmin_amount = 500\n'
    assert ruling(refuse + ask + joining()).rule.name == "large"  # type: ignore[union-attr]  # there is one
    assert ruling(refuse + joining() + ask).verdict is Decision.JOIN
    assert ruling(joining() + refuse, replace(GOOD, creator=EVE)).verdict is Decision.JOIN
    assert ruling(refuse + joining(), replace(GOOD, creator=EVE)).verdict is Decision.REFUSE


def test_a_rule_that_joins_sees_only_what_is_checked_unless_it_says_otherwise() -> None:
    bare = '[[rule]]\nname = "all"\nverdict = "join"'
    assert ruling(bare).verdict is Decision.JOIN
    for review in ("open", "text", "blind"):
        assert ruling(bare, replace(GOOD, review=frozenset({review}))).verdict is Decision.ASK
    assert ruling(joining(), BLIND).verdict is Decision.JOIN
    asking = '[[rule]]\nname = "any"\nverdict = "refuse"'
    assert ruling(asking, BLIND).verdict is Decision.REFUSE


def test_outputs_that_come_back_are_not_spent_and_need_not_be_allowed() -> None:
    facts = replace(GOOD, leaving=1_000, outputs=(Output("51", SHOP, 100), Output("52", "bc1qchange", 800)))
    rule = joining(f'destinations = ["{SHOP}"]', "max_amount = 200")
    assert ruling(rule, facts).verdict is Decision.ASK
    assert ruling(rule + '\nchange = ["bc1qchange"]', facts).verdict is Decision.JOIN
    assert ruling(rule + '\nchange = ["52"]', facts).verdict is Decision.JOIN


def test_a_request_that_gains_costs_no_budget() -> None:
    assert ruling(joining("max_amount = 0"), replace(GOOD, leaving=-5)).amount == 0


def test_a_budget_counts_what_others_cost_and_not_the_request_itself() -> None:
    charges = (Charge(b"this one", "r", ALICE, 900, NOW_MS), Charge(b"other", "r", ALICE, 100, NOW_MS))
    assert ruling(joining("per_hour = {amount = 1_100}"), at=moment(charges)).verdict is Decision.JOIN
    assert ruling(joining("per_hour = {amount = 1_099}"), at=moment(charges)).verdict is Decision.ASK
    assert ruling(joining("per_hour = {count = 2}"), at=moment(charges)).verdict is Decision.JOIN
    assert ruling(joining("per_hour = {count = 1}"), at=moment(charges)).verdict is Decision.ASK


def test_rules_that_share_a_budget_share_what_is_spent() -> None:
    charges = (Charge(b"other", "common", ALICE, 900, NOW_MS),)
    rule = joining('budget = "common"', "per_day = {amount = 1_000}")
    assert ruling(rule, at=moment(charges)).verdict is Decision.ASK
    assert ruling(joining("per_day = {amount = 1_000}"), at=moment(charges)).verdict is Decision.JOIN


def test_hours_may_go_over_midnight_and_days_follow_the_calendar() -> None:
    night = joining('hours = ["22:00-06:00"]')
    verdicts = {hour: ruling(night, at_hour(hour)).verdict for hour in (21, 22, 23, 0, 5, 6)}
    assert [hour for hour, verdict in verdicts.items() if verdict is Decision.JOIN] == [22, 23, 0, 5]
    assert ruling(joining('days = ["wed"]'), at_hour(23)).verdict is Decision.JOIN
    assert ruling(joining('days = ["thu"]'), replace(GOOD, time_ms=NOW_MS + 12 * HOUR_MS)).verdict is Decision.JOIN


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC"])
def test_hours_and_days_are_utc_where_the_clocks_are_changed(zone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        for month, day in ((3, 8), (3, 29), (4, 5), (10, 4), (10, 25), (11, 1)):  # Sundays of 2026 with changes
            midnight = int(datetime(2026, month, day, tzinfo=UTC).timestamp() * 1000)
            inside = [
                hour
                for hour in range(-2, 27)
                if ruling(
                    joining('hours = ["01:00-03:00"]', 'days = ["sun"]'),
                    replace(GOOD, time_ms=midnight + hour * HOUR_MS),
                ).verdict
                is Decision.JOIN
            ]
            assert inside == [1, 2], (month, day)
    finally:
        monkeypatch.undo()
        time.tzset()


def at_hour(hour: int) -> Facts:
    return replace(GOOD, time_ms=NOW_MS + (hour - 12) * HOUR_MS)


def test_an_explanation_names_rule_line_limit_and_value() -> None:
    found = ruling("\n\n" + joining("max_amount = 10", "max_fee = 1_000"))
    assert found.sentence == "No rule of the policy applies, so it asks its owner by default."
    amount = next(each for each in found.weighed if each.member == "max_amount")
    assert (amount.rule, amount.line, amount.limit, amount.value, amount.holds) == ("r", 7, 10, 1_000, False)
    joined = ruling("\n\n" + joining("max_fee = 1_000"))
    assert joined.sentence == 'Rule "r" (line 3) of the policy joins it.'
    assert shown_values(BLIND) == {
        "creator": ALICE,
        "cosigners": list(BLIND.cosigners),
        "transactionType": "spend",
        "review": ["blind"],
    }
    assert shown_values(GOOD)["destinations"] == [SHOP]


@given(
    limits=st.dictionaries(st.sampled_from(["max_amount", "max_fee", "max_fee_rate"]), st.integers(0, 2_000)),
    amount=st.none() | st.integers(0, 3_000),
    fee=st.none() | st.integers(0, 3_000),
    rate=st.none() | st.integers(0, 3_000),
    review=st.sampled_from(["checked", "open", "text", "blind"]),
    key=st.sampled_from([ME, ALICE]),
)
def test_a_request_outside_a_limit_is_never_joined(
    limits: dict[str, int], amount: int | None, fee: int | None, rate: int | None, review: str, key: str
) -> None:
    facts = replace(GOOD, leaving=amount, fee=fee, fee_rate=rate, review=frozenset({review}), key=key)
    text = joining(f'keys = ["{ME}"]', 'review = ["checked"]', *(f"{name} = {limit}" for name, limit in limits.items()))
    known = {"max_amount": amount, "max_fee": fee, "max_fee_rate": rate}
    within = all((value := known[name]) is not None and value <= limit for name, limit in limits.items())
    expected = Decision.JOIN if within and key == ME and review == "checked" else Decision.ASK
    assert ruling(text, facts).verdict is expected


def rule_of(member: str, name: str, verdict: str) -> str:
    """A rule with one condition, whose budget, if it has one, is that of SPENT."""
    shared = 'budget = "r"' if member.startswith("per_") and name != "r" else ""
    review = EVERYTHING if verdict == "join" and member != "review" else ""
    return "\n".join(["[[rule]]", f'name = "{name}"', f'verdict = "{verdict}"', shared, review, TABLE[member][0], ""])


@pytest.mark.parametrize("one", TABLE)
@pytest.mark.parametrize(("first", "second"), [("refuse", "join"), ("ask", "join"), ("join", "refuse")])
def test_of_two_rules_the_first_that_applies_decides_and_the_default_where_none_does(
    one: str, first: str, second: str
) -> None:
    for other in TABLE:
        rules = rule_of(one, "r", first) + rule_of(other, "s", second)
        applies = ruling(rules).rule
        assert applies is not None
        assert (applies.name, ruling(rules).verdict) == ("r", Decision(first)), other
        for facts in TABLE[one][1]:
            found = ruling(rules, facts)
            meets = ruling(rule_of(other, "s", second), facts).rule is not None
            assert found.verdict is (Decision(second) if meets else Decision.ASK), other
            assert (found.rule is None) is not meets
