"""The host as the DHT sees it: another protocol id, and short time limits for peers that are gone or do not answer.

In the library the protocol id is a constant of several modules. A lookup waits ten seconds for each answer and dials
every peer named to it each time, so that one silent peer makes every lookup too slow to be useful.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

import trio
from libp2p.abc import INetStream
from libp2p.custom_types import StreamHandlerFn, TProtocol
from libp2p.kad_dht.common import PROTOCOL_ID
from libp2p.network.exceptions import SwarmException
from libp2p.peer.id import ID

from p2p.compat.host import GuardedHost

ANSWER_S = 2.5  # for one question, from opening its stream to the end of the answer
REACH_S = 3.5  # the same without a connection yet
FIRST_PAUSE_S, LAST_PAUSE_S = 60.0, 3_600.0  # pause in which a peer that gave no answer is not asked; doubles
REMEMBERED = 2_000


class KadHost:
    """`no_answer(peer)` is called when a peer was not reached or did not answer in time."""

    def __init__(self, host: GuardedHost, protocol: str, no_answer: Callable[[ID], None]) -> None:
        self._host = host
        self._protocol = TProtocol(protocol)
        self._no_answer = no_answer
        self._avoided: OrderedDict[ID, tuple[float, float]] = OrderedDict()  # peer -> end of the pause, its length

    def __getattr__(self, name: str) -> Any:
        return getattr(self._host, name)

    def _rename(self, protocol: TProtocol) -> TProtocol:
        return self._protocol if protocol == PROTOCOL_ID else protocol

    async def new_stream(self, peer_id: ID, protocol_ids: Sequence[TProtocol]) -> INetStream:
        """As the host's, for one question. SwarmException at once for a peer that gave no answer a moment ago."""
        if self._avoided.get(peer_id, (0.0, 0.0))[0] > trio.current_time():
            raise SwarmException(f"{peer_id} gave no answer a moment ago")
        deadline = trio.current_time() + (ANSWER_S if self.connected(peer_id) else REACH_S)
        stream: Any = None
        try:
            with trio.fail_at(deadline):
                if not self.connected(peer_id):  # another peer named it, and where it is to be
                    await self._host.swarm.dial_peer(peer_id, hearsay=True)
                names = [self._rename(protocol) for protocol in protocol_ids]
                stream = AskedStream(self, await self._host.new_stream(peer_id, names), deadline)
        finally:
            if stream is None:
                self.avoid(peer_id)
        return stream  # type: ignore[no-any-return] # stands in for the stream that it wraps

    def connected(self, peer_id: ID) -> bool:
        """Whether there is a connection to a peer."""
        return bool(self._host.swarm.get_connections(peer_id))

    def avoid(self, peer_id: ID) -> None:
        """A peer gave no answer: do not ask it for a while, longer each time."""
        _, last = self._avoided.pop(peer_id, (0.0, 0.0))
        pause = min(2 * last, LAST_PAUSE_S) or FIRST_PAUSE_S
        self._avoided[peer_id] = (trio.current_time() + pause, pause)
        if len(self._avoided) > REMEMBERED:
            self._avoided.popitem(last=False)
        self._no_answer(peer_id)

    def forgive(self, peer_id: ID) -> None:
        """A peer answered, or connected by itself."""
        self._avoided.pop(peer_id, None)

    def set_stream_handler(self, protocol_id: TProtocol, stream_handler: StreamHandlerFn) -> None:
        """As the host's."""
        self._host.set_stream_handler(self._rename(protocol_id), stream_handler)

    def remove_stream_handler(self, protocol_id: TProtocol) -> None:
        """As the host's."""
        self._host.remove_stream_handler(self._rename(protocol_id))


class AskedStream:
    """A stream on which an answer is due by a deadline, however small the pieces in which it comes."""

    def __init__(self, kad: KadHost, stream: INetStream, deadline: float) -> None:
        self._kad = kad
        self._stream = stream
        self._deadline = deadline

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    async def read(self, n: int | None = None) -> bytes:
        """As the stream's; raises TooSlowError when the time is over."""
        peer_id = self._stream.muxed_conn.peer_id
        try:
            with trio.fail_at(self._deadline):
                data = await self._stream.read(n)
        except trio.TooSlowError:
            self._kad.avoid(peer_id)
            raise
        self._kad.forgive(peer_id)
        return data
