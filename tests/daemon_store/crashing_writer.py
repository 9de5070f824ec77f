"""A process that writes events as fast as it can and says which ones it was told are stored, until it is killed."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from daemon.clock import SystemClock
from daemon.events import EventLog
from daemon.store import Store


async def main(path: Path) -> None:
    store = Store.open(path)
    log = EventLog(store=store, clock=SystemClock())
    await log.start()
    while True:
        events = await asyncio.gather(
            *(store.write(lambda conn: log.append(conn, "tick", {"pad": "x" * 300})) for _ in range(20))
        )
        print(events[-1].seq, flush=True)


asyncio.run(main(Path(sys.argv[1])))
