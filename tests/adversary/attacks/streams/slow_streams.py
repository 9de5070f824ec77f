"""Streams that are opened and then crawl, at every layer: sockets, negotiations, frames, questions, DHT messages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

import trio

from tests.adversary.hostile import Crew, Hostile

SOCKETS = 20  # of each peer that never speak Noise
EACH = 8  # streams of each kind that crawl
BYTE_S = 0.5
HALF = (1_000_000).to_bytes(4, "big") + b"\x82\x63env"
Write = Callable[[bytes], Awaitable[None]]
NAMES = ("session", "directory", "kad")


async def attack(crew: Crew) -> None:
    await crew.ready()

    async def crawl(write: Write, first: bytes) -> None:
        try:
            await write(first)
            while True:
                await trio.sleep(BYTE_S)
                await write(b"\x00")
                crew.counted["bytes"] += 1
        except Exception:
            crew.counted["streams lost"] += 1

    async def sockets(address: str) -> None:
        while True:
            try:
                stream = await trio.open_tcp_stream(crew.target.host, crew.target.port, local_address=address)
                await crawl(stream.send_all, b"\x13/multistream/1.0.0\n")
            except OSError:
                await trio.sleep(BYTE_S)

    async def open_all(peer: Hostile) -> None:
        async with trio.open_nursery() as nursery:
            for name in NAMES:
                for _ in range(EACH):
                    nursery.start_soon(crawl, (await peer.stream(name)).write, HALF)
            for _ in range(EACH):  # below the negotiation of a protocol
                nursery.start_soon(crawl, (await peer.connection.open_stream()).write, b"\x13/multi")
            while True:
                await trio.sleep(1)
                await peer.raw_stream("/ipfs/ping/1.0.0")  # fails once the victim has closed the connection

    async with trio.open_nursery() as nursery:
        for index in range(crew.count):
            for _ in range(SOCKETS):
                nursery.start_soon(partial(sockets, crew.address(index)))
        nursery.start_soon(crew.all, open_all)
