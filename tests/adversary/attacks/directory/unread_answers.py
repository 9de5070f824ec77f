"""Peers that ask for the largest answers of the directory, which they filled before, and read none of them."""

from __future__ import annotations

from itertools import count

from musig2.protocol.wire.frame_codec import with_length
from musig2.protocol.wire.sync import MAX_IDS, LogPage, Push, Since
from tests.adversary.attacks.directory import answered, question
from tests.adversary.forge import Forge
from tests.adversary.hostile import Crew, Hostile

BEFORE, AT_ONCE = 10, 50
PEERS = 5  # from each address


async def attack(crew: Crew) -> None:
    forge = Forge(crew.target, crew.random)
    pushes = []
    for _ in range(BEFORE):
        made = [forge.advertisement(forge.key(), forge.identity()) for _ in range(AT_ONCE)]
        pushes.append(Push(tuple((ad.envelope, entry.envelope) for ad, entry in made)))
    await crew.ready()

    async def ask(peer: Hostile) -> None:
        stream = await peer.stream("directory", swallow=False)
        if pushes:
            await answered(stream, 0, pushes.pop())
        for number in count(1):
            await stream.write(with_length(question(number, LogPage(bytes(16), 0, MAX_IDS))))
            await stream.write(with_length(question(number + 2**20, Since(bytes(16), 0, MAX_IDS))))
            crew.counted["sent"] += 2

    await crew.all(ask, PEERS * crew.count)
