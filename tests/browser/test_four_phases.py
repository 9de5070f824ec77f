"""Three people make a signature by clicks alone, each before the page of a daemon of their own."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

from playwright.async_api import expect

from daemon.demo.spend import Spend, spend_from
from daemon.demo.verify import signature_holds
from tests.browser.conftest import MakeScreen
from tests.browser.screen import Screen
from tests.e2e.vessels import Vessel, free_port, vessels


async def make_key(screen: Screen, label: str) -> None:
    await screen.visit("Node")
    await screen.page.get_by_label("Label of the new key").fill(label)
    await screen.button("Make a key").click()
    await expect(screen.table("Own keys")).to_contain_text(label)


async def offer(screen: Screen, nickname: str, fees: int) -> None:
    """The first phase: advertise."""
    await screen.visit("Market")
    await screen.page.get_by_text("Offer a key").click()
    await screen.page.get_by_label("swap", exact=True).check()
    await screen.page.get_by_label("From (sat)").fill("1000")
    await screen.page.get_by_label("To (sat)").fill("5000000")
    await screen.page.get_by_label("Fee per signature (sat)").fill(str(fees))
    await screen.page.get_by_label("Name shown to others").fill(nickname)
    await screen.button("Offer", exact=True).click()
    await screen.shows("took it at once")


async def spend_of(asker: Screen, keys: list[str]) -> Spend:
    """What the asker's wallet brings: a transaction that spends what was paid to the keys together."""
    tweaks = [{"taprootMerkleRoot": None}]
    made = await asker.wallet.call("aggregateKeys", publicKeys=keys, scheme="lotus", tweaks=tweaks)
    return spend_from("lotus", bytes.fromhex(made["scriptPubKey"]), 1)


async def ask(screen: Screen, others: list[str], keys: list[str]) -> Spend:
    """The second phase: choose in the market, and announce a request."""
    await screen.visit("Market")
    for name in others:
        row = screen.table("Signers").get_by_role("row").filter(has_text=name)
        await row.get_by_role("checkbox").check()
    await screen.button("Ask 2 signers to sign").click()
    await expect(screen.heading).to_have_text("Ask for a signature")
    spend = await spend_of(screen, keys)
    (spent,) = spend.spent
    await screen.page.get_by_label("Message to sign").fill(spend.messages[0].hex())
    await screen.page.get_by_label("Transaction (hex)").fill(spend.transaction.serialize().hex())
    await screen.page.get_by_label("Outputs that its inputs spend").fill(f"{spent.value} {spent.script_pubkey.hex()}")
    await screen.page.get_by_label("Purpose, for the others to read").fill("the rent of November")
    await screen.page.get_by_label("I start each round myself").check()
    await screen.button("Ask", exact=True).click()
    await expect(screen.heading).to_have_text("Request")
    return spend


async def read_and_join(screen: Screen) -> None:
    """The third phase: what waits, what it signs, and the answer."""
    await screen.visit("Requests")
    await screen.page.get_by_label(re.compile("Waiting for me")).check()
    await screen.page.get_by_role("link", name="the rent of November").click()
    await screen.shows("ours, signed here")
    await expect(screen.page.locator(".fee")).to_contain_text("1\u202f000\u00a0sat")
    await screen.button("Join", exact=True).click()


async def keys_of(people: list[Screen]) -> list[str]:
    found = [await screen.wallet.call("listKeys") for screen in people]
    return [each["keys"][0]["publicKey"] for each in found]


async def signature_on(screen: Screen) -> bytes:
    found = screen.page.locator("dt", has_text="Signature 1").locator("xpath=following-sibling::dd[1]")
    return bytes.fromhex(await found.inner_text())


async def holds(screen: Screen, spend: Spend, request: str) -> bool:
    shown: dict[str, Any] = await screen.wallet.call("getSigningRequest", requestId=request)
    aggregate = bytes.fromhex(shown["aggregatedPublicKey"])
    return signature_holds("lotus", aggregate, spend.messages[0], await signature_on(screen))


async def open_all(screen_of: MakeScreen, made: list[Vessel]) -> list[Screen]:
    people = [await screen_of(vessel) for vessel in made]
    for screen in people:
        await screen.open("/node")
    return people


