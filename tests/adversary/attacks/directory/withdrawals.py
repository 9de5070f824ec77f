"""Keys that are advertised and withdrawn again in turn, each time newer than before."""

from __future__ import annotations

from dataclasses import replace
from itertools import count

import musig2
from musig2.protocol.records.envelope import seal
from musig2.protocol.records.records import Withdrawal
from musig2.protocol.wire.sync import Push, Statement
from tests.adversary.attacks.directory import answered
from tests.adversary.forge import Forge, now_ms
from tests.adversary.hostile import Crew, Hostile

KEYS = 10


async def attack(crew: Crew) -> None:
    forge, scheme = Forge(crew.target, crew.random), crew.target.scheme
    await crew.ready()

    def cycle(peer: Hostile, secret: musig2.SecretKey, begin: int) -> list[Statement]:
        statements: list[Statement] = []
        for step in range(0, 4, 2):
            ad, entry = forge.advertisement(secret, peer.identity)
            newer = seal(replace(ad.record, ts=begin + step), forge.signer(secret), peer.identity.sign)
            line = seal(replace(entry.record, ts=begin + step, ad=newer.id), forge.signer(secret))
            gone = seal(Withdrawal(scheme, secret.pubkey, begin + step + 1), forge.signer(secret))
            statements += [(newer.envelope, line.envelope), (gone.envelope, None)]
        return statements

    async def push(peer: Hostile) -> None:
        stream = await peer.stream("directory", swallow=False)
        secrets = [forge.key() for _ in range(KEYS)]
        begin = now_ms() - 600_000
        for number in count(1):
            statements = [each for secret in secrets for each in cycle(peer, secret, begin + 4 * number)]
            await answered(stream, number, Push(tuple(statements)))
            crew.counted["sent"] += len(statements)

    await crew.all(push)
