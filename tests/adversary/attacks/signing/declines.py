"""Requests whose other signers join, decline and cancel them again at once, one after the other."""

from __future__ import annotations

from typing import Any

from musig2.protocol.records.envelope import seal
from musig2.protocol.records.records import Cancel, Decline
from tests.adversary.forge import Forge, now_ms
from tests.adversary.hostile import Crew, Hostile

OTHERS = 6


async def attack(crew: Crew) -> None:
    forge, scheme = Forge(crew.target, crew.random), crew.target.scheme
    await crew.ready()

    async def send(peer: Hostile) -> None:
        stream = await peer.stream("session")
        others = [forge.key() for _ in range(OTHERS)]
        while True:
            creator, *rest = others
            request = forge.request(creator, [secret.pubkey for secret in rest])
            joins = [forge.join(request.id, secret, peer.identity) for secret in others]
            ends = [
                seal(Decline(scheme, request.id, rest[0].pubkey, "no", now_ms()), forge.signer(rest[0])),
                seal(Cancel(scheme, request.id, creator.pubkey, "no", now_ms()), forge.signer(creator)),
            ]
            records: tuple[Any, ...] = (request, *joins, *ends)
            await crew.flood(stream, map(forge.frame, records))

    await crew.all(send)
