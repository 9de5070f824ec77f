"""The four checks, and which of two records is the newer one."""

from dataclasses import replace
from typing import Any

import pytest

from musig2.protocol.records.checks import RecordLimits, Rejection, check_record, entry_agrees, newer
from musig2.protocol.records.records import Withdrawal
from tests.protocol.records_world import ANNA, DAY, MINUTE, NOW, advertisement, entry, every_record

LIMITS = RecordLimits()
RECORDS = every_record()
STATED: dict[str, Any] = {name: RECORDS[name] for name in ("advertisement", "withdrawal", "entry", "node", "notice")}
SIZES = {"advertisement": 10_000, "withdrawal": 1_000, "entry": 4_096, "node": 8_192, "notice": 4_096}


def check(record: Any, now_ms: int, *, live: bool) -> Rejection | None:
    return check_record(500, record, now_ms, LIMITS, live)


@pytest.mark.parametrize("name", STATED)
@pytest.mark.parametrize("live", [True, False])
def test_a_fresh_record_passes(name: str, live: bool) -> None:
    assert check(STATED[name], NOW, live=live) is None


@pytest.mark.parametrize("name", STATED)
def test_a_record_has_a_largest_size(name: str) -> None:
    assert check_record(SIZES[name], STATED[name], NOW, LIMITS, True) is None
    assert check_record(SIZES[name] + 1, STATED[name], NOW, LIMITS, True) is Rejection.TOO_LARGE


@pytest.mark.parametrize("name", STATED)
def test_live_channels_take_what_lies_within_the_skew(name: str) -> None:
    skew = 5 * MINUTE
    for now_ms in (NOW - skew, NOW + skew):
        assert check(STATED[name], now_ms, live=True) is None
    for now_ms in (NOW - skew - 1, NOW + skew + 1):
        assert check(STATED[name], now_ms, live=True) is Rejection.TIMESTAMP


@pytest.mark.parametrize("name", ["advertisement", "entry", "node", "notice"])
def test_the_directory_takes_older_records_until_they_expire(name: str) -> None:
    record = replace(STATED[name], exp=NOW + 7 * DAY)
    assert check(record, NOW + 7 * DAY - 1, live=False) is None
    assert check(record, NOW + 7 * DAY, live=False) is Rejection.EXPIRED
    assert check(record, NOW + 7 * DAY + 1, live=False) is Rejection.TIMESTAMP
    assert check(record, NOW - 5 * MINUTE - 1, live=False) is Rejection.TIMESTAMP


@pytest.mark.parametrize("live", [True, False])
def test_an_advertisement_lasts_at_most_seven_days(live: bool) -> None:
    assert check(advertisement(exp=NOW + 7 * DAY), NOW, live=live) is None
    assert check(advertisement(exp=NOW + 7 * DAY + 1), NOW, live=live) is Rejection.EXPIRED


def test_a_tombstone_outlives_every_advertisement_that_it_could_have_to_beat() -> None:
    withdrawal = Withdrawal("lotus", ANNA.pubkey, NOW)
    assert check(withdrawal, NOW + 7 * DAY + 10 * MINUTE, live=False) is None
    assert check(withdrawal, NOW + 7 * DAY + 10 * MINUTE + 1, live=False) is Rejection.TIMESTAMP


def test_the_cheapest_check_that_fails_is_named() -> None:
    rotten = advertisement(ts=NOW - DAY, exp=NOW - 1)
    assert check_record(10_001, rotten, NOW, LIMITS, True) is Rejection.TOO_LARGE
    assert check_record(1, rotten, NOW, LIMITS, True) is Rejection.TIMESTAMP
    assert check_record(1, rotten, NOW, LIMITS, False) is Rejection.EXPIRED


def test_the_operator_sets_the_limits() -> None:
    tight = RecordLimits(advertisement_bytes=100, skew_ms=10, max_ttl_ms=1_000)
    assert check_record(101, advertisement(), NOW, tight, True) is Rejection.TOO_LARGE
    assert check_record(100, advertisement(), NOW + 11, tight, True) is Rejection.TIMESTAMP
    assert check_record(100, advertisement(), NOW, tight, True) is Rejection.EXPIRED


def test_the_higher_time_is_newer() -> None:
    early, late = ANNA.seal(advertisement()), ANNA.seal(advertisement(ts=NOW + 1))
    assert newer(late, early)
    assert not newer(early, late)


def test_a_withdrawal_wins_a_tie_but_not_against_a_later_advertisement() -> None:
    ad, withdrawal = ANNA.seal(advertisement()), ANNA.seal(Withdrawal("lotus", ANNA.pubkey, NOW))
    assert newer(withdrawal, ad)
    assert not newer(ad, withdrawal)
    assert newer(ANNA.seal(advertisement(ts=NOW + 1)), withdrawal)


def test_of_two_at_the_same_time_the_smaller_id_wins_everywhere() -> None:
    pair = sorted((ANNA.seal(advertisement(max=bound)) for bound in (1_001, 1_002)), key=lambda signed: signed.id)
    assert newer(pair[0], pair[1])
    assert not newer(pair[1], pair[0])
    assert not newer(pair[0], pair[0])


def test_an_entry_agrees_with_its_own_advertisement_only() -> None:
    ad = ANNA.seal(advertisement())
    assert entry_agrees(entry(ad), ad)
    different: dict[str, Any] = {
        "ad": bytes(32),
        "scheme": "bip340",
        "pubkey": b"\x02" + ANNA.pubkey[1:],
        "peer": ANNA.peer.peer[:-1] + b"x",
        "types": ("spend",),
        "ts": NOW - 1,
        "exp": NOW + 1,
    }
    for name, value in different.items():
        assert not entry_agrees(entry(ad, **{name: value}), ad), name
