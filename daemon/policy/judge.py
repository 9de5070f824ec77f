"""Decides a request: the first rule whose conditions all hold. A pure function of rules, facts and what was spent."""

from __future__ import annotations

from collections.abc import Iterator

from daemon.policy.facts import Facts
from daemon.policy.members import MEMBERS, Moment
from daemon.policy.rules import Rule, RuleSet, Ruling, Weighed


def judge(rules: RuleSet, facts: Facts, moment: Moment) -> Ruling:
    """The ruling, without the conditions that were checked."""
    for rule in rules.rules:
        if all(MEMBERS[each.member].holds(each.limit, facts, rule, moment)[1] for each in rule.conditions):
            return Ruling(rule.verdict, rule, facts.amount(rule.change), facts.claim(rule.change))
    return Ruling(rules.default, None, facts.amount(), facts.claim())


def explain(rules: RuleSet, facts: Facts, moment: Moment) -> Ruling:
    """The same ruling, with every condition of every rule up to the one that decides."""
    weighed: list[Weighed] = []
    for rule in rules.rules:
        of_rule = list(_weigh(rule, facts, moment))
        weighed += of_rule
        if all(each.holds for each in of_rule):
            return Ruling(rule.verdict, rule, facts.amount(rule.change), facts.claim(rule.change), tuple(weighed))
    return Ruling(rules.default, None, facts.amount(), facts.claim(), tuple(weighed))


def _weigh(rule: Rule, facts: Facts, moment: Moment) -> Iterator[Weighed]:
    for each in rule.conditions:
        value, holds = MEMBERS[each.member].holds(each.limit, facts, rule, moment)
        yield Weighed(rule.name, each.member, each.line, each.given, value, holds)
