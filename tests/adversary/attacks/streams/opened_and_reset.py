"""Streams that are opened and closed again at once, as fast as the connection takes them."""

from __future__ import annotations

from tests.adversary.hostile import Crew, Hostile

NAMES = ("session", "directory", "kad")


async def attack(crew: Crew) -> None:
    await crew.ready()

    async def open_and_reset(peer: Hostile) -> None:
        while True:
            for name in NAMES:
                stream = await peer.stream(name, swallow=False)
                await stream.reset()
                crew.counted["streams"] += 1

    await crew.all(open_and_reset)
