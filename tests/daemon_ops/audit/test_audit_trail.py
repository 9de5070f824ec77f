"""The record of a whole run explains every signature in it: the rule that allowed it, who approved, or who asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from daemon.demo.wallet import Wallet
from musigd_client import Client
from tests.daemon_ops.audit.trail import flat, signatures_of, why
from tests.e2e.fleet import advertise_all, fleet
from tests.e2e.test_policy import pay, refused

pytestmark = pytest.mark.network

RULES = """
[[rule]]
name = "never"
verdict = "refuse"
reason = "too much"
min_amount = 50_000

[[rule]]
name = "small"
verdict = "join"
max_amount = 1_000
max_fee = 500

[[rule]]
name = "large"
verdict = "ask"
min_amount = 10_000
approvals = {need = 2, of = ["anna", "ben"]}
"""


async def lines_of(wallet: Wallet) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while page := (await wallet.call("getAuditLog", fromSeq=len(found) + 1, limit=1_000))["lines"]:
        found += page
    return flat(found)


async def approve(wallet: Wallet, label: str, request: str, key: str, method: str = "approveRequest") -> None:
    scopes = ["approve"] if method == "approveRequest" else ["sign", "approve"]
    made = await wallet.call("createToken", scopes=scopes, label=label)
    async with await Client.connect(url=str(wallet.daemon.endpoint["rpc"]), token=made["token"]) as client:
        await client.call(method, requestId=request, publicKey=key)


async def test_the_record_of_a_run_explains_every_signature(tmp_path: Path) -> None:
    async with fleet(tmp_path, 2) as made:
        alice, bob = made.wallets
        keys = await advertise_all([alice, bob], "lotus")
        early = await pay(alice, keys, 700)
        await bob.heard("signing-request:received", requestId=early)
        await bob.call("joinSigningRequest", requestId=early, publicKey=keys[1])
        await alice.heard("signature:finalized", requestId=early)
        (bob.daemon.datadir / "policy.toml").write_text(RULES)
        assert (await bob.call("reloadPolicy"))["rules"] == ["never", "small", "large"]

        small = [await pay(alice, keys, amount) for amount in (600, 900)]
        middle, large, far = [await pay(alice, keys, amount) for amount in (5_000, 20_000, 60_000)]
        for request in (middle, large):
            await bob.heard("approval:needed", requestId=request)
        await approve(bob, "phone", middle, keys[1], "joinSigningRequest")
        for label in ("anna", "ben"):
            await approve(bob, label, large, keys[1])
        for request in (*small, middle, large):
            await alice.heard("signature:finalized", requestId=request)
        await alice.heard("signing-request:declined", requestId=far)
        waits = await pay(alice, keys, 7_000)
        await bob.heard("approval:needed", requestId=waits)
        driver = await bob.call("createToken", scopes=["sign"], label="driver")
        async with await Client.connect(url=str(bob.daemon.endpoint["rpc"]), token=driver["token"]) as client:
            assert await refused(client, "joinSigningRequest", requestId=waits, publicKey=keys[1]) == "approval_needed"

        lines = await lines_of(bob)
        signed = {(line["sessionId"], line["publicKey"]) for line in lines if line["what"] == "partial"}
        assert signed == signatures_of(bob.daemon.datadir)
        sessions = {
            request: (await alice.call("getSigningRequest", requestId=request))["sessionId"]
            for request in (early, *small, middle, large)
        }
        assert {session for session, _ in signed} == set(sessions.values())
        assert [why(lines, session, keys[1]) for session in sessions.values()] == [
            "called by owner",
            "rule small",
            "rule small",
            "approved by phone",
            "approved by anna, ben",
        ]
        of_alice = await lines_of(alice)
        assert {why(of_alice, session, keys[0]) for session in sessions.values()} == {"called by owner"}
        assert len(signatures_of(alice.daemon.datadir)) == len(sessions)

        (declined,) = (line for line in lines if line["what"] == "signing-request:declined")
        assert (declined["requestId"], declined["rule"], declined["line"]) == (far, "never", 2)
        asked = [line for line in lines if line["what"] == "approval:needed"]
        assert [(line["requestId"], line.get("rule")) for line in asked] == [
            (middle, None),
            (large, "large"),
            (waits, None),
        ]
        await bob.call("createToken", scopes=["read"])  # a refusal is on record with the next change at the latest
        (barred,) = (line for line in await lines_of(bob) if line.get("refused") == "approval_needed")
        assert (barred["who"]["label"], barred["verdict"]) == ("driver", "ask")
        assert (await bob.call("verifyAuditLog"))["valid"]
