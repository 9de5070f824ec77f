"""Which connection gives way when all places are taken, so that nobody who takes many keeps others out."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from libp2p.peer.id import ID
from libp2p.rcmgr import Direction

from p2p.compat.swarm_conn import SETTLE_S, PromptConn
from p2p.sources import source_of


def gives_way(connections: Iterable[PromptConn], is_stranger: Callable[[ID], bool], now: float) -> PromptConn | None:
    """The oldest inbound one over which nothing lasting runs; of strangers also one in use.

    Of these the oldest of the source that has most, or where each has one, the oldest of all that had half a minute.
    None: everybody here is known, or has just come.
    """
    inbound = [conn for conn in connections if conn.direction == Direction.INBOUND]
    oldest_first = sorted((conn for conn in inbound if not conn.is_closed), key=lambda conn: conn.since)
    useless = next((conn for conn in oldest_first if conn.is_useless(now)), None)
    return useless or _of_strangers([conn for conn in oldest_first if is_stranger(conn.muxed_conn.peer_id)], now)


def _of_strangers(oldest_first: list[PromptConn], now: float) -> PromptConn | None:
    sources: dict[bytes, list[PromptConn]] = {}
    for conn in oldest_first:
        remote = conn.muxed_conn.get_remote_address()
        source = source_of(conn.muxed_conn.peer_id.to_bytes(), None if remote is None else remote[0])
        sources.setdefault(source, []).append(conn)
    fullest = max(sources.values(), key=len, default=[])
    if len(fullest) > 1:
        return fullest[0]
    return next((conn for conn in oldest_first if now - conn.since > SETTLE_S), None)