async def everybody_offers(people: list[Screen]) -> None:
    names = ("Alice", "Bob", "Carol")
    for screen, name, fees in zip(people, names, (0, 250, 1_000), strict=True):
        await make_key(screen, f"{name}'s savings")
        await offer(screen, name, fees)


async def test_three_people_sign_by_clicks_alone(tmp_path: Path, screen_of: MakeScreen) -> None:
    async with vessels(tmp_path, 3) as made:
        people = [alice, bob, carol] = await open_all(screen_of, made)
        await everybody_offers(people)
        await alice.visit("Market")
        await expect(alice.table("Signers")).to_contain_text("Carol")
        await alice.picture("market")
        spend = await ask(alice, ["Bob", "Carol"], await keys_of(people))
        request = alice.page.url.rsplit("/", 1)[1]
        await read_and_join(bob)
        await alice.shows("Whose turn it is")
        await carol.visit("Requests")
        await carol.page.get_by_role("link", name="the rent of November").click()
        await carol.shows("ours, signed here")
        await carol.picture("requests")
        await read_and_join(carol)
        await drive_the_rounds(alice)
        for screen in people:
            await screen.page.goto(f"{screen.base}/requests/{request}")
            await screen.shows("complete")
            assert await holds(screen, spend, request)
        await bob.visit("Node")
        await expect(bob.table("Events")).to_contain_text("session:complete")
        await bob.picture("node")


async def drive_the_rounds(alice: Screen) -> None:
    """The fourth phase: both rounds, in the session's view, which shows them live."""
    await alice.visit("Sessions")
    await alice.table("Sessions").get_by_role("row").nth(1).get_by_role("link").first.click()
    await expect(alice.page.get_by_role("img", name="State: ready")).to_be_visible()
    await alice.button("Send the nonces").click()
    await expect(alice.button("Send the partial signatures")).to_be_visible()
    await alice.picture("session")
    await alice.button("Send the partial signatures").click()
    await expect(alice.page.get_by_role("img", name="State: complete")).to_be_visible()


async def test_a_daemon_killed_in_the_middle_costs_its_user_no_click(tmp_path: Path, screen_of: MakeScreen) -> None:
    async with vessels(tmp_path, 3) as made:
        people = [alice, bob, carol] = await open_all(screen_of, made)
        port = free_port()
        fixed = ["--rpc-listen", f"127.0.0.1:{port}"]
        await restart(bob.vessel, made[0], fixed)
        # A token of one's own outlives the daemon that made it; the cookie does not.
        token = await bob.wallet.call("createToken", scopes=["admin"], label="the page")
        await bob.open("/node", token["token"])
        await everybody_offers(people)
        await alice.visit("Market")
        spend = await ask(alice, ["Bob", "Carol"], await keys_of(people))
        request = alice.page.url.rsplit("/", 1)[1]
        await read_and_join(bob)
        await expect(bob.table("Signers").get_by_role("row").filter(has_text="own")).to_contain_text("joined")
        await bob.vessel.kill()
        await bob.shows("The daemon does not answer")
        await bob.vessel.start([made[0].multiaddr], fixed)
        await expect(bob.page.locator("header")).to_contain_text("ready")
        await read_and_join(carol)
        await drive_the_rounds(alice)
        await bob.shows("complete")
        assert await holds(bob, spend, request)


async def restart(vessel: Vessel, first: Vessel, options: list[str]) -> None:
    await vessel.kill()
    await vessel.start([first.multiaddr], options)


async def test_the_cookie_of_an_earlier_start_leads_back_to_the_entrance(alice: Vessel, screen_of: MakeScreen) -> None:
    fixed = ["--rpc-listen", f"127.0.0.1:{free_port()}"]
    await alice.kill()
    await alice.start([], fixed)
    screen = await screen_of(alice)
    await screen.open("/sessions")
    await alice.kill()
    await alice.start([], fixed)
    await screen.shows("its cookie is another one at each start")
    await screen.page.get_by_label("Token").fill(screen.cookie)
    await screen.button("Enter").click()
    await expect(screen.heading).to_have_text("Sessions")
    await asyncio.gather(screen.page.reload(), screen.page.wait_for_event("load"))
    await expect(screen.heading).to_have_text("Sessions")
    assert screen.page.url == f"{screen.base}/sessions"
