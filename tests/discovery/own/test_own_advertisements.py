"""Own advertisements: terms, times, limits, renewal, withdrawal."""

from __future__ import annotations

from pathlib import Path

import pytest

from daemon.discovery.limits import DiscoveryLimits
from daemon.errors import Refused
from musig2.protocol.records.envelope import open_verified
from p2p.addresses import from_text
from rpc.caller import Caller, Scope
from rpc.errors import ApiError
from tests.discovery.discovery_world import DAY_MS, World, a_world, until

HOUR_MS = 3_600_000


async def test_the_terms_are_signed_stored_and_shown(world: World) -> None:
    alice = await world.daemon()
    key = alice.keys.create("bip340")
    criteria = {
        "transactionTypes": ["swap", "custody"],
        "minAmount": 5,
        "maxAmount": 9,
        "trustRequirements": {"reputation": 40, "requiresVerification": True},
    }
    metadata = {"nickname": "Älice", "fees": 3, "reputation": {"score": 99}, "extra": {"list": [1, "two", None]}}
    shown = await alice.advertise(key, criteria=criteria, metadata=metadata, ttl=HOUR_MS)
    assert shown["criteria"] == criteria | {"transactionTypes": ["custody", "swap"]}
    assert shown["metadata"] == metadata
    assert shown["scheme"] == "bip340"
    assert shown["expiresAt"] - shown["timestamp"] == HOUR_MS
    signed = open_verified(bytes.fromhex(shown["envelope"]), max_bytes=10_000)
    assert signed.record.pubkey == key  # type: ignore[union-attr] # an advertisement
    assert signed.envelope.hex().find(shown["signature"]) > 0
    (listed,) = await alice.own()
    assert listed["metadata"] == metadata
    assert [event["publicKeys"] for event in alice.named("signer:advertised")] == [[key.hex()]]


async def test_a_second_advertisement_within_the_interval_is_refused_with_the_time_to_wait(world: World) -> None:
    alice = await world.daemon()
    key, other = alice.keys.create(), alice.keys.create()
    await alice.advertise(key)
    world.clock.forward(20_000)
    with pytest.raises(Refused) as refusal:
        await alice.advertise(key)
    assert refusal.value.reason == "rate_limited"
    assert refusal.value.facts["retryAfterMs"] == 40_000
    await alice.advertise(other)
    world.clock.forward(40_000)
    await alice.advertise(key)


async def test_the_interval_holds_across_a_restart_and_a_withdrawal_never_counts(world: World) -> None:
    alice = await world.daemon()
    key = alice.keys.create()
    await alice.advertise(key)
    alice = await world.again(alice)
    with pytest.raises(Refused, match="a moment ago"):
        await alice.advertise(key)
    await alice.withdraw(key)
    assert await alice.own() == []
    assert (await alice.withdraw(key)) == {"withdrawn": True}


async def test_an_advertisement_after_a_withdrawal_is_newer_than_it(world: World) -> None:
    alice = await world.daemon()
    bob = await world.daemon(alice)
    await bob.follow("spend")
    key = alice.keys.create()
    await alice.advertise(key)
    await alice.withdraw(key)
    await until(lambda: bob.named("signer:withdrawn"))
    assert bob.named("signer:withdrawn") == [{"publicKey": key.hex(), "transactionTypes": ["spend", "swap"]}]
    world.clock.forward(60_000)
    await alice.advertise(key)
    await until(lambda: len(bob.named("signer:discovered")) == 2)
    assert await bob.found() == {key.hex()}


async def test_a_key_that_was_never_advertised_cannot_be_withdrawn(world: World) -> None:
    alice = await world.daemon()
    with pytest.raises(Refused) as refusal:
        await alice.withdraw(alice.keys.create())
    assert refusal.value.reason == "not_found"


