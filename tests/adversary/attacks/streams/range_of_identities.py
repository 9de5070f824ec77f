"""One range full of identities, and one more peer elsewhere, all with questions without end: who gets how many answers.

In IPv6 each of the range has 64 bits of its own, as any provider hands out by the thousand. Loopback has no ranges.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from itertools import count

import trio

from musig2.protocol.wire.sync import Peers
from tests.adversary.attacks.directory import answered
from tests.adversary.hostile import Crew, Hostile, hostile

EACH = 2  # times as many as there are peers
RANGE, ELSEWHERE = 60, 61


async def attack(crew: Crew) -> None:
    await crew.ready()

    async def ask(name: str, peer: Hostile) -> None:
        stream = await peer.stream("directory", swallow=False)
        for number in count(1):
            await answered(stream, number, Peers(1))
            crew.counted[f"answers {name}"] += 1

    async with trio.open_nursery() as nursery:
        for last in range(EACH * crew.count):
            nursery.start_soon(again, crew, crew.target.within(RANGE, 1 + last), partial(ask, "in the range"))
        nursery.start_soon(again, crew, crew.target.within(ELSEWHERE, 1), partial(ask, "elsewhere"))


async def again(crew: Crew, address: str, act: Callable[[Hostile], Awaitable[None]]) -> None:
    """Act under a new identity whenever the connection is lost."""
    while True:
        crew.counted["identities"] += 1
        try:
            async with hostile(crew.target, address, crew.seed()) as peer:
                await act(peer)
        except Exception:
            crew.counted["sent away"] += 1
        await trio.sleep(0.2)
