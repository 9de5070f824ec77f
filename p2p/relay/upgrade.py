"""Replaces a connection through a relay by a direct one where there is a way, without losing what is under way.

    a peer came through a relay ---> it is dialled at the addresses that it names
                                ---> else both dial each other at the same moment (DCUtR), three times at most
    a direct connection is there --> the streams of both protocols are opened anew there (Links.move), the old ones are
                                     read to their end, and then the relayed connection is closed
    there is no way              --> the relayed connection stays

Follows libp2p's specification relay/DCUtR.md: the side that the circuit led to begins, and is the server afterwards.
"""

from __future__ import annotations

from collections.abc import Callable

import trio
from libp2p.abc import INetStream
from libp2p.connection_types import ConnectionType
from libp2p.custom_types import TProtocol
from libp2p.peer.id import ID
from libp2p.relay.circuit_v2.pb.dcutr_pb2 import HolePunch
from libp2p.utils.varint import encode_varint_prefixed, read_varint_prefixed_bytes_limited

from p2p.addresses import Multiaddr, ip_of, is_relayed, readable, without_peer
from p2p.compat.host import GuardedHost
from p2p.compat.swarm import LASTING
from p2p.rates import Paces
from p2p.relay.messages import MESSAGE_BYTES, MESSAGE_S, parsed
from p2p.relay.punch import Puncher
from p2p.streams.accounts import Accounts
from p2p.streams.prices import Work

DCUTR = TProtocol("/libp2p/dcutr")
TIMES = 3
MOST_DIALLED = 2  # addresses of the other side
PER_SECOND, AT_ONCE = 1 / 60, 2.0  # sessions that one peer may begin
LOOK_S, LOOKS = 1.0, 60  # until a relayed connection whose streams do not end is closed all the same


class Upgrades:
    """Belongs to the trio side of one life. `relays()`: the peers through which this node is reached."""

    def __init__(self, host: GuardedHost, accounts: Accounts, relays: Callable[[], tuple[bytes, ...]]) -> None:
        self._host = host
        self._accounts = accounts
        self._relays = relays
        self._asked = Paces(PER_SECOND, AT_ONCE)
        self._under_way: set[ID] = set()
        self.puncher = Puncher(host)
        if not host.hidden:  # which goes past the proxy
            host.set_stream_handler(DCUTR, self._answer)

    def came(self, peer: ID, *, inbound: bool) -> None:
        """A peer was identified that is connected through a relay; the side that it came to looks for a direct way."""
        if inbound and peer not in self._under_way:
            self._under_way.add(peer)
            self._host.swarm.manager.run_task(self._upgrade, peer)

    async def _upgrade(self, peer: ID) -> None:
        try:
            await self._host.swarm.dial_now(peer, direct=True)
            speaks = DCUTR in self._host.swarm.peerstore.get_protocols(peer) and not self._host.hidden
            if speaks and not self._host.swarm.direct(peer):
                await self._begin(peer)
        finally:
            self._under_way.discard(peer)

    async def _begin(self, peer: ID) -> None:
        stream = await self._host.new_stream(peer, [DCUTR])
        try:
            for _ in range(TIMES):
                own = await self.puncher.outer_addresses(self._relays())
                if not own or self._host.swarm.direct(peer):
                    return
                sent_at = trio.current_time()
                await _say(stream, HolePunch.CONNECT, own)
                heard = await _hear(stream)
                round_trip_s = trio.current_time() - sent_at
                if heard.type != HolePunch.CONNECT:
                    return
                await _say(stream, HolePunch.SYNC)
                await trio.sleep(round_trip_s / 2)
                if await self._punch(peer, list(heard.ObsAddrs), client=False):
                    return
        finally:
            with trio.CancelScope(shield=True):
                await stream.reset()

    async def _answer(self, stream: INetStream) -> None:
        """The other side begins. Whom this dials is hearsay, and charged."""
        peer = stream.muxed_conn.peer_id
        name, now = peer.to_bytes(), trio.current_time()
        relayed = stream.muxed_conn.get_connection_type() is ConnectionType.RELAYED
        if not relayed or not self._asked.of(name, now).take(1, now):
            await stream.reset()
            return
        for _ in range(TIMES):
            heard = await _hear(stream)
            own = await self.puncher.outer_addresses(self._relays() or self._public_peers())
            await _say(stream, HolePunch.CONNECT, own)
            if (await _hear(stream)).type != HolePunch.SYNC:
                break
            self._accounts.charge(name, Work.DIAL)
            if await self._punch(peer, list(heard.ObsAddrs), client=True):
                break
        await stream.close()

    def _public_peers(self) -> tuple[bytes, ...]:
        """Whom to ask how this node looks from outside, where it has no relay of its own."""
        return tuple(peer.to_bytes() for peer in list(self._host.swarm.connections) if self._host.swarm.direct(peer))[
            :2
        ]

    async def _punch(self, peer: ID, named: list[bytes], *, client: bool) -> bool:
        """Dial the addresses that the other side named, at the same time; whether there is a direct connection."""
        swarm = self._host.swarm
        addrs = [without_peer(addr) for addr in readable(named) if ip_of(addr) and not is_relayed(addr)]
        async with trio.open_nursery() as nursery:
            for addr in [addr for addr in addrs if self._may_dial(addr, peer)][:MOST_DIALLED]:
                nursery.start_soon(self._punch_one, addr, peer, client, nursery.cancel_scope)
        return bool(swarm.direct(peer))

    def _may_dial(self, addr: Multiaddr, peer: ID) -> bool:
        swarm = self._host.swarm
        return swarm.may_dial(addr) and swarm.hearsay.may_dial(str(addr), peer.to_bytes(), trio.current_time())

    async def _punch_one(self, addr: Multiaddr, peer: ID, client: bool, others: trio.CancelScope) -> None:
        if await self.puncher.dial(addr, peer, client=client):
            others.cancel()

    async def retire(self, peer: ID) -> None:
        """There is a direct connection: close those through relays as soon as nothing lasting uses them."""
        swarm = self._host.swarm
        for look in range(LOOKS):
            await trio.sleep(LOOK_S)
            direct = swarm.direct(peer)
            if not direct:
                return
            for conn in [conn for conn in swarm.live(peer) if conn not in direct]:
                used = any((stream.get_protocol() or "").startswith(LASTING) for stream in conn.get_streams())
                if not used or look == LOOKS - 1:
                    await conn.close()


async def _say(stream: INetStream, kind: HolePunch.Type.ValueType, addrs: list[Multiaddr] | None = None) -> None:
    message = HolePunch(type=kind, ObsAddrs=[addr.to_bytes() for addr in addrs or ()])
    with trio.fail_after(MESSAGE_S):
        await stream.write(encode_varint_prefixed(message.SerializeToString()))


async def _hear(stream: INetStream) -> HolePunch:
    with trio.fail_after(MESSAGE_S):
        return parsed(HolePunch(), await read_varint_prefixed_bytes_limited(stream, MESSAGE_BYTES))
