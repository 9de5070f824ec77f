"""The browser of this machine: which one, and how it is started."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Browser, async_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
QUIET = ("--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage")


class NoBrowserError(Exception):
    """There is no Chromium here; the sentence says how to get one."""


def chromium() -> str:
    """The path of a Chromium: the one that CHROMIUM names, else the first on the PATH."""
    named = os.environ.get("CHROMIUM")
    for name in (named,) if named else NAMES:
        if (path := shutil.which(name)) is not None:
            return path
    raise NoBrowserError(
        f"{named or 'A Chromium'} was not found. On Debian and Ubuntu: sudo apt-get install -y chromium; or name one: "
        "make test-browser CHROMIUM=PATH"
    )


def version() -> str:
    """What it says of itself: `Chromium 140.0.7339.207`."""
    said = subprocess.run([chromium(), "--version"], check=True, capture_output=True, text=True).stdout
    return " ".join(said.split()[:2])


@asynccontextmanager
async def running() -> AsyncIterator[Browser]:
    """The browser without a window; root's is without its sandbox, which refuses root."""
    arguments = [*QUIET, *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    async with async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=chromium(), args=arguments)
        try:
            yield browser
        finally:
            await browser.close()
