"""Memory that nothing needs any more: what the C library keeps after it was freed, and garbage in cycles.

The collector of the latter stops every thread while it looks. By default it looks at all objects whenever there are
a quarter more of them. While strangers bring requests that are kept, that is often, and a signature that is under
way then waits for 35 ms and more. Here what has been looked at once is set aside. It is still freed when nothing
refers to it any more; only cycles that come apart later are not, so all of it is looked at once in a while, when
nothing is being signed.
"""

from __future__ import annotations

import ctypes
import gc
from typing import Any, Final

THRESHOLDS: Final = (700, 5, 5)  # 20,000 new objects are looked at in one go, in a few milliseconds
DUE: Final = 16  # collections after which enough was set aside to look at all again
OVERDUE: Final = 8 * DUE  # also while something is signed


def give_back() -> None:
    """Give back to the system what the C library keeps of what was freed; it takes less than a millisecond.

    Nothing where there is no glibc, which alone can.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


class Garbage:
    """The collector of this process."""

    def __init__(self) -> None:
        self.aside = 0  # collections since all was looked at, each of which set aside what it left

    def begin(self) -> None:
        """Collect garbage from here on, and never look again at what is there now, until `tidy`."""
        gc.freeze()
        gc.set_threshold(*THRESHOLDS)
        gc.callbacks.append(self._collected)
        gc.enable()

    def _collected(self, phase: str, info: dict[str, Any]) -> None:
        if phase == "stop" and info["generation"] == len(THRESHOLDS) - 1:
            gc.freeze()
            self.aside += 1

    def tidy(self, *, calm: bool) -> bool:
        """Look at everything if that is due: 100 ms in which nothing else runs. `calm`: nothing is being signed."""
        if self.aside < (DUE if calm else OVERDUE):
            return False
        gc.unfreeze()
        gc.collect()  # sets aside again what is left
        self.aside = 0
        return True


GARBAGE = Garbage()
