"""One signing request whose wallets take each step by a call: nothing starts automatically."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from daemon.demo.wallet import Wallet


class Steps:
    """Announced by the first wallet. Each step returns when the daemons of those who take it have stored it."""

    def __init__(self, wallets: Sequence[Wallet], **options: Any) -> None:
        """`options` of `announceSigningRequest`; `autoAdvance` is false unless given, also for those who join."""
        self.wallets = list(wallets)
        self.auto = options.setdefault("autoAdvance", False)
        self._options = options
        self.request = ""
        self.session = ""

    async def announce(self) -> None:
        asker = self.wallets[0]
        keys = [wallet.pubkey for wallet in self.wallets]
        made = await asker.call(
            "announceSigningRequest",
            requiredPublicKeys=keys,
            publicKey=asker.pubkey,
            message=secrets.token_hex(32),
            **self._options,
        )
        self.request, self.session = made["requestId"], made["sessionId"]

    async def join(self, *wallets: Wallet) -> None:
        """Let these wallets (default: all but the creator) join as soon as they know of the request."""
        await asyncio.gather(*map(self._join, wallets or self.wallets[1:]))

    async def _join(self, wallet: Wallet) -> None:
        await wallet.heard("signing-request:received", requestId=self.request)
        await wallet.call("joinSigningRequest", requestId=self.request, publicKey=wallet.pubkey, autoAdvance=self.auto)

    async def until(self, event: str, *wallets: Wallet) -> list[Mapping[str, Any]]:
        """Wait until these wallets, or all, have heard that event of this request; returns the first of each."""
        heard = await asyncio.gather(
            *(wallet.heard(event, requestId=self.request) for wallet in wallets or self.wallets)
        )
        return [found[0] for found in heard]

    async def start(self, number: int, *wallets: Wallet) -> None:
        """Start round 1 or 2 at these wallets, or at all."""
        await asyncio.gather(
            *(wallet.call(f"startRound{number}", sessionId=self.session) for wallet in wallets or self.wallets)
        )

    async def all_ready(self) -> None:
        """Go on until all know that all have joined."""
        await self.announce()
        await self.join()
        await self.until("session:ready")

    async def all_nonces(self) -> None:
        """Go on until all have all nonces."""
        await self.all_ready()
        await self.start(1)
        await self.until("round1:complete")

    async def ready_again(self) -> None:
        """Wait until everybody knows that everybody has joined a second attempt; go on with that."""
        heard = await asyncio.gather(
            *(wallet.heard("session:ready", times=2, requestId=self.request) for wallet in self.wallets)
        )
        self.session = heard[0][-1]["sessionId"]
        assert all(found[-1]["sessionId"] == self.session for found in heard)

    async def final(self, *wallets: Wallet) -> str:
        """The signature, after asserting that it is valid and the same at these wallets, or all."""
        asked = wallets or self.wallets
        answers = await asyncio.gather(
            *(wallet.call("getFinalSignature", requestId=self.request, waitMs=60_000) for wallet in asked)
        )
        first = answers[0]
        assert [answer["signature"] for answer in answers] == [first["signature"]] * len(asked)
        verdict = await asked[0].call(
            "verifySignature",
            publicKey=first["aggregatedPublicKey"],
            message=first["message"],
            signature=first["signature"],
            scheme=first["scheme"],
        )
        assert verdict == {"valid": True}
        return str(first["signature"])

    async def attempts(self) -> list[int]:
        """The current attempt at each daemon."""
        shown = await asyncio.gather(
            *(wallet.call("getSigningRequest", requestId=self.request) for wallet in self.wallets)
        )
        return [request["attempt"] for request in shown]
