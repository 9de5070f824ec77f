"""The table of conditions that a rule may have: how each is written, and when it holds. docs/policy.md explains them.

A condition on an unknown value never holds: a blind request has no amount, so no `max_amount` lets it pass.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Final, TypeAlias

from daemon.policy.facts import REVIEWS, Facts, Output
from daemon.policy.rules import Ceiling, Rule
from daemon.policy.spent import DAY_MS, HOUR_MS, Spent, Total

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MINUTE_MS: Final = 60_000
_MOST: Final = 2**53 - 1


class Misfit(Exception):
    """A member of a rule is malformed; the text follows its name."""


@dataclass(frozen=True, slots=True)
class Moment:
    """What a request is compared with besides its facts. `now_ms` is the time of the budget's clock."""

    spent: Spent
    now_ms: int
    request: bytes


# The value that the limit was compared with, and whether the condition holds.
Met: TypeAlias = tuple[Any, bool]
Holds: TypeAlias = Callable[[Any, Facts, Rule, Moment], Met]


class Basis(Enum):
    """What the result of a condition is based on, besides its rule."""

    REQUEST = auto()  # the request alone, so its result lasts
    AMOUNT = auto()  # what leaves: the same, unless other requests sign inputs of the same transaction
    MOMENT = auto()  # anything else: time, reputation, what was spent


@dataclass(frozen=True, slots=True)
class ConditionKind:
    """One condition: `read` turns the TOML value into the limit, or raises Misfit. `shown`: the value, for people."""

    read: Callable[[Any], Any]
    holds: Holds
    basis: Basis = Basis.MOMENT
    shown: Callable[[Any], Any] = lambda value: value


def _sats(value: Any) -> int:
    if type(value) is not int or not 0 <= value <= _MOST:
        raise Misfit("must be a whole number of satoshis, 0 or more")
    return value


def _score(value: Any) -> int:
    if type(value) is not int or not 0 <= value <= 100:
        raise Misfit("must be a whole number from 0 to 100")
    return value


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or not all(isinstance(each, str) and each for each in value):
        raise Misfit("must be a list with at least one text")
    return tuple(value)


def _keys(value: Any) -> tuple[str, ...]:
    keys = _texts(value)
    if any(re.fullmatch("0[23][0-9a-f]{64}", key) is None for key in keys):
        raise Misfit("must hold public keys: 33 bytes as lower-case hex, the first byte 02 or 03")
    return keys


def _chosen(choices: tuple[str, ...]) -> Callable[[Any], tuple[str, ...]]:
    def read(value: Any) -> tuple[str, ...]:
        chosen = _texts(value)
        if not set(chosen) <= set(choices):
            raise Misfit(f"must hold some of {', '.join(choices)}")
        return chosen

    return read


def _hours(value: Any) -> tuple[tuple[int, int], ...]:
    """Spans of minutes of the day, the end excluded; a span whose end comes first goes over midnight."""
    return tuple(_span(each) for each in _texts(value))


def _span(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)", text)
    if found is None:
        raise Misfit('must hold spans such as "08:00-18:00" (UTC)')
    begin, end = int(found[1]) * 60 + int(found[2]), int(found[3]) * 60 + int(found[4])
    if begin == end or end > 24 * 60:
        raise Misfit('must hold spans such as "08:00-18:00" (UTC), and no empty one')
    return begin, end


def _ceiling(value: Any) -> Ceiling:
    if not isinstance(value, dict) or not value or not value.keys() <= {"amount", "count"}:
        raise Misfit("must be {amount = SATOSHIS, count = NUMBER}, or one of the two")
    return Ceiling(**{name: _sats(each) for name, each in value.items()})


def _in(known: Any, limit: tuple[str, ...]) -> Met:
    return known, known is not None and known in limit


def _at_most(known: int | None, limit: int) -> Met:
    return known, known is not None and known <= limit


def _at_least(known: int | None, limit: int) -> Met:
    return known, known is not None and known >= limit


def _destinations(limit: tuple[str, ...], facts: Facts, rule: Rule, moment: Moment) -> Met:
    found = facts.destinations(rule.change)
    return found, found is not None and all(each.pays_to(limit) for each in found)


def _paid(found: tuple[Output, ...] | None) -> list[str] | None:
    return None if found is None else [each.address or each.script for each in found]


def _within_hours(limit: tuple[tuple[int, int], ...], facts: Facts, rule: Rule, moment: Moment) -> Met:
    if facts.time_ms is None:
        return None, False
    minute = facts.time_ms // MINUTE_MS % (24 * 60)
    inside = any(
        begin <= minute < end if begin < end else minute >= begin or minute < end  # over midnight
        for begin, end in limit
    )
    return minute, inside


