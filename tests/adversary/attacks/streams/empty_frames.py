"""Frames of the multiplexer without content: pings, window updates, resets of streams that do not exist."""

from __future__ import annotations

import struct

from tests.adversary.hostile import Crew, Hostile

DATA, WINDOW_UPDATE, PING = range(3)
SYN, RST = 1, 8
FRAMES = (
    struct.pack("!BBHII", 0, PING, SYN, 0, 7),
    struct.pack("!BBHII", 0, WINDOW_UPDATE, 0, 1_000_001, 1),
    struct.pack("!BBHII", 0, DATA, 0, 1_000_001, 0),
    struct.pack("!BBHII", 0, WINDOW_UPDATE, RST, 1_000_001, 0),
    struct.pack("!BBHII", 0, WINDOW_UPDATE, SYN, 1_000_003, 0) + struct.pack("!BBHII", 0, DATA, RST, 1_000_003, 0),
)
AT_ONCE = 900  # in one encrypted message


async def attack(crew: Crew) -> None:
    await crew.ready()
    floods = [frame * AT_ONCE for frame in FRAMES]

    async def flood(peer: Hostile) -> None:
        while True:
            for frames in floods:
                await peer.connection.secured_conn.write(frames)
                crew.counted["frames"] += AT_ONCE

    await crew.all(flood)
