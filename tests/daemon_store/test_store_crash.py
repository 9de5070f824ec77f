"""kill -9 in the middle of writing: every acknowledged event is stored, without a gap."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

import pytest

from daemon.clock import SystemClock
from daemon.events import EventLog
from daemon.store import Store
from daemon.store.connection import inspect

pytestmark = pytest.mark.network
WRITER = Path(__file__).with_name("crashing_writer.py")


async def killed_after(path: Path, lines: int) -> int:
    """Run the writer, kill it after some acknowledgements, return the last seq it was told."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(WRITER), str(path), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    told = 0
    async with asyncio.timeout(180):
        for _ in range(lines):
            told = int(await process.stdout.readline())
        process.send_signal(signal.SIGKILL)
        rest = await process.stdout.read()
        await process.wait()
    whole = rest.decode().split("\n")[:-1]  # the last piece may be half a line
    return int(whole[-1]) if whole else told


async def test_acknowledged_events_survive_kill_9_without_a_gap(tmp_path: Path) -> None:
    path = tmp_path / "musigd.sqlite3"
    for lines in (1, 7, 60):
        told = await killed_after(path, lines)
        assert inspect(path, full=True).version >= 1
        store = Store.open(path)
        log = EventLog(store=store, clock=SystemClock())
        await log.start()
        seqs = store.read(lambda conn: [row[0] for row in conn.execute("SELECT seq FROM events ORDER BY seq")])
        assert seqs == list(range(1, len(seqs) + 1))
        assert len(seqs) >= told
        assert log.next_seq == len(seqs) + 1
        await store.close()
