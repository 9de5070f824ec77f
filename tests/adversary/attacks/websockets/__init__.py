"""Attacks over WebSockets, which any page in a browser can open, and on the sockets below."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

import trio

from tests.adversary.hostile import Crew

PAUSE_S = 0.02


async def sockets(crew: Crew, each: int, act: Callable[[trio.SocketStream], Awaitable[None]], ranges: int = 0) -> None:
    """So many bare sockets of each peer to the port of WebSockets; one that is closed is opened again.

    `ranges`: from so many ranges, instead of one for each peer.
    """

    async def again(address: str) -> None:
        while True:
            crew.counted["sockets"] += 1
            try:
                stream = await trio.open_tcp_stream(crew.target.host, crew.target.websocket, local_address=address)
                async with stream:
                    await act(stream)
            except (OSError, trio.BrokenResourceError):
                crew.counted["closed"] += 1
            await trio.sleep(PAUSE_S)

    async with trio.open_nursery() as nursery:
        for index in range(ranges or crew.count):
            for _ in range(each):
                nursery.start_soon(partial(again, crew.address(index)))
