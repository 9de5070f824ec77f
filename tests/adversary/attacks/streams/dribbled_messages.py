"""Small encrypted messages one after the other, each of which wakes the reader of its connection."""

from __future__ import annotations

import struct

import trio

from tests.adversary.hostile import Crew, Hostile

WINDOW_UPDATE = struct.pack("!BBHII", 0, 1, 0, 1_000_001, 0)  # of a stream that does not exist
EVERY_S = 0.001


async def attack(crew: Crew) -> None:
    await crew.ready()

    async def dribble(peer: Hostile) -> None:
        while True:
            await peer.connection.secured_conn.write(WINDOW_UPDATE)
            crew.counted["messages"] += 1
            await trio.sleep(EVERY_S)

    await crew.all(dribble)
