"""The page offers only what the token may do; a token that ends closes the view."""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.browser.conftest import MakeScreen
from tests.browser.screen import Screen
from tests.e2e.vessels import Vessel, vessels

# What may be pressed with each scope, over all four views and a request that waits.
READ = {"Ask the network", "Leave", "Name", "Signs", "From", "To", "Fee", "Seen here", "Claims", "Age", "Online"}
PRESSED = {
    "read": READ,
    "discover": READ | {"Offer", "Withdraw"},
    "sign": READ
    | {"Ask those chosen to sign", "Join", "Decline", "Hide it, tell nobody", "Take no more from its creator"},
    "approve": READ | {"Approve", "Decline"},
}


async def buttons(screen: Screen) -> set[str]:
    """The names of all buttons, without the mark of the order."""
    names = await screen.page.locator("button").all_inner_texts()
    return {name.strip(" ▴▾") for name in names}


async def a_request_waits(made: list[Vessel]) -> str:
    """Bob asks Alice; the request's id, once Alice has it."""
    alice, bob = (vessel.wallet for vessel in made)
    for wallet in (alice, bob):
        wallet.pubkey = (await wallet.call("createKey", scheme="bip340"))["publicKey"]
    await alice.call("advertiseSigner", publicKey=alice.pubkey, criteria={"transactionTypes": ["swap"]})
    keys = [alice.pubkey, bob.pubkey]
    asked = await bob.call(
        "announceSigningRequest", requiredPublicKeys=keys, publicKey=bob.pubkey, message=secrets.token_hex(32)
    )
    await alice.heard("signing-request:received", requestId=asked["requestId"])
    return str(asked["requestId"])


@pytest.mark.parametrize("scope", PRESSED)
async def test_the_page_offers_only_what_the_token_may_do(tmp_path: Path, screen_of: MakeScreen, scope: str) -> None:
    async with vessels(tmp_path, 2) as made:
        request = await a_request_waits(made)
        screen = await screen_of(made[0])
        token = (await made[0].wallet.call("createToken", scopes=[scope]))["token"]
        await screen.open("/market", token)
        await expect(screen.table("Signers").get_by_role("row")).to_have_count(2)
        if scope == "discover":
            await screen.page.get_by_text("Offer a key").click()
            await screen.page.get_by_label("Name shown to others").wait_for()
        offered = await buttons(screen)
        await screen.visit("Node")
        await expect(screen.table("Connected peers")).to_contain_text("musigd/")
        offered |= await buttons(screen)
        await screen.visit("Requests")
        await screen.table("Requests").get_by_role("link").first.click()
        await expect(screen.table("Signers")).to_contain_text("joined")
        if scope in ("sign", "approve"):
            await expect(screen.button("Decline")).to_be_visible()
            # What is blind is joined only by who says so.
            assert await screen.button("Join").count() + await screen.button("Approve").count() == 0
            await screen.page.get_by_label("I know what I sign").check()
        offered |= await buttons(screen)
        assert request in screen.page.url
        assert offered == PRESSED[scope]


async def test_a_revoked_token_ends_the_view(alice: Vessel, screen_of: MakeScreen) -> None:
    screen = await screen_of(alice)
    made = await alice.wallet.call("createToken", scopes=["read"], label="lent")
    await screen.open("/node", made["token"])
    await screen.shows("Connected peers")
    await alice.wallet.call("revokeToken", tokenId=made["tokenId"])
    await screen.shows("The token was revoked or has expired")
    await expect(screen.page.get_by_role("table")).to_have_count(0)
    assert await screen.page.evaluate("Object.keys(sessionStorage).length + Object.keys(localStorage).length") == 0
    await screen.page.reload()
    await expect(screen.page.get_by_label("Token")).to_be_visible()


async def test_a_wrong_token_is_reported_and_forgotten(alice: Vessel, screen_of: MakeScreen) -> None:
    screen = await screen_of(alice)
    await screen.page.goto(f"{screen.base}/market")
    await screen.page.get_by_label("Token").fill("mt_nothing")
    await screen.button("Enter").click()
    await expect(screen.page.get_by_role("alert")).to_be_visible()
    assert await screen.page.evaluate("sessionStorage.length") == 0


async def test_token_leaves_the_address_and_no_other_tab_has_it(alice: Vessel, screen_of: MakeScreen) -> None:
    screen = await screen_of(alice)
    await screen.open("/requests?state=complete")
    assert screen.page.url == f"{screen.base}/requests?state=complete"
    assert await screen.page.evaluate("document.cookie + Object.keys(localStorage)") == ""
    lent = (await alice.wallet.call("createToken", scopes=["read"]))["token"]
    await screen.page.evaluate("(token) => { location.hash = `token=${token}`; }", lent)  # as typed into the open page
    await expect(screen.page.locator("header .rights")).to_contain_text("· read")
    assert screen.page.url == f"{screen.base}/requests?state=complete"
    other = await screen.page.context.new_page()
    await other.goto(screen.base)
    await expect(other.get_by_label("Token")).to_be_visible()
    await screen.button("Leave").click()
    await expect(screen.page.get_by_label("Token")).to_be_visible()
    assert await screen.page.evaluate("sessionStorage.length") == 0


async def test_a_request_is_declined_with_a_reason_or_cancelled_by_its_creator(
    tmp_path: Path, screen_of: MakeScreen
) -> None:
    async with vessels(tmp_path, 2) as made:
        alice, bob = [await screen_of(vessel) for vessel in made]
        request = await a_request_waits(made)
        await alice.open(f"/requests/{request}")
        await bob.open(f"/requests/{request}")
        await alice.button("Decline").click()
        await alice.page.get_by_label("Why").fill("not this month <b>")
        await alice.button("Decline").click()
        await bob.shows("not this month <b>")
        await expect(bob.button("Cancel the request")).to_have_count(0)
        again = await a_request_waits(made)
        await bob.open(f"/requests/{again}")
        await alice.open(f"/requests/{again}")
        await bob.button("Cancel the request").click()
        await bob.page.get_by_label("Why").fill("a mistake")
        await bob.button("Cancel the request").click()
        await alice.shows("a mistake")
        await expect(alice.button("Join")).to_have_count(0)
        states = [
            (await made[0].wallet.call("getSigningRequest", requestId=each))["state"] for each in (request, again)
        ]
        assert states == ["declined", "cancelled"]


async def test_a_creator_is_muted_and_unmuted(tmp_path: Path, screen_of: MakeScreen) -> None:
    async with vessels(tmp_path, 2) as made:
        request = await a_request_waits(made)
        screen = await screen_of(made[0])
        await screen.open(f"/requests/{request}")
        await screen.button("Take no more from its creator").click()
        await screen.visit("Requests")
        await expect(screen.table("Requests")).to_contain_text("No request is in this list")
        await screen.button("Take requests again").click()
        await expect(screen.table("Requests").get_by_role("link")).to_have_count(1)
        assert (await made[0].wallet.call("listMutedCreators"))["creators"] == []
