"""The longest pings, pongs and empty messages without end; every other peer does not read the answers."""

from __future__ import annotations

from itertools import cycle

import trio

from tests.adversary.hostile import Crew, Hostile
from tests.adversary.websockets import BINARY, PING, PONG, below, opening

WEBSOCKET = True
AT_ONCE = 500
FLOODS = (
    (opening(PING, 125) + bytes(125)) * AT_ONCE,
    opening(PING, 0) * AT_ONCE,
    opening(PONG, 0) * AT_ONCE,
    opening(BINARY, 0) * AT_ONCE,
)


async def attack(crew: Crew) -> None:
    await crew.ready()

    async def flood(peer: Hostile) -> None:
        websocket = below(peer.connection)
        crew.counted["flooding"] += 1
        if crew.counted["flooding"] % 2:
            peer.connection.secured_conn.read = trio.sleep_forever
        for frames in cycle(FLOODS):
            await websocket.raw.send_all(frames)
            crew.counted["frames"] += AT_ONCE

    await crew.all(flood, 2 * crew.count, websocket=True)
