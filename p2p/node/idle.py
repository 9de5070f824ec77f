"""Closes connections that nobody needs, so that their number does not grow with the network.

A lookup in the DHT connects to twenty peers and more, and each connection costs memory, a file, and a share of every
heartbeat. Above `kept_connections`, those that this node opened and does not use are closed, down to three quarters:
first those over which no topic runs, and of these the one that was not used for longest. Never closed here are

opened by the peer       it has its reasons, and closes them itself; a stranger has nothing to lose by this
in use                   a session under way, frames of one lately, a question or an answer, something that waits, a
                         circuit, a lookup in the DHT that was not answered yet
wanted later             peers that the owner named, relays that hold a reservation or a circuit
holding the network up   the neighbours in the DHT, and six followers of each topic that this node has dialled: those
                         that come in may all be one adversary's, and must not be the only ones left

The peer is told that it is not needed, which is no reason to think that this node is gone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import trio
from libp2p.peer.id import ID
from libp2p.rcmgr import Direction

from p2p.compat.swarm import GuardedSwarm
from p2p.compat.swarm_conn import PromptConn
from p2p.relay.messages import HOP, STOP
from p2p.settings import NetworkConfig

LOOKS = 4  # within the time after which a connection is unused
FOLLOWERS = 6  # of each topic, dialled here, that stay connected
ASKED = (["kad"], ["autonat"])  # the last part but one of protocols whose streams are for one question each
Topics = list[tuple[set[ID], set[ID]]]  # of each, followers, and those of them in the mesh


class IdleConnections:
    """Belongs to the trio side."""

    def __init__(
        self,
        swarm: GuardedSwarm,
        config: NetworkConfig,
        *,
        used: Mapping[Callable[[bytes], float], int],
        needed: Callable[[bytes], bool],
        neighbours: Callable[[int], Iterable[ID]],
        followers: Callable[[], Topics],
    ) -> None:
        """`used`: when a peer was heard on some protocol (trio time), and for how many milliseconds that counts."""
        self._swarm = swarm
        self._most = config.kept_connections
        self._idle_s = config.idle_ms / 1000
        self._used = used
        self._needed = needed
        self._neighbours = neighbours
        self._followers = followers

    async def run(self) -> None:
        """Look now and then, for as long as the node lives."""
        while True:
            await trio.sleep(self._idle_s / LOOKS)
            await self.close_some()

    async def close_some(self) -> None:
        """Close what is too many and not needed."""
        here = [conn for conn in self._swarm.get_connections() if isinstance(conn, PromptConn) and not conn.is_closed]
        if len(here) <= self._most:
            return
        surplus = len(here) - self._most * 3 // 4
        dialled = {conn.muxed_conn.peer_id for conn in here if conn.direction == Direction.OUTBOUND}
        neighbours = set(self._neighbours(self._most // 4))
        topics = [(followers & dialled, mesh) for followers, mesh in self._followers()]
        meshed = set[ID]().union(*(mesh for _, mesh in topics))
        unused = [conn for conn in here if conn.muxed_conn.peer_id not in neighbours and self._is_unused(conn)]
        for conn in sorted(unused, key=lambda conn: (conn.muxed_conn.peer_id in meshed, self._last_use(conn))):
            peer = conn.muxed_conn.peer_id
            followed = [followers for followers, _ in topics if peer in followers]
            if surplus == 0:
                return
            if all(len(followers) > FOLLOWERS for followers in followed) and self._is_unused(conn):
                for followers in followed:
                    followers.remove(peer)
                surplus -= 1
                await conn.close_unneeded()

    def _is_unused(self, conn: PromptConn) -> bool:
        peer, now = conn.muxed_conn.peer_id.to_bytes(), trio.current_time()
        if conn.direction != Direction.OUTBOUND or now - conn.since < self._idle_s:
            return False
        if _carries_circuits(conn) or _waits_for_an_answer(conn):
            return False
        return all(now - used(peer) >= ms / 1000 for used, ms in self._used.items()) and not self._needed(peer)

    def _last_use(self, conn: PromptConn) -> float:
        peer = conn.muxed_conn.peer_id.to_bytes()
        return max(conn.since, *(used(peer) for used in self._used))


def _carries_circuits(conn: PromptConn) -> bool:
    return any(stream.get_protocol() in (HOP, STOP) for stream in conn.get_streams())


def _waits_for_an_answer(conn: PromptConn) -> bool:
    opened = (stream for stream in conn.get_streams() if getattr(stream.muxed_stream, "opened_here", False))
    return any(str(stream.get_protocol() or "").split("/")[-2:-1] in ASKED for stream in opened)
