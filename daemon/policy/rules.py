"""An owner's rules as plain values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from typing import Any

from daemon.policy.returns import ComingBack


class Decision(StrEnum):
    """The decision on a request for one own key."""

    JOIN = "join"  # automatically
    ASK = "ask"  # it waits for its owner
    REFUSE = "refuse"  # it is declined


@dataclass(frozen=True, slots=True)
class Condition:
    """One member of a rule; `line` is where it stands in the file."""

    member: str
    limit: Any
    line: int
    given: Any = None  # the limit as it is written


@dataclass(frozen=True, slots=True)
class Ceiling:
    """Satoshis and number of requests within a span; None is no limit."""

    amount: int | None = None
    count: int | None = None


@dataclass(frozen=True, slots=True)
class Approvals:
    """How many tokens must say yes where a rule asks. `of`: the labels that count; empty means any token."""

    need: int = 1
    of: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """It applies where all its conditions hold.

    `budget`: the name under which its signatures are charged. `change`: addresses and scripts whose outputs count as
    coming back. `reason`: told to the other signers where it refuses.
    """

    name: str
    verdict: Decision
    line: int
    conditions: tuple[Condition, ...]
    budget: str
    change: tuple[str, ...] = ()
    reason: str = ""
    approvals: Approvals = Approvals()


@dataclass(frozen=True, slots=True)
class Example:
    """A request as plain values, with the verdict that the author expects."""

    name: str
    line: int
    request: Mapping[str, Any]
    expect: Decision
    rule: str | None


@dataclass(frozen=True)
class RuleSet:
    """The rules in order: the first that applies decides, `default` (ask or refuse) where none does."""

    rules: tuple[Rule, ...]
    default: Decision = Decision.ASK
    examples: tuple[Example, ...] = ()
    digest: str = ""  # of the file: 16 hex digits of its SHA-256

    @cached_property
    def members(self) -> frozenset[str]:
        """The conditions that any rule has."""
        return frozenset(each.member for rule in self.rules for each in rule.conditions)


@dataclass(frozen=True, slots=True)
class Weighed:
    """A condition, the value it was compared with, and whether it holds. `adds`: what the request costs, if known."""

    rule: str
    member: str
    line: int
    limit: Any
    value: Any
    holds: bool
    adds: int | None = None


@dataclass(frozen=True, slots=True)
class Ruling:
    """The verdict, the rule that decided (None: the default), and what was weighed on the way.

    `amount`: what a signature costs the rule's budget, None where it is unknown.
    """

    verdict: Decision
    rule: Rule | None
    amount: int | None = None
    claim: ComingBack | None = None  # what it counts as coming back, where other requests could too
    weighed: tuple[Weighed, ...] = field(default=(), compare=False)
    instead: str = ""  # why no rule was checked

    @property
    def approvals(self) -> Approvals:
        """The approvals that it takes where it asks."""
        return Approvals() if self.rule is None else self.rule.approvals

    @property
    def sentence(self) -> str:
        """For people: the rule that decides, and its line."""
        if self.instead:
            return self.instead
        what = {Decision.JOIN: "joins it", Decision.ASK: "asks its owner", Decision.REFUSE: "refuses it"}[self.verdict]
        if self.rule is None:
            return f"No rule of the policy applies, so it {what} by default."
        return f'Rule "{self.rule.name}" (line {self.rule.line}) of the policy {what}.'


class Change(StrEnum):
    """What became of a rule. MOVED: it says the same, and stands before or after others than it did."""

    SAME = "same"
    NEW = "new"
    CHANGED = "changed"
    MOVED = "moved"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class RuleChange:
    """`rule`: as it stands in the new file, or, where it was removed, in the former one."""

    rule: Rule
    change: Change


def differences(before: RuleSet, after: RuleSet) -> Iterator[RuleChange]:
    """The rules of the new file in order, then those that it no longer has; the same rule has the same name."""
    former = {rule.name: rule for rule in before.rules}
    kept = [rule.name for rule in after.rules if rule.name in former]
    names = set(kept)
    stood, stands = _preceding(rule.name for rule in before.rules if rule.name in names), _preceding(kept)
    for rule in after.rules:
        if rule.name not in former:
            yield RuleChange(rule, Change.NEW)
        elif _without_lines(rule) != _without_lines(former[rule.name]):
            yield RuleChange(rule, Change.CHANGED)
        else:
            moved = stood[rule.name] != stands[rule.name]
            yield RuleChange(rule, Change.MOVED if moved else Change.SAME)
    yield from (RuleChange(rule, Change.REMOVED) for rule in before.rules if rule.name not in names)


def _preceding(names: Iterable[str]) -> dict[str, int]:
    """For each name those before it, whatever their order, as one number."""
    found, sum_of_hashes = dict[str, int](), 0
    for name in names:
        found[name] = sum_of_hashes
        sum_of_hashes += hash(name)
    return found


def _without_lines(rule: Rule) -> Rule:
    return replace(rule, line=0, conditions=tuple(replace(each, line=0) for each in rule.conditions))
