"""The one place that reads the time."""

from __future__ import annotations

import time


class Clock:
    """Wall time may jump and dates things; monotonic time never jumps and measures. Both in integer milliseconds."""

    def wall_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def mono_ms(self) -> int:
        return time.monotonic_ns() // 1_000_000
