"""The page by keyboard, with a screen reader, in dark mode and on a phone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import MakeScreen
from tests.browser.screen import PHONE, Screen
from tests.browser.test_rights import a_request_waits
from tests.e2e.vessels import Vessel, vessels

# What a screen reader would stumble over, as sentences.
FAULTS = """() => {
  const faults = [], say = (each, what) => faults.push(`${what}: ${each.outerHTML.slice(0, 120)}`);
  const text = (each) => (each?.textContent ?? "").trim();
  for (const each of document.querySelectorAll("input, select, textarea")) {
    const labels = [...(each.labels ?? [])].map(text).join("");
    if (!labels && !each.ariaLabel) say(each, "a field without a label");
  }
  for (const each of document.querySelectorAll("button, a, summary")) if (!text(each)) say(each, "nothing to press");
  for (const each of document.querySelectorAll("svg")) {
    if (each.getAttribute("role") !== "img" || !each.ariaLabel) say(each, "a picture without words");
  }
  for (const each of document.querySelectorAll("table")) {
    if (!text(each.caption)) say(each, "a table without a caption");
    if ([...each.querySelectorAll("th")].some((head) => !head.scope)) say(each, "a head without a scope");
  }
  for (const each of document.querySelectorAll("[aria-labelledby], [aria-describedby], label[for]")) {
    const ids = [each.getAttribute("aria-labelledby"), each.getAttribute("aria-describedby"), each.htmlFor];
    for (const id of ids) if (id && !document.getElementById(id)) say(each, "names what is not there");
  }
  for (const each of document.querySelectorAll("[tabindex]")) if (each.tabIndex > 0) say(each, "an order of its own");
  const ids = [...document.querySelectorAll("[id]")].map((each) => each.id);
  for (const id of ids) if (ids.filter((other) => other === id).length > 1) faults.push(`an id twice: ${id}`);
  if (document.querySelectorAll("h1").length !== 1) faults.push("not exactly one h1");
  if (document.querySelectorAll("main").length !== 1) faults.push("not exactly one main");
  if (!document.documentElement.lang) faults.push("no language");
  const levels = [...document.querySelectorAll("h1,h2,h3")].map((each) => Number(each.tagName[1]));
  if (levels.some((level, place) => place && level > levels[place - 1] + 1)) faults.push("a heading skips a level");
  return faults;
}"""
# WCAG 2 contrast of each text that is there with the ground behind it, where it is below 4.5 to 1.
FAINT = """() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = (color) => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data]; };
  const light = ([r, g, b]) => [r, g, b].map((each) => each / 255)
    .map((each) => (each <= 0.03928 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4))
    .reduce((sum, each, place) => sum + each * [0.2126, 0.7152, 0.0722][place], 0);
  const ground = (each) => {
    const color = rgba(getComputedStyle(each).backgroundColor);
    return color[3] === 255 || !each.parentElement ? color : ground(each.parentElement);
  };
  const faint = [];
  for (const each of document.querySelectorAll("#page *:not(svg *)")) {
    const own = [...each.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!own || !each.checkVisibility() || each.matches(":disabled")) continue;
    const [a, b] = [light(rgba(getComputedStyle(each).color)), light(ground(each))].sort((x, y) => y - x);
    if ((a + 0.05) / (b + 0.05) < 4.5) faint.push(each.outerHTML.slice(0, 100));
  }
  return faint;
}"""


class Visited:
    """A daemon with something in every view, and where each is."""

    def __init__(self, vessel: Vessel, views: dict[str, str]) -> None:
        self.vessel = vessel
        self.views = views

    async def each(self, screen: Screen) -> AsyncIterator[str]:
        """Each view in turn, once it is filled."""
        await screen.open("/market")
        for name, path in self.views.items():
            await screen.page.goto(screen.base + path)
            await screen.heading.wait_for()
            await expect(screen.page.get_by_text("Loading …")).to_have_count(0)
            await screen.page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
            yield name


@pytest.fixture
async def visited(tmp_path: Path) -> AsyncIterator[Visited]:
    async with vessels(tmp_path, 2) as made:
        request = await a_request_waits(made)
        alice, bob = (vessel.wallet for vessel in made)
        await bob.call(
            "advertiseSigner", publicKey=bob.pubkey, criteria={"transactionTypes": ["swap"], "maxAmount": 10**7}
        )
        asked = await alice.call(
            "announceSigningRequest",
            requiredPublicKeys=[alice.pubkey, bob.pubkey],
            publicKey=alice.pubkey,
            message="ab" * 32,
        )
        await bob.heard("signing-request:received", requestId=asked["requestId"])
        await bob.call("joinSigningRequest", requestId=asked["requestId"], publicKey=bob.pubkey)
        await alice.heard("session:complete", requestId=asked["requestId"])
        yield Visited(
            made[0],
            {
                "market": "/market",
                "requests": "/requests",
                "request": f"/requests/{request}",
                "asking": f"/requests/new?with={bob.pubkey}",
                "sessions": "/sessions",
                "session": f"/sessions/{asked['sessionId']}",
                "node": "/node",
            },
        )


async def test_every_view_makes_sense_to_a_screen_reader(visited: Visited, screen_of: MakeScreen) -> None:
    screen = await screen_of(visited.vessel)
    faults = {name: await screen.page.evaluate(FAULTS) async for name in visited.each(screen)}
    assert len(faults) == 7
    assert {name: found for name, found in faults.items() if found} == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_text_has_enough_contrast(visited: Visited, screen_of: MakeScreen, scheme: str) -> None:
    screen = await screen_of(visited.vessel, color_scheme=scheme)
    faint = {name: await screen.page.evaluate(FAINT) async for name in visited.each(screen)}
    assert {name: found for name, found in faint.items() if found} == {}
    ground = await screen.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (ground == "rgb(251, 250, 248)") == (scheme == "light")


async def test_no_view_is_wider_than_a_phone(visited: Visited, screen_of: MakeScreen) -> None:
    screen = await screen_of(visited.vessel, viewport=PHONE, has_touch=True)
    too_wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    widths = {name: await screen.page.evaluate(too_wide) async for name in visited.each(screen)}
    assert {name: more for name, more in widths.items() if more > 0} == {}


async def focused(page: Page) -> str:
    text = await page.evaluate("(document.activeElement.innerText || document.activeElement.ariaLabel || '').trim()")
    return str(text)


async def test_everything_can_be_done_by_keyboard_alone(tmp_path: Path, screen_of: MakeScreen) -> None:
    async with vessels(tmp_path, 2) as made:
        request = await a_request_waits(made)
        screen = await screen_of(made[0])
        await screen.page.goto(screen.base)
        assert await screen.page.evaluate("document.activeElement.id") == "token", "the entrance begins at its field"
        await screen.page.keyboard.type(screen.cookie)
        await screen.page.keyboard.press("Enter")
        await expect(screen.heading).to_have_text("Market")
        walked = []
        for _ in range(6):
            await screen.page.keyboard.press("Tab")
            walked.append(await focused(screen.page))
        assert walked == ["Skip to the content", "Market", "Requests", "Sessions", "Node", "Leave"]
        for _ in range(3):
            await screen.page.keyboard.press("Shift+Tab")
        await screen.page.keyboard.press("Enter")
        await expect(screen.heading).to_have_text("Requests")
        assert await focused(screen.page) == "Requests", "who presses a link goes on at the heading of what it shows"
        await screen.table("Requests").get_by_role("link").first.focus()
        await screen.page.keyboard.press("Enter")
        await screen.page.get_by_label("I know what I sign").focus()
        await screen.page.keyboard.press("Space")
        await screen.button("Join").focus()
        await screen.page.keyboard.press("Enter")
        await made[0].wallet.heard("session:complete", requestId=request)
        await screen.shows("complete")


async def test_a_skip_link_leads_past_the_header(alice: Vessel, screen_of: MakeScreen) -> None:
    screen = await screen_of(alice)
    await screen.open("/node")
    await screen.page.get_by_role("link", name="Skip to the content").focus()
    await screen.page.keyboard.press("Enter")
    assert await screen.page.evaluate("document.activeElement.id") == "main"
