"""Streams whose one message never ends: its length is never reached, its bytes are written as fast as possible."""

from __future__ import annotations

import trio

from tests.adversary.hostile import Crew, Hostile

CHUNK = bytes(32_768)
BEGINNINGS = {
    "session": (1_048_576).to_bytes(4, "big"),
    "directory": (524_000).to_bytes(4, "big"),
    "kad": b"\xff" * 9 + b"\x01",  # a length in varint
}


async def attack(crew: Crew) -> None:
    await crew.ready()

    async def write(peer: Hostile, name: str) -> None:
        while True:
            stream = await peer.stream(name)
            try:
                await stream.write(BEGINNINGS[name])
                while True:
                    await stream.write(CHUNK)
                    crew.counted["KiB"] += len(CHUNK) // 1024
            except Exception:
                crew.counted["streams lost"] += 1
                await trio.sleep(0.02)

    async def all_at_once(peer: Hostile) -> None:
        async with trio.open_nursery() as nursery:
            for name in BEGINNINGS:
                nursery.start_soon(write, peer, name)

    await crew.all(all_at_once)
