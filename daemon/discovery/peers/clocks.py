"""Compares this machine's clock with those of peers: a median, which neither one peer nor a crowd of them can move.

Every greeting holds the time at which it was written. Other times are no evidence: a record is stamped when it is made,
and may be passed on days later. One address range has one vote, however many peers are in it; peers that this daemon
dialled itself count before those that dialled it. The result is reported; while the clock is wrong nothing is deleted
for its age, and no budget and no time window of a policy lets anything pass. So whoever manipulates it can worry an
owner and hold back what is signed automatically, but no more.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass

import structlog

from daemon.clock import Clock
from daemon.discovery.directory.address_ranges import NOWHERE
from daemon.discovery.limits import HOUR_MS, DiscoveryLimits
from daemon.discovery.ports import DirectoryNetwork
from p2p.network import Direction, PeerInfo
from p2p.sources import range_of_host

log = structlog.get_logger("musigd.discovery")

VOICES = 3  # address ranges that must have voted
REMEMBERED = 64
STEP_MS = 10_000  # a larger step against the monotonic clock: the clock was set, or the machine slept


@dataclass(frozen=True, slots=True)
class _Heard:
    ahead_ms: int  # of ours
    mono_ms: int
    shift_ms: int  # our wall clock minus our monotonic one
    outbound: bool
    voice: bytes  # the address range, or the peer


class PeerClocks:
    """Remembers the latest time from each peer for an hour; belongs to the event loop."""

    def __init__(self, *, net: DirectoryNetwork, clock: Clock, limits: DiscoveryLimits) -> None:
        self._net = net
        self._clock = clock
        self._limits = limits
        self._heard: OrderedDict[bytes, _Heard] = OrderedDict()
        self._told_wrong = False

    def heard(self, peer: bytes, their_ms: int) -> None:
        """A peer said what time it is there."""
        info = next((info for info in self._net.peers() if info.peer == peer), None)
        if info is None:
            return
        wall_ms, mono_ms = self._clock.wall_ms(), self._clock.mono_ms()
        outbound = info.direction is Direction.OUTBOUND
        self._heard.pop(peer, None)
        self._heard[peer] = _Heard(their_ms - wall_ms, mono_ms, wall_ms - mono_ms, outbound, self._voice_of(info))
        while len(self._heard) > REMEMBERED:
            self._heard.popitem(last=False)
        self._tell()

    def ahead_ms(self) -> int | None:
        """How far the median clock of peers is ahead of ours; None while too few are known."""
        valid = [heard for heard in self._heard.values() if self._holds(heard)]
        dialled = _voices(heard for heard in valid if heard.outbound)
        voices = dialled if len(dialled) >= VOICES else _voices(valid)
        return _median(voices) if len(voices) >= VOICES else None

    def is_wrong(self) -> bool:
        """Whether our clock differs so much that peers refuse what this daemon signs."""
        ahead_ms = self.ahead_ms()
        return ahead_ms is not None and abs(ahead_ms) > self._limits.checks.skew_ms

    def problem(self) -> str | None:
        """What the owner should do if the clock is so wrong that peers refuse what is signed here; None otherwise."""
        return self.remedy() if self.is_wrong() else None

    def remedy(self) -> str | None:
        """What the owner should do, from half of the difference that peers allow on; None when all is well."""
        ahead_ms = self.ahead_ms()
        if ahead_ms is None or abs(ahead_ms) <= self._limits.checks.skew_ms // 2:
            return None
        way = "behind" if ahead_ms > 0 else "ahead of"
        refuse = "refuse" if self.is_wrong() else "will soon refuse"
        return (
            f"This machine's clock is {abs(ahead_ms) // 1000} s {way} that of its peers, who {refuse} what it says: "
            "set it (timedatectl set-ntp true). What it signed meanwhile is then made again by itself."
        )

    def _tell(self) -> None:
        """Log once when the clock is found wrong, and once when it is right again."""
        wrong = self.is_wrong()
        if wrong and not self._told_wrong:
            log.error("the clock of this machine is wrong", peers_ahead_ms=self.ahead_ms(), remedy=self.remedy())
        elif self._told_wrong and not wrong and self.ahead_ms() is not None:
            log.info("the clock of this machine is right again")
        else:
            return
        self._told_wrong = wrong

    def _holds(self, heard: _Heard) -> bool:
        now_ms = self._clock.mono_ms()
        shift_ms = self._clock.wall_ms() - now_ms
        return now_ms - heard.mono_ms <= HOUR_MS and abs(shift_ms - heard.shift_ms) <= STEP_MS

    def _voice_of(self, info: PeerInfo) -> bytes:
        """The address range; on a local network, where there are none, the peer itself."""
        nowhere = info.peer if self._limits.private_ranges else NOWHERE
        return range_of_host(info.host) or nowhere


def _voices(heard: Iterable[_Heard]) -> list[int]:
    """The vote of each range: the median of the peers in it."""
    by_voice: dict[bytes, list[int]] = {}
    for one in heard:
        by_voice.setdefault(one.voice, []).append(one.ahead_ms)
    return [_median(said) for said in by_voice.values()]


def _median(said: list[int]) -> int:
    return sorted(said)[len(said) // 2]
