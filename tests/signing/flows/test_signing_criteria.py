"""A request outside what an own key advertises is flagged to its signer, and to nobody else; nothing is refused."""

from __future__ import annotations

from typing import Any

import pytest

from musig2.protocol.records.records import Advertisement
from rpc.caller import Caller, Scope
from rpc.events.filter import Selection
from tests.signing.signing_world import Daemon, World, announce, signatures


def advertise(daemon: Daemon, key: bytes, **terms: Any) -> None:
    """What that daemon advertises for its key."""
    now = daemon.clock.wall_ms()
    ad = Advertisement("lotus", key, daemon.peer, (), ("spend", "swap"), now, now + 3_600_000, **terms)
    daemon.world.book.criteria[key] = ad


async def seen(daemon: Daemon, request: str) -> list[tuple[str, str]]:
    """What is flagged, as (key, criterion): the same in the event, the list and the getter."""
    event = await daemon.until("signing-request:received", requestId=request)
    shown = await daemon.call("getSigningRequest", requestId=request)
    assert event.data["request"]["outsideCriteria"] == shown["outsideCriteria"]
    assert all(each["message"] for each in shown["outsideCriteria"])
    return [(each["publicKey"], each["criterion"]) for each in shown["outsideCriteria"]]


@pytest.mark.parametrize(
    ("metadata", "criteria"),
    [
        ({"transactionType": "spend", "amount": 100}, []),
        ({"transactionType": "swap", "amount": 1_000}, []),
        ({"transactionType": "escrow", "amount": 100}, ["transactionTypes"]),
        ({"transactionType": "spend", "amount": 99}, ["minAmount"]),
        ({"transactionType": "spend", "amount": 1_001}, ["maxAmount"]),
        ({"transactionType": "spend"}, ["minAmount"]),
        ({}, ["transactionTypes", "minAmount"]),
    ],
)
async def test_a_request_outside_the_criteria_is_flagged_and_can_be_joined(
    world: World, metadata: dict[str, Any], criteria: list[str]
) -> None:
    one, two = await world.grow(2)
    advertise(two, two.key, min=100, max=1_000)
    advertise(one, one.key, min=5_000_000)  # a creator knows what it asks
    request = (await announce(one, [one, two], metadata=metadata))["requestId"]
    assert await seen(two, request) == [(two.key.hex(), criterion) for criterion in criteria]
    assert (await one.call("getSigningRequest", requestId=request))["outsideCriteria"] == []
    await two.call("joinSigningRequest", requestId=request, publicKey=two.key.hex())
    assert await signatures(two, request)


async def test_a_key_without_an_advertisement_has_no_criteria(world: World) -> None:
    one, two = await world.grow(2)
    request = (await announce(one, [one, two]))["requestId"]
    assert await seen(two, request) == []


async def test_an_open_end_of_the_amount_matches_any_amount(world: World) -> None:
    one, two = await world.grow(2)
    advertise(two, two.key)
    request = (await announce(one, [one, two], metadata={"transactionType": "spend"}))["requestId"]
    assert await seen(two, request) == []


async def test_a_wallet_is_not_told_of_the_criteria_of_its_neighbour(world: World) -> None:
    one = await world.add()
    two = await world.add(keys=2)
    mine, other = two.keystore.keys()
    for key in (mine, other):
        advertise(two, key, min=100)
    request = (
        await one.call(
            "announceSigningRequest",
            publicKey=one.key.hex(),
            requiredPublicKeys=[key.hex() for key in (one.key, mine, other)],
            message="11" * 32,
            metadata={"transactionType": "spend", "amount": 1},
        )
    )["requestId"]
    assert {key for key, _ in await seen(two, request)} == {mine.hex(), other.hex()}
    tenant = Caller("bound", frozenset({Scope.READ}), frozenset({mine}), create_key=False)
    shown = await two.call("getSigningRequest", tenant, requestId=request)
    assert [each["publicKey"] for each in shown["outsideCriteria"]] == [mine.hex()]
    told = Selection(tenant, lambda token: ()).shown(two.told("signing-request:received")[0])
    assert [each["publicKey"] for each in told.data["request"]["outsideCriteria"]] == [mine.hex()]
