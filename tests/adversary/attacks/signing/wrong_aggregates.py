"""Requests of 100 keys that were never seen, each with an aggregate that does not follow from them."""

from __future__ import annotations

from tests.adversary.forge import Forge
from tests.adversary.hostile import Crew, Hostile

COUNT, POOL, KEYS = 600, 2_000, 98


async def attack(crew: Crew) -> None:
    forge = Forge(crew.target, crew.random)
    pool, creator = forge.pubkeys(POOL), forge.key()
    wrong = pool[0]
    frames = [forge.frame(forge.request(creator, crew.random.sample(pool, KEYS), agg=wrong)) for _ in range(COUNT)]
    await crew.ready()

    async def bring(peer: Hostile) -> None:
        stream = await peer.stream("session")
        while frames:
            await crew.flood(stream, [frames.pop() for _ in range(min(20, len(frames)))])
        while True:  # what was refused once is sent again
            await crew.flood(stream, (forge.frame(forge.request(creator, crew.random.sample(pool, KEYS), agg=wrong)),))

    await crew.all(bring)
