"""Floods of DHT messages: records of fresh keys, records under foreign keys, providers, and questions."""

from __future__ import annotations

from libp2p.kad_dht.pb.kademlia_pb2 import Message
from libp2p.utils import encode_varint_prefixed

from tests.adversary.forge import Forge
from tests.adversary.hostile import Crew, Hostile

EACH = 200


async def attack(crew: Crew) -> None:
    forge, chance, network = Forge(crew.target, crew.random), crew.random, crew.target.network

    def put(key: bytes, value: bytes) -> Message:
        name = f"/musigd-{network}/{key.hex()}".encode()
        message = Message(type=Message.PUT_VALUE, key=name)
        message.record.key, message.record.value = name, value
        return message

    def provide(peer: bytes) -> Message:
        message = Message(type=Message.ADD_PROVIDER, key=b"\x12\x20" + chance.randbytes(32))
        message.providerPeers.add(id=peer)
        return message

    messages: list[bytes] = []
    for _ in range(EACH):
        secret, identity = forge.key(), forge.identity()
        ad, _ = forge.advertisement(secret, identity)
        kinds = (
            put(secret.pubkey, ad.envelope),
            put(crew.target.pubkey, ad.envelope),
            put(secret.pubkey, ad.envelope[:-1] + b"\x00"),
            provide(identity.peer),
            Message(type=Message.GET_VALUE, key=f"/musigd-{network}/{secret.pubkey.hex()}".encode()),
            Message(type=Message.FIND_NODE, key=identity.peer),
        )
        messages += [encode_varint_prefixed(kind.SerializeToString()) for kind in kinds]
    await crew.ready()

    async def send(peer: Hostile) -> None:
        while True:
            stream = await peer.stream("kad")
            try:
                for message in chance.sample(messages, 50):
                    await stream.write(message)
                    crew.counted["sent"] += 1
            except Exception:
                crew.counted["streams reset"] += 1

    await crew.all(send)
