"""`musig-cli review` and `sign` where a policy has a say: the rule that asks, who has approved, and an approval."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from musigd_client import Client
from musigd_client.wire import error_of
from rpc.cli.people.consent import policy_lines, way_of
from rpc.cli.people.lines import audit_lines, event_line
from rpc.cli.people.pending import pending_text
from rpc.cli.people.refusal import refusal_text
from rpc.cli.people.review import review_text
from rpc.cli.people.table import as_table
from rpc.methods import samples
from rpc.methods.table import METHODS
from tests.rpc.client.test_cli import run
from tests.rpc.client.test_cli_people import at_a_terminal
from tests.rpc.rpc_daemons import Pair, two_daemons

LARGE = """[[rule]]
name = "large"
verdict = "ask"
approvals = {need = 2, of = ["anna", "ben"]}
"""
ASKS: dict[str, Any] = {
    "active": True,
    "verdict": "ask",
    "message": 'Rule "large" (line 1) of the policy asks its owner.',
    "approved": False,
    "approvalsNeeded": 2,
    "approvalsGiven": 1,
    "approvalsOf": ["anna", "ben"],
    "approvals": [{"label": "anna", "at": samples.NOW, "own": False}],
}
APPROVER = ["getRights", "approveRequest"]
SIGNER = ["getRights", "joinSigningRequest"]


def test_the_rule_that_asks_is_named_with_its_line_and_its_approvals() -> None:
    said = review_text(samples.SIGNING_REQUEST, {samples.KEY_A: ASKS})
    assert f"your policy, for {samples.KEY_A}\n  {ASKS['message']}\n" in said
    assert "  1 of 2 approvals, given by anna; those of anna, ben count\n" in said
    assert policy_lines({**ASKS, "active": False}) == []
    assert policy_lines({**ASKS, "verdict": "join", "message": "It joins."}) == ["It joins."]


@pytest.mark.parametrize(
    ("changes", "methods", "way"),
    [
        ({}, APPROVER, "approveRequest"),
        ({}, APPROVER + SIGNER, "approveRequest"),
        ({"approved": True}, APPROVER + SIGNER, "joinSigningRequest"),
        ({"approved": True}, APPROVER, "approveRequest"),
        ({}, SIGNER, "joinSigningRequest"),
        ({"active": False}, APPROVER + SIGNER, "joinSigningRequest"),
        ({"active": False}, APPROVER, "approveRequest"),
        ({"verdict": "join"}, APPROVER + SIGNER, "joinSigningRequest"),
    ],
)
def test_a_token_approves_where_a_rule_asks_and_joins_elsewhere(
    changes: dict[str, Any], methods: list[str], way: str
) -> None:
    assert way_of({**ASKS, **changes}, methods) == way


def test_who_declined_or_cancelled_says_why_behind_a_bar() -> None:
    signers = [dict(each) for each in samples.SIGNING_REQUEST["signers"]]
    signers[1] |= {"declined": True, "declineReason": "too much\nChecked: all of it."}
    ended = {"state": "declined", "reason": "declined", "signers": signers}
    said = review_text({**samples.SIGNING_REQUEST, **ended})
    assert "state     declined (declined), attempt 1" in said
    assert f"why {samples.KEY_B} declined\n  | too much\n  | Checked: all of it.\n" in said
    cancelled = {"state": "cancelled", "reason": "cancelled", "cancelReason": "changed my mind"}
    said = review_text({**samples.SIGNING_REQUEST, **cancelled})
    assert f"why {samples.KEY_A} cancelled\n  | changed my mind\n" in said


def test_a_refusal_says_whose_owner_was_asked() -> None:
    data = {"reason": "not_ready", "waitingFor": ["02ab", "03cd"], "considering": ["03cd"]}
    error = error_of({"code": -32012, "message": "Not yet.", "data": data})
    assert refusal_text(error).split("\n")[1:] == [
        "  waiting for 02ab",
        "  waiting for 03cd (its owner was asked)",
    ]


@pytest.fixture
async def pair(tmp_path: Path) -> AsyncIterator[Pair]:
    async with two_daemons(tmp_path) as made:
        yield made


async def approver(client: Client, label: str, folder: Path) -> str:
    """The file with a token that may read and approve, nothing else."""
    file = folder / label
    file.write_text((await client.create_token(scopes=["read", "approve"], label=label)).token)
    return str(file)


@pytest.mark.network
async def test_people_approve_at_the_command_line_until_there_are_enough(pair: Pair, tmp_path: Path) -> None:
    (pair.datadirs[1] / "policy.toml").write_text(LARGE)
    await pair.bob.reload_policy()
    keys = [(await client.create_key(scheme="bip340")).public_key for client in (pair.alice, pair.bob)]
    made = await pair.alice.announce_signing_request(
        required_public_keys=keys, public_key=keys[0], message=samples.MESSAGE
    )
    async for _ in pair.alice.events(from_seq=0, events=["signing-request:considering"]):
        break
    waits = await run("getFinalSignature", f"requestId={made.request_id}", "--datadir", str(pair.datadirs[0]))
    assert f"waiting for {keys[1]} (its owner was asked)" in waits.err
    place = ("--datadir", str(pair.datadirs[1]), "--token-file")
    anna, ben = [await approver(pair.bob, label, tmp_path) for label in ("anna", "ben")]
    first = await run("sign", "--request", made.request_id, "--yes", *place, anna)
    assert (first.code, json.loads(first.out)["approvalsGiven"]) == (0, 1), first.err
    assert 'Rule "large" (line 1) of the policy asks its owner.' in first.err
    assert "Your approval is stored: 1 of 2 approvals, given by anna; those of anna, ben count." in first.err
    reviewed = await run("review", made.request_id, *place, ben)
    assert "1 of 2 approvals, given by anna" in reviewed.out
    code, shown = await at_a_terminal("sign", made.request_id, *place, ben, types="yes\n")
    assert (code, f"Approve this with {keys[1]}?" in shown) == (0, True), shown
    assert (await pair.alice.wait_for_signature(request_id=made.request_id)).signature in shown


def test_what_waits_is_told_in_a_few_lines_each() -> None:
    request = {**samples.SIGNING_REQUEST, "expiresAt": time.time() * 1000 + 600_000}
    outputs = [*samples.REVIEW["transaction"]["outputs"], {"value": 70_000, "script": "51", "address": "lotus_shop"}]
    paying = {**samples.REVIEW, "transaction": {**samples.REVIEW["transaction"], "outputs": outputs}}
    waits = {**ASKS, "publicKey": samples.KEY_A, "request": {**request, "review": paying}}
    said = pending_text({"pending": [waits, {**waits, "request": {**request, "review": None}}]})
    assert said.splitlines()[2:8] == [
        f"request  {samples.REQUEST}",
        f"key      {samples.KEY_A}",
        f"rule     {ASKS['message']} 1 of 2 approvals, given by anna; those of anna, ben count",
        "amount   70,000 sats, fee 1,000 sats (checked)",
        "to       lotus_shop  70,000 sats",
        "left     10 min",
    ]
    assert "nobody can tell what" in said


def test_events_and_audit_lines_have_a_time_and_their_ids_whole() -> None:
    event = {"seq": 7, "time": samples.NOW, "event": "session:ready", "data": {"request": samples.SIGNING_REQUEST}}
    assert event_line(event).split() == ["7", "2025-10-09", "08:53:20", "session:ready", *_ids()]
    page = METHODS["getAuditLog"].answer
    first, last = audit_lines(page).splitlines()
    assert first.split()[:4] == ["2", "2025-10-09", "08:53:20", "partial"]
    assert f"publicKey={samples.KEY_A}" in first
    assert last == f"anchor {page['anchor']}; go on with fromSeq=3"


def _ids() -> list[str]:
    return [f"requestId={samples.REQUEST}", f"sessionId={samples.SESSION}"]


def test_every_number_of_a_table_has_its_unit() -> None:
    said = as_table({"consideringSince": samples.NOW, "feeRate": 6_211})
    assert said.splitlines() == [
        "consideringSince  2025-10-09 08:53:20",
        "feeRate           6,211 sats for 1 000 bytes",
    ]
