"""Discovery over real libp2p nodes."""

from __future__ import annotations

from pathlib import Path

import pytest
from discovery_world import until
from real_world import RealDaemon, real_daemons

pytestmark = pytest.mark.network


async def test_everybody_in_a_chain_discovers_an_advertisement_once(tmp_path: Path) -> None:
    async with real_daemons(tmp_path, 3) as (alice, bob, carol):
        await bob.follow("swap")
        await carol.follow("swap")
        key = alice.keys.create()
        await alice.advertise(key)
        for daemon in (bob, carol):
            await until(lambda daemon=daemon: daemon.named("signer:discovered"))
            assert await daemon.found(transactionType="swap") == {key.hex()}
        assert [len(daemon.named("signer:discovered")) for daemon in (alice, bob, carol)] == [0, 1, 1]


async def test_a_newcomer_learns_the_whole_directory_from_one_peer(tmp_path: Path) -> None:
    async with real_daemons(tmp_path, 2) as (alice, bob):
        keys = {alice.keys.create() for _ in range(15)}
        for key in keys:
            await alice.advertise(key)
        await until(lambda: bob.lines() == 15)
        await alice.network.disconnect(bob.network.peer)
        carol = RealDaemon(tmp_path / "carol.sqlite", bob._network_name, bob._limits, bob.network.multiaddrs())
        await carol.start()
        try:
            await until(lambda: carol.lines() == 15)
            assert await carol.found() == {key.hex() for key in keys}
        finally:
            await carol.stop()


async def test_a_key_that_the_directory_does_not_know_is_resolved_through_the_dht(tmp_path: Path) -> None:
    async with real_daemons(tmp_path, 3) as (alice, _, carol):
        key = alice.keys.create()
        await alice.advertise(key)
        routes = await carol.service.resolve(key)
        assert alice.network.peer in {peer for peer, _ in routes}
