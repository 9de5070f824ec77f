"""Attacks on the directory: its questions, its answers, what it stores."""

from __future__ import annotations

from typing import Any

from musig2.protocol.wire.frame_codec import with_length
from musig2.protocol.wire.sync import Ask, encode_ask


def question(number: int, ask: Ask) -> bytes:
    """A question as it is written between the length prefixes of the directory's stream."""
    return bytes(1) + number.to_bytes(4, "big") + encode_ask(ask)


async def answered(stream: Any, number: int, ask: Ask) -> None:
    """Ask, and wait for the answer or the refusal."""
    await stream.write(with_length(question(number, ask)))
    await next_answer(stream)


async def next_answer(stream: Any) -> bytes:
    """The next frame that is not a question of the victim."""
    while not (frame := await frame_of(stream))[0]:
        pass
    return frame


async def frame_of(stream: Any) -> bytes:
    """The next frame of a stream."""
    size = int.from_bytes(await exactly(stream, 4), "big")
    return await exactly(stream, size)


async def exactly(stream: Any, size: int) -> bytes:
    """That many bytes; ConnectionError if the stream ends before."""
    data = b""
    while len(data) < size:
        piece = await stream.read(size - len(data))
        if not piece:
            raise ConnectionError("the stream has ended")
        data += piece
    return data
