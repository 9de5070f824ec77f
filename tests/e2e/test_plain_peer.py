"""Another program: a peer on an ordinary libp2p host, without the daemon's network code, is found and signs."""

from __future__ import annotations

import asyncio
import json
import secrets
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

import musig2
from tests.e2e.fleet import Fleet, fleet

pytestmark = pytest.mark.network

DEADLINE_S = 180


@asynccontextmanager
async def plain_peer(made: Fleet, scheme: str) -> AsyncIterator[AsyncIterator[dict[str, Any]]]:
    """The process; what it says, line by line."""
    daemon = made.wallets[0].daemon
    words = (sys.executable, "-m", "tests.e2e.plain_peer", made.network, daemon.multiaddr, scheme)
    process = await asyncio.create_subprocess_exec(*words, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    lines = process.stdout

    async def said() -> AsyncIterator[dict[str, Any]]:
        async with asyncio.timeout(DEADLINE_S):
            while line := await lines.readline():
                yield json.loads(line)
        raise AssertionError(f"the plain peer ended with {await process.wait()}")

    try:
        yield said()
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@pytest.mark.parametrize("scheme", ["lotus", "bip340"])
async def test_another_program_signs_with_a_daemon(tmp_path: Path, scheme: str) -> None:
    async with fleet(tmp_path, 1) as made, plain_peer(made, scheme) as said:
        (wallet,) = made.wallets
        advertised = await anext(said)
        assert advertised["taken"] == ["taken", 1]

        found = (await wallet.call("findAvailableSigners", transactionType="spend"))["signers"]
        assert [signer["publicKey"] for signer in found] == [advertised["key"]]

        await wallet.call("subscribeToSignerDiscovery", transactionTypes=["spend"])
        published = (await anext(said))["published"]
        await wallet.heard("signer:discovered")  # so its subscription, which it sent before, was read too
        found = (await wallet.call("findAvailableSigners", transactionType="spend"))["signers"]
        assert {signer["publicKey"] for signer in found} == {advertised["key"], published}

        own = (await wallet.call("createKey", scheme=scheme))["publicKey"]
        await wallet.call("advertiseSigner", publicKey=own, criteria={"transactionTypes": ["spend"]})
        heard = await anext(said)
        while (heard["heard"], heard["publicKey"]) != ("Advertisement", own):
            heard = await anext(said)

        message = secrets.token_hex(32)
        keys = [own, advertised["key"]]
        asked = await wallet.call("announceSigningRequest", requiredPublicKeys=keys, publicKey=own, message=message)
        answer = await wallet.call("getFinalSignature", requestId=asked["requestId"], waitMs=60_000)
        while "signature" not in heard:
            heard = await anext(said)
        assert heard["signature"] == answer["signature"]

        rules = musig2.scheme(scheme)
        aggregate = rules.key_agg(rules.key_sort([bytes.fromhex(key) for key in keys])).aggpubkey
        assert rules.schnorr_verify(aggregate, bytes.fromhex(message), bytes.fromhex(answer["signature"]))
