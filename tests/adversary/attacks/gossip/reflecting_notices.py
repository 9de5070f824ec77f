"""Notices of made-up identities at an address that the attacker chooses: a third party's, who asked for nothing."""

from __future__ import annotations

from itertools import count

import trio
from multiaddr import Multiaddr  # type: ignore[import-untyped]  # without type information

from musig2.protocol.wire.sync import Push
from tests.adversary.attacks.directory import answered
from tests.adversary.forge import Forge
from tests.adversary.hostile import Crew, Hostile

IDENTITIES = 30
BETWEEN_S = 1.0


async def attack(crew: Crew) -> None:
    forge = Forge(crew.target, crew.random)
    (listener,) = await trio.open_tcp_listeners(0, host=crew.target.near(9, 9, 9))
    port = listener.socket.getsockname()[1]
    addr = Multiaddr(f"/ip4/{crew.target.near(9, 9, 9)}/tcp/{port}").to_bytes()
    await crew.ready()

    async def bystander(stream: trio.SocketStream) -> None:
        crew.counted["dials at the bystander"] += 1
        async with stream:
            await stream.receive_some(1)

    async def publish(peer: Hostile) -> None:
        stream = await peer.stream("directory", swallow=False)
        for number in count(1):
            for identity in [forge.identity() for _ in range(IDENTITIES)]:
                node = forge.node(identity, (addr,))
                notice = forge.notice(identity, [crew.target.pubkey])
                await answered(stream, number, Push(((node.envelope, None), (notice.envelope, None))))
                crew.counted["sent"] += 1
            await trio.sleep(BETWEEN_S)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.serve_listeners, bystander, [listener])
        await crew.all(publish)
