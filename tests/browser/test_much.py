"""A thousand signers and two hundred requests, live, and a slow network; prints the times at the end."""

from __future__ import annotations

import asyncio
import secrets
import signal
from typing import Any

from playwright.async_api import expect

from daemon.discovery.intake.checks import RecordOrigin
from daemon.discovery.sync.items import item_of, open_items
from tests.bench.discovery_parts import Node, signers
from tests.browser.conftest import FIGURES, MakeScreen
from tests.browser.screen import Screen
from tests.e2e.vessels import Vessel

SIGNERS = 1_000
REQUESTS = 200
# When a row was there, and the longest time for which nothing could be pressed.
WATCHED = """() => {
  window.longest = 0;
  const note = (each) => { window.longest = Math.max(window.longest, each.duration); };
  new PerformanceObserver((list) => list.getEntries().forEach(note)).observe({ type: "longtask", buffered: true });
  const look = () => {
    if (!window.first && document.querySelector("tbody tr th")) window.first = performance.now();
    if (!window.first) requestAnimationFrame(look);
  };
  look();
}"""
WEIGHT = """() => [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
  .filter((each) => !each.name.endsWith("/rpc")).reduce((sum, each) => sum + each.encodedBodySize, 0)"""


async def with_a_thousand_signers(vessel: Vessel) -> None:
    """Stops the daemon, lets its directory take them as if a peer had told of them, and starts it again."""
    vessel.send(signal.SIGTERM)
    await vessel.ended()
    node = Node(vessel.datadir / "musigd.sqlite3", "filled", listen=False)
    await node.start()
    opened = await asyncio.to_thread(open_items, [item_of(each) for each in signers(SIGNERS, genuine=True)])
    await node.service._ingest.take(opened, origin=RecordOrigin.SYNC, peer=bytes(38))
    assert node.count() == SIGNERS
    await node.stop()
    await vessel.start()


async def measured(screen: Screen, path: str, whole: str) -> dict[str, float]:
    """Opens a view in a tab that has the token; ms to the first row and to all of it, and the longest task."""
    await screen.page.add_init_script(f"({WATCHED})()")
    await screen.page.goto(screen.base + path)
    await screen.shows(whole)
    said: dict[str, Any] = await screen.page.evaluate("({ first: window.first, whole: performance.now(), longest })")
    return {name: round(value) for name, value in said.items()}


async def test_thousand_signers_are_shown_sorted_and_filtered_page_by_page(
    alice: Vessel, screen_of: MakeScreen
) -> None:
    await with_a_thousand_signers(alice)
    screen = await screen_of(alice)
    await screen.open("/node")
    FIGURES["the page, bytes as they travel"] = weight = await screen.page.evaluate(WEIGHT)
    assert 10_000 < weight < 100_000
    FIGURES["1,000 signers, ms"] = await measured(screen, "/market", f"{SIGNERS} signers of {SIGNERS}")
    rows = screen.table("Signers").locator("tbody tr")
    await expect(rows).to_have_count(50)
    await screen.button("Next").click()
    await screen.shows("51 to 100 of 1000")
    await screen.button("Fee", exact=True).click()
    await screen.shows("1 to 50 of 1000")
    fees = [int("".join(filter(str.isdigit, each))) for each in await rows.locator("[data-name=Fee]").all_inner_texts()]
    assert fees == sorted(fees)
    assert "sort=fees" in screen.page.url
    await assert_filters_are_those_of_the_daemon(screen)


async def assert_filters_are_those_of_the_daemon(screen: Screen) -> None:
    """Each filter, and all at once, shows as many as a call with the same filters finds."""
    page = screen.page
    filters: list[tuple[str, str, dict[str, Any]]] = [
        ("Type", "swap", {"transactionType": "swap"}),
        ("Takes (sat)", "5000", {"minAmount": 5000}),
        ("and (sat)", "50000", {"maxAmount": 50000}),
        ("Purpose, in full", "Savings", {"purpose": "Savings"}),
        ("Reputation here, at least", "0", {"minReputation": 0}),
    ]
    wanted: dict[str, Any] = {"includeOwn": True, "maxResults": 500}
    await page.get_by_label("Scheme").select_option("lotus")
    wanted["scheme"] = "lotus"
    for label, text, params in filters:
        await page.get_by_label(label, exact=True).fill(text)
        wanted |= params
        found = len((await screen.wallet.call("findAvailableSigners", **wanted))["signers"])
        assert 0 < found < 500
        await screen.shows(f"{found} signer{'s' if found != 1 else ''} of {SIGNERS} in the directory")
    await page.reload()
    await screen.shows(f"{found} signer{'s' if found != 1 else ''} of {SIGNERS} in the directory")


async def test_two_hundred_requests_are_shown_page_by_page(alice: Vessel, screen_of: MakeScreen) -> None:
    wallet = alice.wallet
    key = (await wallet.call("createKey", scheme="lotus"))["publicKey"]
    other = (await wallet.call("createKey", scheme="lotus"))["publicKey"]
    for number in range(REQUESTS):
        await wallet.call(
            "announceSigningRequest",
            requiredPublicKeys=[key, other],
            publicKey=key,
            message=secrets.token_hex(32),
            metadata={"purpose": f"request {number}"},
        )
    screen = await screen_of(alice)
    await screen.open("/node")
    FIGURES["200 requests, ms"] = await measured(screen, "/requests", f"1 to 50 of {REQUESTS}")
    await screen.page.get_by_label("Asked by me").check()
    await screen.button("Next").click()
    await screen.shows(f"51 to 100 of {REQUESTS}")
    await screen.page.reload()
    await screen.shows(f"51 to 100 of {REQUESTS}")
    assert await screen.table("Requests").locator("tbody tr").count() == 50


async def test_market_is_live(alice: Vessel, screen_of: MakeScreen) -> None:
    screen = await screen_of(alice)
    token = (await alice.wallet.call("createToken", scopes=["read"]))["token"]  # one that follows nobody
    await screen.open("/market", token)
    await screen.shows("No signer matches")
    key = (await alice.wallet.call("createKey", scheme="lotus"))["publicKey"]
    terms = {"publicKey": key, "criteria": {"transactionTypes": ["escrow"]}}
    await alice.wallet.call("advertiseSigner", **terms, metadata={"nickname": "Newcomer"})
    await screen.shows("Newcomer")
    assert await screen.page.get_by_role("img", name="Supply: escrow").count() == 1
    await alice.wallet.call("withdrawAdvertisement", publicKey=key)
    await screen.shows("No signer matches")


async def test_on_a_slow_network_the_page_shows_that_it_loads_and_carries_out_a_click_once(
    alice: Vessel, screen_of: MakeScreen
) -> None:
    screen = await screen_of(alice)
    tools = await screen.page.context.new_cdp_session(screen.page)
    await tools.send("Network.enable")
    slow = {"offline": False, "latency": 400, "downloadThroughput": 50_000, "uploadThroughput": 20_000}
    await tools.send("Network.emulateNetworkConditions", slow)
    await screen.open("/node")
    await screen.visit("Market")
    await expect(screen.page.get_by_text("Loading …")).to_be_visible()
    await screen.shows("No signer matches")
    await screen.visit("Node")
    await screen.page.get_by_label("Label of the new key").fill("once")
    make = screen.button("Make a key")
    await make.click()
    await expect(make).to_be_disabled()
    await make.click(force=True)
    await expect(screen.table("Own keys")).to_contain_text("once")
    keys = (await alice.wallet.call("listKeys"))["keys"]
    assert [key["label"] for key in keys] == ["once"]
