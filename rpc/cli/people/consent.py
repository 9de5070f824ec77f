"""What the policy says of a request for an own key, as text, and the yes that a token may say to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from config.text.plain_text import escaped
from musigd_client.endpoint import Locator
from musigd_client.sync.http import call

Way = Literal["joinSigningRequest", "approveRequest"]


def explained(locator: Locator, request: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
    """The answer of `explainPolicy` for each own key that has not answered the request yet."""
    if request["state"] not in ("open", "signing"):
        return {}
    waiting = [each["publicKey"] for each in request["signers"] if each["own"] and not _has_answered(each)]
    named = {"requestId": request["requestId"]}
    return {key: call(locator, "explainPolicy", {**named, "publicKey": key}) for key in waiting}


def _has_answered(signer: Mapping[str, Any]) -> bool:
    return bool(signer["joined"] or signer["declined"])


def policy_lines(explained: Mapping[str, Any]) -> list[str]:
    """The rule that decides with its line, and where it asks, how many have approved, of whom."""
    if not explained["active"]:
        return []
    lines = [escaped(str(explained["message"]))]
    if explained["verdict"] == "ask":
        lines.append(approvals_text(explained))
    return lines


def approvals_text(told: Mapping[str, Any]) -> str:
    """How many approvals there are of how many, from whom, and whose count."""
    given = ", ".join(escaped(str(each["label"])) for each in told.get("approvals") or ())
    of = ", ".join(escaped(str(each)) for each in told.get("approvalsOf") or ())
    count = f"{told.get('approvalsGiven', 0)} of {told['approvalsNeeded']} approvals"
    return f"{count}{f', given by {given}' if given else ''}{f'; those of {of} count' if of else ''}"


def way_of(explained: Mapping[str, Any], methods: Sequence[str]) -> Way:
    """The call that says yes: an approval where a rule asks for one, a join elsewhere, as far as the token may.

    `methods`: what the token may call. A token that may do neither gets the refusal of the join.
    """
    may_approve, may_join = "approveRequest" in methods, "joinSigningRequest" in methods
    asks = explained["active"] and explained["verdict"] == "ask"
    if may_approve and (asks or not may_join) and not (may_join and explained["approved"]):
        return "approveRequest"
    return "joinSigningRequest"
