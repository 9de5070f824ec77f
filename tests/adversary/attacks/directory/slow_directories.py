"""Nodes that promise a large directory and then answer each question late, and byte by byte."""

from __future__ import annotations

from typing import Any

import trio

from musig2.protocol.wire.frame_codec import with_length
from musig2.protocol.wire.sync import Greeting, Hello, ShortIds, encode_answer, open_ask
from tests.adversary.attacks.directory import answered, frame_of
from tests.adversary.forge import Forge, now_ms
from tests.adversary.hostile import Crew, Hostile

HEAD = 100_000
BYTE_S = 0.05


async def attack(crew: Crew) -> None:
    forge, log = Forge(crew.target, crew.random), crew.random.randbytes(16)

    async def serve(stream: Any) -> None:
        try:
            while True:
                frame = await frame_of(stream)
                if frame[0] != 0:
                    continue
                ask = open_ask(frame[5:])
                crew.counted[f"asked {type(ask).__name__}"] += 1
                if isinstance(ask, Hello):
                    answer = encode_answer(Greeting(log, HEAD, HEAD, now_ms()))
                    await stream.write(with_length(b"\x01" + frame[1:5] + answer))
                    continue
                answer = encode_answer(ShortIds(log, HEAD, 100, crew.random.randbytes(800)))
                for byte in with_length(b"\x01" + frame[1:5] + answer):
                    await trio.sleep(BYTE_S)
                    await stream.write(bytes([byte]))
        except Exception:
            crew.counted["conversations ended"] += 1

    await crew.ready()

    async def greet(peer: Hostile) -> None:
        stream = await peer.stream("directory", swallow=False)
        await answered(stream, 1, Hello(log, HEAD, HEAD, forge.node(peer.identity, ()).envelope))
        await serve(stream)
        raise ConnectionError("the conversation has ended")

    await crew.all(greet, serve={"directory": serve})
