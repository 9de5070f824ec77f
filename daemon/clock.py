"""What tells the time: two ports, and the one class that reads the system's clocks. Integer milliseconds everywhere."""

from __future__ import annotations

import time
from typing import Protocol


class WallClock(Protocol):
    """Dates things. It may jump, also backwards."""

    def wall_ms(self) -> int:
        """Milliseconds since 1970."""


class Clock(WallClock, Protocol):
    """Dates things and measures between them."""

    def mono_ms(self) -> int:
        """Milliseconds since some moment; never jumps."""


class SystemClock:
    """The clocks of this machine."""

    def wall_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def mono_ms(self) -> int:
        return time.monotonic_ns() // 1_000_000
