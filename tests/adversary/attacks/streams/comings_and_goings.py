"""Peers that connect, open their streams, and leave at once to come again under new names."""

from __future__ import annotations

from tests.adversary.hostile import Crew, Hostile

AT_ONCE = 4  # from each address


async def attack(crew: Crew) -> None:
    await crew.ready()

    async def come_and_go(peer: Hostile) -> None:
        for name in ("session", "directory"):
            await peer.stream(name)
        crew.counted["visits"] += 1
        raise ConnectionError("enough")

    await crew.all(come_and_go, AT_ONCE * crew.count)
