"""Pushes of half a megabyte: statements with damaged signatures, or no statements at all."""

from __future__ import annotations

from itertools import count

from musig2.protocol.wire.sync import Push
from tests.adversary.attacks.directory import answered
from tests.adversary.forge import Forge
from tests.adversary.hostile import Crew, Hostile

GENUINE, AT_ONCE = 400, 500


async def attack(crew: Crew) -> None:
    forge, chance = Forge(crew.target, crew.random), crew.random
    made = [forge.advertisement(forge.key(), forge.identity()) for _ in range(GENUINE)]
    damaged = tuple((ad.envelope[:-1] + b"\x00", entry.envelope) for ad, entry in made)
    rubbish = tuple((chance.randbytes(900), None) for _ in range(AT_ONCE))
    await crew.ready()

    async def push(peer: Hostile) -> None:
        stream = await peer.stream("directory", swallow=False)
        for number in count(1):
            await answered(stream, number, Push(damaged if number % 2 else rubbish))
            crew.counted["sent"] += 1

    await crew.all(push)
