"""Upgrades that are begun and never finished, from more ranges than there are places: a header now and then."""

from __future__ import annotations

import trio

from tests.adversary.attacks.websockets import sockets
from tests.adversary.hostile import Crew
from tests.adversary.websockets import HEAD

WEBSOCKET = True
RANGES, EACH = 300, 2
EVERY_S = 0.5


async def attack(crew: Crew) -> None:
    await crew.ready()

    async def crawl(stream: trio.SocketStream) -> None:
        await stream.send_all(HEAD)
        while True:
            await trio.sleep(EVERY_S)
            await stream.send_all(b"X-Header: y\r\n")
            crew.counted["headers"] += 1

    await sockets(crew, EACH, crawl, RANGES)
