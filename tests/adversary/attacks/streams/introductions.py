"""Streams of identify, of its pushes and of ping, one after the other, and pings without end on one of them."""

from __future__ import annotations

import trio
from libp2p.abc import INetStream
from libp2p.identity.identify.pb.identify_pb2 import Identify
from libp2p.utils import encode_varint_prefixed

from tests.adversary.hostile import Crew, Hostile, drop

IDENTIFY, PUSH, PING = "/ipfs/id/1.0.0", "/ipfs/id/push/1.0.0", "/ipfs/ping/1.0.0"
PINGS = bytes(32) * 500


async def attack(crew: Crew) -> None:
    own = Identify(agent_version="x" * 1_000)
    own.protocols.extend(f"/{number}" for number in range(1_000))
    pushed = encode_varint_prefixed(own.SerializeToString())
    await crew.ready()

    async def ping(stream: INetStream) -> None:
        while True:
            await stream.write(PINGS)
            crew.counted["pings"] += 500

    async def introduce(peer: Hostile) -> None:
        async with trio.open_nursery() as nursery:
            stream = await peer.raw_stream(PING)
            nursery.start_soon(ping, stream)
            nursery.start_soon(drop, stream)
            while True:
                nursery.start_soon(drop, await peer.raw_stream(IDENTIFY))
                stream = await peer.raw_stream(PUSH)
                await stream.write(pushed)
                await stream.close()
                crew.counted["asked"] += 2

    await crew.all(introduce)
