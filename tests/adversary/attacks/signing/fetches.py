"""Floods of fetches, each with 16 genuine delegations that have to be decoded and verified."""

from __future__ import annotations

from musig2.protocol.records.peers import PeerIdentity
from musig2.protocol.wire.frame_codec import MAX_DELEGATIONS, encode_frame
from musig2.protocol.wire.frames import Fetch
from tests.adversary.forge import Forge
from tests.adversary.hostile import Crew, Hostile

ADDRS = tuple(bytes([4, 127, 0, 0, 1, 6, 1, number]) for number in range(16))


async def attack(crew: Crew) -> None:
    forge = Forge(crew.target, crew.random)
    keys = [forge.key() for _ in range(MAX_DELEGATIONS)]
    await crew.ready()

    def frame(identity: PeerIdentity) -> bytes:
        shown = (forge.advertisement(key, identity, ADDRS)[0].envelope for key in keys)
        return encode_frame(Fetch(tuple(shown)))

    async def ask(peer: Hostile) -> None:
        stream = await peer.stream("session")
        while True:
            await crew.flood(stream, [frame(peer.identity)] * 20)

    await crew.all(ask)
