"""Handshakes of which each byte arrives for itself, before anybody says who it is: over TCP, and in frames of one byte.

The message that comes so is as long as Noise allows, and none is ever whole.
"""

from __future__ import annotations

from functools import partial

import trio

from tests.adversary.hostile import Crew
from tests.adversary.websockets import UPGRADE, bytewise

WEBSOCKET = True
SOCKETS = 4  # of each peer, over either
GREETING = b"\x13/multistream/1.0.0\n\x07/noise\n"
MESSAGE = b"\xff\xff" + bytes(65_535)
EVERY_S = 0.0002
AT_ONCE = 3_000  # frames


async def attack(crew: Crew) -> None:
    frames = bytewise(GREETING + MESSAGE)
    await crew.ready()

    async def over_tcp(stream: trio.SocketStream) -> None:
        await stream.send_all(GREETING)
        for byte in MESSAGE:
            await stream.send_all(bytes([byte]))
            crew.counted["bytes"] += 1
            await trio.sleep(EVERY_S)

    async def over_websocket(stream: trio.SocketStream) -> None:
        await stream.send_all(UPGRADE)
        for start in range(0, len(frames), AT_ONCE):
            await stream.send_all(frames[start : start + AT_ONCE])
            crew.counted["KiB of frames"] += AT_ONCE // 1024
            await trio.sleep(EVERY_S)

    async def again(address: str, number: int) -> None:
        ways = ((crew.target.port, over_tcp), (crew.target.websocket, over_websocket))
        port, act = ways[number % 2]
        while True:
            crew.counted["sockets"] += 1
            try:
                stream = await trio.open_tcp_stream(crew.target.host, port, local_address=address)
                stream.setsockopt(trio.socket.IPPROTO_TCP, trio.socket.TCP_NODELAY, 1)
                async with stream:
                    await act(stream)
            except (OSError, trio.BrokenResourceError):
                await trio.sleep(0.02)

    async with trio.open_nursery() as nursery:
        for index in range(crew.count):
            for number in range(2 * SOCKETS):
                nursery.start_soon(partial(again, crew.address(index), number))
