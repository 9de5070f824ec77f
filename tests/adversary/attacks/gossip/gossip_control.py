"""Control messages of GossipSub without end: ids claimed or wanted, grafts and prunes, subscriptions."""

from __future__ import annotations

from libp2p.pubsub.pb.rpc_pb2 import RPC
from libp2p.utils import encode_varint_prefixed

from tests.adversary.hostile import Crew, Hostile

TOPICS, IDS = 64, 600


async def attack(crew: Crew) -> None:
    chance, network = crew.random, crew.target.network
    topics = [f"musigd/{network}/{name}" for name in ("requests", "signers/spend")]

    def ids() -> list[bytes]:
        return [chance.randbytes(2).hex().encode() for _ in range(IDS)]

    have, want, graft, names = RPC(), RPC(), RPC(), RPC()
    for number in range(TOPICS):
        have.control.ihave.add(topicID=topics[number % 2], messageIDs=ids())
        want.control.iwant.add(messageIDs=ids())
        graft.control.graft.add(topicID=topics[number % 2])
        graft.control.prune.add(topicID=topics[number % 2], backoff=1)
    names.subscriptions.extend(
        RPC.SubOpts(subscribe=number % 3 > 0, topicid=f"musigd/{network}/signers/{number}") for number in range(5_000)
    )
    floods = [encode_varint_prefixed(rpc.SerializeToString()) for rpc in (have, want, graft, names)]
    await crew.ready()

    async def control(peer: Hostile) -> None:
        stream = await peer.raw_stream("/meshsub/1.1.0")
        while True:
            for flood in floods:
                await stream.write(flood)
                crew.counted["sent"] += 1

    await crew.all(control)
