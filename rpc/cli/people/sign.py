"""`musig-cli review ID` and `musig-cli sign --request ID`: show what is signed, then ask, then sign."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from config.output.terminal import complain
from musigd_client.endpoint import Locator
from musigd_client.sync.http import call
from rpc.cli.params import UsageError
from rpc.cli.people.consent import approvals_text, explained, way_of
from rpc.cli.people.review import review_text
from rpc.cli.people.waiting import waited_for_signature

ENDED = ("declined", "cancelled", "expired", "failed")


def reviewed(locator: Locator, request_id: str) -> Mapping[str, Any]:
    """The request as the daemon shows it."""
    request: Mapping[str, Any] = call(locator, "getSigningRequest", {"requestId": request_id})
    return request


def review_of(locator: Locator, request: Mapping[str, Any]) -> str:
    """The request as text, with what the policy says of it for the own keys that have not answered."""
    return review_text(request, explained(locator, request))


def signed(locator: Locator, request_id: str, key: str | None, *, agreed: bool) -> Any | None:
    """The answer of `getFinalSignature`, or None if the person said no. `agreed`: sign without asking.

    Where a rule asks and this yes is not enough, the answer of `approveRequest`. Raises UsageError where there is
    nothing to sign or nobody to ask.
    """
    request = reviewed(locator, request_id)
    policy = explained(locator, request)
    complain(review_text(request, policy))
    key = _own_key(request, key)
    if key is not None:
        way = way_of(policy[key], call(locator, "getRights", {})["methods"])
        verb = "Sign" if way == "joinSigningRequest" else "Approve"
        if not agreed and not _says_yes(f"{verb} this with {key}? Type yes: "):
            return None
        said = call(locator, way, _params(way, request, key))
        if way == "approveRequest" and not said["joined"]:
            complain(f"Your approval is stored: {approvals_text(said)}. The key joins once there are enough.")
            return said
    return waited_for_signature(locator, {"requestId": request_id}, None)


def _params(way: str, request: Mapping[str, Any], key: str) -> dict[str, Any]:
    params = {"requestId": request["requestId"], "publicKey": key}
    review = request.get("review") or {}
    whole = review.get("status") == "checked" and not review.get("uncovered")
    return {**params, "requireChecked": True} if whole and way == "joinSigningRequest" else params


def _own_key(request: Mapping[str, Any], named: str | None) -> str | None:
    """The key to join with; None when all own ones have joined."""
    if request["state"] in ENDED:
        raise UsageError(f"there is nothing to sign: the request is {request['state']}")
    if (request.get("review") or {}).get("status") == "mismatch":
        raise UsageError("nobody can join it: it signs something else than it shows; declineSigningRequest ends it")
    own = [signer for signer in request["signers"] if signer["own"]]
    if not own:
        raise UsageError("none of its required keys is an own key")
    if named is not None and named not in [signer["publicKey"] for signer in own]:
        raise UsageError(f"--key: {named} is not an own key of this request")
    left = [signer["publicKey"] for signer in own if not signer["joined"] and named in (None, signer["publicKey"])]
    if len(left) > 1:
        raise UsageError(f"it needs {len(left)} own keys: name the one to sign with by --key")
    return left[0] if left else None


def _says_yes(question: str) -> bool:
    if not sys.stdin.isatty():
        raise UsageError("there is no terminal to ask at; --yes signs without asking")
    complain(question)
    return sys.stdin.readline().strip().lower() == "yes"
