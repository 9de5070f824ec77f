"""Real daemons that dial through a SOCKS5 proxy only, and are reached as onion services."""

from __future__ import annotations

import asyncio
import json
import secrets
from pathlib import Path

import pytest

from tests.e2e.fleet import advertise_all, sign
from tests.e2e.vessels import NAMES, Vessel
from tests.p2p.ways.tor_world import NAME, an_onion, fake_tor

pytestmark = pytest.mark.network


async def test_daemons_behind_a_proxy_sign_and_name_no_address_of_their_host(tmp_path: Path) -> None:
    network = f"test-{secrets.token_hex(4)}"
    anna, bob = made = [Vessel(tmp_path, name, network) for name in NAMES[:2]]
    async with fake_tor() as tor:
        for vessel in made:
            onion = an_onion()
            tor.places[f"{onion}.onion", 4327] = ("127.0.0.1", vessel.port)
            vessel.environment["MUSIGD_P2P__SOCKS5"] = f"127.0.0.1:{tor.port}"
            vessel.environment["MUSIGD_P2P__ANNOUNCE"] = f"/onion3/{onion}:4327"
        try:
            await anna.start()
            assert anna.multiaddr.startswith("/onion3/")
            await bob.start([anna.multiaddr])
            wallets = [await vessel.open_wallet() for vessel in made]
            await advertise_all(wallets, "lotus")
            await sign(wallets)
            told = [await wallet.call("getInfo") for wallet in wallets]
            found = await wallets[0].call("findAvailableSigners", transactionType="spend")
            assert "127.0.0.1" not in json.dumps([info["multiaddrs"] for info in told])
            assert {info["reachability"]["verdict"] for info in told} == {"unknown"}
            assert "socks5" in told[0]["reachability"]["how"]
            named = [signer["multiaddrs"] for signer in found["signers"]]
            assert [[text[:8] for text in texts] for texts in named] == [["/onion3/"]]
            assert {asked.kind for asked in tor.asked} == {NAME}
            hook = wallets[0].call("createWebhook", url="https://example.com/")
            assert "p2p.socks5" in str((await asyncio.gather(hook, return_exceptions=True))[0])
        finally:
            await asyncio.gather(*(vessel.close() for vessel in made))
