"""Connections on which the largest answers are asked for and not read: they pile up in the kernel, or in the writer.

One half reads its socket and gives no credit. The other gives credit without end and reads no socket any more. Each
peer has several connections, under as many identities.
"""

from __future__ import annotations

from itertools import count

import trio

from musig2.protocol.wire.frame_codec import with_length
from musig2.protocol.wire.sync import MAX_IDS, Ask, LogPage, Push, Since
from tests.adversary.attacks.directory import answered, question
from tests.adversary.forge import Forge
from tests.adversary.hostile import Crew, Hostile

CONNECTIONS = 5  # from each address
BEFORE, AT_ONCE = 10, 50  # pushes, and advertisements in each: what makes answers large
WINDOW_UPDATE, CREDIT = 1, 2**31
QUESTIONS: tuple[Ask, ...] = (LogPage(bytes(16), 0, MAX_IDS), Since(bytes(16), 0, MAX_IDS))


def window_update(stream_id: int) -> bytes:
    """A frame of the multiplexer that gives credit."""
    return bytes((0, WINDOW_UPDATE, 0, 0)) + stream_id.to_bytes(4, "big") + CREDIT.to_bytes(4, "big")


async def attack(crew: Crew) -> None:
    forge = Forge(crew.target, crew.random)
    pushes = []
    for _ in range(BEFORE):
        made = [forge.advertisement(forge.key(), forge.identity()) for _ in range(AT_ONCE)]
        pushes.append(Push(tuple((ad.envelope, entry.envelope) for ad, entry in made)))
    await crew.ready()

    async def ask(peer: Hostile) -> None:
        crew.counted["connections"] += 1
        stream = await peer.stream("directory", swallow=False)
        if pushes:
            await answered(stream, 0, pushes.pop())
        if crew.counted["connections"] % 2:
            muxed = stream.muxed_stream
            await peer.connection.secured_conn.write(window_update(muxed.stream_id))
            peer.connection.secured_conn.read = trio.sleep_forever
        for number in count(1):
            for kind, asked in enumerate(QUESTIONS):
                await stream.write(with_length(question(2 * number + kind, asked)))
                crew.counted["sent"] += 1

    await crew.all(ask, CONNECTIONS * crew.count)
