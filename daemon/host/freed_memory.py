"""Memory that the C library keeps after it was freed, which counts as the daemon's until it is given back."""

from __future__ import annotations

import ctypes


def give_back() -> None:
    """Give back to the system what was freed so far; takes less than a millisecond. Nothing where only glibc could."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
