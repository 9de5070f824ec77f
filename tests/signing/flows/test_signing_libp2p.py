"""The whole way over real libp2p nodes on loopback."""

from __future__ import annotations

import pytest

from tests.p2p.nodes import eventually
from tests.signing.libp2p_world import Libp2pDaemon, libp2p_daemons
from tests.signing.signing_world import World, announce, join, signatures

pytestmark = pytest.mark.network


@pytest.mark.parametrize(("name", "count"), [("lotus", 2), ("bip340", 2), ("lotus", 3), ("bip340", 5)])
async def test_signers_that_were_never_connected_find_each_other_and_sign(world: World, name: str, count: int) -> None:
    daemons = await libp2p_daemons(world, count, name)
    request = (await announce(daemons[0], daemons, 2))["requestId"]
    for daemon in daemons[1:]:
        await join(daemon, request)
    found = [await signatures(daemon, request) for daemon in daemons]
    assert all(one == found[0] for one in found)


async def test_a_signer_behind_a_wall_dials_the_publisher_of_a_notice_where_the_directory_says(world: World) -> None:
    one, two = await libp2p_daemons(world, 2)
    world.book.peers.pop(two.key)  # nobody knows where it is, and the two have never met
    request = (await announce(one, [one, two]))["requestId"]
    await join(two, request)
    assert await signatures(one, request) == await signatures(two, request)


async def test_sessions_end_well_whose_connections_are_closed_whenever_nobody_needs_them(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Libp2pDaemon, "kept_connections", 0)
    daemons = await libp2p_daemons(world, 4)
    for _ in range(3):
        request = (await announce(daemons[0], daemons))["requestId"]
        for daemon in daemons[1:]:
            await join(daemon, request)
        found = [await signatures(daemon, request) for daemon in daemons]
        assert all(one == found[0] for one in found)

        async def alone() -> bool:
            return not any(daemon.p2p.peers() for daemon in daemons)

        await eventually(alone)


async def test_one_stream_per_peer_carries_many_sessions(world: World) -> None:
    one, two = await libp2p_daemons(world, 2)
    await signatures_of(one, two, 1)
    before = await one.p2p.stats()
    await signatures_of(one, two, 20)
    after = await one.p2p.stats()
    assert (after.connections, after.session_streams) == (before.connections, before.session_streams)
    assert after.outbox_frames == 0


async def signatures_of(one: Libp2pDaemon, two: Libp2pDaemon, count: int) -> None:
    requests = [(await announce(one, [one, two]))["requestId"] for _ in range(count)]
    for request in requests:
        await join(two, request)
    for request in requests:
        assert await signatures(one, request) == await signatures(two, request)
