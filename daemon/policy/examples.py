"""The examples in a policy file: requests as plain values, judged by its rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from daemon.policy.facts import CHECKED, REVIEWS, Facts, Output
from daemon.policy.judge import explain
from daemon.policy.members import Moment
from daemon.policy.rules import Example, RuleSet, Ruling
from daemon.policy.spent import HOUR_MS, Charge, Spent

_KNOWN: Final = frozenset(
    {"key", "creator", "cosigners", "transaction_type", "review", "amount", "fee", "fee_rate", "destinations"}
    | {"reputation", "time", "spent"}
)
NOON: Final = datetime(2026, 1, 7, 12, tzinfo=UTC)  # a Wednesday; for examples that name no time


def run_examples(rules: RuleSet) -> Iterator[tuple[Example, Ruling, str | None]]:
    """Each example with its ruling and what differs from the expectation; None if nothing does."""
    for example in rules.examples:
        odd = sorted(example.request.keys() - _KNOWN)
        if odd:
            yield example, Ruling(rules.default, None), f"request knows no member {odd[0]}"
            continue
        try:
            facts = _facts(example.request)
            moment = Moment(_spent(rules, example.request, facts), _time(example.request), b"")
            ruling = explain(rules, facts, moment)
        except (TypeError, ValueError, AttributeError):
            yield example, Ruling(rules.default, None), "request holds a value of a wrong form"
            continue
        yield example, ruling, _wrong(example, ruling)


def _wrong(example: Example, ruling: Ruling) -> str | None:
    if ruling.verdict is not example.expect:
        return f"expects {example.expect}. {ruling.sentence}"
    decided = None if ruling.rule is None else ruling.rule.name
    if example.rule is not None and decided != example.rule:
        return f'expects the rule "{example.rule}". {ruling.sentence}'
    return None


def _facts(request: Mapping[str, Any]) -> Facts:
    given = request.get("review", CHECKED)
    review = frozenset([given] if isinstance(given, str) else given)
    if not review or not review <= set(REVIEWS):
        raise ValueError(review)
    paid = request.get("destinations", [])
    outputs = tuple(Output(each, each, 0) for each in paid) if "amount" in request else None
    return Facts(
        key=request.get("key", ""),
        creator=request.get("creator", ""),
        cosigners=tuple(request.get("cosigners", [request.get("creator", "")])),
        transaction_type=request.get("transaction_type"),
        review=review,
        leaving=request.get("amount"),
        fee=request.get("fee"),
        fee_rate=request.get("fee_rate"),
        outputs=outputs,
        reputation=request.get("reputation"),
        time_ms=_time(request),
    )


def _time(request: Mapping[str, Any]) -> int:
    moment = request.get("time", NOON)
    return int(moment.replace(tzinfo=moment.tzinfo or UTC).timestamp() * 1000)


def _spent(rules: RuleSet, request: Mapping[str, Any], facts: Facts) -> Spent:
    """`spent = {hour = {amount, count}, day = {...}}`: by this creator, under every budget; day includes hour."""
    given, now_ms = request.get("spent", {}), _time(request)
    charges = []
    for span, ago_ms in (("day", HOUR_MS), ("hour", 0)):
        amount, count = given.get(span, {}).get("amount", 0), given.get(span, {}).get("count", 0)
        if span == "day":
            amount -= given.get("hour", {}).get("amount", 0)
            count -= given.get("hour", {}).get("count", 0)
        for at in range(max(count, 1 if amount > 0 else 0)):
            share = max(amount, 0) if at == 0 else 0
            charges += [
                Charge(f"{span} {at}".encode(), rule.budget, facts.creator, share, now_ms - ago_ms)
                for rule in {each.budget: each for each in rules.rules}.values()
            ]
    return Spent(charges)
