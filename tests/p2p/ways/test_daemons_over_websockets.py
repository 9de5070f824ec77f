"""Real daemons that speak WebSocket alone, one of them behind a reverse proxy that ends TLS."""

from __future__ import annotations

import asyncio
import secrets
from pathlib import Path

import pytest

from tests.e2e.fleet import advertise_all, sign
from tests.e2e.vessels import NAMES, Vessel
from tests.p2p.ways.test_websocket import reverse_proxy

pytestmark = pytest.mark.network


async def test_daemons_sign_over_websockets_and_through_a_reverse_proxy(tmp_path: Path) -> None:
    network = f"test-{secrets.token_hex(4)}"
    behind, *others = made = [Vessel(tmp_path, name, network) for name in NAMES[:3]]
    async with reverse_proxy(tmp_path, lambda: behind.port) as (port, cert):
        behind.environment["MUSIGD_P2P__ANNOUNCE"] = f"/ip4/127.0.0.1/tcp/{port}/tls/ws"
        for vessel in made:
            vessel.way = "/ws"
            vessel.environment["SSL_CERT_FILE"] = str(cert)  # what the system trusts, to OpenSSL
        try:
            await behind.start()
            for vessel in others:
                await vessel.start([behind.multiaddr])
            wallets = [await vessel.open_wallet() for vessel in made]
            await advertise_all(wallets, "bip340")
            await sign(wallets)
            told = [await wallet.call("getInfo") for wallet in wallets]
            peers = await wallets[1].call("listPeers")
            ways = [[text.split("/p2p/")[0].split("/", 5)[5] for text in info["multiaddrs"]] for info in told]
            assert ways == [["tls/ws"], ["ws"], ["ws"]]
            assert f"/ip4/127.0.0.1/tcp/{port}/tls/ws" in str(peers)
        finally:
            await asyncio.gather(*(vessel.close() for vessel in made))