def _time_of_day(minute: int | None) -> str | None:
    return None if minute is None else f"{minute // 60:02}:{minute % 60:02}"


def _on_days(limit: tuple[str, ...], facts: Facts, rule: Rule, moment: Moment) -> Met:
    if facts.time_ms is None:
        return None, False
    day = DAYS[(facts.time_ms // DAY_MS + 3) % 7]  # 1 January 1970 was a Thursday
    return day, day in limit


def _budget(span_ms: int, *, of_creator: bool) -> Holds:
    def holds(limit: Ceiling, facts: Facts, rule: Rule, moment: Moment) -> Met:
        creator = facts.creator if of_creator else None
        total = moment.spent.total(rule.budget, creator, span_ms, moment.now_ms, moment.request)
        return total, facts.time_ms is not None and _fits(limit, total, facts.amount(rule.change))

    return holds


def _told(total: Total) -> Mapping[str, int]:
    return {"amount": total.amount, "count": total.count}


def _fits(limit: Ceiling, total: Total, amount: int | None) -> bool:
    if limit.count is not None and total.count + 1 > limit.count:
        return False
    return limit.amount is None or (amount is not None and total.amount + amount <= limit.amount)


_BY_REQUEST, _BY_AMOUNT = Basis.REQUEST, Basis.AMOUNT
MEMBERS: Final[Mapping[str, ConditionKind]] = {
    "keys": ConditionKind(_keys, lambda limit, facts, rule, moment: _in(facts.key, limit), _BY_REQUEST),
    "transaction_types": ConditionKind(
        _texts, lambda limit, facts, rule, moment: _in(facts.transaction_type, limit), _BY_REQUEST
    ),
    "review": ConditionKind(
        _chosen(REVIEWS),
        lambda limit, facts, rule, moment: (facts.review, facts.review <= set(limit)),
        _BY_REQUEST,
        sorted,
    ),
    "creators": ConditionKind(_keys, lambda limit, facts, rule, moment: _in(facts.creator, limit), _BY_REQUEST),
    "not_creators": ConditionKind(
        _keys, lambda limit, facts, rule, moment: (facts.creator, facts.creator not in limit), _BY_REQUEST
    ),
    "cosigners": ConditionKind(
        _keys,
        lambda limit, facts, rule, moment: (facts.cosigners, set(facts.cosigners) <= set(limit)),
        _BY_REQUEST,
        list,
    ),
    "not_cosigners": ConditionKind(
        _keys,
        lambda limit, facts, rule, moment: (facts.cosigners, set(facts.cosigners).isdisjoint(limit)),
        _BY_REQUEST,
        list,
    ),
    "min_reputation": ConditionKind(_score, lambda limit, facts, rule, moment: _at_least(facts.reputation, limit)),
    "min_amount": ConditionKind(
        _sats, lambda limit, facts, rule, moment: _at_least(facts.amount(rule.change), limit), _BY_AMOUNT
    ),
    "max_amount": ConditionKind(
        _sats, lambda limit, facts, rule, moment: _at_most(facts.amount(rule.change), limit), _BY_AMOUNT
    ),
    "max_fee": ConditionKind(_sats, lambda limit, facts, rule, moment: _at_most(facts.fee, limit), _BY_REQUEST),
    "max_fee_rate": ConditionKind(
        _sats, lambda limit, facts, rule, moment: _at_most(facts.fee_rate, limit), _BY_REQUEST
    ),
    "destinations": ConditionKind(_texts, _destinations, _BY_REQUEST, _paid),
    "hours": ConditionKind(_hours, _within_hours, shown=_time_of_day),
    "days": ConditionKind(_chosen(DAYS), _on_days),
    "per_hour": ConditionKind(_ceiling, _budget(HOUR_MS, of_creator=False), shown=_told),
    "per_day": ConditionKind(_ceiling, _budget(DAY_MS, of_creator=False), shown=_told),
    "per_creator_hour": ConditionKind(_ceiling, _budget(HOUR_MS, of_creator=True), shown=_told),
    "per_creator_day": ConditionKind(_ceiling, _budget(DAY_MS, of_creator=True), shown=_told),
}
BUDGETS: Final = frozenset(name for name in MEMBERS if name.startswith("per_"))
CLOCKED: Final = frozenset({"hours", "days"})
TIMED: Final = BUDGETS | CLOCKED  # what does not hold while the clock is wrong
