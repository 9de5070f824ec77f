"""Frames that say they are as long as a frame can be, of which nothing comes, or a little, or as much as is taken.

Many connections at a time, from more ranges than there are places: whoever is not known holds its place with that.
"""

from __future__ import annotations

import trio

from tests.adversary.hostile import Crew, Hostile
from tests.adversary.websockets import BINARY, below, opening

WEBSOCKET = True
CONNECTIONS = 120
LONGEST = 2**63 - 1
CHUNK = bytes(16_384)


async def attack(crew: Crew) -> None:
    await crew.ready()

    async def stay(peer: Hostile) -> None:
        websocket = below(peer.connection)
        await websocket.raw.send_all(opening(BINARY, LONGEST))
        crew.counted["frames"] += 1
        kind = crew.counted["frames"] % 3
        while True:
            if kind == 0:
                await trio.sleep(1)
                await websocket.raw.send_all(b"\x00")
            elif kind == 1:
                await websocket.raw.send_all(CHUNK)
                crew.counted["KiB"] += len(CHUNK) // 1024
            else:
                while await websocket.raw.receive_some(4_096):
                    pass
                raise ConnectionError("sent away")

    await crew.all(stay, CONNECTIONS, websocket=True)
