"""Floods over GossipSub: genuine notices and advertisements of fresh identities, and rubbish, on both topics."""

from __future__ import annotations

import trio
from libp2p.custom_types import TProtocol
from libp2p.pubsub.gossipsub import GossipSub
from libp2p.pubsub.pubsub import Pubsub
from libp2p.tools.anyio_service import background_trio_service

from tests.adversary.forge import Forge
from tests.adversary.hostile import Crew, Hostile

BETWEEN_S = 0.002  # in which what was published leaves


async def attack(crew: Crew) -> None:
    forge, chance, network = Forge(crew.target, crew.random), crew.random, crew.target.network
    await crew.ready()

    async def publish(peer: Hostile) -> None:
        router = GossipSub(
            protocols=[TProtocol("/meshsub/1.1.0")],
            degree=6,
            degree_low=4,
            degree_high=12,
            spam_protection_enabled=False,  # its own limit: 10 messages a second
        )
        pubsub = Pubsub(peer.host, router)
        async with background_trio_service(pubsub), background_trio_service(router):
            await pubsub.wait_until_ready()
            await peer.host.disconnect(peer.victim.peer_id)  # the router hears of new connections only
            await peer.host.connect(peer.victim)
            topics = [f"musigd/{network}/{name}" for name in ("requests", "signers/spend")]
            for topic in topics:
                await pubsub.subscribe(topic)
            await pubsub.wait_for_peer(peer.victim.peer_id)
            while True:
                ad, entry = forge.advertisement(forge.key(), forge.identity())
                notice = forge.notice(forge.identity(), [forge.key().pubkey])
                await pubsub.publish(topics[0], notice.envelope)
                await pubsub.publish(topics[1], entry.envelope)
                await pubsub.publish(topics[1], ad.envelope)
                await pubsub.publish(chance.choice(topics), chance.randbytes(10_000))
                crew.counted["sent"] += 4
                await trio.sleep(BETWEEN_S)

    await crew.all(publish)
