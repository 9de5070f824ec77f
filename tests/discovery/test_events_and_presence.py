"""Clients hear each event once, and only of the types that they follow."""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest

from daemon.discovery.api.follows import Follows
from daemon.discovery.errors import TooManyTypes
from daemon.discovery.intake.events import ToldRecords
from daemon.discovery.limits import DiscoveryLimits
from daemon.discovery.peers import presence
from p2p.network import GossipItem
from rpc.caller import owner
from rpc.models import advertisements as ads
from tests.discovery.discovery_world import DAY_MS, Signer, World, a_world, push_of, until


async def unfollow(daemon: object, *types: str) -> dict[str, object]:
    params = ads.UnsubscribeFromSignerDiscovery.model_validate({"transactionTypes": list(types)} if types else {})
    return await daemon.service.methods.unsubscribe_from_signer_discovery(owner(), params)  # type: ignore[attr-defined] # a daemon


async def test_an_advertisement_is_announced_once_whichever_channels_bring_it(world: World) -> None:
    alice, bob = await world.daemon(), await world.daemon()
    carol = await world.daemon(alice, bob)
    await carol.follow("spend", "swap")
    signer = Signer()
    signed, entry = signer.advertise(world.clock.wall)
    for _ in range(3):
        for daemon in (alice, bob, carol):
            await daemon.service.traffic.on_ask(bytes(38), push_of((signed, entry)))
        carol.service.inbox.put([GossipItem("t", alice.identity.peer, record) for record in (signed, entry)])
        world.clock.forward(2_000)
        await carol.find(refresh=True)
    assert len(carol.named("signer:discovered")) == 1


async def test_an_advertisement_that_was_evicted_and_is_brought_again_is_announced_once(tmp_path: Path) -> None:
    async with a_world(tmp_path, DiscoveryLimits(advertisements=5)) as world:
        daemon, signers = await world.daemon(), [Signer() for _ in range(20)]
        await daemon.follow("swap")
        said = [signer.advertise(world.clock.wall) for signer in signers]
        for _ in range(3):  # each burst evicts what the one before has brought
            for start in range(0, 20, 4):
                await daemon.service.traffic.on_ask(bytes(38), push_of(*said[start : start + 4]))
        world.clock.forward(world.limits.interval_ms)
        await daemon.service.traffic.on_ask(bytes(38), push_of(signers[0].advertise(world.clock.wall)))
        told = [told["advertisement"] for told in daemon.named("signer:discovered")]
        assert daemon.lines() <= 5
        assert len(told) == 21
        assert {view["publicKey"] for view in told} == {signer.pubkey.hex() for signer in signers}


def test_announced_statements_are_remembered_within_a_bound() -> None:
    told, ids = ToldRecords(most=100), [secrets.token_bytes(32) for _ in range(1_000)]
    for record_id in ids:
        told.add([record_id])
        assert record_id in told
    assert all(record_id in told for record_id in ids[-50:])
    assert 50 <= sum(record_id in told for record_id in ids) <= 100


async def test_rumour_reaches_daemons_that_no_topic_connects(world: World) -> None:
    alice = await world.daemon()
    bob = await world.daemon(alice)
    carol = await world.daemon(bob)
    dave = await world.daemon(carol)
    await dave.follow("swap")
    await until(lambda: dave.lines(kind=3) == 4)
    for one, other in ((alice, carol), (alice, dave), (bob, dave)):
        if one.net.connected(other.identity.peer):
            world.wire.cut(one.net, other.net)
    key = alice.keys.create()
    await alice.advertise(key)
    await until(lambda: dave.named("signer:discovered"))
    assert [event["advertisement"]["publicKey"] for event in dave.named("signer:discovered")] == [key.hex()]


async def test_only_followed_types_are_announced_and_following_outlives_a_restart(world: World) -> None:
    daemon = await world.daemon()
    assert await daemon.follow("coinjoin", "swap") == {"transactionTypes": ["coinjoin", "swap"]}
    assert await unfollow(daemon, "coinjoin") == {"transactionTypes": ["swap"]}
    daemon = await world.again(daemon)
    swap, coinjoin = Signer(), Signer()
    now = world.clock.wall
    await daemon.service.traffic.on_ask(bytes(38), push_of(coinjoin.advertise(now, types=("coinjoin",))))
    await daemon.service.traffic.on_ask(bytes(38), push_of(swap.advertise(now, types=("swap",))))
    assert [event["advertisement"]["publicKey"] for event in daemon.named("signer:discovered")] == [swap.pubkey.hex()]
    assert await unfollow(daemon) == {"transactionTypes": []}