async def test_every_key_is_renewed_before_it_expires(world: World) -> None:
    alice = await world.daemon()
    bob = await world.daemon(alice)
    await bob.follow("spend")
    keys = [alice.keys.create() for _ in range(5)]
    for key in keys:
        await alice.advertise(key, ttl=HOUR_MS)
    await until(lambda: len(bob.named("signer:discovered")) == 5)
    world.clock.forward(HOUR_MS - 60_000)
    alice.service.renewal.wake()
    await until(lambda: len(bob.named("signer:discovered")) == 10)
    assert {event["renewed"] for event in bob.named("signer:discovered")[5:]} == {True}
    world.clock.forward(120_000)
    assert await bob.found() == {key.hex() for key in keys}


async def test_keys_are_renewed_after_a_restart_also_when_they_expired_meanwhile(world: World) -> None:
    alice = await world.daemon()
    keys = [alice.keys.create() for _ in range(3)]
    for key in keys:
        await alice.advertise(key, ttl=HOUR_MS)
    await alice.withdraw(keys[2])
    await alice.stop()
    world.clock.forward(2 * HOUR_MS)
    await alice.start()
    await until(lambda: len(alice.named("signer:advertised")) == 5)
    assert await alice.found(includeOwn=True) == {key.hex() for key in keys[:2]}


async def test_an_advertisement_that_leads_to_a_former_address_is_renewed_after_a_restart(world: World) -> None:
    alice = await world.daemon()
    await alice.advertise(alice.keys.create())
    alice.net.addrs = (from_text("/ip4/127.0.0.1/tcp/9999"),)
    await alice.service.stop()
    world.clock.forward(1_000)
    alice.service.renewal._first_look = True
    await alice.service.start()
    await until(lambda: len(alice.named("signer:advertised")) == 2)
    (shown,) = await alice.own()
    assert shown["multiaddrs"][0].startswith("/ip4/127.0.0.1/tcp/9999/p2p/")


async def test_a_locked_daemon_says_that_an_advertisement_is_expiring_once(world: World) -> None:
    alice = await world.daemon()
    key = alice.keys.create()
    await alice.advertise(key)
    alice.keys.locked = True
    world.clock.forward(DAY_MS - HOUR_MS)
    alice.service.renewal.wake()
    await until(lambda: alice.named("signer:expiring"))
    alice.service.renewal.wake()
    alice.keys.locked = False
    alice.service.renewal.wake()
    await until(lambda: len(alice.named("signer:advertised")) == 2)
    (event,) = alice.named("signer:expiring")
    assert event["publicKey"] == key.hex()
    assert event["publicKeys"] == [key.hex()]


async def test_a_locked_daemon_cannot_advertise(world: World) -> None:
    alice = await world.daemon()
    key = alice.keys.create()
    alice.keys.locked = True
    with pytest.raises(Refused) as refusal:
        await alice.advertise(key)
    assert refusal.value.reason == "locked"
    assert alice.service.signers.delegation_of(key) is None


async def test_an_advertisement_larger_than_allowed_is_refused(tmp_path: Path) -> None:
    async with a_world(tmp_path, DiscoveryLimits()) as world:
        alice = await world.daemon()
        with pytest.raises(Refused) as refusal:
            await alice.advertise(alice.keys.create(), metadata={"extra": {str(n): "x" * 2_000 for n in range(6)}})
        assert refusal.value.reason == "too_large"


async def test_a_token_sees_and_advertises_only_its_own_keys(world: World) -> None:
    alice = await world.daemon()
    mine, others = alice.keys.create(), alice.keys.create()
    wallet = Caller("wallet", frozenset(Scope), frozenset({mine}), create_key=False)
    with pytest.raises(ApiError, match="no such key"):
        await alice.advertise(others, wallet)
    await alice.advertise(mine, wallet)
    await alice.advertise(others)
    found = await alice.find(wallet)
    assert [(signer["publicKey"], signer["own"]) for signer in found["signers"]] == [(others.hex(), False)]


async def test_a_record_that_could_not_be_put_into_the_dht_is_put_when_a_peer_connects(world: World) -> None:
    alice = await world.daemon()
    key = alice.keys.create()
    shown = await alice.advertise(key)
    assert shown["reach"] == {"direct": 0, "gossip": 0, "dht": False}
    world.wire.dht.clear()
    await world.daemon(alice)
    world.clock.forward(60_000)
    alice.service.renewal.wake()
    await until(lambda: key in world.wire.dht)
