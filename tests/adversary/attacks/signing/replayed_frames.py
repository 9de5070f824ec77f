"""Joins, messages, cancels and signatures of one session, replayed and sent into other sessions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from musig2.protocol.records.envelope import seal
from musig2.protocol.records.ids import session_id
from musig2.protocol.records.records import AbortBody, Cancel, Message, NonceBody, PartialBody
from musig2.protocol.wire.frame_codec import encode_frame
from musig2.protocol.wire.frames import Complete
from tests.adversary.forge import Forge, now_ms
from tests.adversary.hostile import Crew, Hostile

REQUESTS = 20


async def attack(crew: Crew) -> None:
    forge, chance = Forge(crew.target, crew.random), crew.random
    frames: list[bytes] = []
    before = bytes(32)
    for _ in range(REQUESTS):
        creator, peer = forge.key(), forge.identity()
        request = forge.request(creator)
        join = forge.join(request.id, creator, peer)
        nonce = NonceBody(chance.randbytes(32), (b"\x02" + creator.pubkey[1:] + creator.pubkey,))
        bodies = (
            nonce,
            replace(nonce, joinset=before),
            PartialBody(before, (bytes(32),)),
            AbortBody("x", "attempt", (), ()),
        )
        messages = [
            seal(Message(session_id(about, 1), join.id, body), peer.sign, peer=peer.peer)
            for about in (request.id, before)
            for body in bodies
        ]
        stranger = forge.key()
        cancel = Cancel(crew.target.scheme, request.id, stranger.pubkey, "", now_ms())
        signed: tuple[Any, ...] = (request, join, *messages, seal(cancel, forge.signer(stranger)))
        frames += [*map(forge.frame, signed), encode_frame(Complete(request.id, (bytes(64),)))]
        before = request.id
    await crew.ready()

    async def replay(peer: Hostile) -> None:
        stream = await peer.stream("session")
        while True:
            await crew.flood(stream, chance.sample(frames, len(frames)))

    await crew.all(replay)
