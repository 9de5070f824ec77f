"""How long a start takes until the daemon is ready, what it holds when idle, how long a command line takes."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path

from daemon.demo.processes import Daemons
from tests.bench.harness import Case, Figure, Sample, Take
from tests.bench.signing_parts import TICKS

SETTLE_S = 3
LIBRARIES = "import asyncio, sqlite3, ssl, aiohttp.web, pydantic, trio, cryptography.hazmat.bindings._rust"


def resident_mib(pid: int) -> float:
    """Resident memory of a process, from /proc."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS:"))


def cpu_s(pid: int) -> float:
    """Processor seconds of a process so far, all threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


async def seconds_of(command: Sequence[str]) -> float:
    """How long a command takes, which has to succeed."""
    begun = time.perf_counter()
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.DEVNULL)
    assert await process.wait() == 0, command
    return time.perf_counter() - begun


@asynccontextmanager
async def _starts(folder: Path, small: bool) -> AsyncIterator[Take]:
    numbers = count()

    async def take() -> Sample:
        libraries = await seconds_of([sys.executable, "-c", LIBRARIES])
        root = folder / f"start{next(numbers)}"
        root.mkdir()
        daemons = Daemons(root, "bench")
        try:
            begun = time.perf_counter()
            daemon = await daemons.start("alice", ())
            ready, cpu = time.perf_counter() - begun, cpu_s(daemon.process.pid)
            await asyncio.sleep(0 if small else SETTLE_S)
            idle = resident_mib(daemon.process.pid)
        finally:
            await daemons.stop()
        return {
            "ready": ready,
            "ready, beside its libraries": ready,
            "libraries": libraries,
            "processor until ready": cpu,
            "memory when idle": idle,
        }

    yield take


@asynccontextmanager
async def _command_line(folder: Path, small: bool) -> AsyncIterator[Take]:
    daemons = Daemons(folder, "bench")
    try:
        daemon = await daemons.start("alice", ())
        words = [sys.executable, "-m", "rpc.cli", "--datadir", str(daemon.datadir), "getInfo"]

        async def take() -> Sample:
            python = 1000 * await seconds_of([sys.executable, "-c", "import asyncio, json, argparse"])
            return {"musig-cli getInfo": 1000 * await seconds_of(words), "python": python}

        yield take
    finally:
        await daemons.stop()


CASES = (
    Case(
        "start",
        "`musigd run` in a new data directory; the floor loads aiohttp, trio, pydantic, sqlite3, ssl, and nothing else",
        (
            Figure("ready, beside its libraries", "s", "libraries"),
            Figure("ready", "s", aim=1.0),
            Figure("processor until ready", "s"),
            Figure("memory when idle", "MiB", aim=90),
        ),
        _starts,
        pairs=7,
    ),
    Case(
        "start-cli",
        "`musig-cli getInfo`; the floor is a Python that loads asyncio, json, argparse",
        (Figure("musig-cli getInfo", "ms", aim=150), Figure("python", "ms")),
        _command_line,
        pairs=15,
    ),
)
