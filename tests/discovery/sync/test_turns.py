"""Long reads for peers: few at a time, one per peer."""

from __future__ import annotations

import asyncio

from daemon.discovery.sync.turns import AT_ONCE, PeerTurns


async def test_a_newcomer_waits_for_no_more_than_one_read_of_each_other_peer() -> None:
    turns, order = PeerTurns(), list[bytes]()

    async def read(peer: bytes) -> None:
        async with turns.of(peer):
            order.append(peer)
            await asyncio.sleep(0)

    flooders = [b"flooder %d" % number for number in range(AT_ONCE + 1)]
    tasks = [asyncio.create_task(read(peer)) for peer in flooders * 20]
    await asyncio.sleep(0)
    await asyncio.gather(read(b"newcomer"), *tasks)
    assert order.index(b"newcomer") <= 2 * len(flooders)
    assert sorted(order) == sorted([b"newcomer", *flooders * 20])
    assert turns._peers == {}


async def test_the_number_of_long_reads_is_bounded_and_each_peer_has_one() -> None:
    turns, release = PeerTurns(), asyncio.Event()
    under_way: list[bytes] = []

    async def read(peer: bytes) -> None:
        async with turns.of(peer):
            under_way.append(peer)
            await release.wait()

    tasks = [asyncio.create_task(read(peer)) for peer in (b"a", b"a", b"b", b"c", b"d")]
    for _ in range(10):
        await asyncio.sleep(0)
    assert under_way == [b"a", b"b", b"c"][:AT_ONCE]
    release.set()
    await asyncio.gather(*tasks)
    assert sorted(under_way) == [b"a", b"a", b"b", b"c", b"d"]
