"""Identities without end from one subnet of 64 bits, or one address of IPv4, that stay connected and do nothing."""

from __future__ import annotations

from functools import partial

import trio

from tests.adversary.attacks.streams.range_of_identities import again
from tests.adversary.hostile import Crew, Hostile

CONNECTIONS = 100
SUBNET = 62


async def attack(crew: Crew) -> None:
    await crew.ready()

    async def stay(peer: Hostile) -> None:
        await peer.stream("session")
        crew.counted["let in"] += 1
        await trio.sleep_forever()

    async with trio.open_nursery() as nursery:
        for number in range(CONNECTIONS):
            address = crew.target.near(SUBNET, 0, 1 + number * (":" in crew.target.host))
            nursery.start_soon(partial(again, crew, address, stay))
