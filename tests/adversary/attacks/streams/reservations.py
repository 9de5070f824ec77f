"""Reservations with a relay, and circuits through it, opened and cut at once, by peers that leave and come again."""

from __future__ import annotations

import trio
from libp2p.relay.circuit_v2.pb.circuit_pb2 import HopMessage, PeerId
from libp2p.utils.varint import encode_varint_prefixed

from tests.adversary.hostile import Crew, Hostile

VICTIM = {"MUSIGD_P2P__RELAY_SERVICE": "true"}
HOP = "/libp2p/circuit/relay/0.2.0/hop"
AT_ONCE = 20  # until it leaves


async def attack(crew: Crew) -> None:
    there: list[bytes] = []
    await crew.ready()

    async def ask(peer: Hostile, message: HopMessage) -> None:
        stream = await peer.raw_stream(HOP)
        await stream.write(encode_varint_prefixed(message.SerializeToString()))
        with trio.move_on_after(1):
            crew.counted["answers"] += bool(await stream.read(4_096))
        await stream.reset()
        crew.counted["asked"] += 1

    async def reserve(peer: Hostile) -> None:
        there.append(peer.identity.peer)
        for _ in range(AT_ONCE):
            await ask(peer, HopMessage(type=HopMessage.RESERVE))
            target = crew.random.choice(there)
            await ask(peer, HopMessage(type=HopMessage.CONNECT, peer=PeerId(id=target)))
        raise ConnectionError("enough")

    await crew.all(reserve)
