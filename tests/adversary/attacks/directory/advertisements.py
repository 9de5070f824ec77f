"""Pushes of genuine advertisements of fresh keys, 50 at a time."""

from __future__ import annotations

from itertools import count

from musig2.protocol.wire.sync import Push
from tests.adversary.attacks.directory import answered
from tests.adversary.forge import Forge
from tests.adversary.hostile import Crew, Hostile

AT_ONCE = 50


async def attack(crew: Crew) -> None:
    forge = Forge(crew.target, crew.random)
    await crew.ready()

    async def push(peer: Hostile) -> None:
        stream = await peer.stream("directory", swallow=False)
        for number in count(1):
            made = [forge.advertisement(forge.key(), peer.identity) for _ in range(AT_ONCE)]
            await answered(stream, number, Push(tuple((ad.envelope, entry.envelope) for ad, entry in made)))
            crew.counted["sent"] += AT_ONCE

    await crew.all(push)
