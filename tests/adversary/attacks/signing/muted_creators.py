"""Creators whom the victim has muted, and who go on asking."""

from __future__ import annotations

from tests.adversary.forge import Forge
from tests.adversary.hostile import Crew, Hostile

AT_ONCE = 50


async def attack(crew: Crew) -> None:
    forge = Forge(crew.target, crew.random)
    creators = [forge.key() for _ in range(crew.count)]
    left = list(creators)
    await crew.ready(mute=[creator.pubkey.hex() for creator in creators])

    async def ask(peer: Hostile) -> None:
        stream, creator = await peer.stream("session"), left.pop() if left else crew.random.choice(creators)
        while True:
            await crew.flood(stream, [forge.frame(forge.request(creator)) for _ in range(AT_ONCE)])

    await crew.all(ask)
