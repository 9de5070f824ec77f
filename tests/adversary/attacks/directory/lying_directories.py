"""Nodes whose directory seems endless: a huge log of statements that are made up, damaged, or do not exist."""

from __future__ import annotations

from itertools import count
from typing import Any

from musig2.protocol.wire.frame_codec import with_length
from musig2.protocol.wire.sync import (
    Answer,
    Ask,
    Differences,
    FetchIds,
    Greeting,
    Hello,
    LogPage,
    Nodes,
    Peers,
    Push,
    Reconcile,
    ShortIds,
    Since,
    Statements,
    Taken,
    encode_answer,
    open_ask,
)
from tests.adversary.attacks.directory import answered, frame_of
from tests.adversary.forge import Forge, now_ms
from tests.adversary.hostile import Crew, Hostile

HEAD, IDS, STATEMENTS = 2**40, 16_000, 500


async def attack(crew: Crew) -> None:
    forge, chance, log = Forge(crew.target, crew.random), crew.random, crew.random.randbytes(16)
    genuine = [forge.advertisement(forge.key(), forge.identity()) for _ in range(50)]
    damaged = tuple((ad.envelope[:-1] + b"\x00", entry.envelope) for ad, entry in genuine)

    def lie(ask: Ask) -> Answer:
        crew.counted[f"asked {type(ask).__name__}"] += 1
        match ask:
            case Hello():
                return Greeting(log, HEAD, HEAD, now_ms())
            case Since():
                return ShortIds(log, HEAD, ask.after + IDS, chance.randbytes(8 * IDS))
            case LogPage():
                return Statements(log, HEAD, ask.after + STATEMENTS, damaged)
            case FetchIds():
                return Statements(log, HEAD, 0, damaged)
            case Reconcile():
                return Differences(((0, chance.randbytes(8 * IDS)),), True)
            case Peers():
                return Nodes(())
            case Push():
                return Taken(len(ask.items))

    async def serve(stream: Any) -> None:
        try:
            while True:
                frame = await frame_of(stream)
                if frame[0] == 0:
                    await stream.write(with_length(b"\x01" + frame[1:5] + encode_answer(lie(open_ask(frame[5:])))))
        except Exception:
            crew.counted["conversations ended"] += 1

    await crew.ready()

    async def greet(peer: Hostile) -> None:
        stream = await peer.stream("directory", swallow=False)
        for number in count(1):
            await answered(stream, number, Hello(log, HEAD, HEAD, forge.node(peer.identity, ()).envelope))
            await serve(stream)
            stream = await peer.stream("directory", swallow=False)

    await crew.all(greet, serve={"directory": serve})
