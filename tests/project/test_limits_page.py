"""docs/limits.md says what the code enforces: each limit is accepted, and one more is refused."""

# ruff: noqa: E501  # rows of tables are read side by side

from __future__ import annotations

from typing import Any

import pytest

from rpc.calls.params import params_of
from rpc.errors import ApiError
from rpc.methods import samples
from rpc.methods.table import METHODS
from tests.project.limits_page import PAGE, bound, page

KEYS = [f"02{number:064x}" for number in range(1, 1_002)]
ASK = {"requiredPublicKeys": KEYS[:2], "publicKey": KEYS[0], "message": samples.MESSAGE}
OFFER = {"publicKey": KEYS[0], "criteria": {"transactionTypes": ["spend"]}}
DECLINE = {"requestId": samples.REQUEST, "publicKey": KEYS[0]}


def test_the_page_is_what_the_code_says() -> None:
    assert PAGE.read_text() == page(), "run python -m tests.project.limits_page"


def nested(levels: int) -> Any:
    return {"x": nested(levels - 1)} if levels else 1


EDGES: dict[str, tuple[str, Any, Any, str]] = {  # what: method, params at the edge, params beyond, path
    "keys": ("announceSigningRequest", {"requiredPublicKeys": KEYS[:100]}, {"requiredPublicKeys": KEYS[:101]}, "requiredPublicKeys"),
    "messages": (
        "announceSigningRequest",
        {"message": None, "messages": [{"message": samples.MESSAGE}] * 100},
        {"message": None, "messages": [{"message": samples.MESSAGE}] * 101},
        "messages",
    ),
    "tweaks": (
        "announceSigningRequest",
        {"tweaks": [{"tweak": "11" * 32, "xOnly": True}] * 16},
        {"tweaks": [{"tweak": "11" * 32, "xOnly": True}] * 17},
        "tweaks",
    ),
    "ttl": ("announceSigningRequest", {"ttl": 604_800_000}, {"ttl": 604_800_001}, "ttl"),
    "roundMs": ("announceSigningRequest", {"roundMs": 1_000}, {"roundMs": 999}, "roundMs"),
    "metadata depth": ("announceSigningRequest", {"metadata": nested(4)}, {"metadata": nested(5)}, "metadata.x.x.x.x"),
    "metadata name": ("announceSigningRequest", {"metadata": {"n" * 24: 1}}, {"metadata": {"n" * 25: 1}}, "metadata"),
    "metadata number": ("announceSigningRequest", {"metadata": {"n": 2**53 - 1}}, {"metadata": {"n": 2**53}}, "metadata.n"),
    "metadata sign": ("announceSigningRequest", {"metadata": {"n": 0}}, {"metadata": {"n": -1}}, "metadata.n"),
    "metadata fraction": ("announceSigningRequest", {"metadata": {"n": 1}}, {"metadata": {"n": 1.5}}, "metadata.n"),
    "metadata form": ("announceSigningRequest", {"metadata": {"n": "\u00e9"}}, {"metadata": {"n": "e\u0301"}}, "metadata.n"),
    "nickname": ("advertiseSigner", {"metadata": {"nickname": "n" * 100}}, {"metadata": {"nickname": "n" * 101}}, "metadata.nickname"),
    "description": (
        "advertiseSigner",
        {"metadata": {"description": "n" * 2_000}},
        {"metadata": {"description": "n" * 2_001}},
        "metadata.description",
    ),
    "types": (
        "advertiseSigner",
        {"criteria": {"transactionTypes": [f"t{number}" for number in range(32)]}},
        {"criteria": {"transactionTypes": [f"t{number}" for number in range(33)]}},
        "criteria.transactionTypes",
    ),
    "reason": ("declineSigningRequest", {"reason": "n" * 200}, {"reason": "n" * 201}, "reason"),
    "bytes of a reason": ("declineSigningRequest", {"reason": "\u00e9" * 128}, {"reason": "\u00e9" * 129}, "reason"),
    "label": ("createKey", {"label": "n" * 100}, {"label": "n" * 101}, "label"),
    "idempotencyKey": ("createKey", {"idempotencyKey": "n" * 64}, {"idempotencyKey": "n" * 65}, "idempotencyKey"),
    "keys of a token": ("createToken", {"publicKeys": KEYS[:1_000]}, {"publicKeys": KEYS[:1_001]}, "publicKeys"),
    "waitMs": ("getFinalSignature", {"waitMs": 60_000}, {"waitMs": 60_001}, "waitMs"),
    "page": ("listSessions", {"limit": 500}, {"limit": 501}, "limit"),
    "events": ("getEvents", {"limit": 1_000}, {"limit": 1_001}, "limit"),
}  # fmt: skip  # a table
NEEDED: dict[str, Any] = {
    "announceSigningRequest": ASK,
    "advertiseSigner": OFFER,
    "declineSigningRequest": DECLINE,
    "createKey": {"scheme": "lotus"},
    "createToken": {"scopes": ["read"]},
    "getFinalSignature": {"requestId": samples.REQUEST},
    "getEvents": {"fromSeq": 0},
}


@pytest.mark.parametrize(("method", "most", "beyond", "path"), EDGES.values(), ids=EDGES)
def test_the_limit_itself_is_accepted_and_one_more_is_refused_by_its_path(
    method: str, most: dict[str, Any], beyond: dict[str, Any], path: str
) -> None:
    needed = NEEDED.get(method, {})
    params_of(METHODS[method].params, {**needed, **most})
    with pytest.raises(ApiError) as caught:
        params_of(METHODS[method].params, {**needed, **beyond})
    assert caught.value.reason == "invalid_params"
    assert str(caught.value.data["errors"][0]["path"]).startswith(path)  # type: ignore[index,call-overload]  # JSON


def test_a_bound_is_found_inside_objects_and_alternatives() -> None:
    assert bound("advertiseSigner", "criteria.transactionTypes", "maxItems") == 32
    assert bound("announceSigningRequest", "election.broadcastTimeoutMs", "minimum") == 1_000
