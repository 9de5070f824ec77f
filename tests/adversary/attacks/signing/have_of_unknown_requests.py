"""Floods of `have` about requests that the victim has never heard of."""

from __future__ import annotations

from musig2.protocol.wire.frame_codec import encode_frame
from musig2.protocol.wire.frames import Have
from tests.adversary.hostile import Crew, Hostile

AT_ONCE = 1_000


async def attack(crew: Crew) -> None:
    await crew.ready()

    async def ask(peer: Hostile) -> None:
        stream = await peer.stream("session")
        while True:
            ids = [crew.random.randbytes(32) for _ in range(AT_ONCE)]
            await crew.flood(stream, (encode_frame(Have(each, 1, b"\x01", b"", b"")) for each in ids))

    await crew.all(ask)
