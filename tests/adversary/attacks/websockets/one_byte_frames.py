"""Frames of one byte: each byte of the multiplexer's is a message, or a fragment with an empty one behind it."""

from __future__ import annotations

import struct

from tests.adversary.hostile import Crew, Hostile
from tests.adversary.websockets import below, bytewise, fragments

WEBSOCKET = True
WINDOW_UPDATE = struct.pack("!BBHII", 0, 1, 0, 1_000_001, 0)  # of a stream that does not exist
AT_ONCE = 20


async def attack(crew: Crew) -> None:
    await crew.ready()

    async def dribble(peer: Hostile) -> None:
        below(peer.connection).dress = crew.random.choice((bytewise, bytewise, fragments))
        while True:
            await peer.connection.secured_conn.write(WINDOW_UPDATE * AT_ONCE)
            crew.counted["messages"] += 1

    await crew.all(dribble, 2 * crew.count, websocket=True)
