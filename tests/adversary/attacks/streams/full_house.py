"""As many connections as the victim accepts, from many ranges, each kept open without use."""

from __future__ import annotations

from tests.adversary.hostile import Crew, Hostile

CONNECTIONS = 300


async def attack(crew: Crew) -> None:
    await crew.ready()

    async def stay(peer: Hostile) -> None:
        stream = await peer.stream("session", swallow=False)
        crew.counted["connections"] += 1
        try:
            while await stream.read(4_096):
                pass
        finally:
            crew.counted["connections"] -= 1
        raise ConnectionError("sent away")

    await crew.all(stay, CONNECTIONS)
