"""Why an own key joined, signed, did not sign or declined, as the audit log records it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

import orjson

from daemon.policy.policy import OwnerPolicy
from daemon.policy.rules import Decision, Ruling, Weighed
from musig2.protocol.records.records import Request
from musig2.protocol.wire.frames import Signed

MOST_CONDITIONS: Final = 12  # of a line
LONGEST_CONDITION: Final = 120  # characters


def grounds_of(policy: OwnerPolicy, ruling: Ruling, approved_by: Collection[str] = ()) -> Mapping[str, Any]:
    """The verdict, the rule with its line, and the digest of the file that holds it. `approved_by`: labels."""
    told: dict[str, Any] = {"verdict": ruling.verdict.value, "policy": policy.rules.digest}
    if ruling.rule is not None:
        told |= {"rule": ruling.rule.name, "line": ruling.rule.line}
    if ruling.amount is not None:
        told["amount"] = ruling.amount
    if ruling.verdict is Decision.ASK:
        told["approvedBy"] = sorted(approved_by)
    return told


def misses_of(policy: OwnerPolicy, ruling: Ruling, signed: Signed[Request], key: bytes) -> Mapping[str, Any]:
    """The conditions that kept earlier rules from applying, with their limits; and whether no rule applied.

    Only for what does not join: the rules are gone through once more, with every condition.
    """
    if ruling.verdict is Decision.JOIN or ruling.instead:
        return {}
    failed = [_condition(each) for each in policy.explained(signed, key).weighed if not each.holds]
    told: dict[str, Any] = {"failed": failed[:MOST_CONDITIONS]} if failed else {}
    if len(failed) > MOST_CONDITIONS:
        told["failedMore"] = len(failed) - MOST_CONDITIONS
    if ruling.rule is None:
        told["noRuleApplied"] = True
    return told


def _condition(each: Weighed) -> str:
    text = f"line {each.line}: {each.rule}: {each.member} = {orjson.dumps(each.limit).decode()}"
    return text if len(text) <= LONGEST_CONDITION else f"{text[: LONGEST_CONDITION - 3]}..."
