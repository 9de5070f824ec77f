"""Questions whether one can be dialled, at the address of a third party and at ports of others at one's own."""

from __future__ import annotations

import trio
from libp2p.host.autonat.pb.autonat_pb2 import Message
from libp2p.utils.varint import encode_varint_prefixed
from multiaddr import Multiaddr  # type: ignore[import-untyped]  # without type information

from tests.adversary.hostile import Crew, Hostile

AUTONAT = "/libp2p/autonat/1.0.0"


async def attack(crew: Crew) -> None:
    ports: dict[str, int] = {}

    async def bystander(stream: trio.SocketStream) -> None:
        there = stream.socket.getsockname()[0]
        crew.counted["dials at a third party" if there == elsewhere else "dials beside"] += 1
        async with stream:
            await stream.receive_some(1)

    async def ask(peer: Hostile) -> None:
        host = peer.host.get_addrs()[0].value_for_protocol("ip4")
        addrs = [f"/ip4/{elsewhere}/tcp/{ports[elsewhere]}", f"/ip4/{host}/tcp/{ports[host]}"]
        asked = Message(type=Message.DIAL)
        asked.dial.peer.id = peer.identity.peer
        asked.dial.peer.addrs.extend(Multiaddr(addr).to_bytes() for addr in addrs)
        while True:
            stream = await peer.raw_stream(AUTONAT)
            await stream.write(encode_varint_prefixed(asked.SerializeToString()))
            crew.counted["sent"] += 1
            with trio.move_on_after(1):
                await stream.read(4_096)
            await stream.close()

    elsewhere = crew.target.near(9, 9, 9)
    async with trio.open_nursery() as nursery:
        for host in (elsewhere, *(crew.address(index) for index in range(crew.count))):
            (listener,) = await trio.open_tcp_listeners(0, host=host)
            ports[host] = listener.socket.getsockname()[1]
            nursery.start_soon(trio.serve_listeners, bystander, [listener])
        await crew.ready()
        await crew.all(ask)
