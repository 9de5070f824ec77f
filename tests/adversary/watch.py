"""Watches the victim from outside: processor time, memory, and how long /livez takes."""

from __future__ import annotations

import asyncio
import resource
import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urljoin

import aiohttp

from daemon.demo.processes import DemoDaemon
from tests.bench.signing_parts import TICKS

EVERY_S = 0.1
LONGEST_S = 60
PAGE_KIB = resource.getpagesize() // 1024


@dataclass(slots=True)
class Seen:
    """What was measured in one span of time. Memory in MiB above the value at its beginning."""

    seconds: float = 0.0
    cpu_s: float = 0.0
    growth: float = 0.0
    kernel: float = 0.0  # of all TCP connections of the machine
    livez_s: list[float] = field(default_factory=list)


class Watch:
    """Follows one daemon until the block ends."""

    def __init__(self, pid: int, rpc: str) -> None:
        self._pid = pid
        self._livez = urljoin(rpc, "/livez")

    @classmethod
    def of(cls, daemon: DemoDaemon) -> Watch:
        return cls(daemon.process.pid, str(daemon.endpoint["rpc"]))

    def cpu_s(self) -> float:
        """Processor seconds so far, all threads."""
        fields = Path(f"/proc/{self._pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def resident(self) -> float:
        """MiB in memory."""
        lines = Path(f"/proc/{self._pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024

    @staticmethod
    def in_kernel() -> float:
        """MiB of what waits in the kernel, in all TCP connections of this namespace."""
        line = next(line for line in Path("/proc/net/sockstat").read_text().splitlines() if line.startswith("TCP:"))
        return int(line.split()[-1]) * PAGE_KIB / 1024

    async def follow(self, seen: Seen, stop: asyncio.Event) -> None:
        """Fill `seen` until `stop`; ConnectionError when the daemon is gone."""
        began, cpu, memory = time.monotonic(), self.cpu_s(), self.resident()
        held = self.in_kernel()
        timeout = aiohttp.ClientTimeout(total=LONGEST_S)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            while not stop.is_set():
                asked = time.monotonic()
                try:
                    async with session.get(self._livez) as response:
                        await response.read()
                except TimeoutError:
                    pass
                seen.livez_s.append(time.monotonic() - asked)
                seen.growth = max(seen.growth, self.resident() - memory)
                seen.kernel = max(seen.kernel, self.in_kernel() - held)
                await asyncio.sleep(EVERY_S)
        seen.seconds, seen.cpu_s = time.monotonic() - began, self.cpu_s() - cpu
