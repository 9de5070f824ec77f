"""One wallet of the demo: it knows its daemon's API and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from daemon.demo.processes import DemoDaemon
from musig2.chain.sighash import sighash_bip341, sighash_lotus
from musig2.chain.transaction import Transaction, TxOutput
from musigd_client import Client

EVENT_SECONDS = 60


class WalletFailed(Exception):
    """What a wallet waited for did not come, or was wrong."""


class Wallet:
    """Calls one daemon over HTTP, and follows all its events over one WebSocket.

    Events are kept from the first on, so that waiting for one that has already come returns at once.
    """

    def __init__(self, name: str, daemon: DemoDaemon, client: Client) -> None:
        self.name = name
        self.daemon = daemon
        self.pubkey = ""
        self._client = client
        self._heard: list[tuple[str, Mapping[str, Any]]] = []
        self._news = asyncio.Condition()
        self._listening: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Follow the event stream from the first event on."""
        self._listening = asyncio.create_task(self._listen())

    async def close(self) -> None:
        """End the connection."""
        try:
            if self._listening:
                self._listening.cancel()
                with suppress(asyncio.CancelledError):
                    await self._listening
        finally:
            await self._client.close()

    async def call(self, method: str, **params: Any) -> Any:
        """One JSON-RPC call; raises CallFailed if the daemon refuses."""
        return await self._client.call(method, **params)

    async def _listen(self) -> None:
        async for event in self._client.events(from_seq=1):
            async with self._news:
                self._heard.append((event["event"], event["data"]))
                self._news.notify_all()

    async def heard(self, event: str, times: int = 1, **matching: str) -> list[Mapping[str, Any]]:
        """Wait until `event`, with these fields in its data, was heard `times` times; return the data of each."""

        def found() -> list[Mapping[str, Any]]:
            return [
                data
                for name, data in self._heard
                if name == event and all(data.get(key) == value for key, value in matching.items())
            ]

        try:
            async with asyncio.timeout(EVENT_SECONDS), self._news:
                await self._news.wait_for(lambda: len(found()) >= times or self._deaf())
        except TimeoutError:
            raise WalletFailed(f"{self.name} waited {EVENT_SECONDS} s for {times} x {event}") from None
        if len(found()) < times:
            raise WalletFailed(f"{self.name} lost the event stream of its daemon")
        return found()

    def _deaf(self) -> bool:
        return self._listening is not None and self._listening.done()


def check_request(request: Mapping[str, Any]) -> None:
    """What a careful wallet does before it joins: hashes the transaction shown, and compares it with the message.

    Raises WalletFailed if the request asks to sign anything else, or if the daemon has not checked it too.
    """
    if not all(item["checked"] for item in request["messages"]):
        raise WalletFailed("the daemon has not found every message to be what the request shows")
    metadata = request["metadata"]
    transaction = Transaction.parse(bytes.fromhex(metadata["transactionHex"]))
    spent = [TxOutput(each["value"], bytes.fromhex(each["script"])) for each in metadata["spentOutputs"]]
    sighash = sighash_lotus if request["scheme"] == "lotus" else sighash_bip341
    for index, item in enumerate(request["messages"]):
        if sighash(transaction, index, spent).hex() != item["message"]:
            raise WalletFailed(f"message {index} of the request is not the hash of the transaction that it shows")
