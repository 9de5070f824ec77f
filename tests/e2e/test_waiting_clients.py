"""Every client that waits for a signature gets it, though the daemon restarts meanwhile."""

from __future__ import annotations

import asyncio
import json
import secrets
import signal
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from musigd_client import Client
from tests.e2e.vessels import Vessel, vessels
from tests.rpc.recipes import recipe

pytestmark = pytest.mark.network


async def output_of(command: list[str]) -> str:
    """What the signature is, according to that program."""
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    said = (await process.communicate())[0].decode()
    assert process.returncode == 0, said
    answer = json.loads(said)
    return str(answer.get("result", answer)["signature"])


async def calls_at_work(vessel: Vessel, count: int) -> None:
    """Return when that many calls wait for an answer."""
    url = str(vessel.endpoint["rpc"]).removesuffix("/rpc") + "/metrics"
    headers = {"Authorization": f"Bearer {(vessel.datadir / '.cookie').read_text()}"}
    async with asyncio.timeout(180), aiohttp.ClientSession(headers=headers) as session:
        while True:
            async with session.get(url) as response:
                told = await response.text()
            if int(told.partition("\nmusigd_rpc_calls_at_work ")[2].split()[0]) >= count:
                return


@pytest.mark.needs("curl")
async def test_clients_of_every_kind_wait_through_a_restart(tmp_path: Path) -> None:
    async with vessels(tmp_path, 2) as (alice, bob):
        keys = [(await each.wallet.call("createKey", scheme="lotus"))["publicKey"] for each in (alice, bob)]
        asked = {"requiredPublicKeys": keys, "publicKey": keys[0], "message": secrets.token_hex(32)}
        request = (await alice.wallet.call("announceSigningRequest", **asked))["requestId"]
        await bob.wallet.heard("signing-request:received", requestId=request)
        async with await Client.connect(datadir=alice.datadir) as client:
            waiting: list[asyncio.Future[Any]] = [
                asyncio.ensure_future(client.get_final_signature(request_id=request, wait_ms=60_000)),
                *(asyncio.ensure_future(output_of(recipe(name, alice.datadir, request))) for name in ("python", "sh")),
            ]
            await calls_at_work(alice, len(waiting))
            alice.send(signal.SIGTERM)
            assert await alice.ended() == 0
            await alice.start([bob.multiaddr])
            await bob.wallet.call("joinSigningRequest", requestId=request, publicKey=keys[1])
            first, *others = await asyncio.gather(*waiting)
        assert {*others} == {first.signature}
