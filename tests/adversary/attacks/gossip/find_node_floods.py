"""Floods of the DHT's question who is closest to a key, over as many streams as one peer may have."""

from __future__ import annotations

import trio
from libp2p.kad_dht.pb.kademlia_pb2 import Message
from libp2p.utils import encode_varint_prefixed

from tests.adversary.hostile import Crew, Hostile

STREAMS = 8


async def attack(crew: Crew) -> None:
    await crew.ready()

    async def ask(peer: Hostile) -> None:
        while True:
            stream = await peer.stream("kad")
            try:
                while True:
                    message = Message(type=Message.FIND_NODE, key=crew.random.randbytes(38))
                    await stream.write(encode_varint_prefixed(message.SerializeToString()))
                    crew.counted["sent"] += 1
            except Exception:
                crew.counted["streams reset"] += 1

    async def at_once(peer: Hostile) -> None:
        async with trio.open_nursery() as nursery:
            for _ in range(STREAMS):
                nursery.start_soon(ask, peer)

    await crew.all(at_once)
