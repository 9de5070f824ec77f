"""Notices that this host has moved to another network: its connections are dead, and its addresses are others."""

from __future__ import annotations

from collections.abc import Callable

import trio

from p2p.announce import own_hosts
from p2p.compat.tcp import OpenSockets

LOOK_S = 3.0


class Moves:
    """`moved()` is called when the addresses of this host are others than before."""

    def __init__(self, opened: OpenSockets, moved: Callable[[], None]) -> None:
        self._opened = opened
        self._moved = moved
        self._hosts = own_hosts()

    async def run(self) -> None:
        """Look every three seconds, for as long as the node runs."""
        while True:
            await trio.sleep(LOOK_S)
            gone = self._opened.close_gone()
            hosts = own_hosts()
            if gone or hosts != self._hosts:
                self._hosts = hosts
                self._moved()
