"""Rules and approvals of a real daemon: taken over by a signal, asked over the API by tokens of each scope."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path
from typing import Any

import pytest

from config.load import load_settings
from daemon.demo.wallet import Wallet
from daemon.upkeep.doctor import examine
from musigd_client import Client
from musigd_client.endpoint import DataDir
from musigd_client.errors import CallFailed
from tests.e2e.fleet import advertise_all, fleet
from tests.signing.policy.payments import paying

pytestmark = pytest.mark.network

RULES = """
[[rule]]
name = "small"
verdict = "join"
max_amount = 1_000
per_day = {count = 1}
"""


async def pay(payer: Wallet, keys: list[str], amount: int) -> str:
    params = paying("lotus", [bytes.fromhex(key) for key in keys], amount, 200)
    asked = await payer.call("announceSigningRequest", requiredPublicKeys=keys, publicKey=keys[0], **params)
    return str(asked["requestId"])


async def refused(client: Client, method: str, **params: Any) -> str:
    with pytest.raises(CallFailed) as caught:
        await client.call(method, **params)
    return caught.value.reason


async def test_doctor_says_what_the_running_daemon_reports(tmp_path: Path) -> None:
    async with fleet(tmp_path, 1) as made:
        (alice,) = made.wallets
        (alice.daemon.datadir / "policy.toml").write_text("[[rule]]")
        async with Client(DataDir(alice.daemon.datadir, by_socket=True)) as client:
            assert await refused(client, "reloadPolicy") == "policy_unreadable"
        (alice.daemon.datadir / "policy.toml").unlink()
        settings = load_settings(flags={"rpc.listen": "127.0.0.1:0"}, file=None)
        found = await asyncio.to_thread(examine, settings, alice.daemon.datadir, {})
        assert "The running daemon reports a problem (policy_unreadable)." in [each.what for each in found]


async def test_a_signal_loads_the_policy_and_requests_that_it_leaves_wait_for_an_approval(
    tmp_path: Path,
) -> None:
    async with fleet(tmp_path, 2) as made:
        alice, bob = made.wallets
        keys = await advertise_all([alice, bob], "lotus")
        first = await pay(alice, keys, 900)
        await bob.heard("signing-request:received", requestId=first)
        (bob.daemon.datadir / "policy.toml").write_text(RULES)
        bob.daemon.process.send_signal(signal.SIGHUP)
        await bob.heard("signature:finalized", requestId=first)

        second = await pay(alice, keys, 900)
        (needed,) = await bob.heard("approval:needed", requestId=second)
        assert needed["request"]["review"]["transaction"]["fee"] == 200
        told = await bob.call("explainPolicy", requestId=second, publicKey=keys[1])
        (budget,) = [each for each in told["weighed"] if each["member"] == "per_day"]
        assert (budget["line"], budget["value"]["count"], budget["holds"]) == (6, 1, False)

        naming = {"requestId": second, "publicKey": keys[1]}
        url = str(bob.daemon.endpoint["rpc"])
        driver = await bob.call("createToken", scopes=["sign"], label="driver")
        anna = await bob.call("createToken", scopes=["approve"], label="anna")
        async with await Client.connect(url=url, token=driver["token"]) as client:
            assert await refused(client, "joinSigningRequest", **naming) == "approval_needed"
            assert await refused(client, "approveRequest", **naming) == "forbidden"
        async with await Client.connect(url=url, token=anna["token"]) as client:
            assert await refused(client, "joinSigningRequest", **naming) == "forbidden"
            approved = await client.call("approveRequest", **naming)
        assert [each["label"] for each in approved["approvals"]] == ["anna"]
        await alice.heard("signature:finalized", requestId=second)
