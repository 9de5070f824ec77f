"""The relay: grants reservations and joins circuits, for peers that are connected to it directly.

Each request is charged before it is read further, and what a circuit carries while it does (bridge.py). A circuit is
never made by dialling: the peer to which it leads has a reservation, and so a connection.
"""

from __future__ import annotations

from collections.abc import Callable

import trio
from libp2p.abc import INetStream
from libp2p.connection_types import ConnectionType
from libp2p.network.stream.net_stream import NetStream
from libp2p.peer.id import ID
from libp2p.relay.circuit_v2.pb.circuit_pb2 import HopMessage, Limit, PeerId, Reservation, StopMessage

from p2p.addresses import Multiaddr, is_relayed
from p2p.compat.host import GuardedHost
from p2p.relay.bridge import Bridge, CircuitLimits
from p2p.relay.messages import HOP, STOP, Malformed, Status, hop_status, read_hop, read_stop, stop_status, write_message
from p2p.relay.open_circuits import OpenCircuits
from p2p.relay.reservations import LIFE_S, Reservations
from p2p.relay.voucher import voucher
from p2p.settings import NetworkConfig
from p2p.sources import source_of
from p2p.streams.accounts import Accounts
from p2p.streams.prices import Work

MAX_NAMED = 8  # own addresses in an answer


class RelayService:
    """Serves `hop` while `p2p.relay_service` is set; `willing()` says whether others could use it at all."""

    def __init__(
        self,
        host: GuardedHost,
        config: NetworkConfig,
        accounts: Accounts,
        clock_ms: Callable[[], int],
        willing: Callable[[], bool] = lambda: True,
    ) -> None:
        self._host = host
        self._accounts = accounts
        self._clock_ms = clock_ms
        self._willing = willing
        self.reservations = Reservations(config.relay_reservations, accounts.standing)
        self.circuits = OpenCircuits(config.relay_circuits, accounts.standing)
        self.bridge = Bridge(
            CircuitLimits(
                seconds=config.relay_circuit_ms / 1000,
                size=config.relay_circuit_bytes,
                rate=config.relay_peer_rate,
                total_rate=config.relay_rate,
            ),
            accounts,
        )
        host.set_stream_handler(HOP, self._serve)

    def lost(self, peer: bytes) -> None:
        """A peer has left: end its reservation."""
        self.reservations.drop(peer)

    def serves(self, peer: bytes) -> bool:
        """Whether that peer is reached through this relay, and so needs its connection to it."""
        return self.reservations.holds(peer, trio.current_time())

    async def _serve(self, stream: INetStream) -> None:
        """One request per stream; a stream that becomes a circuit is served until that ends."""
        assert isinstance(stream, NetStream)
        peer = stream.muxed_conn.peer_id.to_bytes()
        self._accounts.charge(peer, Work.CIRCUIT)
        await self._accounts.settled(peer)
        try:
            asked = await read_hop(stream)
        except Malformed:
            await self._refuse(stream, Status.MALFORMED_MESSAGE)
            raise
        if stream.muxed_conn.get_connection_type() is ConnectionType.RELAYED:
            await self._refuse(stream, Status.PERMISSION_DENIED)
        elif asked.type == HopMessage.RESERVE:
            await self._reserve(stream, peer)
        elif asked.type == HopMessage.CONNECT and asked.HasField("peer"):
            await self._connect(stream, peer, bytes(asked.peer.id))
        else:
            await self._refuse(stream, Status.UNEXPECTED_MESSAGE)

    async def _refuse(self, stream: INetStream, status: Status.ValueType) -> None:
        await write_message(stream, hop_status(status))
        await stream.close()

    async def _reserve(self, stream: INetStream, peer: bytes) -> None:
        if not self._willing() or not self.reservations.grant(peer, _source(stream, peer), trio.current_time()):
            await self._refuse(stream, Status.RESERVATION_REFUSED)
            return
        answer = hop_status(Status.OK)
        until_s = self._clock_ms() // 1000 + int(LIFE_S)
        own = self._host.get_id().to_bytes()
        proof = voucher(self._host.get_private_key(), own, peer, until_s)
        answer.reservation.CopyFrom(Reservation(expire=until_s, addrs=self._named(), voucher=proof))
        answer.limit.CopyFrom(self._limit())
        await write_message(stream, answer)
        await stream.close()

    def _named(self) -> list[bytes]:
        own: list[Multiaddr] = [addr for addr in self._host.get_addrs() if not is_relayed(addr)]
        return [bytes(addr.to_bytes()) for addr in own[:MAX_NAMED]]

    def _limit(self) -> Limit:
        limits = self.bridge.limits
        return Limit(duration=int(limits.seconds), data=limits.size)

    async def _connect(self, stream: NetStream, peer: bytes, target: bytes) -> None:
        if target == peer or not self.reservations.holds(target, trio.current_time()):
            await self._refuse(stream, Status.NO_RESERVATION)
            return
        with self.circuits.place(peer, target, _source(stream, peer)) as circuit:
            if circuit is None:
                await self._refuse(stream, Status.RESOURCE_LIMIT_EXCEEDED)
                return
            with circuit.scope:
                await self._join(stream, peer, target)
            if circuit.scope.cancelled_caught:
                await stream.reset()

    async def _join(self, stream: NetStream, peer: bytes, target: bytes) -> None:
        """Ask the target, and carry the circuit until it ends."""
        onward = await self._ask_target(peer, target)
        if onward is None:
            await self._refuse(stream, Status.CONNECTION_FAILED)
            return
        answer = hop_status(Status.OK)
        answer.limit.CopyFrom(self._limit())
        try:
            await write_message(stream, answer)
        except BaseException:
            with trio.CancelScope(shield=True):
                await onward.reset()
            raise
        await self.bridge.carry((peer, stream), (target, onward))

    async def _ask_target(self, peer: bytes, target: bytes) -> NetStream | None:
        """A stream to the target on which it has agreed to a circuit from `peer`; None if it has not, or is gone."""
        onward: NetStream | None = None
        try:
            onward = await self._host.direct_stream(ID(target), STOP)
            asked = StopMessage(type=StopMessage.CONNECT, peer=PeerId(id=peer), limit=self._limit())
            await write_message(onward, asked)
            answer = await read_stop(onward)
        except Exception:  # noqa: BLE001 - gone, silent, without that protocol: there is no circuit
            answer = stop_status(Status.CONNECTION_FAILED)
        except BaseException:
            if onward is not None:
                with trio.CancelScope(shield=True):
                    await onward.reset()
            raise
        if answer.type == StopMessage.STATUS and answer.status == Status.OK:
            return onward
        if onward is not None:
            await onward.reset()
        return None


def _source(stream: INetStream, peer: bytes) -> bytes:
    """The range that a peer is connected from."""
    remote = stream.get_remote_address()
    return source_of(peer, remote[0] if remote else None)
