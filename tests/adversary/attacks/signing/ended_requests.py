"""Frames about requests that their creators have cancelled: joins, messages, signatures, and the requests again."""

from __future__ import annotations

from typing import Any

from musig2.protocol.records.envelope import seal
from musig2.protocol.records.ids import session_id
from musig2.protocol.records.records import Cancel, Message, NonceBody
from musig2.protocol.wire.frame_codec import encode_frame
from musig2.protocol.wire.frames import Complete, Have
from tests.adversary.forge import Forge, now_ms
from tests.adversary.hostile import Crew, Hostile

REQUESTS = 60


async def attack(crew: Crew) -> None:
    forge, chance = Forge(crew.target, crew.random), crew.random
    first: list[bytes] = []
    then: list[bytes] = []
    for _ in range(REQUESTS):
        creator, peer = forge.key(), forge.identity()
        request = forge.request(creator)
        cancel = seal(Cancel(crew.target.scheme, request.id, creator.pubkey, "", now_ms()), forge.signer(creator))
        join = forge.join(request.id, creator, peer)
        nonces = NonceBody(chance.randbytes(32), (b"\x02" + creator.pubkey[1:] + creator.pubkey,))
        message = seal(Message(session_id(request.id, 1), join.id, nonces), peer.sign, peer=peer.peer)
        late: tuple[Any, ...] = (request, join, message, cancel)
        first += [forge.frame(request), forge.frame(cancel)]
        then += [*map(forge.frame, late), encode_frame(Complete(request.id, (bytes(64),)))]
        then.append(encode_frame(Have(request.id, 1, b"\x01", b"", b"")))
    await crew.ready()

    async def send(peer: Hostile) -> None:
        stream = await peer.stream("session")
        await crew.flood(stream, first)
        while True:
            await crew.flood(stream, chance.sample(then, len(then)))

    await crew.all(send)
