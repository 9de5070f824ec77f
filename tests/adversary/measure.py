"""One attack, measured: a victim and its partner start, sign undisturbed, and then sign on while strangers attack."""

from __future__ import annotations

import asyncio
import gc
import importlib
import json
import os
import secrets
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from musigd_client import Client
from tests.adversary.attacks import modules
from tests.adversary.honest import Newcomers, Pair
from tests.adversary.target import Target
from tests.adversary.watch import Seen, Watch
from tests.bench.signing_parts import Wallet
from tests.e2e.vessels import Vessel

FIRST_SIGNATURES = 10
PREPARED_S = 120
FOUND_S = 60


@dataclass(slots=True)
class Measured:
    """Seconds of honest signatures and of newcomers' requests, before and under the attack; the victim meanwhile."""

    attack: str
    undisturbed: list[float] = field(default_factory=list)
    calm: Seen = field(default_factory=Seen)
    attacked: list[float] = field(default_factory=list)
    seen: Seen = field(default_factory=Seen)
    newcomers_before: list[float] = field(default_factory=list)
    newcomers: list[float] = field(default_factory=list)
    counted: dict[str, Any] = field(default_factory=dict)
    alive: bool = False
    load: float = 0.0  # of the machine, before it began
    commit: str = ""
    failed: str = ""  # why it was not measured; empty if it was


class Scene:
    """A victim, its partner, a wallet for each, and what a stranger can know of the victim."""

    def __init__(self, victim: Vessel, wallets: list[Wallet], target: Target) -> None:
        self.victim = victim
        self.wallets = wallets
        self.target = target

    @property
    def alive(self) -> bool:
        """Whether the victim still runs."""
        assert self.victim.process is not None
        return self.victim.process.returncode is None

    def watch(self) -> Watch:
        """Start to watch the victim."""
        assert self.victim.process is not None
        return Watch(self.victim.process.pid, str(self.victim.endpoint["rpc"]))


@asynccontextmanager
async def scene(
    root: Path,
    python: str = sys.executable,
    address: str = "127.0.0.1",
    scheme: str = "lotus",
    settings: Mapping[str, str] = MappingProxyType({}),
    *,
    websocket: bool = False,
) -> AsyncIterator[Scene]:
    """Two daemons from the tree of that interpreter that know each other's key.

    `settings`: of the victim; `websocket`: it takes WebSockets too.
    """
    network = f"test-{secrets.token_hex(4)}"
    victim, partner = (Vessel(root, name, network, python=python, address=address) for name in ("victim", "partner"))
    victim.environment.update(settings)
    wallets: list[Wallet] = []
    try:
        family = "ip6" if ":" in address else "ip4"
        await victim.start(options=["--p2p-listen", f"/{family}/{address}/tcp/0/ws"] if websocket else [])
        await partner.start([victim.multiaddr])
        for vessel in (victim, partner):
            assert vessel.process is not None
            wallets.append(await Wallet.open(vessel.datadir, vessel.process.pid))
            await wallets[-1].make_key(scheme)
        await asyncio.gather(*(_finds(wallet.client, {each.pubkey for each in wallets}) for wallet in wallets))
        keys = [bytes.fromhex(wallet.pubkey) for wallet in wallets]
        rpc, port = str(victim.endpoint["rpc"]), _port_of_websockets(victim)
        yield Scene(victim, wallets, Target(victim.multiaddr, network, keys[0], scheme, keys[1], rpc, port))
    finally:
        for wallet in wallets:
            await wallet.close()
        await asyncio.gather(victim.close(), partner.close())


def _port_of_websockets(victim: Vessel) -> int:
    addresses = victim.endpoint["multiaddrs"]
    assert isinstance(addresses, list)
    return next((int(text.split("/")[4]) for text in addresses if "/ws/" in text), 0)


async def _finds(client: Client, keys: set[str]) -> None:
    async with asyncio.timeout(FOUND_S):
        while True:
            found = await client.call("findAvailableSigners", refresh=True, includeOwn=True)
            if keys <= {signer["publicKey"] for signer in found["signers"]}:
                return


class Attackers:
    """The process of an attack (attacker.py)."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.counted: dict[str, Any] = {}
        self.mute: list[str] = []  # keys whose creators the victim is to mute before it begins
        self._prepared = asyncio.Event()
        self._busy = asyncio.Event()
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        assert self._process.stdout is not None
        while line := await self._process.stdout.readline():
            self.counted = json.loads(line)
            self.mute += self.counted.pop("mute", ())
            if self.counted.keys() - {"ready", "identities"}:
                self._busy.set()
            if self.counted.pop("ready", False):
                self._prepared.set()

    async def prepared(self) -> None:
        """Wait until the attack is prepared. Raises ConnectionError if it has ended, or takes too long."""
        ready = asyncio.ensure_future(self._prepared.wait())
        await asyncio.wait((ready, self._reading), timeout=PREPARED_S, return_when=asyncio.FIRST_COMPLETED)
        ready.cancel()
        if not self._prepared.is_set():
            raise ConnectionError("the attackers have ended, or are not prepared")

    async def busy(self) -> None:
        """Wait until the attack has done something beyond connecting."""
        await self._busy.wait()

    def begin(self) -> None:
        """Let the attack begin."""
        assert self._process.stdin is not None
        self._process.stdin.write(b"g")

    async def stop(self) -> None:
        """End the attack."""
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()
        await self._reading


@asynccontextmanager
async def attackers(name: str, target: Target, peers: int, seed: int) -> AsyncIterator[Attackers]:
    """The attackers, started, and ended with the block. The complaints of the library are dropped."""
    words = (sys.executable, "-m", "tests.adversary.attacker", name, target.dumps(), str(peers), str(seed))
    made = Attackers(await asyncio.create_subprocess_exec(*words, stdin=PIPE, stdout=PIPE, stderr=DEVNULL))
    try:
        yield made
    finally:
        await made.stop()


async def measure(
    root: Path, name: str, *, python: str, address: str, seconds: float, peers: int, seed: int
) -> Measured:
    """Start everything, sign so long undisturbed, and then as long under attack."""
    found = Measured(name, load=os.getloadavg()[0])
    module = importlib.import_module(modules()[name])
    settings, websocket = getattr(module, "VICTIM", {}), getattr(module, "WEBSOCKET", False)
    async with (
        scene(root, python, address, settings=settings, websocket=websocket) as stage,
        attackers(name, stage.target, peers, seed) as hostile,
    ):
        pair = Pair(stage.wallets)
        gc.freeze()  # or this process would look through all that it has imported while the pair signs
        newcomers = await Newcomers.start(stage.target, seed, stage.wallets[0])
        try:
            await hostile.prepared()
            for key in hostile.mute:
                await stage.wallets[0].client.call("muteCreator", publicKey=key)
            for _ in range(FIRST_SIGNATURES):
                await pair.sign()
            await _stretch(stage, pair, newcomers, seconds, found.undisturbed, found.calm, found.newcomers_before)
            hostile.begin()
            await _stretch(stage, pair, newcomers, seconds, found.attacked, found.seen, found.newcomers)
        finally:
            await newcomers.stop()
        found.counted, found.alive = hostile.counted, stage.alive
    return found


async def _stretch(
    stage: Scene,
    pair: Pair,
    newcomers: Newcomers,
    seconds: float,
    signatures: list[float],
    seen: Seen,
    requests: list[float],
) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().call_later(seconds, stop.set)
    await asyncio.gather(
        pair.sign_until(stop, signatures),
        newcomers.ask_until(stop, requests),
        stage.watch().follow(seen, stop),
    )
