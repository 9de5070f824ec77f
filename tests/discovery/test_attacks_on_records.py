"""A forged record about a signer is shown by no daemon and harms no other signer."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from musig2.protocol.records import cbor
from musig2.protocol.records.codec import encode_payload
from musig2.protocol.records.envelope import alg_of, seal
from musig2.protocol.records.ids import record_id
from musig2.protocol.records.records import TYPE_OF, Advertisement
from musig2.protocol.wire.frames import Signed
from musig2.protocol.wire.sync import Taken, open_answer
from p2p.addresses import from_text
from p2p.network import Offence
from tests.discovery.discovery_world import DAY_MS, Daemon, Signer, World, push_of, until

MALLORY = bytes(38)


def rewritten(signed: Signed[Advertisement], **changes: Any) -> Signed[Advertisement]:
    """The same signatures over other words."""
    record = replace(signed.record, **changes)
    kind, alg = TYPE_OF[Advertisement], alg_of(record)
    fields = cbor.decode(signed.envelope)
    assert isinstance(fields, tuple)
    payload = encode_payload(record)
    envelope = cbor.encode((kind, alg, payload, record.pubkey, *fields[4:]))
    return Signed(record, record_id(alg, kind, payload), envelope)


async def pushed(daemon: Daemon, by: bytes, *statements: tuple[Any, Any]) -> int:
    """How many of the statements that `by` pushes are accepted."""
    answer = open_answer(await daemon.service.traffic.on_ask(by, push_of(*statements)))
    assert isinstance(answer, Taken)
    return answer.count


async def assert_refused(daemon: Daemon, statement: tuple[Any, Any]) -> None:
    """Assert that it is neither accepted nor shown, and counts as a forgery of the peer that delivered it."""
    assert await pushed(daemon, MALLORY, statement) == 0
    assert await daemon.found() == set()
    assert (MALLORY, Offence.BAD_SIGNATURE) in daemon.net.faults


async def test_a_key_of_somebody_else_cannot_be_advertised(world: World) -> None:
    daemon, victim, mallory = await world.daemon(), Signer(), Signer()
    record = replace(victim.advertise(world.clock.wall)[0].record, peer=mallory.identity.peer)
    forged = seal(record, mallory.sign, mallory.identity.sign)
    await assert_refused(daemon, (forged, mallory.enter(forged)))


async def test_a_peer_of_somebody_else_cannot_be_named(world: World) -> None:
    daemon, victim, mallory = await world.daemon(), Signer(), Signer()
    record = replace(mallory.advertise(world.clock.wall)[0].record, peer=victim.identity.peer)
    forged = seal(record, mallory.sign, mallory.identity.sign)
    await assert_refused(daemon, (forged, mallory.enter(forged)))


@pytest.mark.parametrize(
    "changes",
    [
        {"addrs": (from_text("/ip4/6.6.6.6/tcp/666"),)},
        {"metadata": {"nickname": "Mallory"}},
        {"metadata": {"nickname": "Alice", "reputation": {"score": 100}}},
        {"trust": {"reputation": 1}},
        {"min": 1},
        {"types": ("spend",)},
    ],
)
async def test_nothing_about_an_advertisement_can_be_changed_on_the_way(world: World, changes: dict[str, Any]) -> None:
    daemon, alice = await world.daemon(), Signer()
    forged = rewritten(alice.advertise(world.clock.wall)[0], **changes)
    await assert_refused(daemon, (forged, alice.enter(forged)))


async def test_02_and_03_of_a_bip340_key_cannot_be_swapped(world: World) -> None:
    daemon, alice = await world.daemon(), Signer("bip340")
    signed, _ = alice.advertise(world.clock.wall)
    twin = bytes([alice.pubkey[0] ^ 1]) + alice.pubkey[1:]
    forged = rewritten(signed, pubkey=twin)
    await assert_refused(daemon, (forged, None))


async def test_an_entry_that_says_something_else_is_not_shown(world: World) -> None:
    daemon, alice = await world.daemon(), Signer()
    signed, entry = alice.advertise(world.clock.wall)
    other = alice.enter(signed, types=("coinjoin",))
    assert await pushed(daemon, MALLORY, (signed, other)) == 0
    assert await daemon.found() == set()
    assert await pushed(daemon, MALLORY, (signed, entry)) == 1
    assert await daemon.found() == {alice.pubkey.hex()}


async def test_an_entry_waits_for_its_advertisement(world: World) -> None:
    daemon, alice = await world.daemon(), Signer()
    signed, entry = alice.advertise(world.clock.wall)
    assert await pushed(daemon, MALLORY, (entry, None)) == 0
    assert await pushed(daemon, MALLORY, (signed, None)) == 1


async def test_an_old_advertisement_does_not_come_back_after_a_withdrawal(world: World) -> None:
    daemon, alice = await world.daemon(), Signer()
    statement = alice.advertise(world.clock.wall)
    await pushed(daemon, alice.identity.peer, statement)
    await pushed(daemon, alice.identity.peer, (alice.withdraw(world.clock.wall), None))
    assert await daemon.found() == set()
    assert await pushed(daemon, MALLORY, statement) == 0
    assert await daemon.found() == set()


async def test_a_replay_from_the_dht_loses_against_a_withdrawal(world: World) -> None:
    daemon, alice = await world.daemon(), Signer()
    statement = alice.advertise(world.clock.wall)
    await pushed(daemon, alice.identity.peer, (alice.withdraw(world.clock.wall + 1), None))
    world.wire.dht[alice.pubkey] = statement[0].envelope
    assert await daemon.service.signers.resolve(alice.pubkey) == []
    assert await daemon.found() == set()


async def test_a_withdrawal_by_somebody_else_changes_nothing(world: World) -> None:
    daemon, alice, mallory = await world.daemon(), Signer(), Signer()
    await pushed(daemon, alice.identity.peer, alice.advertise(world.clock.wall))
    forged = seal(alice.withdraw(world.clock.wall + 1).record, mallory.sign)
    assert await pushed(daemon, MALLORY, (forged, None)) == 0
    assert await daemon.found() == {alice.pubkey.hex()}


async def test_a_timestamp_in_the_future_is_refused_and_is_no_offence(world: World) -> None:
    daemon, alice = await world.daemon(), Signer()
    assert await pushed(daemon, MALLORY, alice.advertise(world.clock.wall + 300_001)) == 0
    assert daemon.net.faults == []
    assert await pushed(daemon, MALLORY, alice.advertise(world.clock.wall + 299_000)) == 1


async def test_an_old_advertisement_is_refused_on_a_live_channel(world: World) -> None:
    daemon, alice = await world.daemon(), Signer()
    assert await pushed(daemon, MALLORY, alice.advertise(world.clock.wall - 300_001)) == 0
    assert daemon.net.faults == []


async def test_an_owner_whose_clock_was_set_back_still_replaces_its_advertisement(world: World) -> None:
    alice = await world.daemon()
    bob = await world.daemon(alice)
    key = alice.keys.create()
    before = await alice.advertise(key)
    await until(lambda: bob.lines() == 1)
    world.clock.wall -= 120_000
    world.clock.mono += 120_000
    after = await alice.advertise(key, metadata={"nickname": "later"})
    assert after["timestamp"] == before["timestamp"] + 1
    await until(lambda: bob.timestamps() == [after["timestamp"]])
    (found,) = (await bob.find())["signers"]
    assert found["metadata"] == {"nickname": "later"}


async def test_a_delegation_that_was_not_published_is_not_taken_as_an_advertisement(world: World) -> None:
    alice, daemon = await world.daemon(), await world.daemon()
    envelope = alice.service.signers.delegation_of(alice.keys.create())
    assert envelope is not None
    from musig2.protocol.records.envelope import open_envelope

    signed = open_envelope(envelope, max_bytes=10_000)
    assert await pushed(daemon, MALLORY, (signed, None)) == 0
    assert await daemon.found() == set()


async def test_expired_advertisements_are_not_shown(world: World) -> None:
    daemon, alice = await world.daemon(), Signer()
    await pushed(daemon, MALLORY, alice.advertise(world.clock.wall))
    world.clock.forward(DAY_MS)
    assert await daemon.found() == set()
