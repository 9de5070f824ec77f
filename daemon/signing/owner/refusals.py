"""The refusals that a client gets if the policy does not let a key join."""

from __future__ import annotations

from daemon.errors import Fact
from daemon.policy.policy import ApprovalNeeded, PolicyDenied
from daemon.policy.rules import Ruling


def needs_approval(ruling: Ruling) -> ApprovalNeeded:
    """The refusal that says whose approval it takes."""
    need, of = ruling.approvals.need, ruling.approvals.of
    whose = f" of {', '.join(of)}" if of else ""
    sentence = f"{ruling.sentence} It takes {need} approval(s){whose}: approveRequest, with a token of scope approve."
    return ApprovalNeeded(sentence, needed=need, of=list[Fact](of), **_place(ruling))


def denied(ruling: Ruling) -> PolicyDenied:
    """The refusal that names the rule and its line."""
    return PolicyDenied(ruling.sentence, **_place(ruling))


def _place(ruling: Ruling) -> dict[str, Fact]:
    verdict: dict[str, Fact] = {"verdict": ruling.verdict.value}
    return verdict if ruling.rule is None else {**verdict, "rule": ruling.rule.name, "line": ruling.rule.line}
