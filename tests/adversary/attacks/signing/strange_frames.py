"""Frames that are nested too deep, longer than they say, truncated, or nothing at all."""

from __future__ import annotations

from musig2.protocol.records.cbor import encode
from tests.adversary.forge import Forge
from tests.adversary.hostile import Crew, Hostile

LARGEST = 1_000_000


async def attack(crew: Crew) -> None:
    forge, chance = Forge(crew.target, crew.random), crew.random
    good = forge.frame(forge.request(forge.key()))
    frames = (
        b"\x81" * 100_000,  # arrays in arrays
        b"\xa1\x61a" * 100_000,  # maps in maps
        b"\x9b" + b"\xff" * 8,  # an array of 2^64 - 1 items
        b"\x82\x63env\x5a\xff\xff\xff\xff",  # an envelope that claims four gigabytes
        encode(("env", encode((0,) * 60_000))),  # as many items as a value may hold
        encode(("have", bytes(32), 1, b"", b"", b"\xff" * 100_000)),
        good[: len(good) // 2],
        good + b"\x00",
        chance.randbytes(LARGEST),
        b"\xf6",
    )
    await crew.ready()

    async def throw(peer: Hostile) -> None:
        stream = await peer.stream("session")
        while True:
            await crew.flood(stream, [chance.choice(frames)])

    await crew.all(throw)
