"""Reads of a connection before it is known who is at the other end: a few at once, then one each 20 ms.

Nobody can be charged for them yet but the handshake itself, of which 8 a second are begun beside a session. An honest
one takes a dozen reads. Whoever sends each byte for itself would wake this process thousands of times in the three
seconds that it has; so what comes meanwhile gathers in the kernel, and is read at once.
"""

from __future__ import annotations

import trio

AT_ONCE = 32
PAUSE_S = 0.02


class EarlyReads:
    """Of one connection. `over`: its peer is known, and charged for each read."""

    def __init__(self) -> None:
        self.over = False
        self._left = AT_ONCE

    async def turn(self) -> None:
        """Return when the next read may be made."""
        if self.over:
            return
        if self._left:
            self._left -= 1
        else:
            await trio.sleep(PAUSE_S)
