"""`musig-cli review ID` and `musig-cli sign --request ID`: show what is signed, then ask, then sign."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from config.output.terminal import complain
from musigd_client.endpoint import Locator
from musigd_client.sync.http import call
from rpc.cli.params import UsageError
from rpc.cli.people.review import review_text
from rpc.cli.people.waiting import waited_for_signature

ENDED = ("declined", "cancelled", "expired", "failed")


def reviewed(locator: Locator, request_id: str) -> Mapping[str, Any]:
    """The request as the daemon shows it."""
    request: Mapping[str, Any] = call(locator, "getSigningRequest", {"requestId": request_id})
    return request


def signed(locator: Locator, request_id: str, key: str | None, *, agreed: bool) -> Any | None:
    """The answer of `getFinalSignature`, or None if the person said no. `agreed`: sign without asking.

    Raises UsageError where there is nothing to sign or nobody to ask.
    """
    request = reviewed(locator, request_id)
    complain(review_text(request))
    key = _own_key(request, key)
    if key is not None:
        if not agreed and not _says_yes(f"Sign this with {key}? Type yes: "):
            return None
        review = request.get("review") or {}
        whole = review.get("status") == "checked" and not review.get("uncovered")
        params = {"requestId": request_id, "publicKey": key, **({"requireChecked": True} if whole else {})}
        call(locator, "joinSigningRequest", params)
    return waited_for_signature(locator, {"requestId": request_id}, None)


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
