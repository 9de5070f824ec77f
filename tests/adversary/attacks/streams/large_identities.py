"""Peers that say of themselves as much as they may: a thousand addresses and more; then they come again."""

from __future__ import annotations

from typing import Any

import trio
from libp2p.custom_types import TProtocol
from libp2p.identity.identify.pb.identify_pb2 import Identify
from libp2p.utils import encode_varint_prefixed

from tests.adversary.hostile import Crew, Hostile

IDENTIFY = TProtocol("/ipfs/id/1.0.0")
ADDRESSES, PROTOCOLS = 1_000, 4_000


async def attack(crew: Crew) -> None:
    chance = crew.random

    def identity() -> bytes:
        made = Identify(agent_version="x" * 1_000, observed_addr=b"\x04\x7f\x00\x00\x01\x06\x10\xe7")
        addrs = (b"\x04" + chance.randbytes(4) + b"\x06" + chance.randbytes(2) for _ in range(ADDRESSES))
        made.listen_addrs.extend(addrs)
        made.protocols.append(f"/musigd/{crew.target.network}/session/1")
        made.protocols.extend(f"/{number}" for number in range(PROTOCOLS))
        return encode_varint_prefixed(made.SerializeToString())

    await crew.ready()

    async def introduce(peer: Hostile) -> None:
        told = trio.Event()

        async def tell(stream: Any) -> None:
            await stream.write(identity())
            await stream.close()
            crew.counted["told"] += 1
            told.set()

        peer.host.set_stream_handler(IDENTIFY, tell)
        await peer.host.disconnect(peer.victim.peer_id)
        await peer.host.connect(peer.victim)
        with trio.fail_after(10):
            await told.wait()
        raise ConnectionError("enough")

    await crew.all(introduce, 2 * crew.count)
