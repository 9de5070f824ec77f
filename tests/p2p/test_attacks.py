"""What one hostile peer may try with connections and streams: it costs that peer, and nobody else."""

from __future__ import annotations

from typing import Any

import pytest
import trio
from libp2p.host.ping import ID as PING
from libp2p.peer.id import ID
from nodes import eventually, networks

from p2p.compat.host import PING_BYTES, PING_COST, STREAM_RATE
from p2p.compat.yamux import MAX_INBOUND_STREAMS
from p2p.compat.yamux_stream import HEADER, RST, SYN, WINDOW_UPDATE

pytestmark = pytest.mark.network


async def test_streams_that_are_opened_and_reset_at_once_pile_up_no_tasks() -> None:
    async with networks(2) as (mallory, ben):
        await mallory.meet(ben)
        before = (await ben.stats()).tasks
        assert await mallory.inside(lambda node: open_and_reset(node, ben.peer, 5_000))
        assert (await ben.stats()).tasks <= before + MAX_INBOUND_STREAMS + 10


async def open_and_reset(node: Any, peer: bytes, count: int) -> bool:
    """Open streams and reset each in the same breath; True when the other side has heard of the last of them."""
    conn = node.host.swarm.get_connections(ID(peer))[0].muxed_conn
    for _ in range(count // 20):
        for _ in range(20):
            number, conn._next_id = conn._next_id, conn._next_id + 2
            conn.queue(HEADER.pack(0, WINDOW_UPDATE, SYN, number, 0) + HEADER.pack(0, WINDOW_UPDATE, RST, number, 0))
        await conn._sent.wait()
    return not conn.is_closed


async def test_one_who_is_seconds_behind_its_pace_loses_its_connection() -> None:
    async with networks(2) as (mallory, ben):
        await mallory.meet(ben)
        pings = 10 * STREAM_RATE // PING_COST + 4 * STREAM_RATE  # the burst, and then some

        async def flood(node: Any) -> None:
            async def ping() -> None:
                stream = await node.host.new_stream(ID(ben.peer), [PING])
                await stream.write(bytes(PING_BYTES) * (pings // 40))
                await trio.sleep_forever()

            async with trio.open_nursery() as nursery:
                for _ in range(40):
                    nursery.start_soon(ping)
                while node.host.swarm.get_connections(ID(ben.peer)):
                    try:
                        await node.host.new_stream(ID(ben.peer), [PING])
                    except Exception:
                        await trio.sleep(0.01)
                nursery.cancel_scope.cancel()

        await mallory.inside(flood)

        async def gone() -> bool:
            return not ben.connected(mallory.peer)

        await eventually(gone)
