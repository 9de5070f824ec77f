"""Requests of a hundred items, each an input of a transaction that is shown and has to be held against it."""

from __future__ import annotations

from tests.adversary.forge import Forge
from tests.adversary.hostile import Crew, Hostile

PREPARED = 40


async def attack(crew: Crew) -> None:
    forge = Forge(crew.target, crew.random)
    frames = [forge.frame(forge.shown_request(forge.key())) for _ in range(PREPARED)]
    await crew.ready()

    async def bring(peer: Hostile) -> None:
        stream = await peer.stream("session")
        while frames:
            await crew.flood(stream, [frames.pop()])
        while True:
            await crew.flood(stream, [forge.frame(forge.shown_request(forge.key()))])

    await crew.all(bring)