async def test_a_token_follows_a_bounded_number_of_types(world: World) -> None:
    follows = Follows(store=(await world.daemon()).store, in_force=lambda token: True)
    await follows.add("one", [f"type-{number}" for number in range(60)])
    with pytest.raises(TooManyTypes) as refused:
        await follows.add("one", [f"more-{number}" for number in range(5)])
    assert refused.value.reason == "too_many"
    assert len(follows.union()) == 60


async def test_types_of_a_token_that_was_revoked_are_no_longer_followed(world: World) -> None:
    gone: set[str] = set()
    follows = Follows(store=(await world.daemon()).store, in_force=lambda token: token not in gone)
    await follows.add("one", ["swap"])
    await follows.add("two", ["escrow"])
    gone.add("one")
    assert follows.union() == {"escrow"}
    again = Follows(store=follows._store, in_force=lambda token: token not in gone)
    again.load()
    assert again.union() == {"escrow"}


async def test_a_wallet_is_told_of_another_wallet_of_the_same_daemon_if_it_is_bound_to_keys(world: World) -> None:
    daemon = await world.daemon()
    await daemon.follow("swap")
    await daemon.advertise(daemon.keys.create())
    assert daemon.named("signer:discovered") == []
    await daemon.follow("swap", token="tenant")
    key = daemon.keys.create()
    await daemon.advertise(key)
    await daemon.withdraw(key)
    (told,) = daemon.named("signer:discovered")
    assert (told["advertisement"]["publicKey"], told["advertisement"]["own"], told["sameDaemon"]) == (
        key.hex(),
        False,
        True,
    )
    assert [told["publicKey"] for told in daemon.named("signer:withdrawn") if "sameDaemon" in told] == [key.hex()]


async def test_the_daemon_follows_the_topics_of_its_clients_and_of_its_own_keys(world: World) -> None:
    daemon = await world.daemon()
    assert daemon.net.topics == {"musigd/test/requests"}
    await daemon.follow("swap")
    await daemon.advertise(daemon.keys.create(), criteria={"transactionTypes": ["escrow"]})
    assert daemon.net.topics == {
        "musigd/test/requests",
        "musigd/test/signers/escrow",
        "musigd/test/signers/swap",
    }


async def test_a_signer_is_unavailable_when_its_peer_stays_away(world: World) -> None:
    alice = await world.daemon()
    bob = await world.daemon(alice)
    await bob.follow("swap")
    key = alice.keys.create()
    await alice.advertise(key)
    await until(lambda: bob.named("signer:discovered"))
    world.wire.cut(alice.net, bob.net)
    world.wire.link(alice.net, bob.net)
    world.clock.forward(60_000)
    world.wire.cut(alice.net, bob.net)
    world.clock.forward(30_000)
    bob.service._presence._awake.set()
    await until(lambda: bob.named("signer:unavailable"))
    assert bob.named("signer:unavailable") == [
        {"publicKey": key.hex(), "reason": "peer_left", "transactionTypes": ["spend", "swap"]}
    ]
    assert await bob.found() == {key.hex()}


async def test_a_signer_is_not_unavailable_because_nobody_needed_the_connection_to_its_peer(world: World) -> None:
    alice, carol = await world.daemon(), await world.daemon()
    bob = await world.daemon(alice, carol)
    await bob.follow("swap")
    needed, gone = alice.keys.create(), carol.keys.create()
    await alice.advertise(needed)
    await carol.advertise(gone)
    await until(lambda: len(bob.named("signer:discovered")) == 2)
    world.wire.cut(alice.net, bob.net, unneeded=True)
    world.wire.cut(carol.net, bob.net)
    world.clock.forward(30_000)
    bob.service._presence._awake.set()
    await until(lambda: bob.named("signer:unavailable"))
    assert [told["publicKey"] for told in bob.named("signer:unavailable")] == [gone.hex()]


