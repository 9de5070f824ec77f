"""Requests as plain values, and rules from text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from daemon.policy.facts import Facts, Output
from daemon.policy.judge import explain, judge
from daemon.policy.members import Moment
from daemon.policy.read import rules_of
from daemon.policy.rules import Ruling
from daemon.policy.spent import HOUR_MS, Charge, Spent

ME, ALICE, BOB, EVE = (f"02{number:064x}" for number in range(1, 5))
SHOP: Final = "bc1qshop"
NOW_MS: Final = 1_767_787_200_000  # 2026-01-07 12:00 UTC, a Wednesday
GOOD: Final = Facts(
    key=ME,
    creator=ALICE,
    cosigners=(ALICE, BOB),
    transaction_type="spend",
    review=frozenset({"checked"}),
    leaving=1_000,
    fee=100,
    fee_rate=500,
    outputs=(Output("51", SHOP, 900),),
    reputation=50,
    time_ms=NOW_MS,
)
BLIND: Final = replace(
    GOOD, review=frozenset({"blind"}), leaving=None, fee=None, fee_rate=None, outputs=None, reputation=None
)
SPENT: Final = (
    Charge(b"earlier", "r", ALICE, 400, NOW_MS - 2 * HOUR_MS),
    Charge(b"just now", "r", ALICE, 300, NOW_MS - 1),
    Charge(b"of Bob", "r", BOB, 200, NOW_MS - 1),
)

# Each condition: a limit that GOOD meets, and changes of GOOD that do not meet it.
TABLE: Final[Mapping[str, tuple[str, tuple[Facts, ...]]]] = {
    "keys": (f'keys = ["{ME}"]', (replace(GOOD, key=BOB),)),
    "transaction_types": (
        'transaction_types = ["spend", "swap"]',
        (replace(GOOD, transaction_type="escrow"), replace(GOOD, transaction_type=None)),
    ),
    "review": (
        'review = ["checked"]',
        tuple(replace(GOOD, review=frozenset(each)) for each in (["open"], ["text"], ["blind"], ["checked", "text"])),
    ),
    "creators": (f'creators = ["{ALICE}"]', (replace(GOOD, creator=EVE),)),
    "not_creators": (f'not_creators = ["{EVE}"]', (replace(GOOD, creator=EVE),)),
    "cosigners": (
        f'cosigners = ["{ALICE}", "{BOB}"]',
        (replace(GOOD, cosigners=(ALICE, EVE)), replace(GOOD, cosigners=(ALICE, BOB, EVE))),
    ),
    "not_cosigners": (f'not_cosigners = ["{EVE}"]', (replace(GOOD, cosigners=(ALICE, EVE)),)),
    "min_reputation": (
        "min_reputation = 50",
        (replace(GOOD, reputation=49), replace(GOOD, reputation=None)),
    ),
    "min_amount": ("min_amount = 1_000", (replace(GOOD, leaving=999), BLIND)),
    "max_amount": ("max_amount = 1_000", (replace(GOOD, leaving=1_001), replace(GOOD, leaving=None), BLIND)),
    "max_fee": ("max_fee = 100", (replace(GOOD, fee=101), replace(GOOD, fee=None), BLIND)),
    "max_fee_rate": ("max_fee_rate = 500", (replace(GOOD, fee_rate=501), replace(GOOD, fee_rate=None), BLIND)),
    "destinations": (
        f'destinations = ["{SHOP}"]',
        (
            replace(GOOD, outputs=(Output("52", "bc1qeve", 900),)),
            replace(GOOD, outputs=(*GOOD.outputs, Output("52", None, 1))) if GOOD.outputs else GOOD,
            BLIND,
        ),
    ),
    "hours": (
        'hours = ["12:00-12:01"]',
        tuple(replace(GOOD, time_ms=at) for at in (NOW_MS - 1, NOW_MS + 60_000, None)),
    ),
    "days": ('days = ["wed"]', tuple(replace(GOOD, time_ms=at) for at in (NOW_MS + 24 * HOUR_MS, None))),
    "per_hour": (
        "per_hour = {amount = 1_500, count = 3}",
        (replace(GOOD, leaving=1_001), replace(GOOD, time_ms=None), BLIND),
    ),
    "per_day": (
        "per_day = {amount = 1_900, count = 4}",
        (replace(GOOD, leaving=1_001), replace(GOOD, time_ms=None), BLIND),
    ),
    "per_creator_hour": (
        "per_creator_hour = {amount = 1_300, count = 2}",
        (replace(GOOD, leaving=1_001), replace(GOOD, time_ms=None), BLIND),
    ),
    "per_creator_day": (
        "per_creator_day = {amount = 1_700, count = 3}",
        (replace(GOOD, leaving=1_001), replace(GOOD, time_ms=None), BLIND),
    ),
}
# A rule that joins has this condition without naming it.
EVERYTHING: Final = 'review = ["checked", "open", "text", "blind"]'


def moment(charges: tuple[Charge, ...] = SPENT) -> Moment:
    return Moment(Spent(charges), NOW_MS, b"this one")


def ruling(text: str, facts: Facts = GOOD, at: Moment | None = None) -> Ruling:
    """The ruling of these rules, after asserting that it is the same with an explanation."""
    rules, when = rules_of(text), moment() if at is None else at
    found = explain(rules, facts, when)
    assert judge(rules, facts, when) == found
    return found


def joining(*members: str) -> str:
    """One rule, named r, that joins under these conditions."""
    shown = [] if any(member.startswith("review") for member in members) else [EVERYTHING]
    return "\n".join(["[[rule]]", 'name = "r"', 'verdict = "join"', *shown, *members, ""])


def shown_values(facts: Facts) -> Mapping[str, Any]:
    return facts.shown()
