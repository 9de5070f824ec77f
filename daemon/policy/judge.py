"""Decides a request: the first rule whose conditions all hold. Pure functions of rules, facts and what was spent.

A request is judged several times: when it arrives, when it is joined, before its partial signatures. Most conditions
follow from the request alone, so `sift` checks those once and `judge_sifted` only the others, with the same result as
`judge`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from daemon.policy.facts import Facts
from daemon.policy.members import MEMBERS, Basis, Holds, Moment
from daemon.policy.rules import Decision, Rule, RuleSet, Ruling, Weighed
from daemon.policy.spent import Spent

_NO_MOMENT: Final = Moment(Spent(), 0, b"")
Left: TypeAlias = tuple[str, Holds, Any]  # a condition: its member, how it is checked, its limit
Divided: TypeAlias = tuple[Rule, tuple[Left, ...], tuple[Left, ...]]  # conditions that last, and the others


def judge(rules: RuleSet, facts: Facts, moment: Moment) -> Ruling:
    """The ruling, without the conditions that were checked."""
    for rule in rules.rules:
        if all(MEMBERS[each.member].holds(each.limit, facts, rule, moment)[1] for each in rule.conditions):
            return _ruling(rule.verdict, rule, facts)
    return _ruling(rules.default, None, facts)


def explain(rules: RuleSet, facts: Facts, moment: Moment) -> Ruling:
    """The same ruling, with every condition of every rule up to the one that decides."""
    weighed: list[Weighed] = []
    for rule in rules.rules:
        of_rule = list(_weigh(rule, facts, moment))
        weighed += of_rule
        if all(each.holds for each in of_rule):
            return Ruling(rule.verdict, rule, facts.amount(rule.change), facts.claim(rule.change), tuple(weighed))
    return Ruling(rules.default, None, facts.amount(), facts.claim(), tuple(weighed))


@dataclass(frozen=True, slots=True)
class OpenRule:
    """A rule that may apply (None: the default), and its conditions that have to be checked at each ruling.

    `ruling`: the one it leads to; None if that depends on what other requests count as coming back.
    """

    verdict: Decision
    rule: Rule | None
    conditions: tuple[Left, ...]
    ruling: Ruling | None


@dataclass(frozen=True, slots=True)
class Sifted:
    """What of the rules is left for one request. `facts`: what follows from it alone; `members`: of all candidates."""

    facts: Facts
    candidates: tuple[OpenRule, ...]
    members: frozenset[str]

    @property
    def settled(self) -> Ruling | None:
        """The ruling, if it is the same at any time."""
        first = self.candidates[0]
        return None if first.conditions else first.ruling


@dataclass(frozen=True, slots=True)
class Sieve:
    """Rules with their conditions divided, for transactions that one request signs alone, and for shared ones."""

    alone: tuple[Divided, ...]
    shared: tuple[Divided, ...]
    default: Decision


def sieve(rules: RuleSet) -> Sieve:
    """Made once for each set of rules."""
    lasting = frozenset({Basis.REQUEST, Basis.AMOUNT}), frozenset({Basis.REQUEST})
    alone, shared = (tuple(_divided(rule, each) for rule in rules.rules) for each in lasting)
    return Sieve(alone, shared, rules.default)


def _divided(rule: Rule, lasting: Collection[Basis]) -> Divided:
    whole = [(each.member, MEMBERS[each.member], each.limit) for each in rule.conditions]
    return (
        rule,
        tuple((member, kind.holds, limit) for member, kind, limit in whole if kind.basis in lasting),
        tuple((member, kind.holds, limit) for member, kind, limit in whole if kind.basis not in lasting),
    )


def sift(through: Sieve, facts: Facts) -> Sifted:
    """Check what follows from the request alone. The last candidate has no conditions."""
    candidates = tuple(_candidates(through, facts))
    return Sifted(facts, candidates, frozenset([member for each in candidates for member, _, _ in each.conditions]))


def _candidates(through: Sieve, facts: Facts) -> Iterator[OpenRule]:
    for rule, lasting, left in through.alone if facts.transaction is None else through.shared:
        if _hold(lasting, facts, rule, _NO_MOMENT):
            yield _candidate(rule.verdict, rule, left, facts)
            if not left:
                return
    yield _candidate(through.default, None, (), facts)


def _hold(conditions: tuple[Left, ...], facts: Facts, rule: Rule, moment: Moment) -> bool:
    for _, holds, limit in conditions:  # noqa: SIM110  # a generator costs half as much again, at every ruling
        if not holds(limit, facts, rule, moment)[1]:
            return False
    return True


def judge_sifted(sifted: Sifted, facts: Facts, moment: Moment) -> Ruling:
    """As `judge` under the rules that were sifted. `facts`: with the present values of what the members left need."""
    for each in sifted.candidates:
        rule = each.rule
        if rule is None or _hold(each.conditions, facts, rule, moment):
            return each.ruling or _ruling(each.verdict, rule, facts)
    raise AssertionError("the last candidate has no conditions")


def _candidate(verdict: Decision, rule: Rule | None, left: tuple[Left, ...], facts: Facts) -> OpenRule:
    return OpenRule(verdict, rule, left, _ruling(verdict, rule, facts) if facts.transaction is None else None)


def _ruling(verdict: Decision, rule: Rule | None, facts: Facts) -> Ruling:
    change = () if rule is None else rule.change
    return Ruling(verdict, rule, facts.amount(change), facts.claim(change))


def _weigh(rule: Rule, facts: Facts, moment: Moment) -> Iterator[Weighed]:
    for each in rule.conditions:
        kind = MEMBERS[each.member]
        value, holds = kind.holds(each.limit, facts, rule, moment)
        yield Weighed(
            rule.name, each.member, each.line, each.given, kind.shown(value), holds, facts.amount(rule.change)
        )
