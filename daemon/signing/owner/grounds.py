"""Why an own key joined, signed, did not sign or declined, as the audit log records it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from daemon.policy.policy import OwnerPolicy
from daemon.policy.rules import Decision, Ruling


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
