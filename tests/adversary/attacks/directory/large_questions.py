"""Floods of the largest directory questions: whole logs, all digests, 512 statements that are not there."""

from __future__ import annotations

from itertools import count, cycle

from musig2.protocol.wire.frame_codec import with_length
from musig2.protocol.wire.sync import MAX_FETCH, MAX_IDS, Ask, FetchIds, LogPage, Reconcile, Since
from tests.adversary.attacks.directory import next_answer, question
from tests.adversary.hostile import Crew, Hostile

IN_FLIGHT = 32


async def attack(crew: Crew) -> None:
    chance = crew.random
    kinds: tuple[Ask, ...] = (
        Reconcile(12, chance.randbytes(8 << 12)),
        FetchIds(chance.randbytes(8 * MAX_FETCH)),
        Since(bytes(16), 0, MAX_IDS),
        LogPage(bytes(16), 0, MAX_IDS),
    )
    await crew.ready()

    async def ask(peer: Hostile) -> None:
        stream = await peer.stream("directory", swallow=False)
        for number, kind in zip(count(1), cycle(kinds)):
            await stream.write(with_length(question(number, kind)))
            crew.counted["sent"] += 1
            if number > IN_FLIGHT:
                await next_answer(stream)

    await crew.all(ask)
