"""One person before one page: opens it, presses what it shows, and notes whatever the browser complained of."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Locator, Page, expect

from daemon.demo.wallet import Wallet
from tests.e2e.vessels import Vessel

WIDE = {"width": 1120, "height": 860}
PHONE = {"width": 360, "height": 740}
PATIENCE_MS = 30_000
PICTURES = Path(os.environ.get("PICTURES") or Path(__file__).parents[2] / "build" / "page")
EXPECTED = (
    "net::ERR_CONNECTION",
    "net::ERR_EMPTY_RESPONSE",
    "WebSocket connection to",
    "status of 401",
    "status of 503",
)

expect.set_options(timeout=PATIENCE_MS)


class Screen:
    """A page of a browser context of its own: nothing is shared with another person's."""

    def __init__(self, page: Page, vessel: Vessel) -> None:
        self.page = page
        self.vessel = vessel
        self.complaints: list[str] = []
        page.set_default_timeout(PATIENCE_MS)
        page.on("console", lambda message: self._hear(message.type, message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _hear(self, kind: str, text: str) -> None:
        """Note the complaints of the browser, but for those about an absent daemon or a refused token."""
        if kind == "error" and not any(each in text for each in EXPECTED):
            self.complaints.append(text)

    @property
    def wallet(self) -> Wallet:
        return self.vessel.wallet

    @property
    def base(self) -> str:
        return str(self.vessel.endpoint["rpc"]).removesuffix("/rpc")

    @property
    def cookie(self) -> str:
        return (self.vessel.datadir / ".cookie").read_text().strip()

    async def open(self, path: str, token: str | None = None) -> None:
        """A view, with the owner's token unless another is given; returns when its heading is there."""
        await self.page.goto(f"{self.base}{path}#token={token or self.cookie}")
        await self.page.locator("nav[aria-label=Views]").wait_for()

    async def visit(self, view: str) -> None:
        """Another view, by its link."""
        await self.page.locator("nav[aria-label=Views]").get_by_role("link", name=view).click()
        await expect(self.heading).to_have_text(view)

    @property
    def heading(self) -> Locator:
        return self.page.locator("h1")

    def button(self, name: str, **options: Any) -> Locator:
        return self.page.get_by_role("button", name=name, **options)

    def table(self, caption: str) -> Locator:
        return self.page.get_by_role("table", name=caption, exact=True)

    async def shows(self, text: str) -> None:
        """Wait until the content of the page holds this text."""
        await expect(self.page.locator("#page")).to_contain_text(text)

    async def picture(self, name: str) -> None:
        """What the window shows as a PNG, for docs/page when PICTURES names it."""
        PICTURES.mkdir(parents=True, exist_ok=True)
        await self.page.screenshot(path=PICTURES / f"{name}.png", scale="css")


async def new_screen(browser: Browser, vessel: Vessel, **options: Any) -> Screen:
    """A screen of a new browser context on that daemon's page, with `options` of the context."""
    context = await browser.new_context(**{"viewport": WIDE, "locale": "en-GB", "timezone_id": "UTC", **options})
    return Screen(await context.new_page(), vessel)
