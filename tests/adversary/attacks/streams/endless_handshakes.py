"""Sockets on which security protocols that do not exist are proposed without end, before anybody says who it is."""

from __future__ import annotations

from functools import partial

import trio

from tests.adversary.hostile import Crew

SOCKETS = 4  # of each peer at a time
GREETING = b"\x13/multistream/1.0.0\n"
PROPOSALS = b"\x03/x\n" * 10_000


async def attack(crew: Crew) -> None:
    await crew.ready()

    async def drop(stream: trio.SocketStream) -> None:
        while await stream.receive_some(65_536):
            pass

    async def propose(address: str) -> None:
        while True:
            crew.counted["sockets"] += 1
            try:
                stream = await trio.open_tcp_stream(crew.target.host, crew.target.port, local_address=address)
                async with stream, trio.open_nursery() as nursery:
                    nursery.start_soon(drop, stream)
                    await stream.send_all(GREETING)
                    while True:
                        await stream.send_all(PROPOSALS)
                        crew.counted["proposals"] += 10_000
            except Exception:
                await trio.sleep(0.02)

    async with trio.open_nursery() as nursery:
        for index in range(crew.count):
            for _ in range(SOCKETS):
                nursery.start_soon(partial(propose, crew.address(index)))
