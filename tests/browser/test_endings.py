"""Two who know each other pair by a link; a session that ends without a signature says why, and hands out evidence."""

from __future__ import annotations

import json
import re
from pathlib import Path

from playwright.async_api import expect

from musigd_client.pairing import read_pairing
from tests.browser.conftest import MakeScreen
from tests.browser.test_rights import a_request_waits
from tests.e2e.vessels import vessels

RULE = '[[rule]]\nname = "small payments"\nverdict = "join"\nmax_amount = 1000\n'


async def test_a_link_from_one_page_is_accepted_by_the_other(tmp_path: Path, screen_of: MakeScreen) -> None:
    async with vessels(tmp_path, 2) as made:
        alice, bob = [await screen_of(vessel) for vessel in made]
        key = (await alice.wallet.call("createKey", scheme="bip340"))["publicKey"]
        await bob.wallet.call("createKey", scheme="bip340")
        await alice.open("/node")
        await alice.table("Own keys").get_by_text("Pair", exact=True).click()
        await alice.page.get_by_label("Your name in it").fill("Alice\u202e")
        await alice.shows("the name in a pairing link is one line of at most 100 characters")
        await alice.page.get_by_label("Your name in it").fill("Alice & <Söhne>")
        await expect(alice.page.get_by_role("img", name="QR code of the link")).to_be_visible()
        link = await alice.page.get_by_label("Link, for somebody you know").input_value()
        said = read_pairing(link)
        assert (said.public_key, said.scheme, said.nickname) == (key, "bip340", "Alice & <Söhne>")
        await bob.open("/node")
        await bob.page.get_by_label("Link of somebody you know").fill(link[:-3])
        await bob.button("Add", exact=True).click()
        await bob.shows("this link is incomplete: copy it whole")
        await bob.page.get_by_label("Link of somebody you know").fill(link)
        await bob.button("Add", exact=True).click()
        await bob.shows("Added, and connected.")
        await bob.table("Known signers").get_by_role("link").click()
        await expect(bob.page.get_by_label("Keys of the others")).to_have_value(key)


async def test_aborted_session_says_why_and_hands_out_evidence(tmp_path: Path, screen_of: MakeScreen) -> None:
    async with vessels(tmp_path, 2) as made:
        alice, bob = (vessel.wallet for vessel in made)
        for wallet in (alice, bob):
            wallet.pubkey = (await wallet.call("createKey", scheme="lotus"))["publicKey"]
        keys = [alice.pubkey, bob.pubkey]
        params = {"requiredPublicKeys": keys, "publicKey": alice.pubkey, "message": "cd" * 32, "autoAdvance": False}
        asked = await alice.call("announceSigningRequest", **params)
        await bob.heard("signing-request:received", requestId=asked["requestId"])
        await bob.call("joinSigningRequest", requestId=asked["requestId"], publicKey=bob.pubkey, autoAdvance=False)
        await alice.heard("session:ready", requestId=asked["requestId"])
        screen = await screen_of(made[0])
        await screen.open(f"/sessions/{asked['sessionId']}")
        await screen.button("Abort").click()
        await screen.page.get_by_label("Why").fill("changed my mind")
        await screen.button("Abort").click()
        await expect(screen.page.get_by_role("img", name=re.compile("State: aborted"))).to_be_visible()
        await screen.shows("No own partial signature was sent.")
        async with screen.page.expect_download() as download:
            await screen.button("Download the evidence").click()
        got = json.loads(Path(await (await download.value).path()).read_text(encoding="utf-8"))
        assert got["sessionId"] == asked["sessionId"]
        assert got["culprits"] == []


async def test_policy_of_the_owner_is_explained_beside_the_request(tmp_path: Path, screen_of: MakeScreen) -> None:
    async with vessels(tmp_path, 2) as made:
        (made[0].datadir / "policy.toml").write_text(RULE)
        await made[0].wallet.call("reloadPolicy")
        request = await a_request_waits(made)
        screen = await screen_of(made[0])
        await screen.open(f"/requests/{request}")
        await screen.shows("asks you")
        await screen.page.get_by_role("region", name="Your policy").get_by_text("Why", exact=True).click()
        await expect(screen.table("Conditions")).to_contain_text("1000")
        assert await screen.table("Conditions").get_by_text("small payments").count() >= 1
