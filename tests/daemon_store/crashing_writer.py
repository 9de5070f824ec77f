"""Writes events as fast as possible and prints which are acknowledged as stored, until it is killed."""

from __future__ import annotations

import asyncio
import sqlite3
import sys
from pathlib import Path

from daemon.clock import SystemClock
from daemon.events import EventLog, last_seq
from daemon.store import Store


async def main(path: Path) -> None:
    store = Store.open(path)
    log = EventLog(store=store, clock=SystemClock())
    await log.start()

    def tick(conn: sqlite3.Connection) -> int:
        log.append(conn, "tick", {"pad": "x" * 300})
        return last_seq(conn)

    while True:
        seqs = await asyncio.gather(*(store.write(tick) for _ in range(20)))
        print(seqs[-1], flush=True)


asyncio.run(main(Path(sys.argv[1])))
