"""Records that a daemon signed with a wrong clock hide nothing, harm nobody and are replaced automatically."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from daemon.discovery.own.rows import OwnRow
from daemon.upkeep.doctor_clock import stored_times
from daemon.upkeep.times_ahead import times_ahead
from musig2.protocol.records.checks import RecordLimits
from musig2.protocol.records.peers import PeerIdentity
from musig2.protocol.wire.sync import Push, Taken, encode_ask, open_answer
from rpc.ports import Problem
from tests.discovery.discovery_world import DAY_MS, Daemon, MovedClock, Signer, World, push_of, until

HOUR_MS = 3_600_000
PEER = PeerIdentity(bytes(32)).peer


async def pushed(daemon: Daemon, peer: bytes, *statements: tuple[Any, Any]) -> int:
    answer = open_answer(await daemon.service.traffic.on_ask(peer, push_of(*statements)))
    assert isinstance(answer, Taken)
    return answer.count


def jumped(by_ms: int) -> MovedClock:
    clock = MovedClock()
    clock.wall += by_ms
    return clock


async def test_key_is_found_at_once_when_the_clock_that_was_a_day_ahead_is_corrected(world: World) -> None:
    alice = await world.daemon(clock=jumped(DAY_MS))
    bob = await world.daemon(alice)
    key = alice.keys.create()
    shown = await alice.advertise(key)
    assert shown["timestamp"] == world.clock.wall + DAY_MS
    assert shown["reach"] == {"direct": 0, "gossip": 0, "dht": False}, "who refuses it is not counted"
    assert await bob.found() == set()
    alice.clock.wall -= DAY_MS
    alice.clock.mono += 60_000
    again = await alice.advertise(key)
    assert again["timestamp"] == alice.clock.wall
    assert again["reach"]["direct"] == 1
    assert await bob.found() == {key.hex()}


async def test_key_is_advertised_again_by_itself_when_the_clock_is_right_also_after_a_restart(world: World) -> None:
    alice = await world.daemon(clock=jumped(DAY_MS))
    bob = await world.daemon(alice)
    key = alice.keys.create()
    await alice.advertise(key)
    alice.clock.wall -= DAY_MS
    alice = await world.again(alice, bob)
    await until(lambda: bob.lines() == 1)
    assert await bob.found() == {key.hex()}
    assert [one["timestamp"] for one in await alice.own()] == [alice.clock.wall]


async def test_withdrawal_made_while_the_clock_was_ahead_is_made_again_when_it_is_right(world: World) -> None:
    alice = await world.daemon(clock=MovedClock())
    bob = await world.daemon(alice)
    key = alice.keys.create()
    await alice.advertise(key)
    await until(lambda: bob.lines() == 1)
    alice.clock.wall += DAY_MS
    await alice.withdraw(key)
    assert await bob.found() == {key.hex()}, "it is refused as one from the future"
    alice.clock.wall -= DAY_MS
    alice.clock.mono += 60_000
    alice.service.renewal.wake()
    await until(lambda: bob.lines() == 0)
    assert await bob.found() == set()
    assert len(alice.named("signer:withdrawn")) == 1


def latest_of(daemon: Daemon, key: bytes) -> int:
    """The time in the record that a daemon has for a key."""
    sql = "SELECT ts FROM directory_log WHERE substr(subject, -33) = ?"
    return int(daemon.store.read(lambda conn: conn.execute(sql, (key,)).fetchone()[0]))


@pytest.mark.parametrize("withdrawn", [False, True])
async def test_copy_of_the_record_from_the_future_beats_nothing_when_its_time_comes(
    world: World, withdrawn: bool
) -> None:
    alice = await world.daemon(clock=jumped(DAY_MS))
    eve = await world.daemon(alice, clock=jumped(DAY_MS))
    bob = await world.daemon(alice)
    key = alice.keys.create()
    await alice.advertise(key, ttl=5 * DAY_MS, metadata={"nickname": "old"})
    await until(lambda: eve.lines() == 1)
    kept = eve.store.read(
        lambda conn: conn.execute("SELECT record, entry FROM directory_log WHERE kind = 1").fetchone()
    )
    alice.clock.wall -= DAY_MS
    alice.clock.mono += 60_000
    await alice.advertise(key, ttl=DAY_MS, metadata={"nickname": "new"})
    if withdrawn:
        await alice.withdraw(key)
    assert await bob.found() == (set() if withdrawn else {key.hex()})
    for clock in {alice.clock, bob.clock}:
        clock.forward(DAY_MS)
    alice.service.renewal.wake()
    await until(lambda: latest_of(bob, key) > bob.clock.wall)
    await bob.service.traffic.on_ask(eve.net.peer, encode_ask(Push((kept,))))
    shown = (await bob.find())["signers"]
    assert [one["metadata"]["nickname"] for one in shown] == ([] if withdrawn else ["new"])
    assert len(alice.named("signer:withdrawn")) == withdrawn


async def test_peer_that_took_it_lets_a_timely_record_take_its_place_when_its_clock_is_right(world: World) -> None:
    alice, eve = await world.daemon(clock=jumped(DAY_MS)), await world.daemon(clock=jumped(DAY_MS))
    world.wire.link(alice.net, eve.net)
    key = alice.keys.create()
    await alice.advertise(key, metadata={"nickname": "old"})
    await until(lambda: eve.lines() == 1)
    assert await eve.found() == {key.hex()}
    for daemon in (alice, eve):
        daemon.clock.wall -= DAY_MS
        daemon.clock.mono += 60_000
    assert await eve.found() == set(), "its time has not come"
    assert (await alice.advertise(key, metadata={"nickname": "new"}))["reach"]["direct"] == 1
    assert [one["metadata"]["nickname"] for one in (await eve.find())["signers"]] == ["new"]


async def test_topics_do_not_count_where_every_neighbour_refuses(world: World) -> None:
    alice = await world.daemon(clock=jumped(DAY_MS))
    bob = await world.daemon(alice)
    await bob.follow("spend", "swap")
    reach = (await alice.advertise(alice.keys.create()))["reach"]
    assert reach == {"direct": 0, "gossip": 0, "dht": False}
    alice.clock.wall -= DAY_MS
    reach = (await alice.advertise(alice.keys.create()))["reach"]
    assert reach == {"direct": 1, "gossip": 1, "dht": True}


async def test_node_record_made_while_the_clock_was_ahead_is_replaced_and_not_made_again_and_again(
    world: World,
) -> None:
    alice = await world.daemon(clock=jumped(DAY_MS))
    bob = await world.daemon(alice)
    alice.clock.wall -= DAY_MS
    await alice.service._node.renew()
    alice.service._rounds.grew()
    made = alice.service._node.envelope
    for _ in range(3):
        alice.clock.forward(60_000)
        await alice.service._node.renew()
    assert alice.service._node.envelope == made
    alice.service._rounds._spread()
    await until(lambda: bob.lines(kind=3) == 2)


async def test_clock_that_is_behind_does_no_harm_that_outlasts_it(world: World) -> None:
    alice = await world.daemon(clock=MovedClock())
    bob = await world.daemon(alice)
    key = alice.keys.create()
    await alice.advertise(key, metadata={"nickname": "new"})
    alice.clock.wall -= DAY_MS
    alice = await world.again(alice, bob)
    await until(lambda: row(alice, key).ts == alice.clock.wall)
    assert await bob.found() == {key.hex()}
    before = bob.named("signer:discovered")
    alice.clock.wall += DAY_MS
    alice.clock.mono += 60_000
    alice.service.renewal.wake()
    await until(lambda: row(alice, key).ts > bob.clock.wall)
    assert await bob.found() == {key.hex()}
    assert bob.named("signer:discovered") == before


def row(daemon: Daemon, key: bytes) -> OwnRow:
    found = daemon.service._own.row(key)
    assert found is not None
    return found


def ahead(daemon: Daemon, sees: Callable[[bytes], bool] = lambda key: True) -> list[Problem]:
    return daemon.store.read(lambda conn: times_ahead(conn, daemon.clock.wall_ms(), RecordLimits(), sees))


@pytest.mark.parametrize("withdrawn", [False, True])
async def test_own_records_from_the_future_are_a_problem_with_its_end_and_a_remedy(
    world: World, withdrawn: bool
) -> None:
    alice = await world.daemon(clock=jumped(DAY_MS))
    key = alice.keys.create()
    await alice.advertise(key)
    if withdrawn:
        await alice.withdraw(key)
    signed_ms = row(alice, key).last_ts
    assert ahead(alice) == []
    alice.keys.locked = True
    alice.clock.wall -= DAY_MS
    (standing,) = ahead(alice)
    assert standing.until_ms == signed_ms - RecordLimits().skew_ms
    assert "unlock it" in standing.remedy
    assert key.hex() in standing.remedy
    assert ahead(alice, lambda other: other != key) == [], "other wallets do not hear of it"
    alice.keys.locked = False
    alice.service.renewal.wake()
    await until(lambda: row(alice, key).ts == alice.clock.wall)
    (replaced,) = ahead(alice)
    assert replaced.until_ms == standing.until_ms
    assert "made again since" in replaced.remedy
    alice.clock.forward(DAY_MS)
    alice.service.renewal.wake()
    await until(lambda: row(alice, key).ts > signed_ms)
    assert ahead(alice) == []
    assert row(alice, key).withdrawn is withdrawn


async def test_doctor_names_what_lies_ahead(world: World, tmp_path: Path) -> None:
    alice = await world.daemon(clock=jumped(DAY_MS))
    key = alice.keys.create()
    await alice.advertise(key)
    with closing(sqlite3.connect(tmp_path / "musigd.sqlite3")) as copy:
        alice.store.read(lambda conn: conn.backup(copy))
    found = dict(stored_times(tmp_path, world.clock.wall, RecordLimits()))
    assert "86400 s ahead" in next(iter(found))
    assert key.hex() in found["A signed timestamp is in the future."]
    assert dict(stored_times(tmp_path, alice.clock.wall, RecordLimits())) == {}


async def test_limits_in_memory_use_the_clock_that_never_jumps(world: World) -> None:
    bob = await world.daemon(clock=MovedClock())
    signer = Signer()
    bob.clock.wall += DAY_MS
    limits = world.limits
    for number in range(limits.live_renewals):
        assert await pushed(bob, PEER, signer.advertise(bob.clock.wall + number)) == 1
    assert await pushed(bob, PEER, signer.advertise(bob.clock.wall + 10)) == 0
    stale = signer.advertise(bob.clock.wall - 1)
    bob.clock.mono += limits.interval_ms
    assert await pushed(bob, PEER, stale) == 0, "older than what is known, and remembered as such"
    bob.clock.wall -= DAY_MS
    bob.clock.mono += limits.interval_ms
    for number in range(limits.live_renewals):
        assert await pushed(bob, PEER, signer.advertise(bob.clock.wall + number)) == 1


async def test_expiry_emits_events_and_digests_are_right_after_the_clock_was_set_back(world: World) -> None:
    bob = await world.daemon(clock=MovedClock())
    await bob.follow("spend")
    short, long = Signer(), Signer()
    now = bob.clock.wall
    await pushed(bob, PEER, short.advertise(now, exp=now + HOUR_MS), long.advertise(now, exp=now + 2 * HOUR_MS))
    bob.clock.forward(world.limits.settle_ms)
    bob.service.clocks.is_wrong = lambda: True  # type: ignore[method-assign] # as three peers would make it
    bob.service._presence._clock_is_wrong = lambda: True
    size = bob.service._buckets.size
    bob.clock.wall += DAY_MS
    bob.service._presence._awake.set()
    await until(lambda: bob.service._buckets.size < size)
    assert bob.lines() == 2, "nothing is thrown away while peers say that the clock is wrong"
    bob.clock.wall -= DAY_MS
    bob.service._presence._clock_is_wrong = lambda: False
    bob.service._presence._awake.set()
    await until(lambda: bob.service._buckets.size == size)
    assert await bob.found() == {short.pubkey.hex(), long.pubkey.hex()}
    assert not bob.named("signer:unavailable")
    bob.clock.forward(HOUR_MS)
    bob.service._presence._awake.set()
    await until(lambda: bob.named("signer:unavailable"))
    assert [event["publicKey"] for event in bob.named("signer:unavailable")] == [short.pubkey.hex()]


async def test_lines_that_left_while_the_clock_was_ahead_are_fetched_again(world: World) -> None:
    alice = await world.daemon()
    bob = await world.daemon(alice, clock=MovedClock())
    key = alice.keys.create()
    await alice.advertise(key, ttl=DAY_MS)
    await until(lambda: bob.lines() == 1)
    bob.clock.mono += world.limits.settle_ms
    bob.clock.wall += 2 * DAY_MS
    bob.service._presence._awake.set()
    await until(lambda: bob.lines() == 0)
    bob.clock.wall -= 2 * DAY_MS
    bob.service._presence._awake.set()
    await until(lambda: bob.lines() == 1)
    assert await bob.found() == {key.hex()}
