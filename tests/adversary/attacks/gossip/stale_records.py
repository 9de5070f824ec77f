"""Records on the topics that were good once, or that everybody has: each in a message that is signed anew."""

from __future__ import annotations

from libp2p.pubsub.pb.rpc_pb2 import RPC
from libp2p.utils import encode_varint_prefixed

from musig2.protocol.records.envelope import seal
from musig2.protocol.records.records import Entry, Notice
from tests.adversary.attacks.gossip import Author
from tests.adversary.forge import HOUR_MS, Forge, now_ms
from tests.adversary.hostile import Crew, Hostile

AT_ONCE = 50


async def attack(crew: Crew) -> None:
    forge, chance, network = Forge(crew.target, crew.random), crew.random, crew.target.network
    requests, signers = (f"musigd/{network}/{name}" for name in ("requests", "signers/spend"))
    records: list[tuple[str, bytes]] = []
    for _ in range(100):
        secret, peer, then = forge.key(), forge.identity(), now_ms() - 3 * HOUR_MS
        entry = Entry(crew.target.scheme, secret.pubkey, peer.peer, ("spend",), then, then + HOUR_MS, bytes(32))
        notice = Notice(peer.peer, bytes(16), (bytes(8),), then, then + HOUR_MS)
        records += [
            (signers, seal(entry, forge.signer(secret)).envelope),
            (requests, seal(notice, peer.sign).envelope),
            (requests, forge.notice(peer, [secret.pubkey]).envelope),
        ]
    author = Author(chance.randbytes(32))
    await crew.ready()

    async def publish(peer: Hostile) -> None:
        stream = await peer.raw_stream("/meshsub/1.1.0")
        while True:
            rpc = RPC(publish=[author.message(*chance.choice(records)) for _ in range(AT_ONCE)])
            await stream.write(encode_varint_prefixed(rpc.SerializeToString()))
            crew.counted["sent"] += AT_ONCE

    await crew.all(publish)
