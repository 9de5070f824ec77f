"""Accounts of peers and address ranges: a peer that owes waits, and one that does not never waits for others."""

from __future__ import annotations

import pytest
import trio
import trio.testing

from musig2.protocol.wire.frame_codec import encode_frame
from musig2.protocol.wire.frames import Have
from p2p.ports import Offence, Standing
from p2p.settings import NetworkConfig
from p2p.sources import range_or_host
from p2p.streams.accounts import Accounts
from p2p.streams.gate import PeerGate
from p2p.streams.prices import (
    ALLOWANCES,
    BAN_AT,
    DOOR,
    DOOR_BESIDE,
    IDLE_FACTOR,
    LEAST_AT_ONCE,
    PRICES_US,
    RANGE,
    TOGETHER,
    WELCOME,
    Work,
)

STRANGER = ALLOWANCES[Standing.STRANGER]
ONE, TWO = b"one", b"two"


class Clock:
    """Seconds that pass only when a test says so."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def accounts(clock: Clock) -> Accounts:
    """The accounts of a daemon with a session under way."""
    made = Accounts(clock)
    made.hurry()
    return made


def spend(accounts: Accounts, peer: bytes, microseconds: float) -> float:
    """Seconds that the peer owes after that much work."""
    accounts.charge(peer, Work.FRAME, microseconds / PRICES_US[Work.FRAME])
    return accounts.owed_s(peer)


def test_a_peer_within_its_allowance_does_not_wait(accounts: Accounts) -> None:
    assert spend(accounts, ONE, STRANGER.at_once) == 0.0
    assert spend(accounts, ONE, STRANGER.per_second) == pytest.approx(1.0)


def test_what_is_owed_is_paid_by_waiting(accounts: Accounts, clock: Clock) -> None:
    assert spend(accounts, ONE, STRANGER.at_once + STRANGER.per_second) == pytest.approx(1.0)
    clock.now += 0.4
    accounts.hurry()
    assert accounts.owed_s(ONE) == pytest.approx(0.6)
    clock.now += 0.7
    assert accounts.owed_s(ONE) == 0.0


def test_a_daemon_without_a_session_under_way_has_more_to_give(accounts: Accounts, clock: Clock) -> None:
    clock.now += 10
    assert spend(accounts, ONE, STRANGER.at_once + STRANGER.per_second) == pytest.approx(1 / IDLE_FACTOR)


def test_a_newcomer_owes_nothing_however_many_others_do(accounts: Accounts) -> None:
    for number in range(300):
        assert spend(accounts, b"stranger %d" % number, 100 * STRANGER.at_once) > 0
    assert spend(accounts, ONE, LEAST_AT_ONCE) == 0.0


@pytest.mark.parametrize("standing", TOGETHER)
def test_all_who_owe_get_so_much_together_however_many_they_are(accounts: Accounts, standing: Standing) -> None:
    peers = [b"peer %d" % number for number in range(24)]
    for peer in peers:
        accounts.stand(peer, standing)
        spend(accounts, peer, ALLOWANCES[standing].at_once)
    owed = [spend(accounts, peer, STRANGER.at_once) for peer in peers]
    assert owed[-1] == pytest.approx(STRANGER.at_once / (TOGETHER[standing] / len(peers)))


def test_a_known_peer_is_not_banned_for_refused_requests(accounts: Accounts) -> None:
    banned: list[bytes] = []
    accounts.on_ban = lambda peer, reason: banned.append(peer)
    accounts.stand(ONE, Standing.KNOWN)
    accounts.fine(ONE, Work.REFUSED, 10 * BAN_AT)
    assert banned == []
    assert accounts.owed_s(ONE) > 0


def test_the_identities_of_a_range_share_what_it_has(accounts: Accounts) -> None:
    count = int(RANGE.at_once / STRANGER.at_once)
    for number in range(count):
        accounts.arrived(b"id %d" % number, f"9.9.9.{number}")
        assert spend(accounts, b"id %d" % number, STRANGER.at_once) == 0.0
    accounts.arrived(ONE, "9.9.9.200")
    accounts.arrived(TWO, "9.9.8.200")
    assert spend(accounts, ONE, 1_000) > 0
    assert spend(accounts, TWO, 1_000) == 0.0


def test_all_addresses_of_an_ipv6_site_share_what_one_range_has(accounts: Accounts) -> None:
    count = int(RANGE.at_once / STRANGER.at_once)
    hosts = [f"2a00:1:2:{number:x}::{number:x}" for number in range(count + 1)]  # each in a /64 of its own
    for host in hosts[:count]:
        accounts.arrived(host.encode(), host)
        assert spend(accounts, host.encode(), STRANGER.at_once) == 0.0
    accounts.arrived(ONE, hosts[count])
    accounts.arrived(TWO, "2a00:1:3::1")
    assert spend(accounts, ONE, 1_000) > 0
    assert spend(accounts, TWO, 1_000) == 0.0


def test_a_known_peer_does_not_pay_for_its_neighbours(accounts: Accounts) -> None:
    for peer in (ONE, TWO):
        accounts.arrived(peer, "9.9.9.9")
    accounts.stand(TWO, Standing.KNOWN)
    assert spend(accounts, ONE, 2 * RANGE.at_once) > 0
    assert spend(accounts, TWO, RANGE.at_once) == 0.0


def test_on_a_private_network_each_peer_is_its_own_range(accounts: Accounts) -> None:
    for peer in (ONE, TWO):
        accounts.arrived(peer, "10.0.0.1")
    assert spend(accounts, ONE, 2 * RANGE.at_once) > 0
    assert spend(accounts, TWO, STRANGER.at_once) == 0.0


def test_a_peer_that_becomes_known_no_longer_owes(accounts: Accounts) -> None:
    assert spend(accounts, ONE, 10 * STRANGER.at_once) > 0
    accounts.stand(ONE, Standing.KNOWN)
    assert accounts.owed_s(ONE) == 0.0
    assert spend(accounts, ONE, STRANGER.at_once) == 0.0
    accounts.stand(ONE, Standing.STRANGER)
    assert accounts.standing(ONE) is Standing.STRANGER
    assert spend(accounts, ONE, STRANGER.at_once + STRANGER.per_second) == pytest.approx(1.0)


def test_a_peer_that_is_known_before_it_comes_has_its_allowance_at_once(accounts: Accounts) -> None:
    accounts.stand(ONE, Standing.KNOWN)
    assert spend(accounts, ONE, ALLOWANCES[Standing.KNOWN].at_once) == 0.0


def test_a_peer_that_keeps_sending_refused_requests_is_banned_and_one_that_asks_much_is_not(accounts: Accounts) -> None:
    banned: list[bytes] = []
    accounts.on_ban = lambda peer, reason: banned.append(peer)
    spend(accounts, ONE, 100 * BAN_AT)
    refusals = int(BAN_AT / PRICES_US[Work.REFUSED])
    for _ in range(refusals):
        accounts.fine(TWO, Work.REFUSED)
    assert banned == []
    accounts.fine(TWO, Work.REFUSED)
    assert banned == [TWO]


def test_nobody_owes_more_than_a_minute(accounts: Accounts) -> None:
    assert spend(accounts, ONE, 1e12) == pytest.approx(60.0)


def test_handshakes_are_paced_and_more_slowly_beside_a_session(accounts: Accounts, clock: Clock) -> None:
    beside = int(DOOR_BESIDE / PRICES_US[Work.HANDSHAKE])
    assert [accounts.door_s() for _ in range(beside)] == [0.0] * beside
    pause_s = accounts.door_s()
    assert pause_s == pytest.approx(0.0, abs=PRICES_US[Work.HANDSHAKE] / DOOR.per_second)
    clock.now += 60.0
    assert [accounts.door_s() for _ in range(2 * beside)] == [0.0] * (2 * beside)


def test_new_identities_without_end_bring_little_each(accounts: Accounts, clock: Clock) -> None:
    for number in range(int(WELCOME.at_once / STRANGER.at_once)):
        assert spend(accounts, b"new %d" % number, STRANGER.at_once) == 0.0
    assert spend(accounts, b"one more", LEAST_AT_ONCE) == 0.0
    assert spend(accounts, b"one more", 1_000) > 0.0
    clock.now += 1.0
    assert spend(accounts, b"later", STRANGER.at_once) == 0.0


def test_where_a_known_peer_came_from_is_remembered_once_it_is_known(accounts: Accounts) -> None:
    accounts.arrived(ONE, "9.9.9.9")
    assert not accounts.is_home(range_or_host("9.9.9.1"))
    accounts.stand(ONE, Standing.KNOWN)
    assert accounts.is_home(range_or_host("9.9.9.1"))
    assert not accounts.is_home(range_or_host("9.9.8.1"))


class Nothing:
    """A sink for offences that ignores them."""

    def on_offence(self, peer: bytes, kind: Offence) -> None:
        raise AssertionError(kind)

    def on_ban(self, peer: bytes, reason: str) -> None:
        raise AssertionError(reason)


def test_frames_of_a_peer_that_owes_wait_at_the_gate_and_those_of_others_do_not() -> None:
    frames = [encode_frame(Have(bytes(32), 1, b"", b"", b""))] * 16

    async def flood(gate: PeerGate, peer: bytes, times: int) -> float:
        for _ in range(times):
            assert len(await gate.frames(peer, frames)) == len(frames)
        return float(trio.current_time())

    async def both() -> tuple[float, float]:
        accounts = Accounts(trio.current_time)
        gate = PeerGate(NetworkConfig(network="test"), Nothing(), accounts, trio.current_time)
        began = trio.current_time()
        return await flood(gate, ONE, 3_000) - began, await flood(gate, TWO, 10) - trio.current_time()

    slow_s, quick_s = trio.run(both, clock=trio.testing.MockClock(autojump_threshold=0))
    work = 3_000 * len(frames) * PRICES_US[Work.FRAME]
    assert slow_s > (work - STRANGER.at_once) / (IDLE_FACTOR * STRANGER.per_second)
    assert quick_s == 0.0
