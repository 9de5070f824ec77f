"""One peer brings 3,000 valid requests at once."""

from __future__ import annotations

import trio

from tests.adversary.forge import Forge
from tests.adversary.hostile import Crew, Hostile

COUNT = 3_000


async def attack(crew: Crew) -> None:
    forge = Forge(crew.target, crew.random)
    creator = forge.key()
    frames = [forge.frame(forge.request(creator)) for _ in range(COUNT)]
    await crew.ready()

    async def bring(peer: Hostile) -> None:
        await crew.flood(await peer.stream("session"), frames)
        await trio.sleep_forever()

    await crew.all(bring, 1)
