"""The swarm's connection, whose end is reported at once.

The library waits 100 ms before it reports a lost connection, and after each one that it closes.
"""

from __future__ import annotations

from typing import Any

import trio
from libp2p.network.connection import swarm_connection
from libp2p.network.connection.swarm_connection import SwarmConn

from p2p.compat.yamux import QuietYamux

SETTLE_S = 30.0
USES = (["session"], ["directory"])  # the last part but one of the protocol names


class PromptConn(SwarmConn):
    """Ends its streams and reports it; the muxed connection below is closed already, or closes itself."""

    muxed_conn: QuietYamux  # our upgrader makes no other

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.since = trio.current_time()

    def is_useless(self, now: float) -> bool:
        """True if it has been open for half a minute and is used neither for signing nor for the directory."""
        names = [str(stream.get_protocol() or "").split("/")[-2:-1] for stream in self.streams]
        return not self.is_closed and now - self.since > SETTLE_S and not any(name in USES for name in names)

    async def _handle_muxed_stream(self, muxed_stream: Any) -> None:
        try:
            await super()._handle_muxed_stream(muxed_stream)
        finally:
            self.muxed_conn.release(muxed_stream)

    async def _cleanup(self) -> None:
        self.swarm.remove_conn(self)
        await self.muxed_conn.close()
        for stream in self.streams.copy():
            await stream.reset()
        await trio.lowlevel.checkpoint()
        await self._notify_disconnected()


swarm_connection.SwarmConn = PromptConn  # type: ignore[misc] # the swarm takes the class by this name
