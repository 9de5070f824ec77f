"""Streams on which protocols that do not exist are proposed one after the other, thousands in one write."""

from __future__ import annotations

import trio
from libp2p.abc import IMuxedStream

from tests.adversary.hostile import Crew, Hostile

GREETING = b"\x13/multistream/1.0.0\n"
PROPOSALS = b"\x03/x\n" * 10_000
LISTS = b"\x03ls\n" * 10_000
AT_ONCE = 4


async def attack(crew: Crew) -> None:
    await crew.ready()

    async def drop(stream: IMuxedStream) -> None:
        while await stream.read(65_536):
            pass

    async def propose(peer: Hostile) -> None:
        while True:
            stream = await peer.connection.open_stream()
            try:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(drop, stream)
                    await stream.write(GREETING)
                    while True:
                        await stream.write(crew.random.choice((PROPOSALS, LISTS)))
                        crew.counted["proposals"] += 10_000
            except Exception:
                crew.counted["streams lost"] += 1
                await trio.sleep(0.02)

    async def at_once(peer: Hostile) -> None:
        async with trio.open_nursery() as nursery:
            for _ in range(AT_ONCE):
                nursery.start_soon(propose, peer)

    await crew.all(at_once)
