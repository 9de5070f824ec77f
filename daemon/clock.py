"""Clocks: two ports, and the only class that reads the system's clocks. Integer milliseconds everywhere."""

from __future__ import annotations

import time
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple, Protocol


class WallClock(Protocol):
    """Wall clock time. It may jump, also backwards."""

    def wall_ms(self) -> int:
        """Milliseconds since 1970."""


class Clock(WallClock, Protocol):
    """Wall clock time, and a monotonic clock to measure durations."""

    def mono_ms(self) -> int:
        """Milliseconds since an arbitrary moment; never jumps."""


class SystemClock:
    """The clocks of this machine."""

    def wall_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def mono_ms(self) -> int:
        return time.monotonic_ns() // 1_000_000


BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")  # of Linux


class SinceBoot(NamedTuple):
    """How long this machine has run, sleep included. `boot` names the boot; "" where the system has no name for it."""

    boot: str
    ms: int


def since_boot() -> SinceBoot:
    """By this, time goes on between one process and the next, whatever the wall clock does meanwhile."""
    if not hasattr(time, "CLOCK_BOOTTIME"):
        return SinceBoot("", time.monotonic_ns() // 1_000_000)
    return SinceBoot(_boot(), time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000)


@cache
def _boot() -> str:
    try:
        return BOOT_ID.read_text("ascii").strip()
    except OSError:
        return ""