async def test_a_signer_is_unavailable_when_it_expires_and_is_pruned_after_the_grace_time(world: World) -> None:
    daemon, signer = await world.daemon(), Signer()
    await daemon.follow("swap")
    await daemon.service.traffic.on_ask(bytes(38), push_of(signer.advertise(world.clock.wall)))
    assert daemon.service._buckets.size == 2
    world.clock.forward(DAY_MS)
    daemon.service._presence._awake.set()
    await until(lambda: daemon.named("signer:unavailable"))
    assert daemon.named("signer:unavailable") == [
        {"publicKey": signer.pubkey.hex(), "reason": "expired", "transactionTypes": ["spend", "swap"]}
    ]
    assert daemon.service._buckets.size == 0
    assert daemon.lines() == 1
    world.clock.forward(600_000)
    daemon.service._presence._awake.set()
    await until(lambda: daemon.lines() == 0)
    assert daemon.service._buckets.sums(8) == bytes(2_048)


async def test_a_signer_that_expired_while_the_daemon_was_off_is_reported_once_after_the_start(world: World) -> None:
    daemon, signer, stays = await world.daemon(), Signer(), Signer()
    await daemon.follow("swap")
    now = world.clock.wall
    known = (signer.advertise(now), stays.advertise(now, exp=now + 2 * DAY_MS))
    await daemon.service.traffic.on_ask(bytes(38), push_of(*known))
    await daemon.stop()
    world.clock.forward(DAY_MS + 3_600_000)
    daemon = await world.again(daemon)
    world.clock.forward(world.limits.settle_ms)
    daemon.service._presence._awake.set()
    await until(lambda: daemon.named("signer:unavailable"))
    assert [told["publicKey"] for told in daemon.named("signer:unavailable")] == [signer.pubkey.hex()]
    daemon = await world.again(daemon)
    world.clock.forward(world.limits.settle_ms)
    daemon.service._presence._awake.set()
    await until(lambda: daemon.service._presence._told_until_ms == world.clock.wall)
    assert daemon.named("signer:unavailable") == []


async def test_a_signer_that_renewed_while_the_daemon_was_off_is_not_reported_as_gone(world: World) -> None:
    bob, signer = await world.daemon(), Signer()
    alice = await world.daemon(bob)
    await bob.follow("swap")
    await bob.service.traffic.on_ask(bytes(38), push_of(signer.advertise(world.clock.wall)))
    await until(lambda: alice.lines() == 1)
    await bob.stop()
    world.clock.forward(DAY_MS)
    await alice.service.traffic.on_ask(bytes(38), push_of(signer.advertise(world.clock.wall)))
    world.clock.forward(1_000)
    bob = await world.again(bob, alice)
    await until(lambda: bob.named("signer:discovered"))
    world.clock.forward(world.limits.settle_ms)
    bob.service._presence._awake.set()
    await until(lambda: bob.service._presence._told_until_ms == world.clock.wall)
    assert bob.named("signer:unavailable") == []


async def test_more_events_than_fit_in_one_step_are_all_emitted(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presence, "TOLD_AT_ONCE", 3)
    daemon = await world.daemon()
    await daemon.follow("swap")
    now = world.clock.wall
    flood = [Signer().advertise(now, exp=now + DAY_MS + number // 2) for number in range(20)]
    await daemon.service.traffic.on_ask(bytes(38), push_of(*flood))
    world.clock.forward(2 * DAY_MS)
    daemon.service._presence._awake.set()
    await until(lambda: len(daemon.named("signer:unavailable")) >= 20)
    assert len({event["publicKey"] for event in daemon.named("signer:unavailable")}) == 20


async def test_a_renewal_in_a_hurry_waits_for_the_next_synchronisation(world: World) -> None:
    daemon, signer = await world.daemon(), Signer()
    taken = 0
    for number in range(10):
        before = daemon.service._buckets.sums(8)
        await daemon.service.traffic.on_ask(bytes(38), push_of(signer.advertise(world.clock.wall + number)))
        taken += before != daemon.service._buckets.sums(8)
    assert taken == world.limits.live_renewals
