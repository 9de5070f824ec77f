"""Making requests, and refusing those that do not add up."""

from dataclasses import replace
from typing import Any

import pytest

from musig2 import InvalidContributionError, KeyAggContext, Tweak, TweakKind, scheme
from musig2.protocol.errors import InvalidRecord
from musig2.protocol.records.checks import RecordLimits
from musig2.protocol.records.records import Item, WireTweak
from musig2.protocol.records.requests import RequestProblem, ToSign, bounds_problem, key_agg_of, request_problem
from tests.protocol.records_world import ANNA, BEN, CLEO, DAY, MINUTE, NOW, digest, request

LIMITS = RecordLimits()
SCHEMES = ("lotus", "bip340")


@pytest.mark.parametrize("name", SCHEMES)
def test_a_request_that_was_made_here_has_no_problem(name: str) -> None:
    assert request_problem(request(name)) is None
    assert bounds_problem(ANNA.seal(request(name)), NOW, LIMITS) is None


@pytest.mark.parametrize("name", SCHEMES)
def test_keys_are_sorted_and_the_order_of_the_wallet_is_kept(name: str) -> None:
    asked = request(name)
    assert asked.keys == tuple(sorted(asked.keys))
    assert tuple(asked.keys[index] for index in asked.order) == (BEN.pubkey, CLEO.pubkey, ANNA.pubkey)


def test_agg_is_the_tweaked_aggregate_of_the_sorted_keys() -> None:
    asked = request("bip340")
    tweaks = (
        Tweak(TweakKind.PLAIN, digest("plain")),
        Tweak(TweakKind.XONLY, digest("x-only")),
        Tweak(TweakKind.TAPROOT),
    )
    expected: KeyAggContext = scheme("bip340").key_agg(asked.keys, tweaks)
    assert asked.items[0].agg == expected.aggpubkey != asked.items[1].agg
    assert key_agg_of(asked, asked.items[0]) == expected


def test_a_lotus_root_of_zeros_is_the_same_as_none() -> None:
    tweaks = ((), (Tweak(TweakKind.TAPROOT),), (Tweak(TweakKind.TAPROOT, bytes(32)),))
    bare, null, zeros = (request(to_sign=(ToSign(digest("m"), tweak),)) for tweak in tweaks)
    assert null == zeros
    assert bare.items[0].agg != null.items[0].agg
    assert null.items[0].tweaks == (WireTweak(2, None),)


def with_item(**changes: Any) -> Any:
    """A request whose second item is changed, the aggregate left as it was."""
    asked = request()
    return replace(asked, items=(asked.items[0], replace(asked.items[1], **changes)))


@pytest.mark.parametrize(
    "asked",
    [
        with_item(agg=ANNA.pubkey),
        with_item(tweaks=(WireTweak(2, None),)),
        replace(request("bip340"), scheme="lotus", items=(Item(digest("m"), (), request("bip340").items[1].agg),)),
        replace(request(), keys=tuple(sorted((ANNA.pubkey, BEN.pubkey))), order=(0, 1)),
        replace(request(), keys=(b"\x02" + bytes(31) + b"\x05", ANNA.pubkey), order=(0, 1)),
    ],
    ids=["another aggregate", "another tweak", "another scheme", "other keys", "a key that is no point"],
)
def test_an_aggregate_that_does_not_follow_is_refused(asked: Any) -> None:
    assert request_problem(asked) is RequestProblem.INVALID_KEY


def test_a_creator_outside_the_keys_is_refused() -> None:
    pair = request(pubkeys=(BEN.pubkey, CLEO.pubkey), creator=BEN.pubkey)
    assert request_problem(replace(pair, creator=ANNA.pubkey)) is RequestProblem.KEY_NOT_REQUIRED


def test_a_request_is_taken_from_its_making_to_its_expiry() -> None:
    signed = ANNA.seal(request())
    assert bounds_problem(signed, NOW - 5 * MINUTE, LIMITS) is None
    assert bounds_problem(signed, NOW - 5 * MINUTE - 1, LIMITS) is RequestProblem.TIMESTAMP
    assert bounds_problem(signed, NOW + DAY - 1, LIMITS) is None
    assert bounds_problem(signed, NOW + DAY, LIMITS) is RequestProblem.EXPIRED


def test_a_request_may_not_wait_for_more_than_seven_days() -> None:
    assert bounds_problem(ANNA.seal(request(expires=NOW + 7 * DAY)), NOW, LIMITS) is None
    assert bounds_problem(ANNA.seal(request(expires=NOW + 7 * DAY + 1)), NOW, LIMITS) is RequestProblem.TOO_LONG


def test_a_request_has_a_largest_size_and_a_largest_amount_of_work() -> None:
    signed = ANNA.seal(request())
    size = len(signed.envelope)
    assert bounds_problem(signed, NOW, replace(LIMITS, request_bytes=size)) is None
    assert bounds_problem(signed, NOW, replace(LIMITS, request_bytes=size - 1)) is RequestProblem.TOO_LARGE
    assert bounds_problem(signed, NOW, replace(LIMITS, items_times_signers=6)) is None
    assert bounds_problem(signed, NOW, replace(LIMITS, items_times_signers=5)) is RequestProblem.TOO_MANY


def test_a_hundred_messages_under_one_aggregate_are_one_request() -> None:
    asked = request(to_sign=tuple(ToSign(digest(f"input {index}"), (), index) for index in range(100)))
    assert len({item.agg for item in asked.items}) == 1
    assert bounds_problem(ANNA.seal(asked), NOW, LIMITS) is None


def test_a_key_that_is_named_twice_or_missing_is_reported_at_once() -> None:
    with pytest.raises(InvalidRecord, match="differ"):
        request(pubkeys=(ANNA.pubkey, BEN.pubkey, ANNA.pubkey))
    with pytest.raises(InvalidRecord, match="creator"):
        request(pubkeys=(BEN.pubkey, CLEO.pubkey))


def test_a_key_that_is_no_point_names_its_signer() -> None:
    with pytest.raises(InvalidContributionError) as caught:
        request(pubkeys=(ANNA.pubkey, b"\x02" + bytes(31) + b"\x05"))
    assert caught.value.signer == 0
