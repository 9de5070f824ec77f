"""Dials peers back that ask whether they can be reached, so that nobody can aim it at somebody else.

where      only at the IP address from which the peer itself is connected, and only at ports above 1023
who        whoever answers there has to prove by Noise to be that peer; nothing else is sent
how often  each IP address, each range, and all strangers together, within a budget; so nobody takes the dials of known
           peers, and one range not those of all; each dial is charged to the peer that asks
"""

from __future__ import annotations

import trio
from libp2p.abc import INetStream
from libp2p.connection_types import ConnectionType
from libp2p.host.autonat.pb.autonat_pb2 import Message
from libp2p.peer.id import ID

from p2p.addresses import Multiaddr, is_relayed, readable, without_peer
from p2p.compat.host import GuardedHost
from p2p.dialback.messages import AUTONAT, NotAutonat, Verdict, read_message, verdict, write_message
from p2p.ports import Standing
from p2p.rates import Budget, Paces
from p2p.sources import range_or_host, source_of_ip
from p2p.streams.accounts import Accounts
from p2p.streams.prices import Work

MOST_DIALLED = 2  # addresses per question
DIAL_S = 5.0
ASK_S = 10.0
PER_HOST, AT_ONCE = 1 / 30, 4.0  # questions of one IP address per second
RANGE, RANGE_AT_ONCE = 1 / 15, 8.0  # of one address range
ALL, ALL_AT_ONCE = 2.0, 20.0  # of all that are not known
LOWEST_PORT = 1_024


class DialBack:
    """Serves the questions; belongs to the trio side of one life."""

    def __init__(self, host: GuardedHost, accounts: Accounts) -> None:
        self._host = host
        self._accounts = accounts
        self._hosts = Paces(PER_HOST, AT_ONCE)
        self._ranges = Paces(RANGE, RANGE_AT_ONCE)
        self._all = Budget(ALL, ALL_AT_ONCE, trio.current_time())
        host.set_stream_handler(AUTONAT, self._serve)

    async def _serve(self, stream: INetStream) -> None:
        peer = stream.muxed_conn.peer_id
        asked = await read_message(stream, ASK_S)
        if asked.type != asked.DIAL:
            raise NotAutonat("a question was due")
        remote = stream.get_remote_address()
        relayed = stream.muxed_conn.get_connection_type() is ConnectionType.RELAYED
        if remote is None or relayed or (asked.dial.peer.id and asked.dial.peer.id != peer.to_bytes()):
            await write_message(stream, verdict(Verdict.E_BAD_REQUEST, "ask for yourself, over a direct connection"))
        else:
            await write_message(stream, await self._answer(peer, remote[0], list(asked.dial.peer.addrs)))
        await stream.close()

    async def _answer(self, peer: ID, host: str, named: list[bytes]) -> Message:
        addrs = [addr for addr in map(without_peer, readable(named)) if self._may(addr, host)][:MOST_DIALLED]
        now = trio.current_time()
        if not addrs:
            return verdict(Verdict.E_DIAL_REFUSED, "none of these addresses is at the host that asks")
        if not self._has_turn(peer.to_bytes(), host, now):
            return verdict(Verdict.E_DIAL_REFUSED, "too many questions: ask again later")
        self._accounts.charge(peer.to_bytes(), Work.DIAL, len(addrs))
        await self._accounts.settled(peer.to_bytes())
        for addr in addrs:
            if await self._reached(addr, peer):
                return verdict(Verdict.OK, addr=addr.to_bytes())
        return verdict(Verdict.E_DIAL_ERROR, "nobody who is that peer answers there")

    def _has_turn(self, peer: bytes, host: str, now: float) -> bool:
        if not self._hosts.of(source_of_ip(host).encode(), now).take(1, now):
            return False
        if self._accounts.standing(peer) is Standing.KNOWN:
            return True
        return self._ranges.of(range_or_host(host), now).take(1, now) and self._all.take(1, now)

    def _may(self, addr: Multiaddr, host: str) -> bool:
        if is_relayed(addr) or not self._host.swarm.may_dial(addr):
            return False
        (kind, where), (_, port) = [(str(protocol.name), str(value)) for protocol, value in addr.items()][:2]
        return kind in ("ip4", "ip6") and where == host and int(port) >= LOWEST_PORT

    async def _reached(self, addr: Multiaddr, peer: ID) -> bool:
        """Whether that peer answers there: a connection of its own, which ends when it has proved who it is."""
        reached = False
        with trio.move_on_after(DIAL_S):
            try:
                raw = await self._host.swarm.tcp.dial(addr)
                try:
                    await self._host.swarm.upgrader.upgrade_security(raw, True, peer)
                    reached = True
                finally:
                    with trio.CancelScope(shield=True), trio.move_on_after(1):
                        await raw.close()
            except Exception:  # noqa: BLE001 - refused, silent, another one: it was not reached
                return False
        return reached
