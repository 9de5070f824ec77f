"""Real daemons as processes for the tests, and wallets that drive them over the API only."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from daemon.demo.processes import Daemons, DemoDaemon
from daemon.demo.wallet import Wallet
from musigd_client import Client

NAMES = ("Alice", "Bob", "Carol", "Dave", "Erin")


class Fleet:
    """Daemons that bootstrap from the first one, and a wallet beside each."""

    def __init__(self, root: Path) -> None:
        self.network = f"test-{secrets.token_hex(4)}"
        self.daemons = Daemons(root, self.network)
        self.wallets: list[Wallet] = []

    async def start(self, count: int) -> list[Wallet]:
        """Start that many daemons; each wallet follows its daemon's events from the first on."""
        first = await self.daemons.start(NAMES[0], ())
        rest = await asyncio.gather(*(self.daemons.start(name, (first.multiaddr,)) for name in NAMES[1:count]))
        for daemon in (first, *rest):
            self.wallets.append(await self.wallet(daemon))
        return self.wallets

    async def wallet(self, daemon: DemoDaemon) -> Wallet:
        """A wallet for one running daemon."""
        wallet = Wallet(daemon.name, daemon, await Client.connect(datadir=daemon.datadir))
        await wallet.open()
        return wallet

    async def stop(self) -> None:
        """Close everything and end every process."""
        for wallet in self.wallets:
            await wallet.close()
        await self.daemons.stop()


@asynccontextmanager
async def fleet(root: Path, count: int) -> AsyncIterator[Fleet]:
    """`count` daemons with their wallets, ended when the block is left."""
    made = Fleet(root)
    try:
        await made.start(count)
        yield made
    finally:
        await made.stop()


async def advertise_all(wallets: Sequence[Wallet], scheme: str) -> list[str]:
    """Each wallet makes and advertises a key, and waits until it has found all the others; returns the keys."""

    async def advertise(wallet: Wallet) -> str:
        wallet.pubkey = (await wallet.call("createKey", scheme=scheme))["publicKey"]
        await wallet.call("advertiseSigner", publicKey=wallet.pubkey, criteria={"transactionTypes": ["spend"]})
        return wallet.pubkey

    follow = (wallet.call("subscribeToSignerDiscovery", transactionTypes=["spend"]) for wallet in wallets)
    await asyncio.gather(*follow)  # all of them first: what a daemon knows before it follows is no event
    keys = await asyncio.gather(*map(advertise, wallets))
    await asyncio.gather(*(wallet.heard("signer:discovered", times=len(wallets) - 1) for wallet in wallets))
    return list(keys)


async def sign(wallets: Sequence[Wallet], messages: Sequence[str] | None = None) -> dict[str, Any]:
    """The first wallet asks, all others join; returns the final answer, the same at every daemon."""
    asked = [{"message": message} for message in (messages or [secrets.token_hex(32)])]
    keys = [wallet.pubkey for wallet in wallets]
    asker, *others = wallets
    request = await asker.call("announceSigningRequest", requiredPublicKeys=keys, messages=asked, publicKey=keys[0])
    request_id = request["requestId"]

    async def join(wallet: Wallet) -> None:
        await wallet.heard("signing-request:received", requestId=request_id)
        await wallet.call("joinSigningRequest", requestId=request_id, publicKey=wallet.pubkey)

    await asyncio.gather(*map(join, others))
    answers = await asyncio.gather(
        *(wallet.call("getFinalSignature", requestId=request_id, waitMs=60_000) for wallet in wallets)
    )
    assert all(answer["signatures"] == answers[0]["signatures"] for answer in answers)
    for item, signature in zip(asked, answers[0]["signatures"], strict=True):
        verdict = await asker.call(
            "verifySignature",
            publicKey=answers[0]["aggregatedPublicKey"],
            message=item["message"],
            signature=signature,
            scheme=answers[0]["scheme"],
        )
        assert verdict == {"valid": True}
    final: dict[str, Any] = answers[0]
    return final
