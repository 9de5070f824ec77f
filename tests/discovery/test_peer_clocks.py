"""The own clock against those of peers: a median of address ranges that no single peer and no crowd moves."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

import pytest
from structlog.testing import capture_logs

from daemon.discovery.limits import HOUR_MS, DiscoveryLimits
from daemon.discovery.peers.clocks import PeerClocks
from p2p.network import Direction, PeerInfo
from tests.discovery.discovery_world import DAY_MS, MovedClock, World, until

IN, OUT = Direction.INBOUND, Direction.OUTBOUND
MINUTE_MS = 60_000


@dataclass
class Connected:
    """As much of a network as the clocks of peers need."""

    infos: list[PeerInfo] = field(default_factory=list)

    def peers(self) -> list[PeerInfo]:
        return self.infos


class Place:
    """A daemon's clocks, and peers that say what time it is."""

    def __init__(self, *, public: bool = True) -> None:
        self.clock = MovedClock()
        self.net = Connected()
        limits = DiscoveryLimits(private_ranges=not public)
        self.clocks = PeerClocks(net=self.net, clock=self.clock, limits=limits)  # type: ignore[arg-type] # a part of it

    def told(self, ahead_ms: int, host: str | None, direction: Direction = OUT) -> None:
        """A new peer at this address says that its clock is so far ahead of the right time."""
        peer = secrets.token_bytes(38)
        self.net.infos.append(PeerInfo(peer, (), direction, 0, host=host))
        self.clocks.heard(peer, self.clock.wall + ahead_ms)


def test_three_ranges_must_have_spoken_before_anything_is_said() -> None:
    place = Place()
    for host in ("9.1.1.1", "9.1.1.2", "9.1.1.3", "9.2.2.2"):
        place.told(DAY_MS, host)
    assert place.clocks.ahead_ms() is None
    assert not place.clocks.is_wrong()
    place.told(DAY_MS, "2600:1::1")
    assert place.clocks.ahead_ms() == DAY_MS
    assert place.clocks.is_wrong()


def test_a_crowd_in_one_address_range_has_one_voice() -> None:
    place = Place()
    for number in range(40):
        place.told(DAY_MS, f"9.9.9.{number}")
    for host in ("9.1.1.1", "9.2.2.2", "9.3.3.3"):
        place.told(200, host)
    assert place.clocks.ahead_ms() == 200


def test_a_crowd_of_inbound_peers_does_not_outvote_dialled_peers() -> None:
    place = Place()
    for number in range(1, 60):
        place.told(DAY_MS, f"9.{number}.9.9", IN)
    assert place.clocks.is_wrong(), "nobody else is there"
    for host in ("8.1.1.1", "8.2.2.2", "8.3.3.3"):
        place.told(0, host)
    assert place.clocks.ahead_ms() == 0


def test_peers_behind_one_private_address_share_a_voice_on_the_open_network_only() -> None:
    for public, verdict in ((True, None), (False, DAY_MS)):
        place = Place(public=public)
        for _ in range(5):
            place.told(DAY_MS, "172.17.0.1")
        assert place.clocks.ahead_ms() == verdict


@pytest.mark.parametrize(
    ("ahead_ms", "wrong", "said"),
    [
        (MINUTE_MS, False, None),
        (4 * MINUTE_MS, False, "240 s behind that of its peers, who will soon refuse"),
        (6 * MINUTE_MS, True, "360 s behind that of its peers, who refuse"),
        (-6 * MINUTE_MS, True, "360 s ahead of that of its peers, who refuse"),
    ],
)
def test_the_clock_is_wrong_when_peers_refuse_records_with_its_time(
    ahead_ms: int, wrong: bool, said: str | None
) -> None:
    place = Place()
    for host in ("9.1.1.1", "9.2.2.2", "9.3.3.3"):
        place.told(ahead_ms, host)
    remedy = place.clocks.remedy()
    assert place.clocks.is_wrong() is wrong
    assert remedy is None if said is None else said in str(remedy)


def test_times_heard_before_the_clock_was_set_or_an_hour_ago_no_longer_count() -> None:
    place = Place()
    for host in ("9.1.1.1", "9.2.2.2", "9.3.3.3"):
        place.told(DAY_MS, host)
    place.clock.wall += DAY_MS
    assert place.clocks.ahead_ms() is None
    place.clock.wall -= DAY_MS
    assert place.clocks.is_wrong()
    place.clock.forward(HOUR_MS + 1)
    assert place.clocks.ahead_ms() is None


def test_log_says_once_that_the_clock_is_wrong_and_once_that_it_is_right_again() -> None:
    place = Place()
    with capture_logs() as logs:
        for number in range(1, 9):
            place.told(DAY_MS, f"9.{number}.1.1")
        place.clock.wall += DAY_MS
        for number in range(1, 9):
            place.told(0, f"9.{number}.1.1")
    assert [entry["log_level"] for entry in logs] == ["error", "info"]
    assert "timedatectl" in logs[0]["remedy"]


async def test_daemon_hears_the_time_from_those_it_greets(world: World) -> None:
    alice = await world.daemon(clock=MovedClock())
    alice.clock.wall -= DAY_MS
    for _ in range(3):
        await world.daemon(alice)
    await alice.service._rounds.refresh()
    await until(alice.service.clocks.problem)
    assert [reason for reason, _ in alice.service.problems.found()] == ["clock_wrong"]
    assert "86400 s behind" in str(alice.service.clocks.problem())
    alice.clock.wall += DAY_MS
    assert alice.service.problems.found() == []
