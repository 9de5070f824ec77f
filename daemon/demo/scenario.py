"""The four phases with N wallets: advertise, discover, request, sign."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from daemon.demo.spend import UNIT, Spend, spend_from
from daemon.demo.transcript import DemoTranscript
from daemon.demo.verify import signature_holds
from daemon.demo.wallet import Wallet, WalletFailed, check_request

TYPE = "spend"


@dataclass(frozen=True, slots=True)
class Result:
    """The result: everything that is needed to check it elsewhere."""

    scheme: str
    aggregated_pubkey: str
    messages: tuple[str, ...]
    signatures: tuple[str, ...]
    transaction: str


class Scenario:
    """Runs the wallets against their daemons and writes the transcript. The first wallet makes the request."""

    def __init__(self, wallets: Sequence[Wallet], scheme: str, items: int, transcript: DemoTranscript) -> None:
        self._wallets = wallets
        self._asker = wallets[0]
        self._others = wallets[1:]
        self._scheme = scheme
        self._items = items
        self._out = transcript

    async def play(self) -> Result:
        """All phases in order. Raises WalletFailed, or the client's error, in the phase that the transcript names."""
        out = self._out
        with out.phase("advertise", "Phase 0: advertise"):
            await self._each(self._follow)
            await self._each(self._advertise)
        with out.phase("discover", "Phase 1: discover"):
            pubkeys = await self._discover()
            aggregated_pubkey, spend = await self._build(pubkeys)
        with out.phase("request", "Phase 2: request"):
            request_id, session_id = await self._request(pubkeys, spend)
            await asyncio.gather(*(self._review(wallet, request_id) for wallet in self._others))
        with out.phase("join", "Phase 3: join"):
            await asyncio.gather(*(self._join(wallet, request_id) for wallet in self._others))
            await self._all_heard("session:ready", session_id)
        with out.phase("round1", "Phase 3: round 1, nonces"):
            await self._each(lambda wallet: wallet.call("startRound1", sessionId=session_id))
            await self._all_heard("round1:complete", session_id)
            out.say("all", f"exchanged {self._items} public nonce(s) per signer")
        with out.phase("round2", "Phase 3: round 2, partial signatures"):
            await self._each(lambda wallet: wallet.call("startRound2", sessionId=session_id))
            await self._all_heard("signature:finalized", session_id)
            out.say("all", "exchanged, verified and added up the partial signatures")
        with out.phase("verify", "Final signature"):
            return await self._collect(aggregated_pubkey, request_id, spend)

    async def _each(self, step: Any) -> list[Any]:
        return await asyncio.gather(*(step(wallet) for wallet in self._wallets))

    async def _all_heard(self, event: str, session_id: str) -> None:
        await asyncio.gather(*(wallet.heard(event, sessionId=session_id) for wallet in self._wallets))

    async def _follow(self, wallet: Wallet) -> None:
        """Follow the type before anybody advertises: advertisements that a daemon already holds cause no events."""
        await wallet.call("subscribeToSignerDiscovery", transactionTypes=[TYPE])

    async def _advertise(self, wallet: Wallet) -> None:
        key = await wallet.call("createKey", scheme=self._scheme, label=wallet.name)
        wallet.pubkey = key["publicKey"]
        criteria = {"transactionTypes": [TYPE], "minAmount": 1_000}
        metadata = {"nickname": wallet.name, "fees": 0}
        advertisement = await wallet.call(
            "advertiseSigner", publicKey=wallet.pubkey, criteria=criteria, metadata=metadata
        )
        self._out.say(wallet.name, f"advertises {wallet.pubkey[:16]}... from peer {advertisement['peerId'][-8:]}")

    async def _discover(self) -> list[str]:
        """The requesting wallet's list of keys: its own, and those of the signers that it found."""
        heard = await self._asker.heard("signer:discovered", times=len(self._others))
        self._out.say(self._asker.name, f"heard of {len(heard)} signer(s)")
        found = await self._asker.call(
            "findAvailableSigners", transactionType=TYPE, scheme=self._scheme, maxResults=len(self._others)
        )
        names = {ad["publicKey"]: ad["metadata"].get("nickname", "?") for ad in found["signers"]}
        self._out.say(self._asker.name, f"found in the directory: {', '.join(sorted(names.values()))}")
        if len(names) != len(self._others):
            raise WalletFailed(f"{self._asker.name} found {len(names)} of {len(self._others)} signers")
        return [self._asker.pubkey, *names]

    async def _build(self, pubkeys: list[str]) -> tuple[str, Spend]:
        """The aggregated key, as hex, and a transaction that spends what was paid to it."""
        aggregate = await self._asker.call(
            "aggregateKeys",
            publicKeys=pubkeys,
            scheme=self._scheme,
            tweaks=[{"taprootMerkleRoot": None}],
            network="regtest",
        )
        spend = spend_from(self._scheme, bytes.fromhex(aggregate["scriptPubKey"]), self._items)
        coins = f"{self._items} output(s) of 1 {UNIT[self._scheme]}"
        self._out.say(self._asker.name, f"aggregates the {len(pubkeys)} keys: {aggregate['address']}")
        self._out.say(self._asker.name, f"builds a transaction that spends {coins} paid to it")
        return aggregate["aggregatedPublicKey"], spend

    async def _request(self, pubkeys: list[str], spend: Spend) -> tuple[str, str]:
        tweaks = [{"taprootMerkleRoot": None}]
        items = [
            {"message": msg.hex(), "tweaks": tweaks, "inputIndex": index} for index, msg in enumerate(spend.messages)
        ]
        answer = await self._asker.call(
            "announceSigningRequest",
            requiredPublicKeys=pubkeys,
            messages=items,
            publicKey=self._asker.pubkey,
            autoAdvance=False,
            metadata={
                "transactionHex": spend.transaction.serialize().hex(),
                "spentOutputs": [{"value": out.value, "script": out.script_pubkey.hex()} for out in spend.spent],
                "amount": spend.amount_sats,
                "transactionType": TYPE,
                "description": "the demo's key-path spend",
            },
        )
        self._out.say(self._asker.name, f"asks all {len(pubkeys)} to sign: request {answer['requestId'][:16]}...")
        return answer["requestId"], answer["sessionId"]

    async def _review(self, wallet: Wallet, request_id: str) -> None:
        await wallet.heard("signing-request:received", requestId=request_id)
        request = await wallet.call("getSigningRequest", requestId=request_id)
        check_request(request)
        self._out.say(wallet.name, "received it, checked: the message is the hash of the transaction shown")

    async def _join(self, wallet: Wallet, request_id: str) -> None:
        joining = {"requestId": request_id, "publicKey": wallet.pubkey, "requireChecked": True}
        await wallet.call("joinSigningRequest", **joining, autoAdvance=False)
        self._out.say(wallet.name, "joins")

    async def _collect(self, aggregated_pubkey: str, request_id: str, spend: Spend) -> Result:
        answers = await self._each(lambda wallet: wallet.call("getFinalSignature", requestId=request_id, waitMs=10_000))
        signatures = tuple(answers[0]["signatures"])
        if any(tuple(answer["signatures"]) != signatures for answer in answers):
            raise WalletFailed("the daemons hold different signatures")
        pubkey = bytes.fromhex(aggregated_pubkey)
        for msg, signature in zip(spend.messages, signatures, strict=True):
            if not signature_holds(self._scheme, pubkey, msg, bytes.fromhex(signature)):
                raise WalletFailed("the signature does not verify under the aggregated key")
        self._out.say("demo", f"{len(signatures)} signature(s) verified with independent code; all daemons agree")
        signed = spend.signed([bytes.fromhex(signature) for signature in signatures])
        messages = tuple(msg.hex() for msg in spend.messages)
        return Result(self._scheme, aggregated_pubkey, messages, signatures, signed.serialize().hex())
