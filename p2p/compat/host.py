"""The host: an error in a stream affects only that stream, and identify is bounded and runs at each connection.

In the library an exception in any stream handler, malformed negotiation included, stops the host; identify runs as a
system task, reads without bound, and is skipped for a peer that was known before.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import trio
from libp2p.abc import INetConn, INetStream
from libp2p.connection_types import ConnectionType
from libp2p.custom_types import TProtocol
from libp2p.host.basic_host import BasicHost
from libp2p.host.ping import ID as PING
from libp2p.identity.identify.identify import ID as IDENTIFY
from libp2p.identity.identify.identify import PROTOCOL_VERSION
from libp2p.identity.identify.pb.identify_pb2 import Identify
from libp2p.identity.identify_push.identify_push import ID_PUSH as IDENTIFY_PUSH
from libp2p.identity.update import update_peerstore_from_identify
from libp2p.io.utils import read_exactly
from libp2p.network.exceptions import SwarmException
from libp2p.network.stream.net_stream import NetStream
from libp2p.peer.id import ID
from libp2p.peer.peerstore import env_to_send_in_RPC
from libp2p.protocol_muxer.multiselect_communicator import MultiselectCommunicator
from libp2p.utils import encode_varint_prefixed
from libp2p.utils.varint import read_varint_prefixed_bytes_limited

from p2p.addresses import Multiaddr, ip_of, without_peer
from p2p.compat.peerstore import MAX_ADDRS_PER_PEER, MAX_PROTOCOLS_PER_PEER
from p2p.compat.swarm import GuardedSwarm
from p2p.compat.swarm_conn import PromptConn
from p2p.compat.upgrade import ShortMultiselect
from p2p.rates import Paces

IDENTIFY_BYTES = 64 * 1024
IDENTIFY_S = 15.0
NEGOTIATE_S = 10
STREAM_RATE = 50  # inbound streams per second and peer
MAX_DEBT_S = 2.0  # a peer that owes more time loses its connection
PING_BYTES, PING_COST = 32, 5
AddressFilter = Callable[[list[Multiaddr]], list[Multiaddr]]
OnIdentified = Callable[[ID, str], Awaitable[None]]
OnStreamFault = Callable[[ID, Exception], None]
SettleStream = Callable[[ID], Awaitable[None]]


class GuardedHost(BasicHost):
    """`on_identified(peer, agent)` after each connection; `on_stream_fault(peer, error)` for errors of a handler."""

    def __init__(
        self,
        swarm: GuardedSwarm,
        announced: AddressFilter,
        on_stream_fault: OnStreamFault,
        settle_stream: SettleStream,
        agent: str,
    ) -> None:
        """`settle_stream(peer)` charges an inbound stream and returns when its peer owes nothing."""
        self._settle_stream = settle_stream
        self._announced = announced
        super().__init__(swarm, negotiate_timeout=NEGOTIATE_S, addrs_factory=announced)
        self.multiselect = ShortMultiselect(self.multiselect.handlers)
        self.swarm = swarm
        self.hidden = False  # behind a proxy: nothing is told or believed about addresses but what is announced
        self.on_identified: OnIdentified | None = None
        self._on_stream_fault = on_stream_fault
        self._paces = Paces(STREAM_RATE, 10 * STREAM_RATE)
        self._agent = agent
        self.set_stream_handler(IDENTIFY, self._answer_identify)
        self.set_stream_handler(PING, self._answer_pings)
        self.remove_stream_handler(IDENTIFY_PUSH)  # a peer is asked about itself once per connection

    async def _swarm_stream_handler(self, net_stream: INetStream) -> None:
        peer_id = net_stream.muxed_conn.peer_id
        try:
            if not await self._pace(peer_id, 1):
                await net_stream.reset()
                await net_stream.muxed_conn.close()
                return
            await self._settle_stream(peer_id)
            await super()._swarm_stream_handler(net_stream)
        except Exception as error:  # noqa: BLE001 - the guard's purpose: the stream is lost, the host goes on
            self._on_stream_fault(peer_id, error)
            await net_stream.reset()

    async def _pace(self, peer_id: ID, amount: float) -> bool:
        """Slow down a peer that opens streams or pings without end; False: it owes too much already."""
        now = trio.current_time()
        debt_s = self._paces.of(peer_id.to_bytes(), now).owe(amount, now)
        if debt_s > MAX_DEBT_S:
            return False
        await trio.sleep(debt_s)
        return True

    def get_addrs(self) -> list[Multiaddr]:
        """What is announced, each with the own id. The library would take the own id for that of a relay."""
        observed = self._observed_addr_manager.addrs() if self._observed_addr_manager is not None else []
        candidates = list(dict.fromkeys([*self.get_transport_addrs(), *observed]))
        own = Multiaddr(f"/p2p/{self.get_id()}")
        return [without_peer(addr).encapsulate(own) for addr in self._announced(candidates)]

    async def direct_stream(self, peer_id: ID, protocol: TProtocol) -> NetStream:
        """A stream that goes through no relay, over a connection that is there. Raises SwarmException."""
        direct = self.swarm.direct(peer_id)
        if not direct:
            raise SwarmException(f"there is no direct connection to {peer_id}")
        return await self.stream_on(direct[0], protocol)

    async def stream_on(self, connection: PromptConn, protocol: TProtocol) -> NetStream:
        """A stream over this connection. Raises what the negotiation does when the peer does not serve it."""
        stream = await connection.new_stream()
        try:
            await self.multiselect_client.select_one_of([protocol], MultiselectCommunicator(stream), NEGOTIATE_S)
        except BaseException:
            with trio.CancelScope(shield=True):
                await stream.reset()
            raise
        stream.set_protocol(protocol)
        return stream

    async def _answer_identify(self, stream: INetStream) -> None:
        """Say who this node is. The library names its own agent, and private addresses when there are no others."""
        relayed = stream.muxed_conn.get_connection_type() is ConnectionType.RELAYED
        hidden = relayed or self.hidden  # the other end is not the peer's own address
        data = self.identity(None if hidden else stream.get_remote_address()).SerializeToString()
        try:
            await stream.write(encode_varint_prefixed(data))
        finally:
            with trio.CancelScope(shield=True):
                await stream.close()

    def identity(self, remote: tuple[str, int] | None) -> Identify:
        """What peers are told: only announced addresses, and the address under which the asking peer is seen."""
        observed = Multiaddr(f"/{'ip6' if ':' in remote[0] else 'ip4'}/{remote[0]}/tcp/{remote[1]}") if remote else None
        return Identify(
            protocol_version=PROTOCOL_VERSION,
            agent_version=self._agent,
            public_key=self.get_public_key().serialize(),
            listen_addrs=[without_peer(addr).to_bytes() for addr in self.get_addrs()],
            observed_addr=observed.to_bytes() if observed is not None else b"",
            protocols=[str(name) for name in self.get_mux().get_protocols() if name],
            signedPeerRecord=env_to_send_in_RPC(self)[0],
        )

    async def _answer_pings(self, stream: INetStream) -> None:
        """The ping protocol: 32 bytes come back as they are, a few times a second."""
        try:
            while True:
                await stream.write(await read_exactly(stream, PING_BYTES))
                if not await self._pace(stream.muxed_conn.peer_id, PING_COST):
                    return
        finally:
            with trio.CancelScope(shield=True):
                await stream.close()

    def _get_first_connection(self, peer_id: ID) -> INetConn | None:
        """The first open one. The library takes one that has ended but is still listed, and asking over it dials."""
        return next(iter(self.swarm.live(peer_id)), None)

    def _schedule_identify(self, peer_id: ID, *, reason: str) -> None:
        if peer_id in self._identify_inflight or peer_id in self._identified_peers or peer_id == self.get_id():
            return
        self._identify_inflight.add(peer_id)
        self.swarm.manager.run_task(self._identify_task_entry, peer_id, reason)

    async def _identify_task_entry(self, peer_id: ID, reason: str) -> None:
        """Ask a peer who it is. If it does not answer, its connection is closed, because it uses up a slot.

        Not if another connection to it has ended: the question may have gone over that one.
        """
        live = self.swarm.live(peer_id)
        try:
            await super()._identify_task_entry(peer_id, reason)
        except Exception:
            if live and not any(connection.is_closed for connection in live):
                await live[0].close()
            if self._get_first_connection(peer_id) is not None:
                self._schedule_identify(peer_id, reason=reason)
            raise

    async def _identify_peer(self, peer_id: ID, *, reason: str) -> None:
        connection = self._get_first_connection(peer_id)
        if connection is None:
            return
        message = Identify()
        with trio.fail_after(IDENTIFY_S):
            stream = await self.new_stream(peer_id, [IDENTIFY])
            try:
                message.ParseFromString(await read_varint_prefixed_bytes_limited(stream, IDENTIFY_BYTES))
            finally:
                with trio.CancelScope(shield=True):
                    await stream.close()
        del message.listen_addrs[MAX_ADDRS_PER_PEER:]  # no more are kept, and each costs
        del message.protocols[MAX_PROTOCOLS_PER_PEER:]
        await update_peerstore_from_identify(self.peerstore, peer_id, message)
        self.swarm.vouch_for_named(peer_id)
        self._note_observed(connection, message)
        if not self._network.get_connections(peer_id):
            return
        self._identified_peers[peer_id] = reason
        if self.on_identified is not None:
            await self.on_identified(peer_id, message.agent_version[:64])

    def _note_observed(self, connection: INetConn, message: Identify) -> None:
        """Remember under which address a peer sees this node; it is announced only if several peers agree."""
        relayed = connection.get_connection_type() is ConnectionType.RELAYED  # it sees the relay there
        if message.observed_addr and self._observed_addr_manager is not None and not (relayed or self.hidden):
            observed = Multiaddr(message.observed_addr)
            if isinstance(connection, PromptConn):
                connection.seen_as = ip_of(observed)
            self._observed_addr_manager.record_observation(connection, observed, self.get_transport_addrs())

    async def _push_identify_to_all_peers(self) -> None:
        """Disabled: the library shares a limiter between event loops, and nothing changes after the start."""
