"""One open request, and endless joins of its creator: with new times, for every attempt, through any peer."""

from __future__ import annotations

from itertools import cycle

from tests.adversary.forge import Forge
from tests.adversary.hostile import Crew, Hostile

AT_ONCE = 50
ATTEMPTS = (1, 2, 3, 4, 5)


async def attack(crew: Crew) -> None:
    forge = Forge(crew.target, crew.random)
    await crew.ready()

    async def join(peer: Hostile) -> None:
        stream = await peer.stream("session")
        while True:
            creator = forge.key()
            request = forge.request(creator)
            attempts = cycle(ATTEMPTS)
            joins = (forge.join(request.id, creator, forge.identity(), next(attempts)) for _ in range(AT_ONCE))
            await crew.flood(stream, (forge.frame(request), *map(forge.frame, joins)))

    await crew.all(join)
