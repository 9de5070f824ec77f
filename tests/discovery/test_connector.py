"""A daemon finds peers that it knew before and peers that others name, and reports when it is alone."""

from __future__ import annotations

import secrets
from pathlib import Path

from daemon.discovery.limits import DiscoveryLimits
from daemon.discovery.peers.connector import SHARDS, provider_key
from musig2.protocol.records.peers import PeerIdentity
from p2p.network import BadAsk
from tests.discovery.discovery_world import Signer, World, a_world, push_of, until
from tests.discovery.test_attacks_on_records import MALLORY, pushed


async def test_a_daemon_that_lost_everybody_finds_them_again(world: World) -> None:
    alice = await world.daemon()
    bob = await world.daemon(alice)
    await until(lambda: bob.lines(kind=3) == 2)
    bob = await world.again(bob)
    world.wire.parted.clear()
    bob.service._company.on_peer()
    bob.service._company._changed.set()
    await until(bob.net.peers)
    assert bob.net.connected(alice.identity.peer)


async def test_a_known_peer_that_is_gone_is_forgotten_unless_no_peer_can_be_reached(world: World) -> None:
    alice, bob = await world.daemon(), await world.daemon()
    gone = PeerIdentity(secrets.token_bytes(32)).peer
    known = bob.service._company._known_peers
    await known.remember(gone, [b"\x04\x7f\x00\x00\x01\x06\x00\x01"])
    await bob.service._company._find_some()
    assert [peer for peer, _ in known.newest(9)] == [gone]
    world.wire.link(bob.net, alice.net)
    await bob.service._company._find_some()
    assert known.newest(9) == []


async def test_peers_name_others_that_serve_the_directory(world: World) -> None:
    alice = await world.daemon()
    bob = await world.daemon(alice)
    await until(lambda: alice.lines(kind=3) == 2)
    carol = await world.daemon(alice)
    await until(lambda: len(carol.net.peers()) > 1)
    assert carol.net.connected(bob.identity.peer)


async def test_twenty_strangers_that_fill_a_provider_key_do_not_isolate_a_daemon(world: World) -> None:
    alice, bob = await world.daemon(), await world.daemon()
    strangers: list[tuple[bytes, tuple[bytes, ...]]] = [
        (PeerIdentity(secrets.token_bytes(32)).peer, (b"\x04\x06\x06\x06\x06\x06\x00\x01",)) for _ in range(20)
    ]
    dialled: list[bytes] = []

    async def providers(_: bytes) -> list[tuple[bytes, tuple[bytes, ...]]]:
        return strangers * 500

    async def dial(peer: bytes, addrs: object, *, hearsay: bool) -> bool:
        dialled.append(peer)
        return await type(alice.net).dial(alice.net, peer, ())

    alice.net.find_providers = providers  # type: ignore[method-assign, assignment] # a DHT full of strangers
    alice.net.dial = dial  # type: ignore[method-assign, assignment] # counted
    world.wire.link(alice.net, bob.net)
    alice.service._company._changed.set()
    await until(lambda: bob.lines(kind=3) == 2)
    assert len(dialled) <= 2 * 32
    assert alice.net.connected(bob.identity.peer)


async def test_a_directory_node_is_found_through_a_provider_record_when_nobody_names_one(world: World) -> None:
    alice, bob, mute = await world.daemon(), await world.daemon(), await world.daemon()
    asked: list[bytes] = []

    async def providers(key: bytes) -> list[tuple[bytes, tuple[bytes, ...]]]:
        asked.append(key)
        return [(bob.identity.peer, bob.net.addrs)]

    async def silence(_: bytes, __: bytes) -> bytes:
        raise BadAsk("nothing is said here")

    alice.net.find_providers = providers  # type: ignore[method-assign] # a DHT that knows one node
    mute.net.answer = silence
    mute.net.service = None
    await alice.follow("swap")
    world.wire.link(alice.net, mute.net)
    alice.service._company._changed.set()
    await until(lambda: alice.net.connected(bob.identity.peer))
    now = world.clock.wall
    assert set(asked) <= {provider_key("test", "swap", now, shard) for shard in range(SHARDS)}


def test_provider_keys_change_every_six_hours() -> None:
    six_hours = 6 * 3_600_000
    keys = {provider_key("main", "swap", now, shard) for now in (0, six_hours - 1, six_hours) for shard in range(4)}
    assert len(keys) == 8
    assert provider_key("main", "swap", 0, 0) != provider_key("test", "swap", 0, 0)


async def test_problems_say_that_nobody_is_there_and_what_to_do(world: World) -> None:
    alice = await world.daemon()
    assert alice.service.problems.found() == []
    world.clock.forward(20_000)
    ((reason, remedy),) = alice.service.problems.found()
    assert reason == "no_peers"
    assert "p2p.bootstrap" in remedy
    await world.daemon(alice)
    assert alice.service.problems.found() == []


async def test_peers_without_a_public_address_share_one_range_on_the_open_network(tmp_path: Path) -> None:
    limits = DiscoveryLimits(advertisements_per_net=3, private_ranges=False)
    async with a_world(tmp_path, limits) as world:
        daemon = await world.daemon()
        flood = [Signer().advertise(world.clock.wall) for _ in range(10)]
        assert await pushed(daemon, MALLORY, *flood) == 3


async def test_refused_statements_are_not_fetched_again_and_again(tmp_path: Path) -> None:
    async with a_world(tmp_path, DiscoveryLimits(advertisements_per_peer=5)) as world:
        alice, mallory = await world.daemon(), PeerIdentity(secrets.token_bytes(32))
        world.limits = DiscoveryLimits()
        bob = await world.daemon()
        flood = [Signer(peer=mallory).advertise(world.clock.wall) for _ in range(50)]
        await bob.service.traffic.on_ask(bytes(38), push_of(*flood))
        world.wire.link(alice.net, bob.net)
        await until(lambda: alice.lines() == 5 and not alice.service._rounds._running)
        before = world.wire.bytes_answered
        await alice.service._rounds.pull(bob.identity.peer, compare=True)
        assert world.wire.bytes_answered - before < 3_000
