"""What a relay keeps is bounded: per peer, per range, in all; and better known peers get a place when it is full."""

from __future__ import annotations

from p2p.ports import Standing
from p2p.relay.reservations import LIFE_S, PER_RANGE, Reservations

KNOWN = b"known"


def standing(peer: bytes) -> Standing:
    return Standing.KNOWN if peer.startswith(KNOWN) else Standing.STRANGER


def full(most: int) -> Reservations:
    reservations = Reservations(most, standing)
    for number in range(most):
        assert reservations.grant(b"%d" % number, b"range %d" % number, 0)
    return reservations


def test_a_full_relay_refuses_strangers_and_renews_those_it_has() -> None:
    reservations = full(3)
    assert not reservations.grant(b"another", b"elsewhere", 0)
    assert reservations.grant(b"0", b"range 0", LIFE_S / 2)
    assert reservations.holds(b"0", LIFE_S + 1)
    assert not reservations.holds(b"1", LIFE_S + 1)
    assert reservations.grant(b"another", b"elsewhere", LIFE_S + 1)


def test_a_known_peer_takes_the_place_of_the_newest_stranger() -> None:
    reservations = full(3)
    assert reservations.grant(KNOWN, b"elsewhere", 0)
    assert [reservations.holds(peer, 1) for peer in (b"0", b"1", b"2", KNOWN)] == [True, True, False, True]
    for number in range(2):
        assert reservations.grant(KNOWN + b"%d" % number, b"elsewhere", 0)
    assert not reservations.grant(KNOWN + b"too many", b"elsewhere", 0)


def test_a_range_that_has_most_gives_way_to_one_that_has_less() -> None:
    reservations = Reservations(4, lambda peer: Standing.STRANGER)
    assert all(reservations.grant(b"crowd %d" % number, b"4abc", 0) for number in range(4))
    assert reservations.grant(b"new", b"4def", 0)
    assert not reservations.holds(b"crowd 3", 0)
    assert not reservations.grant(b"crowd 5", b"4abc", 0)


def test_one_range_gets_a_part_only_and_peers_of_a_private_network_are_ranges_of_their_own() -> None:
    reservations = Reservations(1_000, standing)
    granted = [reservations.grant(b"%d" % number, b"4abc", 0) for number in range(PER_RANGE + 1)]
    assert granted == [True] * PER_RANGE + [False]
    assert all(reservations.grant(b"own %d" % number, b"own %d" % number, 0) for number in range(2 * PER_RANGE))


def test_a_peer_that_left_is_not_reached_any_more() -> None:
    reservations = full(1)
    reservations.drop(b"0")
    assert not reservations.holds(b"0", 0)
    assert len(reservations) == 0
