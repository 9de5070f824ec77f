"""Sets made to be expensive to compare: all buckets differ, or one of them only, in both sizes, again and again."""

from __future__ import annotations

from itertools import count

from musig2.protocol.wire.frame_codec import with_length
from musig2.protocol.wire.sync import BITS, MAX_FETCH, Ask, FetchIds, Peers, Reconcile
from tests.adversary.attacks.directory import next_answer, question
from tests.adversary.hostile import Crew, Hostile

IN_FLIGHT = 30


async def attack(crew: Crew) -> None:
    chance = crew.random
    kinds = [Reconcile(bits, sums) for bits in BITS for sums in (bytes(8 << bits), b"\xff" * (8 << bits))]
    await crew.ready()

    async def ask(peer: Hostile) -> None:
        stream = await peer.stream("directory", swallow=False)
        for number in count(1):
            same = chance.randbytes(8) * MAX_FETCH  # one id, five hundred times
            others: tuple[Ask, ...] = (FetchIds(same), FetchIds(bytes(8 * MAX_FETCH)), Peers(1))
            kind = chance.choice((*kinds, *others))
            await stream.write(with_length(question(number, kind)))
            crew.counted["sent"] += 1
            if number > IN_FLIGHT:
                await next_answer(stream)

    await crew.all(ask)
