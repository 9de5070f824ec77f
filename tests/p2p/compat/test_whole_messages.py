"""Encrypted messages as they arrive: each read is told to whoever charges it, whether or not a message is whole."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import trio

from p2p.compat.upgrade import AT_ONCE, WholeMessages

MESSAGE = b"\x00\x03abc"


class Raw:
    """Returns one piece at each read; `stream`: the WebSocket beneath."""

    def __init__(self, pieces: list[bytes], frames: int) -> None:
        self._pieces = pieces
        self.stream = SimpleNamespace(frames_taken=lambda: frames)

    async def read(self, count: int) -> bytes:
        return self._pieces.pop(0)


def reader(pieces: list[bytes], frames: int = 0) -> WholeMessages:
    session: Any = SimpleNamespace(_drain=lambda count: b"")
    noise = SimpleNamespace(decrypt=lambda sealed: sealed)
    read_writer = SimpleNamespace(read_write_closer=Raw(pieces, frames))
    transport: Any = SimpleNamespace(noise_state=noise, read_writer=read_writer)
    return WholeMessages(session, transport)


async def read_all(whole: WholeMessages, times: int) -> list[tuple[bytes, int]]:
    return [(await whole.read(), whole.opened) for _ in range(times)]


def test_a_read_that_completes_no_message_is_a_read() -> None:
    whole = reader([MESSAGE[:1], MESSAGE[1:4], MESSAGE[4:] + MESSAGE])
    assert trio.run(read_all, whole, 3) == [(b"", 0), (b"", 0), (b"abcabc", 2)]


def test_a_frame_of_a_websocket_counts_as_two_messages() -> None:
    assert trio.run(read_all, reader([MESSAGE], frames=5), 1) == [(b"abc", 11)]


def test_many_messages_in_one_read_come_in_parts_each_of_which_is_charged() -> None:
    whole = reader([MESSAGE * (2 * AT_ONCE) + MESSAGE[:4], MESSAGE[4:] + MESSAGE])
    parts = trio.run(read_all, whole, 4)
    assert [(len(data), count) for data, count in parts] == [(3 * AT_ONCE, AT_ONCE)] * 2 + [(0, 0), (6, 2)]
