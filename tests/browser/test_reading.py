"""What a person reads before he signs stands there as it was written, to the last line and the last satoshi."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from playwright.async_api import expect

from musigd_client import text_message
from tests.browser.conftest import MakeScreen
from tests.browser.test_rights import a_request_waits
from tests.e2e.vessels import vessels

AGREED = "We agree:\n\t1. to sign\n\t2. to pay"
LARGEST = 2**53 - 1


async def test_lines_and_amounts_are_read_as_they_were_written(tmp_path: Path, screen_of: MakeScreen) -> None:
    async with vessels(tmp_path, 2) as made:
        alice, bob = (vessel.wallet for vessel in made)
        keys = [(await wallet.call("createKey", scheme="bip340"))["publicKey"] for wallet in (alice, bob)]
        shown = {"messageText": AGREED, "purpose": "rent\nMay", "amount": LARGEST}
        asked = await bob.call(
            "announceSigningRequest",
            requiredPublicKeys=keys,
            publicKey=keys[1],
            message=text_message(AGREED),
            metadata=shown,
        )
        request = str(asked["requestId"])
        await alice.heard("signing-request:received", requestId=request)
        screen = await screen_of(made[0])
        await screen.open("/requests")
        await expect(screen.table("Requests").get_by_role("link", name="rent May")).to_be_visible()
        await screen.page.goto(f"{screen.base}/requests/{request}")
        text = screen.page.locator("pre")
        await expect(text).to_be_visible()
        assert await text.text_content() == AGREED
        await screen.shows(
            "9\u202f007\u202f199\u202f254\u202f740\u202f991\u00a0sat (90\u202f071\u202f992.54740991\u00a0BTC)"
        )
        assert await screen.page.locator("dd .lines").all_text_contents() == ["rent\nMay"]
        await alice.call("joinSigningRequest", requestId=request, publicKey=keys[0])
        await alice.call("getFinalSignature", requestId=request, waitMs=60_000)
        await screen.visit("Sessions")
        row = screen.table("Sessions").get_by_role("row").nth(1)
        await expect(row.get_by_text("complete")).to_be_visible()
        await expect(row).not_to_contain_text("over")


@pytest.mark.parametrize("hours", [-48, 48])
async def test_a_wrong_clock_of_the_browser_changes_no_time_left(
    tmp_path: Path, screen_of: MakeScreen, hours: int
) -> None:
    async with vessels(tmp_path, 2) as made:
        request = await a_request_waits(made)  # for 24 hours
        screen = await screen_of(made[0])
        await screen.page.clock.install(time=time.time() + hours * 3_600)
        await screen.open(f"/requests/{request}")
        await expect(screen.page.get_by_text("23\u00a0h", exact=False).first).to_be_visible()
        await screen.page.goto(f"{screen.base}/market")
        age = screen.table("Signers").get_by_role("cell", name=re.compile(r"^(\d+\smin\s)?\d+\ss$"))
        await age.first.wait_for()
        assert await age.count() == 1
