"""Signers of requests who say without end, and each time anew, that they wait for their owners."""

from __future__ import annotations

from musig2.protocol.records.envelope import seal
from musig2.protocol.records.records import Considering
from tests.adversary.forge import Forge, now_ms
from tests.adversary.hostile import Crew, Hostile

OTHERS = 10
TIMES = 20


async def attack(crew: Crew) -> None:
    forge, scheme = Forge(crew.target, crew.random), crew.target.scheme
    batches: list[list[bytes]] = []
    for _ in range(crew.count):
        others = [forge.key() for _ in range(OTHERS)]
        request = forge.request(others[0], [secret.pubkey for secret in others[1:]])
        said = [
            seal(Considering(scheme, request.id, secret.pubkey, now_ms() + time), forge.signer(secret))
            for time in range(TIMES)
            for secret in others
        ]
        batches.append([forge.frame(request), *map(forge.frame, said)])
    await crew.ready()

    async def send(peer: Hostile) -> None:
        stream = await peer.stream("session")
        batch = batches.pop(0)
        batches.append(batch)
        while True:
            await crew.flood(stream, batch)

    await crew.all(send)
