"""Clocks: two ports, and the only class that reads the system's clocks. Integer milliseconds everywhere."""

from __future__ import annotations

import time
from typing import Protocol


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
