"""Requests of 100 keys with the joins of 99 of them: one signature short of work for 100, and never completed."""

from __future__ import annotations

import trio

from tests.adversary.forge import Forge
from tests.adversary.hostile import Crew, Hostile

REQUESTS, OTHERS = 60, 99


async def attack(crew: Crew) -> None:
    forge = Forge(crew.target, crew.random)
    secrets, identity = [forge.key() for _ in range(OTHERS)], forge.identity()
    frames: list[list[bytes]] = []
    for _ in range(REQUESTS):
        signed = forge.request(secrets[0], [secret.pubkey for secret in secrets])
        joins = (forge.join(signed.id, secret, identity) for secret in secrets)
        frames.append([forge.frame(signed), *map(forge.frame, joins)])
    await crew.ready()

    async def bring(peer: Hostile) -> None:
        stream = await peer.stream("session")
        while frames:
            await crew.flood(stream, frames.pop())
        await trio.sleep_forever()

    await crew.all(bring)
