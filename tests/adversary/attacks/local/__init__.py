"""Attacks by other programs on the host, and pages in its browser, that have no token."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

import trio

from tests.adversary.hostile import Crew

PAUSE_S = 0.02


async def callers(crew: Crew, count: int, act: Callable[[trio.SocketStream], Awaitable[None]]) -> None:
    """So many bare sockets to where clients call; one that is closed is opened again."""
    there = urlsplit(crew.target.rpc)
    assert there.hostname is not None
    assert there.port is not None
    host, port = there.hostname, there.port

    async def again() -> None:
        while True:
            crew.counted["sockets"] += 1
            try:
                async with await trio.open_tcp_stream(host, port) as stream:
                    await act(stream)
            except (OSError, trio.BrokenResourceError):
                crew.counted["closed"] += 1
            await trio.sleep(PAUSE_S)

    async with trio.open_nursery() as nursery:
        for _ in range(count):
            nursery.start_soon(again)
