"""Daemons that can be killed and started again: the same data directory, the same peer port, the same wallet."""

from __future__ import annotations

import asyncio
import os
import random
import secrets
import signal
import socket
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import orjson

from daemon.demo.processes import DemoDaemon
from daemon.demo.wallet import Wallet
from musigd_client import Client
from musigd_client.endpoint import DataDir
from tests.e2e.proxy import Proxies

DEADLINE = 180
NAMES = ("Alice", "Bob", "Carol", "Dave", "Erin")
BELOW_EPHEMERAL = (10_000, 32_000)  # outgoing connections take their ports above


def free_port() -> int:
    """A port that nobody listens on, and that no outgoing connection gets while its daemon is away."""
    while True:
        port = random.randint(*BELOW_EPHEMERAL)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


class Vessel:
    """One daemon over several starts. It reports its state as to systemd, so that tests need not poll."""

    def __init__(
        self,
        root: Path,
        name: str,
        network: str,
        *,
        address: str = "127.0.0.1",
        within: Sequence[str] = (),
        python: str = sys.executable,
    ) -> None:
        """`within`: what its command begins with, if it runs in a network namespace; `address`: its own there.

        `python`: of another tree, to run the daemon of that one.
        """
        self.name = name
        self.datadir = root / name.lower()
        self.log = root / f"{name.lower()}.log"
        self.port = free_port()
        self.way = ""  # behind its TCP address, such as /ws
        self.environment: dict[str, str] = {"MUSIGD_P2P__MDNS": "false"}
        self.process: asyncio.subprocess.Process | None = None
        self.wallet: Wallet
        self._network = network
        self._address = address
        self._within = within
        self._python = python
        self._states = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._states.setblocking(False)
        self._states.bind(str(root / f"{name}.states") if within else "")  # "": abstract, seen in its namespace only

    @property
    def endpoint_file(self) -> Path:
        return self.datadir / "endpoint.json"

    @property
    def endpoint(self) -> dict[str, object]:
        found: dict[str, object] = orjson.loads(self.endpoint_file.read_bytes())
        return found

    @property
    def peer(self) -> str:
        return str(self.endpoint["peerId"])

    @property
    def multiaddr(self) -> str:
        addresses = self.endpoint["multiaddrs"]
        assert isinstance(addresses, list)
        return str(addresses[0])

    async def start(self, bootstrap: Sequence[str] = (), options: Sequence[str] = ()) -> None:
        """Start the process, and return when it is ready."""
        self.datadir.mkdir(mode=0o700, exist_ok=True)
        family = "ip6" if ":" in self._address else "ip4"
        listen = f"/{family}/{self._address}/tcp/{self.port}{self.way}"
        command = [*self._within, self._python, "-P", "-m", "daemon.main", "run", "--datadir", str(self.datadir)]
        command += ["--network", self._network, "--rpc-listen", "127.0.0.1:0", "--p2p-listen", listen, *options]
        for address in bootstrap:
            command += ["--bootstrap", address]
        with self.log.open("ab") as output:
            self.process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=self._whole_environment(),
                start_new_session=True,
            )
        await self.told("READY=1")

    def _whole_environment(self) -> Mapping[str, str]:
        clean = {key: value for key, value in os.environ.items() if not key.startswith("MUSIGD_")}
        address = self._states.getsockname()
        place = address if isinstance(address, str) else "@" + address[1:].decode()
        return clean | self.environment | {"NOTIFY_SOCKET": place}

    async def told(self, state: str) -> None:
        """Wait until the daemon says `state` to its service manager; fail at once when it ends before."""
        ended = asyncio.ensure_future(self.ended())
        try:
            async with asyncio.timeout(DEADLINE):
                while True:
                    heard = asyncio.ensure_future(asyncio.get_running_loop().sock_recv(self._states, 4_096))
                    await asyncio.wait({heard, ended}, return_when=asyncio.FIRST_COMPLETED)
                    if not heard.done():
                        heard.cancel()
                        raise AssertionError(f"{self.name} ended with {ended.result()}: {self.said()[-500:]}")
                    if state in heard.result().decode().splitlines():
                        return
        finally:
            ended.cancel()

    async def open_wallet(self) -> Wallet:
        """A wallet that follows this daemon's events, over restarts too."""
        assert self.process is not None
        daemon = DemoDaemon(self.name, self.datadir, self.log, self.process, self.endpoint)
        client = Client(DataDir(self.datadir, by_socket=bool(self._within)))
        self.wallet = Wallet(self.name, daemon, client)
        await self.wallet.open()
        return self.wallet

    def send(self, number: signal.Signals) -> None:
        """A signal to the process."""
        assert self.process is not None
        self.process.send_signal(number)

    async def ended(self) -> int:
        """The exit code, when the process has ended."""
        assert self.process is not None
        async with asyncio.timeout(DEADLINE):
            return await self.process.wait()

    async def kill(self) -> None:
        """kill -9, and wait until it is gone."""
        self.send(signal.SIGKILL)
        assert await self.ended() == -signal.SIGKILL

    def said(self) -> str:
        """Everything that it has logged, in all its runs."""
        return self.log.read_text(errors="replace")

    async def close(self) -> None:
        """End the process and whatever belongs to it."""
        try:
            if hasattr(self, "wallet"):
                await self.wallet.close()
        finally:  # whatever the wallet has to say of its daemon
            if self.process is not None and self.process.returncode is None:
                self.process.kill()
                await self.process.wait()
            self._states.close()


@asynccontextmanager
async def vessels(root: Path, count: int, **drain_ms: int) -> AsyncIterator[list[Vessel]]:
    """`count` daemons that bootstrap from the first one, each with a wallet; `drain_ms` by name, else 500."""
    network = f"test-{secrets.token_hex(4)}"
    made = [Vessel(root, name, network) for name in NAMES[:count]]
    try:
        for vessel in made:
            vessel.environment["MUSIGD_DRAIN_MS"] = str(drain_ms.get(vessel.name, 500))
        await start_together(made)
        yield made
    finally:
        await asyncio.gather(*(vessel.close() for vessel in made))


@asynccontextmanager
async def vessels_behind_proxies(root: Path, count: int) -> AsyncIterator[tuple[list[Vessel], Proxies]]:
    """The same, but they know only the proxies' addresses of each other."""
    network = f"test-{secrets.token_hex(4)}"
    made = [Vessel(root, name, network) for name in NAMES[:count]]
    proxies = Proxies(lambda: {vessel.name: vessel.process.pid for vessel in made if vessel.process is not None})
    try:
        for vessel in made:
            proxy_port = await proxies.before(vessel.name, vessel.port)
            vessel.environment["MUSIGD_P2P__ANNOUNCE"] = f"/ip4/127.0.0.1/tcp/{proxy_port}"
        await start_together(made)
        yield made, proxies
    finally:
        await asyncio.gather(*(vessel.close() for vessel in made))
        await proxies.close()


async def start_together(made: Sequence[Vessel]) -> None:
    """Start the first, then the others at the same time; open a wallet beside each."""
    first, *others = made
    await first.start()
    await asyncio.gather(*(vessel.start([first.multiaddr]) for vessel in others))
    for vessel in made:
        await vessel.open_wallet()
