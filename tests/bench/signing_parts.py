"""What the signing benchmark is made of: real daemons as processes, and wallets that drive them over the RPC."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import aiohttp

from daemon.demo.processes import PROGRAM, Daemons
from musigd_client import Client

OTHER_TREE = "BENCH_DAEMONS"  # the variable with the tree that daemons run from, if not this one
TICKS = os.sysconf("SC_CLK_TCK")
LONGEST_S = 120


class Wallet:
    """Drives one daemon; hears all its events over one WebSocket, of a client of its own."""

    def __init__(self, client: Client, events: Client, datadir: Path, pid: int = 0) -> None:
        self.client = client
        self._events = events
        self._datadir = datadir
        self._pid = pid
        self.pubkey = ""
        self._waiting: dict[tuple[str, str], asyncio.Future[float]] = {}
        self._listening: asyncio.Task[None] | None = None

    @classmethod
    async def open(cls, datadir: Path, pid: int = 0) -> Self:
        """A wallet of the daemon of that directory."""
        calls, events = [await Client.connect(datadir=datadir, patience_s=0) for _ in range(2)]
        wallet = cls(calls, events, datadir, pid)
        wallet._listening = asyncio.create_task(wallet._listen())
        return wallet

    async def make_key(self, scheme: str) -> None:
        """A key of its own, which is advertised."""
        self.pubkey = (await self.client.call("createKey", scheme=scheme))["publicKey"]
        await self.client.call("advertiseSigner", publicKey=self.pubkey, criteria={"transactionTypes": ["spend"]})

    async def close(self) -> None:
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.gather(self._listening, return_exceptions=True)
        await self.client.close()
        await self._events.close()

    async def hang_up(self) -> None:
        """Close the connections that calls were made over, and begin again with one."""
        await self.client.close()
        self.client = await Client.connect(datadir=self._datadir, patience_s=0)

    def hears(self, event: str, request: str) -> asyncio.Future[float]:
        """Wait for that event of that request; returns its loop time. It may have come already."""
        future = self._waiting.get((event, request))
        if future is None:
            future = self._waiting[event, request] = asyncio.get_running_loop().create_future()
        return future

    def forget(self, request: str) -> None:
        for event in EVENTS:
            self._waiting.pop((event, request), None)

    async def _listen(self) -> None:
        loop = asyncio.get_running_loop()
        async for heard in self._events.events(from_seq=0, events=EVENTS):
            future = self.hears(heard["event"], heard["data"]["requestId"])
            if not future.done():
                future.set_result(loop.time())

    def cpu_s(self) -> float:
        """Processor seconds of the daemon so far, user and system, all threads."""
        fields = Path(f"/proc/{self._pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    async def metrics(self) -> dict[str, float]:
        """What the daemon measures of itself: `/metrics` by name."""
        endpoint = json.loads((self._datadir / "endpoint.json").read_text())
        bearer = {"Authorization": "Bearer " + (self._datadir / ".cookie").read_text().strip()}
        url = endpoint["rpc"].removesuffix("/rpc") + "/metrics"
        async with aiohttp.ClientSession() as session, session.get(url, headers=bearer) as response:
            lines = (await response.text()).splitlines()
        return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines if not line.startswith("#")}

    def threads_and_files(self) -> tuple[int, int]:
        """Threads and open files of the daemon right now."""
        process = Path(f"/proc/{self._pid}")
        return len(list((process / "task").iterdir())), len(list((process / "fd").iterdir()))


EVENTS = ("signing-request:received", "signature:finalized")


def program() -> Sequence[str]:
    """What starts a daemon of the tree that is measured."""
    tree = os.environ.get(OTHER_TREE)
    return program_of(Path(tree)) if tree else PROGRAM


def python_of(tree: Path) -> Path:
    """The Python of that tree's environment."""
    return tree / ".venv" / "bin" / "python"


def program_of(tree: Path) -> Sequence[str]:
    """What starts a daemon of that tree, with the tree's own environment."""
    return ("env", f"PYTHONPATH={tree}", str(python_of(tree)), "-P", "-m", "daemon.main")


class Fleet:
    """Some daemons that know each other's keys."""

    def __init__(self, folder: Path, scheme: str) -> None:
        self._daemons = Daemons(folder, f"bench-{secrets.token_hex(4)}", program())
        self.scheme = scheme
        self.wallets: list[Wallet] = []

    async def start(self, count: int) -> list[Wallet]:
        """Start that many daemons and wait until everybody can find everybody's key."""
        first: list[str] = []
        for number in range(count):
            daemon = await self._daemons.start(f"d{number}", first)
            first = first or [daemon.multiaddr]
            wallet = await Wallet.open(daemon.datadir, daemon.process.pid)
            self.wallets.append(wallet)
            await wallet.make_key(self.scheme)
        await asyncio.gather(*(self._sees_all(wallet) for wallet in self.wallets))
        return self.wallets

    async def _sees_all(self, wallet: Wallet) -> None:
        wanted = {other.pubkey for other in self.wallets}
        async with asyncio.timeout(LONGEST_S):
            while True:
                found = await wallet.client.call("findAvailableSigners", refresh=True, includeOwn=True, maxResults=500)
                if wanted <= {signer["publicKey"] for signer in found["signers"]}:
                    return
                await asyncio.sleep(0.1)

    async def stop(self) -> None:
        for wallet in self.wallets:
            await wallet.close()
        await self._daemons.stop()


async def announce(creator: Wallet, signers: Sequence[Wallet]) -> str:
    """A new request of one message; the creator has joined."""
    answer = await creator.client.call(
        "announceSigningRequest",
        publicKey=creator.pubkey,
        requiredPublicKeys=[signer.pubkey for signer in signers],
        message=secrets.token_hex(32),
        election=None,
    )
    return str(answer["requestId"])


async def join(signer: Wallet, request: str) -> Any:
    """Join once the request is there."""
    await asyncio.wait_for(signer.hears("signing-request:received", request), LONGEST_S)
    return await signer.client.call("joinSigningRequest", requestId=request, publicKey=signer.pubkey)


async def joined(wallet: Wallet, request: str, count: int) -> None:
    """Wait until that wallet's daemon knows of that many joins."""
    while True:
        shown = await wallet.client.call("getSigningRequest", requestId=request)
        if sum(signer["joined"] for signer in shown["signers"]) >= count:
            return
        await asyncio.sleep(0.005)


async def finished(signers: Sequence[Wallet], request: str) -> float:
    """When the last signer heard that it is signed (loop time)."""
    heard = [signer.hears("signature:finalized", request) for signer in signers]
    times = await asyncio.wait_for(asyncio.gather(*heard), LONGEST_S)
    for signer in signers:
        signer.forget(request)
    return max(times)
