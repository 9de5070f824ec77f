"""What a policy leaves to its owners: listed with the rule that asks, and approved or declined by whom it names."""

from __future__ import annotations

from pathlib import Path

from playwright.async_api import expect

from musigd_client import Client
from tests.browser.conftest import MakeScreen
from tests.browser.screen import Screen
from tests.e2e.vessels import Vessel, vessels
from tests.signing.policy.payments import paying

FOUR_EYES = """
[[rule]]
name = "large"
verdict = "ask"
min_amount = 1_000
approvals = { need = 2, of = ["anna", "ben"] }
"""


async def a_payment_waits(made: list[Vessel], amount: int) -> str:
    """Bob's daemon asks Alice's, whose policy leaves it to Anna and Ben; the request's id."""
    alice, bob = made
    (alice.datadir / "policy.toml").write_text(FOUR_EYES)
    await alice.wallet.call("reloadPolicy")
    for each in made:
        each.wallet.pubkey = (await each.wallet.call("createKey", scheme="lotus"))["publicKey"]
    keys = [bob.wallet.pubkey, alice.wallet.pubkey]
    params = paying("lotus", [bytes.fromhex(key) for key in keys], amount)
    params["metadata"]["purpose"] = "a roof"
    asked = await bob.wallet.call("announceSigningRequest", requiredPublicKeys=keys, publicKey=keys[0], **params)
    await alice.wallet.heard("approval:needed", requestId=asked["requestId"])
    return str(asked["requestId"])


async def person(screen_of: MakeScreen, vessel: Vessel, label: str, scope: str, path: str) -> Screen:
    """Somebody with a token of that scope, before that view."""
    screen = await screen_of(vessel)
    made = await vessel.wallet.call("createToken", scopes=[scope], label=label)
    await screen.open(path, made["token"])
    return screen


async def test_two_owners_see_what_is_signed_and_approve_it_by_clicks(tmp_path: Path, screen_of: MakeScreen) -> None:
    async with vessels(tmp_path, 2) as made:
        request = await a_payment_waits(made, 5_000)
        anna = await person(screen_of, made[0], "anna", "approve", "/requests")
        ben = await person(screen_of, made[0], "ben", "approve", f"/requests/{request}")
        asker = await screen_of(made[1])
        await asker.open(f"/requests/{request}")
        await anna.page.get_by_label("For approval").check()
        assert anna.page.url.endswith("/requests?which=approval")
        waiting = anna.table("Waiting for approval").locator("tbody tr")
        await expect(waiting).to_contain_text("rule large, line 2")
        await expect(waiting).to_contain_text("0 of 2")
        await expect(waiting).to_contain_text("checked")
        await waiting.get_by_role("link", name="a roof").click()
        await anna.shows("ours, signed here")
        await expect(anna.page.locator(".fee")).to_contain_text("500\u00a0sat")
        await expect(anna.button("Join")).to_have_count(0)
        await anna.button("Approve").click()
        await anna.shows("1 of 2 said yes; it takes 2 of: anna, ben")
        await expect(anna.button("Approve")).to_have_count(0)
        await ben.shows("1 of 2 said yes")
        await expect(ben.table("Approvals")).to_contain_text("anna")
        await ben.button("Approve").click()
        for screen in (anna, ben, asker):
            await screen.shows("Signature 1")
        await anna.page.goto(f"{anna.base}/requests?which=approval")
        await anna.shows("Nothing waits for approval.")


async def test_the_other_signers_see_that_a_request_waits_for_its_owner_until_it_is_joined(
    tmp_path: Path, screen_of: MakeScreen
) -> None:
    async with vessels(tmp_path, 2) as made:
        request = await a_payment_waits(made, 5_000)
        alice, bob = made
        session = (await bob.wallet.call("getSigningRequest", requestId=request))["sessionId"]
        asker, watcher = await screen_of(bob), await screen_of(bob)
        await asker.open(f"/requests/{request}")
        row = asker.table("Signers").locator("tbody tr").filter(has_text=alice.wallet.pubkey[:8])
        await expect(row).to_contain_text("waits for its owner since")
        await watcher.open(f"/sessions/{session}")
        given = watcher.table("Who gave what").locator("tbody tr").filter(has_text=alice.wallet.pubkey[:8])
        await expect(given).to_contain_text("waits for its owner")
        for label in ("anna", "ben"):
            token = (await alice.wallet.call("createToken", scopes=["approve"], label=label))["token"]
            async with await Client.connect(url=str(alice.endpoint["rpc"]), token=token) as client:
                await client.call("approveRequest", requestId=request, publicKey=alice.wallet.pubkey)
        await asker.shows("Signature 1")
        await expect(row).not_to_contain_text("waits for its owner")
        await expect(given).not_to_contain_text("waits for its owner")
        await expect(given.get_by_text("given")).to_have_count(3)
        shown = await bob.wallet.call("getSigningRequest", requestId=request)
        assert [each for each in shown["signers"] if "consideringSince" in each] == []


async def test_who_may_not_approve_is_told_whose_yes_it_takes_and_sees_no_button(
    tmp_path: Path, screen_of: MakeScreen
) -> None:
    async with vessels(tmp_path, 2) as made:
        request = await a_payment_waits(made, 5_000)
        driver = await person(screen_of, made[0], "driver", "sign", f"/requests/{request}")
        await driver.shows("0 of 2 said yes; it takes 2 of: anna, ben")
        await driver.shows("This token may not say it")
        await expect(driver.button("Decline")).to_be_visible()
        assert await driver.button("Join").count() + await driver.button("Approve").count() == 0
        anna = await person(screen_of, made[0], "anna", "approve", f"/requests/{request}")
        await anna.button("Decline").click()
        await anna.page.get_by_label("Why").fill("the roof is good")
        await anna.button("Decline").click()
        for screen in (anna, driver):
            await screen.shows("the roof is good")
        shown = await made[1].wallet.call("getSigningRequest", requestId=request)
        assert shown["state"] == "declined"
