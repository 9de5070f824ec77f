"""How long `musigd run` takes until it is ready, and how much memory it holds when idle: `make bench-start`."""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path

from daemon.demo.processes import Daemons

RUNS = 5
SETTLE_SECONDS = 5


def resident_mib(pid: int) -> float:
    """Resident memory of a process, from /proc."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("no VmRSS in /proc: this benchmark needs Linux")


async def one_start(root: Path) -> tuple[float, float]:
    """Seconds until ready, and MiB resident some seconds later."""
    daemons = Daemons(root, "bench")
    try:
        begin = time.perf_counter()
        daemon = await daemons.start("Alice", ())
        seconds = time.perf_counter() - begin
        await asyncio.sleep(SETTLE_SECONDS)
        return seconds, resident_mib(daemon.process.pid)
    finally:
        await daemons.stop()


def main() -> int:
    """Print the medians of several starts, each in a new data directory."""
    found = []
    for _ in range(RUNS):
        with tempfile.TemporaryDirectory() as root:
            found.append(asyncio.run(one_start(Path(root))))
    seconds, memory = (statistics.median(column) for column in zip(*found, strict=True))
    sys.stdout.write(f"ready after {seconds:.2f} s, {memory:.0f} MiB resident when idle (medians of {RUNS} starts)\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
