"""What a long audit log takes: to export and verify it beside a daemon, and to have the daemon verify it."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any

from tests.bench.cases.start import resident_mib
from tests.bench.harness import Case, Figure, Sample, Take

LINES = 1_000_000
AT_ONCE = 10_000


async def _fill(database: Path, lines: int) -> None:
    """Add so many lines, as those of partial signatures are, while no daemon runs."""
    from daemon.audit.log import AuditLog
    from daemon.clock import SystemClock
    from daemon.store import Store

    store, audit = Store.open(database), AuditLog(SystemClock())
    try:
        for start in range(0, lines, AT_ONCE):
            some = [("partial", facts) for facts in _facts(start, min(lines, start + AT_ONCE))]
            await store.write(lambda conn, some=some: audit.append_all(conn, some))
    finally:
        await store.close()


def _facts(start: int, end: int) -> Iterator[dict[str, object]]:
    for number in range(start, end):
        ids = {"publicKey": f"02{number:064x}", "requestId": f"{number:064x}", "sessionId": f"{number:064x}"}
        yield {**ids, "attempt": 1, "items": 1, "rule": "daily", "line": 12, "verdict": "join", "amount": 5_000}


async def _run(*arguments: str) -> tuple[float, float]:
    """Seconds and most resident memory (MiB) of a command, which has to succeed."""
    begun = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-P", "-m", "daemon.main", "audit", *arguments, stdout=asyncio.subprocess.DEVNULL
    )
    most = 0.0
    while process.returncode is None:
        with suppress(OSError, StopIteration):  # it has just ended
            most = max(most, resident_mib(process.pid))
        with suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), 0.05)
    assert process.returncode == 0, arguments
    return time.perf_counter() - begun, most


@asynccontextmanager
async def _long(folder: Path, small: bool) -> AsyncIterator[Take]:
    from config.locations import DATABASE_NAME
    from tests.e2e.vessels import Vessel

    numbers, vessel = count(), Vessel(folder, "alice", "test-audit")
    async with AsyncExitStack() as stack:
        stack.push_async_callback(vessel.close)
        await vessel.start()
        vessel.send(signal.SIGTERM)
        await vessel.ended()
        await _fill(vessel.datadir / DATABASE_NAME, LINES // 50 if small else LINES)
        await vessel.start()
        await vessel.open_wallet()

        async def longest(until: asyncio.Future[Any]) -> float:
            most = 0.0
            while not until.done():
                begun = time.perf_counter()
                await vessel.wallet.call("getInfo")
                most = max(most, time.perf_counter() - begun)
                await asyncio.sleep(0.01)
            return most * 1000

        async def take() -> Sample:
            assert vessel.process is not None
            file = folder / f"record{next(numbers)}.jsonl"
            before = resident_mib(vessel.process.pid)
            exporting = asyncio.ensure_future(_run("export", str(file), "--datadir", str(vessel.datadir)))
            beside_export = await longest(exporting)
            verifying = asyncio.ensure_future(vessel.wallet.call("verifyAuditLog"))
            begun = time.perf_counter()
            beside_verify = await longest(verifying)
            asked = time.perf_counter() - begun
            assert (await verifying)["valid"]
            grown = resident_mib(vessel.process.pid) - before
            checked = await _run("verify", str(file))
            size = file.stat().st_size / 2**20
            file.unlink()
            exported = await exporting
            return {
                "export": exported[0],
                "memory of the export": exported[1],
                "size of the file": size,
                "verify the file": checked[0],
                "memory of the verification": checked[1],
                "verifyAuditLog": asked,
                "growth of the daemon": grown,
                "longest call beside the export": beside_export,
                "longest call beside verifyAuditLog": beside_verify,
            }

        yield take


CASES = (
    Case(
        "audit-export",
        f"an audit log of {LINES:,} lines",
        (
            Figure("export", "s"),
            Figure("memory of the export", "MiB", aim=100),
            Figure("size of the file", "MiB"),
            Figure("verify the file", "s"),
            Figure("memory of the verification", "MiB", aim=100),
            Figure("verifyAuditLog", "s"),
            Figure("growth of the daemon", "MiB", aim=32),
            Figure("longest call beside the export", "ms"),
            Figure("longest call beside verifyAuditLog", "ms"),
        ),
        _long,
        pairs=3,
        warmup=0,
    ),
)
