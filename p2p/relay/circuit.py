"""A circuit as a connection: a stream through a relay, below Noise and Yamux as a TCP stream would be."""

from __future__ import annotations

import trio
from libp2p.abc import IListener, INetStream, IRawConnection, ITransport
from libp2p.connection_types import ConnectionType
from libp2p.custom_types import THandler
from libp2p.io.abc import ReadWriteCloser
from libp2p.network.connection.raw_connection import RawConnection
from libp2p.peer.id import ID
from libp2p.relay.circuit_v2.pb.circuit_pb2 import HopMessage, PeerId
from libp2p.transport.exceptions import OpenConnectionError

from p2p.addresses import Multiaddr, is_relayed, relay_of
from p2p.compat.host import GuardedHost
from p2p.relay.messages import HOP, Status, read_hop, write_message


class CircuitStream(ReadWriteCloser):
    """The stream to the relay, which ends when the circuit does."""

    def __init__(self, stream: INetStream) -> None:
        self._stream = stream

    async def read(self, n: int | None = None) -> bytes:
        """Read from the stream; raises what that raises when the circuit ends."""
        return await self._stream.read(n)

    async def write(self, data: bytes) -> None:
        """As the stream's."""
        await self._stream.write(data)

    async def close(self) -> None:
        """Send what was written, then end both directions."""
        with trio.CancelScope(shield=True), trio.move_on_after(1):
            await self._stream.close()
            await self._stream.reset()

    def get_remote_address(self) -> tuple[str, int] | None:
        """Host and port of the relay."""
        return self._stream.get_remote_address()


def as_connection(stream: INetStream, addr: Multiaddr, *, initiator: bool) -> RawConnection:
    """A stream through a relay as the connection that Noise secures end to end."""
    return RawConnection(CircuitStream(stream), initiator, ConnectionType.RELAYED, [addr])


class CircuitTransport(ITransport):
    """Dials `.../p2p/<relay>/p2p-circuit/p2p/<peer>` over a connection to the relay that is there already."""

    host: GuardedHost  # set when it is made

    async def dial(self, maddr: Multiaddr) -> IRawConnection:
        """Ask the relay for a circuit. Raises OpenConnectionError."""
        found, target = relay_of(maddr), maddr.get_peer_id()
        if found is None or target is None:
            raise OpenConnectionError(f"{maddr} names no relay or no peer")
        relay = ID(found[1])
        stream = await self.host.direct_stream(relay, HOP)
        try:
            asked = HopMessage(type=HopMessage.CONNECT, peer=PeerId(id=ID.from_string(target).to_bytes()))
            await write_message(stream, asked)
            answer = await read_hop(stream)
            if answer.type != HopMessage.STATUS or answer.status != Status.OK:
                raise OpenConnectionError(f"the relay {relay} refused a circuit with status {answer.status}")
        except BaseException:
            with trio.CancelScope(shield=True):
                await stream.reset()
            raise
        return as_connection(stream, maddr, initiator=True)

    def can_dial(self, maddr: Multiaddr) -> bool:
        """True for addresses through a relay."""
        return is_relayed(maddr)

    def can_listen(self, maddr: Multiaddr) -> bool:
        """Never: circuits come as streams of relays, see client.py."""
        return False

    def protocols(self) -> list[str]:
        """The protocol names of which an address must hold one."""
        return ["p2p-circuit"]

    def create_listener(self, handler_function: THandler) -> IListener:
        """Never called."""
        raise NotImplementedError("circuits come as streams of relays")
