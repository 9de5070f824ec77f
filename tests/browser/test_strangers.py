"""Text of strangers stays text: no markup, no script, no character that changes how the text beside it is read.

The daemon cleans what peers send and refuses what clients send. Here its answers are altered on their way, so that the
page meets what neither would let pass, in every field that is text.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from playwright.async_api import Route, expect

from tests.browser.conftest import MakeScreen
from tests.browser.screen import Screen
from tests.browser.test_rights import a_request_waits
from tests.e2e.vessels import vessels

MARKUP = "<img src=/x onerror=\"window.hit='img'\"><script>window.hit='script'</script><a href=javascript:hit>&amp;<b>"
CONTROLS = "\u202eecilA\u202c \x1b[31m \x07 \u2066x\u2069 \u200e \ufeff \u2028 \u0085 \U000e0041"
HOSTILE = f"{MARKUP} {CONTROLS} \u05d0\u05d1"
UNSEEN = sorted({char for char in CONTROLS if not char.isprintable()})

# Members whose text is somebody's own words; what else is text has a form that the daemon enforces.
WORDS = frozenset(
    {
        *("nickname", "description", "purpose", "label", "agent", "reason", "declineReason", "cancelReason"),
        *("message", "uncheckedMessage", "remedy", "text", "textTag", "network", "version"),
    }
)
OPEN = frozenset({"metadata", "trustRequirements"})


def altered(value: Any, name: str = "", *, within: bool = False) -> Any:
    """The same answer with hostile words in every place for words; in open maps also as a name and as every text."""
    match value:
        case dict():
            opened = within or name in OPEN
            more = {HOSTILE: HOSTILE, "nested": [{HOSTILE: HOSTILE}]} if name == "metadata" else {}
            words = dict.fromkeys(("nickname", "purpose", "description"), HOSTILE) if name == "metadata" else {}
            return {key: altered(each, key, within=opened) for key, each in value.items()} | more | words
        case list():
            return [altered(each, name, within=within) for each in value]
        case str() if name in WORDS or (within and name != "transactionHex"):
            return HOSTILE
    return value


def with_words(method: str, result: Mapping[str, Any]) -> dict[str, Any]:
    """Words where an answer had left them out, and hostile ones everywhere."""
    changed: dict[str, Any] = altered(dict(result))
    if method == "getInfo":
        changed["problems"] = [{"reason": HOSTILE, "remedy": HOSTILE}]
    if method == "listPeers":
        changed["peers"] = [peer | {"agent": HOSTILE} for peer in changed["peers"]]
    for request in [*changed.get("requests", ()), *([changed] if method == "getSigningRequest" else [])]:
        request["cancelReason"] = HOSTILE
        request["signers"] = [
            signer | {"declined": True, "joined": False, "declineReason": HOSTILE} for signer in request["signers"]
        ]
        request["outsideCriteria"] = [{"publicKey": request["creator"], "criterion": "minAmount", "message": HOSTILE}]
        request["review"] = {"status": "mismatch", "message": HOSTILE, "text": HOSTILE, "textTag": HOSTILE}
    return changed


# Elements that hold hostile words themselves, and nothing around them keeps these apart.
LOOSE = """() => [...document.querySelectorAll("#page *")].filter((each) =>
  each.closest("bdi, svg, option, [role=alert]") === null
  && [...each.childNodes].some((node) => node.nodeType === 3 && node.data.includes("onerror")))
  .map((each) => each.outerHTML.slice(0, 200))"""
# What is said beside the text: names for screen readers, hints, values, options.
NAMED = """() => [...document.querySelectorAll("[title], [aria-label], [data-name], option, input")]
  .map((each) => [each.title, each.ariaLabel, each.dataset.name, each.value, each.textContent].join(" ")).join(" ")"""
TRIED = """() => {
  try { document.body.innerHTML = "<b>x</b>"; return "done"; } catch (refused) { return refused.name; }
}"""


async def alter(route: Route) -> None:
    asked = json.loads(route.request.post_data or "{}")
    response = await route.fetch()
    answer = await response.json()
    if "result" in answer:
        answer["result"] = with_words(asked["method"], answer["result"])
    await route.fulfill(response=response, body=json.dumps(answer))


async def assert_only_text(screen: Screen) -> None:
    """No script ran and no element was made of the words; invisible characters are written out."""
    page = screen.page
    assert await page.evaluate("window.hit") is None
    assert await page.locator("img, b, script:not([src]), iframe, [onerror], a[href^='javascript']").count() == 0
    shown = await page.evaluate("document.documentElement.textContent")
    assert {hex(ord(char)) for char in UNSEEN if char in shown} == set()
    named = await page.evaluate(NAMED)
    assert {hex(ord(char)) for char in UNSEEN if char in named} == set()


async def assert_isolated(screen: Screen, places: int) -> None:
    """Words stand in elements that keep their direction to themselves."""
    words = screen.page.locator("bdi", has_text="onerror")
    assert await words.count() >= places
    loose = await screen.page.evaluate(LOOSE)
    assert loose == []


async def test_text_of_strangers_stays_text_in_every_view(tmp_path: Path, screen_of: MakeScreen) -> None:
    async with vessels(tmp_path, 2) as made:
        request = await a_request_waits(made)
        session = (await made[1].wallet.call("getSigningRequest", requestId=request))["sessionId"]
        await made[1].wallet.call(
            "advertiseSigner", publicKey=made[1].wallet.pubkey, criteria={"transactionTypes": ["swap"]}
        )
        screen = await screen_of(made[0])
        await screen.page.route("**/rpc", alter)
        await screen.open("/market")
        await expect(screen.table("Signers").locator("bdi", has_text="onerror").first).to_be_visible()
        await assert_only_text(screen)
        await assert_isolated(screen, 3)
        await screen.visit("Requests")
        await expect(screen.table("Requests").locator("bdi", has_text="onerror").first).to_be_visible()
        await assert_only_text(screen)
        await screen.page.goto(f"{screen.base}/requests/{request}")
        await expect(screen.table("Signers").locator("bdi", has_text="onerror").first).to_be_visible()
        await assert_only_text(screen)
        await assert_isolated(screen, 8)
        await screen.page.goto(f"{screen.base}/sessions/{session}")
        await expect(screen.heading).to_have_text("Session")
        await assert_only_text(screen)
        await screen.visit("Node")
        await expect(screen.page.get_by_role("list", name="Problems").locator("bdi").first).to_contain_text("onerror")
        await expect(screen.table("Connected peers").locator("bdi", has_text="onerror").first).to_be_visible()
        await assert_only_text(screen)
        await assert_isolated(screen, 5)


async def test_the_browser_refuses_markup_from_the_script(tmp_path: Path, screen_of: MakeScreen) -> None:
    async with vessels(tmp_path, 1) as (alice,):
        screen = await screen_of(alice)
        await screen.open("/node")
        assert await screen.page.evaluate(TRIED) == "TypeError"
        assert any("TrustedHTML" in complaint for complaint in screen.complaints)
        screen.complaints.clear()  # asked for, this once
