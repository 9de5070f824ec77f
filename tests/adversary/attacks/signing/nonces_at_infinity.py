"""Requests whose other signers all join and send nonces that cancel each other out: their sum is infinity."""

from __future__ import annotations

from typing import Any

from musig2.protocol.records.envelope import seal
from musig2.protocol.records.ids import joinset, session_id
from musig2.protocol.records.records import Message, NonceBody
from tests.adversary.forge import Forge
from tests.adversary.hostile import Crew, Hostile

REQUESTS = 200


async def attack(crew: Crew) -> None:
    forge = Forge(crew.target, crew.random)
    batches: list[list[bytes]] = []
    for _ in range(REQUESTS):
        secrets, peer, point = (forge.key(), forge.key()), forge.identity(), forge.key().pubkey[1:]
        request = forge.request(secrets[0], [secrets[1].pubkey])
        session = session_id(request.id, 1)
        joins = [forge.join(request.id, secret, peer) for secret in secrets]
        joined = joinset(session, (join.id for join in joins))
        nonces = [
            seal(Message(session, join.id, NonceBody(joined, (2 * (sign + point),))), peer.sign, peer=peer.peer)
            for join, sign in zip(joins, (b"\x02", b"\x03"), strict=True)
        ]
        signed: tuple[Any, ...] = (request, *joins, *nonces)
        batches.append([forge.frame(each) for each in signed])
    await crew.ready()

    async def send(peer: Hostile) -> None:
        stream = await peer.stream("session")
        while True:
            for batch in crew.random.sample(batches, len(batches)):
                await crew.flood(stream, batch)

    await crew.all(send)
