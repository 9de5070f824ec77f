"""Discovery over real libp2p nodes."""

from __future__ import annotations

import asyncio
import secrets
from pathlib import Path

import pytest

from daemon.clock import SystemClock
from daemon.discovery.limits import DiscoveryLimits
from musig2.protocol.wire.sync import Greeting, Hello, Statements, encode_answer, open_ask
from tests.discovery.discovery_world import DAY_MS, Signer, until
from tests.discovery.real_world import RealDaemon, real_daemons

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
        routes = await carol.service.signers.resolve(key)
        assert alice.network.peer in {peer for peer, _ in routes}


async def test_ten_megabytes_of_junk_on_a_topic_reach_nobody_else_and_end_in_a_ban(tmp_path: Path) -> None:
    async with real_daemons(tmp_path, 3) as (mallory, bob, carol):
        for daemon in (mallory, bob, carol):
            await daemon.follow("swap")
        topic = "musigd/" + bob._network_name + "/signers/swap"
        await until(lambda: bob.network.connected(mallory.network.peer))
        sent = 0
        async with asyncio.timeout(180):
            while sent < 210 and mallory.network.peer not in bob.ears.bans:
                followers = await mallory.network.publish(topic, secrets.token_bytes(49_000))
                sent += followers >= 2  # before both are known to follow, it reaches nobody
                await asyncio.sleep(0)
        await until(lambda: mallory.network.peer in bob.ears.bans)
        assert {peer for peer, _ in carol.ears.offences} <= {mallory.network.peer}
        key = carol.keys.create()
        await carol.advertise(key)
        await until(lambda: bob.named("signer:discovered"))
        assert await bob.found() == {key.hex()}


async def test_a_directory_peer_that_serves_forgeries_is_banned(tmp_path: Path) -> None:
    async with real_daemons(tmp_path, 1) as (bob,):
        mallory = RealDaemon(tmp_path / "mallory.sqlite", bob._network_name, bob._limits)
        await mallory.start()
        try:
            now_ms = mallory.clock.wall_ms()
            items = []
            for _ in range(12):
                signed, entry = Signer().advertise(now_ms)
                items.append((signed.envelope[:-1] + bytes([signed.envelope[-1] ^ 1]), entry.envelope))

            async def answer(_: bytes, payload: bytes) -> bytes:
                if isinstance(open_ask(payload), Hello):
                    return encode_answer(Greeting(bytes(16), 100, 100, now_ms))
                return encode_answer(Statements(bytes(16), 100, 50, tuple(items)))

            mallory.ears.on_ask = answer  # type: ignore[method-assign, assignment] # a peer that cheats
            await bob.network.connect(mallory.network.multiaddrs()[0])
            await until(lambda: mallory.network.peer in bob.ears.bans)
            await until(lambda: not bob.network.connected(mallory.network.peer))
            assert bob.lines() == 0
        finally:
            await mallory.stop()


class ShiftedClock(SystemClock):
    """Real time, and an error that a test sets."""

    ahead_ms = 0

    def wall_ms(self) -> int:
        return super().wall_ms() + self.ahead_ms


async def test_clock_that_is_a_day_ahead_is_told_and_hides_the_key_no_longer_than_it_is_wrong(tmp_path: Path) -> None:
    async with real_daemons(tmp_path, 3, DiscoveryLimits(interval_ms=1)) as others:
        alice = RealDaemon(tmp_path / "alice.sqlite", others[0]._network_name, others[0]._limits)
        clock = ShiftedClock()
        clock.ahead_ms = DAY_MS
        alice.clock = clock  # type: ignore[assignment] # real time with an error
        await alice.start()
        try:
            for other in others:
                await other.follow("spend", "swap")
                await alice.network.connect(other.network.multiaddrs()[0])
            await until(alice.service.clocks.problem)
            assert "86400 s ahead of that of its peers" in str(alice.service.clocks.problem())
            assert not any(other.service.clocks.problem() for other in others)
            key = alice.keys.create()
            assert (await alice.advertise(key))["reach"] == {"direct": 0, "gossip": 0, "dht": False}
            clock.ahead_ms = 0
            reach = (await alice.advertise(key))["reach"]
            assert (reach["direct"], reach["dht"]) == (3, True)
            assert alice.service.clocks.problem() is None
            for other in others:
                assert await other.found() == {key.hex()}
        finally:
            await alice.stop()
