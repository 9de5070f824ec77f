"""The JavaScript peer in a page of a real browser."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from playwright.async_api import Browser, Page, Route

from tests.browser import chromium
from tests.clients.typescript.node_programs import run
from tests.strangers.stranger import Stranger
from tests.strangers.world import NOWHERE, Starts

ORIGIN = "https://wallet.example"  # served to the browser by this test, so nothing leaves the machine
HTML = '<!doctype html><title>A wallet</title><script type="module" src="/peer.js"></script>'
START = "([network, seed, listen]) => window.start(network, seed, listen)"


def bundled(folder: Path) -> str:
    """One script of the peer and all that it uses."""
    made = folder / "peer.js"
    flags = ("--bundle", "--format=esm", "--platform=browser", "--log-level=warning", "--inject:buffer.mjs")
    run([str(folder / "node_modules/.bin/esbuild"), "page.mjs", *flags, f"--outfile={made}"], folder)
    return made.read_text()


async def _opened(browser: Browser, script: str, peer_of: list[Stranger]) -> Page:
    """A page of a site of its own that has the peer's code, and says what happens.

    Chromium asks the visitor before such a page connects to this machine or a private network, and here he agrees.
    """
    context = await browser.new_context(permissions=["local-network-access"])
    page = await context.new_page()

    async def serve(route: Route) -> None:
        if route.request.url.endswith("/peer.js"):
            await route.fulfill(body=script, content_type="text/javascript")
        else:
            await route.fulfill(body=HTML, content_type="text/html")

    async def say(line: str) -> None:
        await peer_of[0].says(line)

    await page.route(f"{ORIGIN}/**", serve)
    await page.expose_function("say", say)
    await page.goto(ORIGIN)
    await page.wait_for_function("window.start !== undefined")  # its modules wait for a library, `load` does not
    return page


@asynccontextmanager
async def in_page(browser: Browser, script: str, network: str, seed: str, listen: str) -> AsyncIterator[Stranger]:
    """A peer in a page of its own. It listens nowhere, or at a relay."""
    peer_of: list[Stranger] = []
    page = await _opened(browser, script, peer_of)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))

    async def tell(line: str) -> None:
        await page.evaluate("(line) => window.told(line)", line)

    peer_of.append(Stranger(tell))
    try:
        await page.evaluate(START, [network, seed, [] if listen == NOWHERE else [listen]])
        yield peer_of[0]
    finally:
        await page.context.close()
    assert errors == []


@asynccontextmanager
async def pages(folder: Path) -> AsyncIterator[Starts]:
    """Starts peers in a browser, which runs as long as the block."""
    script = bundled(folder)
    async with chromium.running() as browser:
        yield partial(in_page, browser, script)
