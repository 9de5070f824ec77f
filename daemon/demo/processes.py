"""The demo's daemons: real `musigd run` processes, each with a data directory of its own, on loopback."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

START_SECONDS = 120  # as a machine that is busy with other things may take
STOP_SECONDS = 8
PROGRAM = (sys.executable, "-P", "-m", "daemon.main")
_UNIT = {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "CREDENTIALS_DIRECTORY", "RUNTIME_DIRECTORY"}


class DaemonFailed(Exception):
    """A daemon of the demo did not start, or ended by itself; the text contains the end of its log."""


@dataclass(slots=True)
class DemoDaemon:
    """One running daemon. `log` is where its output goes; `endpoint` is what it wrote when it was ready."""

    name: str
    datadir: Path
    log: Path
    process: asyncio.subprocess.Process
    endpoint: dict[str, object]

    @property
    def multiaddr(self) -> str:
        """An address that the other daemons can dial."""
        addresses = self.endpoint["multiaddrs"]
        assert isinstance(addresses, list)
        return str(addresses[0])


class Daemons:
    """Starts daemons one by one and stops them all; leaves no process behind."""

    def __init__(self, root: Path, network: str, program: Sequence[str] = PROGRAM) -> None:
        self._root = root
        self._network = network
        self._program = program
        self._started: list[asyncio.subprocess.Process] = []
        self._ready: list[DemoDaemon] = []

    async def start(self, name: str, bootstrap: Sequence[str]) -> DemoDaemon:
        """Start one daemon and wait until it is ready. Raises DaemonFailed with the end of its log."""
        datadir = self._root / name.lower()
        datadir.mkdir(mode=0o700)
        log = self._root / f"{name.lower()}.log"
        spawning = asyncio.ensure_future(self._spawn(datadir, log, bootstrap))
        try:
            process = await asyncio.shield(spawning)
        except asyncio.CancelledError:  # known before it is up, or nobody would end it
            self._started.append(await spawning)
            raise
        self._started.append(process)
        endpoint = await self._until_ready(name, process, datadir / "endpoint.json", log)
        daemon = DemoDaemon(name, datadir, log, process, endpoint)
        self._ready.append(daemon)
        return daemon

    async def _spawn(self, datadir: Path, log: Path, bootstrap: Sequence[str]) -> asyncio.subprocess.Process:
        command = [*self._program, "run", "--datadir", str(datadir)]
        command += ["--network", self._network, "--rpc-listen", "127.0.0.1:0", "--p2p-listen", "/ip4/127.0.0.1/tcp/0"]
        for address in bootstrap:
            command += ["--bootstrap", address]
        environment = _without_what_is_meant_for_another() | {"MUSIGD_P2P__MDNS": "false", "MUSIGD_DRAIN_MS": "500"}
        with log.open("wb") as output:
            # A session of its own: Ctrl-C reaches the demo alone, which then stops its daemons in order.
            return await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=environment,
                start_new_session=True,
            )

    async def _until_ready(
        self, name: str, process: asyncio.subprocess.Process, endpoint: Path, log: Path
    ) -> dict[str, object]:
        ended = asyncio.ensure_future(process.wait())
        try:
            async with asyncio.timeout(START_SECONDS):
                while not endpoint.exists():
                    if ended.done():
                        raise DaemonFailed(f"{name}'s daemon ended with code {ended.result()}: {_end_of(log)}")
                    await asyncio.wait({ended}, timeout=0.02)
        except TimeoutError:
            raise DaemonFailed(
                f"{name}'s daemon was not ready within {START_SECONDS} seconds: {_end_of(log)}"
            ) from None
        finally:
            if not ended.done():
                ended.cancel()
        content: dict[str, object] = json.loads(endpoint.read_bytes())
        return content

    async def one_ended(self) -> NoReturn:
        """Wait for ever; raises DaemonFailed as soon as a daemon ends that should run."""
        waits = {asyncio.ensure_future(daemon.process.wait()): daemon for daemon in self._ready}
        try:
            done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        daemon = waits[next(iter(done))]
        raise DaemonFailed(f"{daemon.name}'s daemon ended with code {daemon.process.returncode}: {_end_of(daemon.log)}")

    async def stop(self) -> None:
        """Stop every daemon: SIGTERM, then SIGKILL for one that does not end within eight seconds."""
        running = [process for process in self._started if process.returncode is None]
        for process in running:
            _signal(process.pid, signal.SIGTERM)
        waits = [asyncio.ensure_future(process.wait()) for process in running]
        if waits:
            _, pending = await asyncio.wait(waits, timeout=STOP_SECONDS)
            for process in running:
                if process.returncode is None:
                    _signal(process.pid, signal.SIGKILL)
            if pending:
                await asyncio.wait(pending)
        self._started.clear()


def _without_what_is_meant_for_another() -> dict[str, str]:
    """The environment without settings of another daemon and without systemd's variables for the demo itself."""
    return {name: value for name, value in os.environ.items() if not name.startswith("MUSIGD_") and name not in _UNIT}


def _signal(pid: int, number: signal.Signals) -> None:
    """Send a signal. Not through asyncio's process, which would reap a child that just died before its waiter does."""
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def _end_of(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1] if lines else "it printed nothing"
