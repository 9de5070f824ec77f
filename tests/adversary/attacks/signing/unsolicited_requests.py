"""Peers fill the room for requests that nobody has joined: each brings 1,000 valid ones of a fresh key."""

from __future__ import annotations

import trio

from tests.adversary.forge import Forge
from tests.adversary.hostile import Crew, Hostile

EACH = 1_000


async def attack(crew: Crew) -> None:
    forge = Forge(crew.target, crew.random)
    batches = [
        [forge.frame(forge.request(key)) for _ in range(EACH)] for key in [forge.key() for _ in range(crew.count)]
    ]
    await crew.ready()

    async def bring(peer: Hostile) -> None:
        if batches:
            await crew.flood(await peer.stream("session"), batches.pop())
        await trio.sleep_forever()

    await crew.all(bring)
