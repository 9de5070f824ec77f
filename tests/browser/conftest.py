"""A browser, and daemons whose pages it shows. No page may leave a complaint in the browser's console."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from playwright.async_api import Browser

from tests.browser import chromium
from tests.browser.screen import PICTURES, Screen, new_screen
from tests.e2e.vessels import Vessel, vessels

MakeScreen: TypeAlias = Callable[..., Awaitable[Screen]]
FIGURES: dict[str, Any] = {}  # what a run measured; told, never asserted


def pytest_sessionstart() -> None:
    try:
        chromium.chromium()
    except chromium.NoBrowserError as missing:
        pytest.exit(f"make test-browser cannot run here. {missing}", returncode=2)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    told = [f"{what}: {value}" for what, value in FIGURES.items()]
    for line in told:
        terminalreporter.write_line(line)
    if "PICTURES" in os.environ:
        outcomes = ("passed", "failed", "error")
        ran = [
            f"{outcome}  {each.duration:5.1f} s  {each.nodeid.partition('::')[2]}"
            for outcome in outcomes
            for each in terminalreporter.stats.get(outcome, ())
        ]
        (PICTURES / "run.txt").write_text("\n".join([chromium.version(), *ran, *told]) + "\n", encoding="utf-8")


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium.running() as started:
        yield started


@pytest.fixture
async def screen_of(browser: Browser) -> AsyncIterator[MakeScreen]:
    """Opens a page of a daemon; at the end none may have complained."""
    opened: list[Screen] = []

    async def make(vessel: Vessel, **options: Any) -> Screen:
        opened.append(await new_screen(browser, vessel, **options))
        return opened[-1]

    yield make
    for screen in opened:
        await screen.page.unroute_all(behavior="ignoreErrors")
    assert [complaint for screen in opened for complaint in screen.complaints] == []


@pytest.fixture
async def alice(tmp_path: Path) -> AsyncIterator[Vessel]:
    """One daemon alone."""
    async with vessels(tmp_path, 1) as (vessel,):
        yield vessel
